import { binding } from '../native.js';
import { answer, batch, frame, isInt, isUint, lay, layHalves } from './call-frame.js';
import { epollEventLayout, epollEventMemory, type EpollEventArray } from './epoll-event-array.js';

// Taken out once: the optimizing compiler then knows the target of each call.
const {
  epoll_create1: nativeEpollCreate1,
  epoll_ctl: nativeEpollCtl,
  epoll_wait: nativeEpollWait,
  epoll_pwait: nativeEpollPwait,
  epoll_pwait2: nativeEpollPwait2,
} = binding.sys;
const { epoll_ctl: framedEpollCtl, epoll_wait: framedEpollWait } = frame;
const EVENT_BYTES = 4 * epollEventLayout.words;

/** 64 bits of user data: a safe integer >= 0, or a bigint below 2 ** 64. */
export type EpollData = number | bigint;

/**
 * `epoll_create1(flags)`: opens an epoll set.
 *
 * @param flags  `EPOLL_CLOEXEC` or 0. int32.
 * @returns      The descriptor of the set, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EINVAL | unknown flags |
 * | EMFILE | the process is out of descriptors |
 * | ENFILE | the system is out of descriptors |
 * | ENOMEM | the kernel is out of memory |
 * | ENOSYS | this system has no epoll |
 *
 * Platform: Linux. Nobody owns the number; close it with {@link close}.
 * @see epoll_create1(2)
 */
export function epoll_create1(flags: number): number {
  return nativeEpollCreate1(flags);
}

/**
 * `epoll_ctl(epfd, op, fd, event)`: adds, changes or removes what the set watches.
 *
 * The kernel keys a registration by descriptor number and open file description together: it
 * survives `close(fd)` as long as a duplicate of the description is open, and then can no longer
 * be removed by its number. Remove first, close then.
 *
 * @param epfd    The set.
 * @param op      `EPOLL_CTL_ADD`, `EPOLL_CTL_MOD` or `EPOLL_CTL_DEL`.
 * @param fd      The descriptor to watch.
 * @param events  `EPOLLIN | EPOLLET | …`, int32 or uint32. Left out: 0. Ignored by `EPOLL_CTL_DEL`.
 * @param data    Comes back with every event, all 64 bits. Left out: `fd`.
 * @returns       0, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EBADF  | `epfd` or `fd` is not open |
 * | EEXIST | ADD of what is there |
 * | EINVAL | `epfd` is no set, or is `fd`; unknown `op`; EPOLLEXCLUSIVE with MOD or with flags it does not take |
 * | ELOOP  | sets inside sets: a cycle, or nested more than five deep |
 * | ENOENT | MOD or DEL of what is not there |
 * | ENOMEM | the kernel is out of memory |
 * | ENOSPC | above `/proc/sys/fs/epoll/max_user_watches` |
 * | EPERM  | the file cannot be watched: regular files and directories |
 *
 * Platform: Linux; elsewhere `-ENOSYS`.
 * @see epoll_ctl(2), epoll(7)
 */
export function epoll_ctl(
  epfd: number,
  op: number,
  fd: number,
  events?: number,
  data?: EpollData,
): number {
  // A mask may be either: `|` makes an int of it.
  if (isInt(epfd) && isInt(op) && isInt(fd) && (isInt(events) || isUint(events))) {
    if (data === undefined || isUint(data)) {
      lay(epfd, op, fd, events);
      layHalves(data ?? fd, 0);
      framedEpollCtl();
      return answer();
    }
  }
  return nativeEpollCtl(epfd, op, fd, events, data);
}

/**
 * `epoll_wait(epfd, events, maxevents, timeout)`: collects what is ready, or waits for it.
 *
 * Returns as soon as one event is there. `EPOLLERR` and `EPOLLHUP` come whether asked for or not.
 * What does not fit stays ready and comes with the next call.
 *
 * @param epfd       The set.
 * @param events     Filled from element 0. Elements beyond the answer keep their old content.
 * @param maxevents  How many at most, 1 … `events.capacity`. Above: RangeError.
 * @param timeoutMs  Milliseconds, int32; 0 asks without waiting; negative waits without end.
 * @returns          How many elements were filled, 0 if the time has passed, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EBADF  | `epfd` is not open |
 * | EINTR  | a signal handler ran, or the profiler's tick did; the process was stopped and goes on |
 * | EINVAL | `epfd` is no set; `maxevents` is 0 or less |
 *
 * Platform: Linux; elsewhere `-ENOSYS`. Thread: blocks the calling one, and with it this
 * JavaScript thread: no promise and no timer of Node runs. Memory: allocates nothing.
 * @see epoll_wait(2)
 */
export function epoll_wait(
  epfd: number,
  events: EpollEventArray,
  maxevents: number,
  timeoutMs: number,
): number {
  const memory = epollEventMemory(events);
  if (isInt(epfd) && isInt(maxevents) && isInt(timeoutMs) && maxevents > 0) {
    if (batch.holds(memory, 0, maxevents * EVENT_BYTES)) {
      lay(epfd, maxevents, timeoutMs, 0);
      framedEpollWait();
      return answer();
    }
  }
  return nativeEpollWait(epfd, memory, maxevents, timeoutMs);
}

/**
 * `epoll_pwait(epfd, events, maxevents, timeout, sigmask)`: {@link epoll_wait} with the signals of
 * `sigmask` blocked on this thread while it waits, atomically.
 *
 * @param sigmask  Signal numbers, 1 … 64, or null to leave the mask alone. Replaces the mask, as in
 *                 C: an empty array unblocks everything. `SIGKILL` and `SIGSTOP` are ignored.
 * @returns        As {@link epoll_wait}.
 *
 * Platform: Linux; elsewhere `-ENOSYS`. A signal sent to the process goes to any thread that has
 * it unblocked, and Node has such threads: the mask keeps a signal away from this thread only.
 * @see epoll_pwait(2), sigprocmask(2)
 */
export function epoll_pwait(
  epfd: number,
  events: EpollEventArray,
  maxevents: number,
  timeoutMs: number,
  sigmask: readonly number[] | null,
): number {
  return nativeEpollPwait(epfd, epollEventMemory(events), maxevents, timeoutMs, sigmask);
}

/**
 * `epoll_pwait2(epfd, events, maxevents, timeout, sigmask)`: {@link epoll_pwait} with nanoseconds.
 *
 * @param timeoutNs  Nanoseconds: a safe integer or a bigint; 0 asks without waiting; null waits
 *                   without end. The kernel adds the thread's timer slack, 50 µs unless changed.
 * @param sigmask    As {@link epoll_pwait}; left out or null leaves the mask alone.
 * @returns          As {@link epoll_wait}, and:
 *
 * | errno  | when |
 * | ------ | --- |
 * | EINVAL | `timeoutNs` is negative |
 * | ENOSYS | before Linux 5.11. Level 2 falls back to milliseconds; this level reports it |
 *
 * Platform: Linux >= 5.11.
 * @see epoll_pwait2(2)
 */
export function epoll_pwait2(
  epfd: number,
  events: EpollEventArray,
  maxevents: number,
  timeoutNs: number | bigint | null,
  sigmask?: readonly number[] | null,
): number {
  return nativeEpollPwait2(epfd, epollEventMemory(events), maxevents, timeoutNs, sigmask);
}

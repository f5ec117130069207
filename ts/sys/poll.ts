import { binding } from '../native.js';
import { type FdSet, fdSetMemory } from './fd-set.js';
import { type PollFdArray, pollFdMemory } from './poll-fd-array.js';

// Taken out once: the optimizing compiler then knows the target of each call.
const { poll: nativePoll, ppoll: nativePpoll, select: nativeSelect } = binding.sys;

/**
 * `poll(fds, nfds, timeout)`: waits until one of the descriptors is ready.
 *
 * The kernel looks at every element in every call, so that a call costs the more the longer the
 * array is. `POLLERR`, `POLLHUP` and `POLLNVAL` come whether asked for or not; a descriptor that is
 * not open is `POLLNVAL` in its element, and no error of the call.
 *
 * @param fds        `getRevents(i)` of the first `nfds` elements tells what holds for each.
 * @param nfds       How many elements, 0 … `fds.capacity`. Above: RangeError.
 * @param timeoutMs  Milliseconds, int32; 0 asks without waiting; negative waits without end.
 * @returns          How many elements have something to tell, 0 if the time has passed, or a
 *                   negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EINTR  | a signal handler ran, or the profiler's tick did |
 * | EINVAL | `nfds` is above the limit of descriptors, `RLIMIT_NOFILE` |
 * | ENOMEM | the kernel is out of memory |
 *
 * Platform: all. macOS does not poll devices such as `/dev/null`: `POLLNVAL`. Thread: blocks the
 * calling one, and with it this JavaScript thread. Memory: allocates nothing.
 * @see poll(2)
 */
export function poll(fds: PollFdArray, nfds: number, timeoutMs: number): number {
  return nativePoll(pollFdMemory(fds), nfds, timeoutMs);
}

/**
 * `ppoll(fds, nfds, timeout, sigmask)`: {@link poll} with nanoseconds, and with the signals of
 * `sigmask` blocked on this thread while it waits, atomically.
 *
 * @param timeoutNs  Nanoseconds: a safe integer or a bigint; 0 asks without waiting; null waits
 *                   without end.
 * @param sigmask    Signal numbers, 1 … 64; left out or null leaves the mask alone. Replaces the
 *                   mask, as in C: an empty array unblocks everything.
 * @returns          As {@link poll}, and:
 *
 * | errno  | when |
 * | ------ | --- |
 * | EINVAL | `timeoutNs` is negative |
 * | ENOSYS | macOS has no such call |
 *
 * Platform: Linux, FreeBSD, NetBSD, OpenBSD.
 * @see ppoll(2), sigprocmask(2)
 */
export function ppoll(
  fds: PollFdArray,
  nfds: number,
  timeoutNs: number | bigint | null,
  sigmask?: readonly number[] | null,
): number {
  return nativePpoll(pollFdMemory(fds), nfds, timeoutNs, sigmask);
}

/**
 * `select(nfds, readfds, writefds, exceptfds, timeout)`: waits until one of the descriptors in the
 * sets is ready.
 *
 * Afterwards the sets hold what is ready, and only that: empty if the time has passed, as they were
 * after an error. That is said of numbers below `nfds`: ask for no other, for the kernel clears some
 * of those and leaves some. It looks at every number below `nfds` in every call. Descriptors of
 * `FD_SETSIZE` and above cannot be in a set at all; {@link poll} takes any.
 *
 * @param nfds       One more than the highest descriptor in the sets, at most `FD_SETSIZE`. Above:
 *                   RangeError. Others in the sets are passed over.
 * @param readfds    Readable: a read would not block, the end of the stream and errors included.
 *                   Null for none.
 * @param writefds   Writable. Null for none.
 * @param exceptfds  Exceptional: urgent data. Null for none.
 * @param timeoutUs  Microseconds: a safe integer or a bigint; 0 asks without waiting; null waits
 *                   without end. What was left of it is not told.
 * @returns          How many bits are set in the three sets together, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EBADF  | a descriptor in one of the sets is not open |
 * | EINTR  | a signal handler ran, or the profiler's tick did |
 * | EINVAL | `nfds` or `timeoutUs` is negative |
 * | ENOMEM | the kernel is out of memory |
 *
 * Platform: all. Thread: blocks the calling one, and with it this JavaScript thread. Memory:
 * allocates nothing.
 * @see select(2)
 */
export function select(
  nfds: number,
  readfds: FdSet | null,
  writefds: FdSet | null,
  exceptfds: FdSet | null,
  timeoutUs: number | bigint | null,
): number {
  return nativeSelect(
    nfds,
    readfds === null ? null : fdSetMemory(readfds, 'readfds'),
    writefds === null ? null : fdSetMemory(writefds, 'writefds'),
    exceptfds === null ? null : fdSetMemory(exceptfds, 'exceptfds'),
    timeoutUs,
  );
}

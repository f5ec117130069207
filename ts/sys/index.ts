/**
 * Level 1, `raw-epoll/sys`: one function a system call, no policy.
 *
 * - A function has the name and the argument order of its man page. `void *buf, size_t len`
 *   becomes `buffer, offset, length`, in bytes, over any ArrayBufferView.
 * - It returns an integer >= 0, or the negated errno: `-EAGAIN`. It never throws for an answer
 *   of the kernel and never retries `EINTR`.
 * - Misuse throws before the kernel is asked: `ERR_INVALID_ARG_TYPE` for a wrong type,
 *   `ERR_OUT_OF_RANGE` for NaN, a fraction, a number that the C type does not hold, a slice
 *   outside its buffer. Any int32 is a legal descriptor: `-1` gives `-EBADF`.
 *
 * The thread blocks where the call blocks. On a worker the wait is made in slices, so that
 * `worker.terminate()` and the exit of the process never hang.
 *
 * @packageDocumentation
 */
export { EpollEventArray } from './epoll-event-array.js';
export { epoll_create1, epoll_ctl, epoll_wait, epoll_pwait, epoll_pwait2 } from './epoll.js';
export type { EpollData } from './epoll.js';
export { PollFdArray } from './poll-fd-array.js';
export { FdSet } from './fd-set.js';
export { poll, ppoll, select } from './poll.js';
export { KeventArray } from './kevent-array.js';
export { kqueue, kevent } from './kqueue.js';
export {
  socket,
  socketpair,
  bind,
  listen,
  accept4,
  connect,
  shutdown,
  getsockname,
  getpeername,
  getsockopt,
  setsockopt,
  recv,
  send,
  recvfrom,
  sendto,
} from './socket.js';
export type {
  SocketAddress,
  SocketAddressInet,
  SocketAddressInet6,
  SocketAddressUnix,
  SocketAddressOut,
} from './socket.js';
export { MmsgArray } from './mmsg-array.js';
export { recvmsg, sendmsg, recvmmsg, sendmmsg } from './message.js';
export type { Credentials, MessageToReceive, MessageToSend } from './message.js';
export {
  read,
  write,
  readv,
  writev,
  close,
  dup,
  dup2,
  dup3,
  pipe2,
  fcntl,
  ioctl,
} from './descriptor.js';
export { eventfd, eventfd_read, eventfd_write } from './eventfd.js';
export { timerfd_create, timerfd_settime, timerfd_gettime } from './timerfd.js';
export type { TimerValue, TimerValueOut } from './timerfd.js';
export { sendfile, splice } from './transfer.js';
export { inotify_init1, inotify_add_watch, inotify_rm_watch, pidfd_open } from './notify.js';
export { errnoName, strerror } from './errno.js';

import { binding } from '../native.js';
import { answer, frame, incoming, isInt, lay, outgoing } from './call-frame.js';

// Taken out once: the optimizing compiler then knows the target of each call.
const {
  read: nativeRead,
  write: nativeWrite,
  readv: nativeReadv,
  writev: nativeWritev,
  close: nativeClose,
  dup: nativeDup,
  dup2: nativeDup2,
  dup3: nativeDup3,
  pipe2: nativePipe2,
  fcntl: nativeFcntl,
  ioctl: nativeIoctl,
} = binding.sys;
const { read: framedRead, write: framedWrite } = frame;

/**
 * `read(fd, buf, count)`: reads into a slice of a buffer.
 *
 * @param buffer  Any ArrayBufferView.
 * @param offset  Bytes into the view.
 * @param length  Bytes at most; `offset + length` lies within the view, or RangeError.
 * @returns       Bytes read, 0 at the end of the stream, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EAGAIN | nothing there and the descriptor does not block |
 * | EBADF  | `fd` is not open for reading |
 * | ECANCELED | a timer with `TFD_TIMER_CANCEL_ON_SET`: the clock was set |
 * | ECONNREFUSED, ECONNRESET, ENOTCONN, ETIMEDOUT | a socket: see {@link recv} |
 * | EINTR  | a signal came first |
 * | EINVAL | `fd` cannot be read, or the slice is too small for it (eventfd, timerfd) |
 * | EISDIR | a directory |
 *
 * Memory: nothing is kept but a buffer of at most 1 MiB that is used again and again, until another
 * one is.
 * @see read(2)
 */
export function read(fd: number, buffer: ArrayBufferView, offset: number, length: number): number {
  if (isInt(fd) && isInt(offset) && isInt(length)) {
    if (incoming.holds(buffer, offset, length)) {
      lay(fd, offset, length, 0);
      framedRead();
      return answer();
    }
  }
  return nativeRead(fd, buffer, offset, length);
}

/**
 * `write(fd, buf, count)`: writes a slice of a buffer.
 *
 * @param buffer  Any ArrayBufferView.
 * @param offset  Bytes into the view.
 * @param length  Bytes; `offset + length` lies within the view, or RangeError.
 * @returns       Bytes written, perhaps fewer than asked, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EAGAIN | no room and the descriptor does not block |
 * | EBADF  | `fd` is not open for writing |
 * | ECONNREFUSED, EDESTADDRREQ, EMSGSIZE, ENOTCONN | a socket: see {@link send} |
 * | ECONNRESET, EPIPE | nobody reads any more. Node ignores SIGPIPE |
 * | EINTR  | a signal came first |
 * | EINVAL | `fd` cannot be written, or does not take this length |
 * | ENOSPC | the device is full |
 *
 * Memory: see {@link read}.
 * @see write(2)
 */
export function write(fd: number, buffer: ArrayBufferView, offset: number, length: number): number {
  if (isInt(fd) && isInt(offset) && isInt(length)) {
    if (outgoing.holds(buffer, offset, length)) {
      lay(fd, offset, length, 0);
      framedWrite();
      return answer();
    }
  }
  return nativeWrite(fd, buffer, offset, length);
}

/**
 * `readv(fd, iov, iovcnt)`: reads into several buffers, one after the other.
 *
 * @param iov  At most 1,024 views, each filled whole before the next.
 * @returns    Bytes read, 0 at the end of the stream, or a negated errno as {@link read}.
 * @see readv(2)
 */
export function readv(fd: number, iov: readonly ArrayBufferView[]): number {
  return nativeReadv(fd, iov);
}

/**
 * `writev(fd, iov, iovcnt)`: writes several buffers, one after the other, as one.
 *
 * @param iov  At most 1,024 views.
 * @returns    Bytes written, perhaps fewer than asked, or a negated errno as {@link write}.
 * @see writev(2)
 */
export function writev(fd: number, iov: readonly ArrayBufferView[]): number {
  return nativeWritev(fd, iov);
}

/**
 * `close(fd)`: gives the number back.
 *
 * Remove the descriptor from every epoll set first: while a duplicate is open, the set keeps
 * reporting it, and nothing but the duplicate can remove it.
 *
 * @returns  0, or a negated errno. The number is free on Linux whatever the answer; do not retry.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EBADF  | `fd` is not open |
 * | EINTR, EIO | the descriptor is closed, its last data may be lost |
 *
 * @see close(2)
 */
export function close(fd: number): number {
  return nativeClose(fd);
}

/**
 * `dup(oldfd)`: another number for the same open file description, without close-on-exec.
 *
 * @returns  The lowest free number, or `-EBADF`, `-EMFILE`.
 * @see dup(2)
 */
export function dup(fd: number): number {
  return nativeDup(fd);
}

/**
 * `dup2(oldfd, newfd)`: makes `newfd` the same as `oldfd`, closing what it was.
 *
 * @returns  `newfd`, or `-EBADF`, `-EBUSY`, `-EINTR`.
 * @see dup2(2)
 */
export function dup2(oldfd: number, newfd: number): number {
  return nativeDup2(oldfd, newfd);
}

/**
 * `dup3(oldfd, newfd, flags)`: {@link dup2} with `O_CLOEXEC`.
 *
 * @returns  `newfd`, or `-EBADF`, `-EINVAL` (equal numbers, unknown flags), `-EBUSY`, `-EINTR`;
 *           `-ENOSYS` on macOS.
 * @see dup3(2)
 */
export function dup3(oldfd: number, newfd: number, flags: number): number {
  return nativeDup3(oldfd, newfd, flags);
}

/**
 * `pipe2(pipefd, flags)`: opens a pipe.
 *
 * @param fds    Element 0 becomes the end to read, element 1 the end to write.
 * @param flags  `O_CLOEXEC | O_NONBLOCK | O_DIRECT`.
 * @returns      0, or `-EINVAL`, `-EMFILE`, `-ENFILE`; `-ENOSYS` on macOS.
 * @see pipe2(2)
 */
export function pipe2(fds: Int32Array, flags: number): number {
  return nativePipe2(fds, flags);
}

/**
 * `fcntl(fd, cmd, arg)`: asks or changes a property of a descriptor.
 *
 * @param cmd  `F_DUPFD`, `F_DUPFD_CLOEXEC`, `F_GETFD`, `F_SETFD`, `F_GETFL`, `F_SETFL`,
 *             `F_GETPIPE_SZ`, `F_SETPIPE_SZ`, `F_ADD_SEALS`, `F_GET_SEALS`. Any other command
 *             answers `-EINVAL` without reaching the kernel: its argument may be an address.
 * @param arg  int32; left out: 0.
 * @returns    What the command answers, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EBADF  | `fd` is not open, or no pipe for `F_GETPIPE_SZ` and `F_SETPIPE_SZ` |
 * | EINVAL | the command is none of these, or does not fit the descriptor or the argument |
 * | EMFILE | `F_DUPFD`: out of descriptors |
 * | EPERM  | `F_SETPIPE_SZ` above the user's limit; `O_NOATIME` for a file of somebody else |
 * | EPERM  | `F_ADD_SEALS` on a file that is sealed, or not open for writing |
 * | EBUSY  | `F_SETPIPE_SZ` below what is in the pipe |
 *
 * @see fcntl(2)
 */
export function fcntl(fd: number, cmd: number, arg?: number): number {
  return nativeFcntl(fd, cmd, arg);
}

/**
 * `ioctl(fd, request, argp)`: asks or changes something of a device, a socket, a pipe.
 *
 * @param request  Any other than these answers `-EINVAL` without reaching the kernel: its argument
 *                 may be an address.
 *
 * | request | `argp` |
 * | ------- | --- |
 * | `FIONREAD` | becomes how many bytes can be read; of a datagram socket, of the next one |
 * | `SIOCOUTQ` | becomes how many bytes wait in the socket: of TCP, not acknowledged |
 * | `SIOCOUTQNSD` | becomes how many bytes TCP has not sent at all |
 * | `SIOCATMARK` | becomes 1 where urgent data begins |
 * | `FIONBIO`, `FIOASYNC` | 1 sets `O_NONBLOCK` or `O_ASYNC`, 0 clears it |
 * | `FIOCLEX`, `FIONCLEX` | none; sets or clears close-on-exec |
 *
 * @param argp  Element 0 goes in or comes out.
 * @returns     0, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EBADF  | `fd` is not open |
 * | EINVAL | the request is none of these, or not for such a socket |
 * | ENOTTY | the request does not fit the descriptor |
 *
 * @see ioctl(2), tcp(7), udp(7), unix(7)
 */
export function ioctl(fd: number, request: number, argp?: Int32Array): number {
  return nativeIoctl(fd, request, argp);
}

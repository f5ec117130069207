import { binding } from '../native.js';

// Taken out once: the optimizing compiler then knows the target of each call.
const { sendfile: nativeSendfile, splice: nativeSplice } = binding.sys;

/**
 * `sendfile(out_fd, in_fd, offset, count)`: copies from a file to a descriptor, in the kernel.
 *
 * @param outFd   A socket, a pipe, a file.
 * @param inFd    A file that can be mapped; not a socket.
 * @param offset  Where in the file to begin, a safe integer or a bigint; the file stays where it
 *                stands. Null: where it stands, and the call moves it.
 * @param count   Bytes at most. The kernel moves at most 2,147,479,552 with one call.
 * @returns       Bytes moved, 0 at the end of the file, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EAGAIN | no room, and `outFd` does not block |
 * | EBADF  | `inFd` is not open for reading, or `outFd` not for writing |
 * | EINVAL | `inFd` cannot be mapped; `outFd` is open for appending; a negative offset |
 * | EPIPE  | nobody reads any more |
 * | ESPIPE | an offset, and `inFd` has none |
 * | ENOSYS | this system has no such call |
 *
 * On a worker descriptors that block are waited for in slices; the call may then move less.
 *
 * Platform: Linux.
 * @see sendfile(2)
 */
export function sendfile(
  outFd: number,
  inFd: number,
  offset: number | bigint | null,
  count: number | bigint,
): number {
  return nativeSendfile(outFd, inFd, offset, count);
}

/**
 * `splice(fd_in, off_in, fd_out, off_out, len, flags)`: moves bytes between a pipe and another
 * descriptor, in the kernel.
 *
 * @param fdIn    One of the two is a pipe.
 * @param offIn   Where to begin, a safe integer or a bigint; null: where `fdIn` stands.
 * @param fdOut   One of the two is a pipe.
 * @param offOut  As `offIn`.
 * @param len     Bytes at most.
 * @param flags   `SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE`
 * @returns       Bytes moved, 0 at the end of the stream, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EAGAIN | nothing to move or no room, and the call does not block |
 * | EBADF  | a descriptor is not open, or not in that direction |
 * | EINVAL | neither is a pipe, or both are the same; unknown flags |
 * | ESPIPE | an offset for a pipe |
 * | ENOSYS | this system has no such call |
 *
 * A pipe with `O_NONBLOCK` that is filled, and either of two pipes, makes the whole call as
 * `SPLICE_F_NONBLOCK` does. On a worker descriptors that block are waited for in slices; the call
 * may then move less, and with `SPLICE_F_NONBLOCK` it waits for neither of the two. On the main
 * thread a TCP socket without `O_NONBLOCK` blocks in spite of that flag.
 *
 * Platform: Linux.
 * @see splice(2)
 */
export function splice(
  fdIn: number,
  offIn: number | bigint | null,
  fdOut: number,
  offOut: number | bigint | null,
  len: number | bigint,
  flags: number,
): number {
  return nativeSplice(fdIn, offIn, fdOut, offOut, len, flags);
}

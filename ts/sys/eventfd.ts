import { binding } from '../native.js';

// Taken out once: the optimizing compiler then knows the target of each call.
const {
  eventfd: nativeEventfd,
  eventfd_read: nativeEventfdRead,
  eventfd_write: nativeEventfdWrite,
} = binding.sys;

/**
 * `eventfd(initval, flags)`: opens a 64-bit counter that is a descriptor.
 *
 * Readable while the counter is above 0, writable while 1 can be added.
 *
 * @param initval  uint32.
 * @param flags    `EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE`, int32.
 * @returns        The descriptor, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EINVAL | unknown flags |
 * | EMFILE, ENFILE | out of descriptors |
 * | ENOMEM | the kernel is out of memory |
 * | ENOSYS | this system has no eventfd |
 *
 * Platform: Linux.
 * @see eventfd(2)
 */
export function eventfd(initval: number, flags: number): number {
  return nativeEventfd(initval, flags);
}

/**
 * `eventfd_read(fd, value)`: takes the counter, or 1 of it with `EFD_SEMAPHORE`.
 *
 * @param value  Element 0 becomes what was taken.
 * @returns      0, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EAGAIN | the counter is 0 and the descriptor does not block |
 * | EBADF  | `fd` is not open for reading |
 * | EINTR  | a signal came first |
 * | EINVAL | `fd` cannot be read, or does not give eight bytes: what it gave is lost |
 *
 * @see eventfd(3)
 */
export function eventfd_read(fd: number, value: BigUint64Array): number {
  return nativeEventfdRead(fd, value);
}

/**
 * `eventfd_write(fd, value)`: adds to the counter.
 *
 * @param value  A safe integer >= 0 or a bigint, at most 2 ** 64 - 2.
 * @returns      0, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EAGAIN | the sum would not fit and the descriptor does not block |
 * | EBADF  | `fd` is not open for writing |
 * | EINTR  | a signal came first |
 * | EINVAL | `value` is 2 ** 64 - 1, or `fd` takes no eight bytes |
 *
 * @see eventfd(3)
 */
export function eventfd_write(fd: number, value: number | bigint): number {
  return nativeEventfdWrite(fd, value);
}

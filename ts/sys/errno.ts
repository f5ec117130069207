import { binding } from '../native.js';

// Taken out once: the optimizing compiler then knows the target of each call.
const { errnoName: nativeErrnoName, strerror: nativeStrerror } = binding.sys;

/**
 * The name of an errno: `errnoName(11)` and `errnoName(-11)` are `'EAGAIN'`.
 *
 * @param errno  int32, of either sign.
 * @returns      The name, `'UNKNOWN'` for a number that has none.
 * @see errno(3)
 */
export function errnoName(errno: number): string {
  return nativeErrnoName(errno);
}

/**
 * `strerror(errnum)`: what an errno means, in the words of the C library.
 *
 * @param errno  int32, of either sign.
 * @see strerror(3)
 */
export function strerror(errno: number): string {
  return nativeStrerror(errno);
}

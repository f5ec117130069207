import { invalidArgType, outOfRange } from '../errors.js';

/** A timeout of `wait`: milliseconds, fractions and `Infinity` allowed. @internal */
export function checkTimeout(timeoutMs: unknown): void {
  if (typeof timeoutMs !== 'number') throw invalidArgType('timeoutMs', 'number', timeoutMs);
  if (!(timeoutMs >= 0)) throw outOfRange('timeoutMs', 'a number >= 0', timeoutMs);
}

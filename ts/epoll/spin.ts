import { checkInteger } from '../errors.js';

/** How a wait begins. */
export interface SpinOptions {
  /**
   * For how many microseconds, 0 … 100,000, a wait asks again and again before it blocks. An answer
   * that comes within this time is seen without the thread having slept; the price is its core,
   * which is busy all of that time in each wait that finds nothing. Where Node's own loop waits,
   * as in `turns()` and `runAsync()`, nothing spins. Default: 0, off.
   */
  readonly spinUs?: number;
}

/** As long as a worker may be deaf to its end. */
const SPIN_US_MAX = 100_000;

/** @internal */
export function checkSpin({ spinUs = 0 }: SpinOptions): number {
  return checkInteger(spinUs, 'options.spinUs', 0, SPIN_US_MAX);
}

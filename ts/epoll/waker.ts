import { invalidArgType } from '../errors.js';
import { binding } from '../native.js';

/**
 * Ends a wait of a set, from any thread.
 *
 * Wakes coalesce: any number of them before or during a wait end one wait. A waker may outlive
 * its set; waking a closed one does nothing. To use it on another thread, post it (or put it into
 * `workerData`) and make it anew there: what arrives is a plain object.
 *
 * @example
 * ```ts
 * new Worker(file, { workerData: { waker: epoll.waker() } });
 * // in the worker:
 * Waker.from(workerData.waker).wake();
 * ```
 */
export class Waker {
  /** Names the set in this process; never used twice. */
  readonly id: number;

  private constructor(id: number) {
    this.id = id;
  }

  /**
   * The waker that a `postMessage` or `workerData` turned into a plain object.
   *
   * @throws `ERR_INVALID_ARG_TYPE`: not an object with the `id` of a waker.
   */
  static from(posted: { readonly id: number }): Waker {
    const id: unknown = (posted as { id?: unknown } | null | undefined)?.id;
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1) {
      throw invalidArgType('posted', 'Waker', posted);
    }
    return new Waker(id);
  }

  /**
   * Ends the wait that is going on, or else the next one.
   *
   * @returns  False if the set is closed.
   */
  wake(): boolean {
    return binding.wake.wake(this.id) === 1;
  }
}

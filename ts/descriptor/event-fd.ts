import { check, checkOptions } from '../errors.js';
import { binding } from '../native.js';
import { EAGAIN, EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE } from '../sys/constants.js';
import { eventfd_read, eventfd_write } from '../sys/index.js';
import { LeakDetector } from './leak-detector.js';
import { OwnedDescriptor, WOULD_BLOCK } from './owned-descriptor.js';

const leaks = new LeakDetector('EventFd');

/** How an {@link EventFd} counts. */
export interface EventFdOptions {
  /** What the counter starts with, uint32. Default: 0. */
  readonly initialValue?: number;
  /** Each read takes 1 instead of all: `EFD_SEMAPHORE`. Default: off. */
  readonly semaphore?: boolean;
}

/**
 * A 64-bit counter that is a descriptor: readable while above 0.
 *
 * @see eventfd(2)
 */
export class EventFd extends OwnedDescriptor {
  readonly #value = new BigUint64Array(1);

  /** @throws SystemError `EMFILE` …; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`. */
  constructor(options: EventFdOptions = {}) {
    const { initialValue = 0, semaphore = false } = checkOptions(options);
    const flags = EFD_CLOEXEC | EFD_NONBLOCK | (semaphore ? EFD_SEMAPHORE : 0);
    super(check(binding.owned.eventfd(initialValue, flags), 'eventfd'), leaks);
  }

  /**
   * Takes the counter, or 1 of it with `semaphore`.
   *
   * @returns  What was taken, above 0; `WOULD_BLOCK` (-1) while the counter is 0.
   * @throws   `ERR_CLOSED`.
   */
  read(): bigint | typeof WOULD_BLOCK {
    const result = eventfd_read(this.fd, this.#value);
    if (result === -EAGAIN) return WOULD_BLOCK;
    this.checked(result, 'read');
    return this.#value[0] as bigint;
  }

  /**
   * Adds to the counter.
   *
   * @param value  A safe integer >= 0 or a bigint, at most 2 ** 64 - 2. Default: 1.
   * @returns      0, or `WOULD_BLOCK` (-1) if the sum would not fit.
   * @throws SystemError `EINVAL`: 2 ** 64 - 1; `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`,
   *         `ERR_OUT_OF_RANGE`.
   */
  write(value: number | bigint = 1): number {
    const result = eventfd_write(this.fd, value);
    return result === -EAGAIN ? WOULD_BLOCK : this.checked(result, 'write');
  }
}

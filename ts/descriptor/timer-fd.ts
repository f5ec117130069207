import { check, checkOptions, invalidArgType } from '../errors.js';
import { binding } from '../native.js';
import {
  CLOCK_BOOTTIME,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  EAGAIN,
  TFD_CLOEXEC,
  TFD_NONBLOCK,
  TFD_TIMER_ABSTIME,
  TFD_TIMER_CANCEL_ON_SET,
} from '../sys/constants.js';
import { read, timerfd_gettime, timerfd_settime, type TimerValueOut } from '../sys/index.js';
import { LeakDetector } from './leak-detector.js';
import { OwnedDescriptor, WOULD_BLOCK } from './owned-descriptor.js';

const leaks = new LeakDetector('TimerFd');

/** Clocks of a {@link TimerFd}: `boottime` goes on while the machine sleeps. */
export type TimerClock = 'monotonic' | 'realtime' | 'boottime';

const CLOCKS: Readonly<Record<TimerClock, number>> = {
  monotonic: CLOCK_MONOTONIC,
  realtime: CLOCK_REALTIME,
  boottime: CLOCK_BOOTTIME,
};

/** When a {@link TimerFd} fires. */
export interface TimerSetting {
  /** Nanoseconds from now, or on the clock with `absolute`; a safe integer or a bigint. 0 disarms. */
  readonly valueNs: number | bigint;
  /** Then every so many nanoseconds. Default: 0, it fires once. */
  readonly intervalNs?: number | bigint;
  /** `valueNs` is a time of the clock: `TFD_TIMER_ABSTIME`. Default: off. */
  readonly absolute?: boolean;
  /** `read()` throws `ECANCELED` when somebody sets the clock: `TFD_TIMER_CANCEL_ON_SET`. Default: off. */
  readonly cancelOnSet?: boolean;
}

/**
 * A timer that is a descriptor: readable once it has fired. Never early.
 *
 * @see timerfd_create(2)
 */
export class TimerFd extends OwnedDescriptor {
  readonly #value = new BigUint64Array(1);

  /** @throws SystemError `EMFILE` …; `ERR_INVALID_ARG_TYPE`: an unknown clock. */
  constructor(options: { readonly clock?: TimerClock } = {}) {
    const { clock = 'monotonic' } = checkOptions(options);
    if (typeof clock !== 'string' || !Object.hasOwn(CLOCKS, clock)) {
      throw invalidArgType('clock', "'monotonic', 'realtime' or 'boottime'", clock);
    }
    const fd = binding.owned.timerfd_create(CLOCKS[clock], TFD_NONBLOCK | TFD_CLOEXEC);
    super(check(fd, 'timerfd_create'), leaks);
  }

  /**
   * Arms the timer anew, or disarms it: timerfd_settime(2). Times that it fired before and that
   * were not read are forgotten.
   *
   * @throws SystemError `EINVAL`: a negative time; `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`,
   *         `ERR_OUT_OF_RANGE`.
   */
  set(setting: TimerSetting): void {
    const { valueNs, intervalNs = 0, absolute = false, cancelOnSet = false } = setting;
    const flags = (absolute ? TFD_TIMER_ABSTIME : 0) | (cancelOnSet ? TFD_TIMER_CANCEL_ON_SET : 0);
    this.checked(timerfd_settime(this.fd, flags, { valueNs, intervalNs }), 'timerfd_settime');
  }

  /** How long until it fires, and how often: timerfd_gettime(2). */
  get(): Required<TimerValueOut> {
    const value: TimerValueOut = {};
    this.checked(timerfd_gettime(this.fd, value), 'timerfd_gettime');
    return value as Required<TimerValueOut>;
  }

  /**
   * Takes the count of times that it fired since it was read or set.
   *
   * @returns  The count, above 0; `WOULD_BLOCK` (-1) if it has not fired.
   * @throws SystemError `ECANCELED`: the clock was set, with `cancelOnSet`; `ERR_CLOSED`.
   */
  read(): bigint | typeof WOULD_BLOCK {
    const result = read(this.fd, this.#value, 0, this.#value.byteLength);
    if (result === -EAGAIN) return WOULD_BLOCK;
    this.checked(result, 'read');
    return this.#value[0] as bigint;
  }
}

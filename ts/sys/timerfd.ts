import { binding } from '../native.js';

// Taken out once: the optimizing compiler then knows the target of each call.
const {
  timerfd_create: nativeTimerfdCreate,
  timerfd_settime: nativeTimerfdSettime,
  timerfd_gettime: nativeTimerfdGettime,
} = binding.sys;

/** `struct itimerspec`, given: nanoseconds as safe integers or bigints. */
export interface TimerValue {
  /** When the timer fires first: from now, or on the clock with `TFD_TIMER_ABSTIME`. 0 disarms it. */
  valueNs: number | bigint;
  /** Then every so many nanoseconds. Left out or 0: it fires once. */
  intervalNs?: number | bigint;
}

/**
 * `struct itimerspec`, filled in by the call. What 64 bits do not hold is 2 ** 63 - 1. An object
 * that takes no property, such as a frozen one, stays as it is.
 */
export interface TimerValueOut {
  /** Nanoseconds until the timer fires next; 0 if it is disarmed. */
  valueNs?: bigint;
  /** Nanoseconds between two times; 0 if it fires once. */
  intervalNs?: bigint;
}

/**
 * `timerfd_create(clockid, flags)`: opens a timer that is a descriptor.
 *
 * @param clockid  `CLOCK_MONOTONIC`, `CLOCK_REALTIME`, `CLOCK_BOOTTIME` …
 * @param flags    `TFD_CLOEXEC | TFD_NONBLOCK`, int32.
 * @returns        The descriptor, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EINVAL | unknown clock or flags |
 * | EMFILE, ENFILE | out of descriptors |
 * | ENODEV, ENOMEM | the kernel could not |
 * | EPERM  | an alarm clock without `CAP_WAKE_ALARM` |
 * | ENOSYS | this system has no timerfd |
 *
 * Platform: Linux. Reading gives the count of times it fired, as eight bytes.
 * @see timerfd_create(2)
 */
export function timerfd_create(clockid: number, flags: number): number {
  return nativeTimerfdCreate(clockid, flags);
}

/**
 * `timerfd_settime(fd, flags, new_value, old_value)`: arms or disarms the timer.
 *
 * @param flags     0, `TFD_TIMER_ABSTIME`, `TFD_TIMER_CANCEL_ON_SET`.
 * @param newValue  When, and how often.
 * @param oldValue  Filled in with what was set before.
 * @returns         0, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EBADF  | `fd` is not open |
 * | ECANCELED | the clock was set while `TFD_TIMER_CANCEL_ON_SET` was on |
 * | EINVAL | `fd` is no timer; a negative time; unknown flags |
 *
 * @see timerfd_settime(2)
 */
export function timerfd_settime(
  fd: number,
  flags: number,
  newValue: TimerValue,
  oldValue?: TimerValueOut | null,
): number {
  return nativeTimerfdSettime(fd, flags, newValue, oldValue);
}

/**
 * `timerfd_gettime(fd, value)`: how long until the timer fires, and how often it does.
 *
 * @param value  Filled in.
 * @returns      0, or a negated errno: `EBADF`, or `EINVAL` if `fd` is no timer.
 *
 * @see timerfd_gettime(2)
 */
export function timerfd_gettime(fd: number, value: TimerValueOut): number {
  return nativeTimerfdGettime(fd, value);
}

import { checkOptions } from '../errors.js';
import { checkTimeout } from '../epoll/timeout.js';
import { binding } from '../native.js';

/** How long to wait, of calls that block the thread. */
export interface WaitSyncOptions {
  /** Milliseconds, fractions allowed. Left out or `Infinity`: without end. */
  readonly timeoutMs?: number;
}

/** When a wait is over, on the clock of `performance.now()`. @internal */
export function deadlineOf(options: WaitSyncOptions): number {
  const { timeoutMs = Number.POSITIVE_INFINITY } = checkOptions(options);
  checkTimeout(timeoutMs);
  return performance.now() + timeoutMs;
}

/**
 * Blocks this thread until a descriptor is readable; false once the time is over, and when the
 * thread is being terminated, whose last line that is.
 * @internal
 */
export function waitUntil(fd: number, deadline: number): boolean {
  return binding.channel.wait(fd, Math.max(0, deadline - performance.now())) === 1;
}

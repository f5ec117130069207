import { check, checkOptions, invalidArgType } from '../errors.js';
import { checkTimeout } from '../epoll/timeout.js';
import { binding } from '../native.js';
import type { ReadWaitOptions } from './waits.js';

/** How long to wait, of calls that block the thread. */
export interface WaitSyncOptions {
  /** Milliseconds, fractions allowed. Left out or `Infinity`: without end. */
  readonly timeoutMs?: number;
}

/** How long to wait, of calls that answer a promise. */
export interface WaitOptions extends WaitSyncOptions {
  /** Ends the wait: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** When a wait is over, on the clock of `performance.now()`. @internal */
export function deadlineOf(options: WaitSyncOptions): number {
  return performance.now() + readTimeout(options);
}

/** Options that were read, each once, and checked. @internal */
export function readWaitOptions(options: WaitOptions): ReadWaitOptions {
  const { signal } = checkOptions(options);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'AbortSignal', signal);
  }
  return { signal, timeoutMs: readTimeout(options) };
}

function readTimeout(options: WaitSyncOptions): number {
  const { timeoutMs = Number.POSITIVE_INFINITY } = checkOptions(options);
  checkTimeout(timeoutMs);
  return timeoutMs;
}

/**
 * Blocks this thread until a descriptor is readable; false once the time is over, and when the
 * thread is being terminated, whose last line that is.
 *
 * @throws SystemError `EBADF`: somebody has closed the number behind the back of its end.
 * @internal
 */
export function waitUntil(fd: number, deadline: number): boolean {
  const leftMs = deadline - performance.now();
  // Not asked once more: what is readable for nothing again and again would never let go.
  if (leftMs <= 0) return false;
  const result = binding.channel.wait(fd, leftMs);
  return check(result ?? 0, 'poll', { fd, detail: `fd ${String(fd)}` }) === 1;
}

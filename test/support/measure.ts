import process from 'node:process';
import { IS_SANITIZED } from './sanitizers.js';

/** The middle of some measurements: one of them that was disturbed does not move it. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** `1.2 3.4 ms`, for the log of a test. */
export function showMs(values: readonly number[]): string {
  return `${values.map((value) => value.toFixed(1)).join(' ')} ms`;
}

const isStrict = process.env['RAW_EPOLL_STRICT_TIMES'] === '1';

/** How often such a time is taken: a median needs three, and a hang shows in the first. */
export const REPETITIONS: number = isStrict ? 3 : 1;

/**
 * The limit of a test for a time that is promised. A test runs beside others on whatever machine,
 * where no time can be kept: it tells an end from a hang, which is ten times the promise.
 * `npm run bench:ends` runs the same tests alone, and holds them to the promise itself.
 */
export function promisedMs(ms: number): number {
  if (isStrict) return ms;
  return IS_SANITIZED ? 100 * ms : 10 * ms;
}

/**
 * How late a deadline may be seen from another process: as promised where times are held to, and
 * otherwise on a machine that is busy with other tests, where it tells late from never.
 */
export function lateMs(ms: number): number {
  return isStrict ? ms : 20_000;
}

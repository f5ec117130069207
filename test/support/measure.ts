import process from 'node:process';

/** The middle of some measurements: one of them that was disturbed does not move it. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** `1.2 3.4 ms`, for the log of a test. */
export function showMs(values: readonly number[]): string {
  return `${values.map((value) => value.toFixed(1)).join(' ')} ms`;
}

/**
 * A time that is promised. A build with sanitizers (`npm run test:sanitize`) promises none: it is
 * only to end.
 */
export function promisedMs(ms: number): number {
  return process.env['RAW_EPOLL_SANITIZED'] === '1' ? 100 * ms : ms;
}

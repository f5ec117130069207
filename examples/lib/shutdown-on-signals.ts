import type { Loop } from 'raw-epoll';

/**
 * SIGINT and SIGTERM end a loop: who is being served has so many milliseconds to be done. A second
 * signal is impatient, and ends it at once.
 */
export function shutdownOnSignals(loop: Loop, graceMs: number): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    loop.onSignal(signal, () => {
      loop.shutdown({ graceMs: loop.draining ? 0 : graceMs });
    });
  }
}

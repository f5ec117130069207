import { isDeepStrictEqual } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Looks again and again until what is seen is what is wanted, and answers what was seen last: for
 * what another process does soon, without telling. Compare the answer, so that a failure shows it.
 */
export async function eventually<T>(look: () => T, wanted: T, patienceMs = 10_000): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const seen = look();
    if (isDeepStrictEqual(seen, wanted) || performance.now() > deadline) return seen;
    await delay(10);
  }
}

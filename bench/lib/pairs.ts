/**
 * Interleaved pairs. A machine is never the same for long: clocks change, others work on it. So no
 * number stands alone: before and after each slice of a server there is a slice of the yardstick,
 * and the result is the ratio of the one to the mean of the two. Neither is a process: where in memory
 * it has come to lie, and what of it meets in a cache, stays with it to its end. So each round has
 * new ones.
 */

import type { Slice } from './load.js';

/** A slice of a server between two slices of the yardstick. */
export interface PairedRun {
  readonly before: Slice;
  readonly slice: Slice;
  readonly after: Slice;
}

/** What came out of the pairs of a server: its runs, or why there are none. */
export type Outcome = { readonly runs: readonly PairedRun[] } | { readonly failure: string };

/** How the pairs are run. */
export interface PairOptions {
  readonly pairs: number;
  readonly yardstick: string;
  /** Puts a new process of a server in the place of the one before, and lets it warm up. */
  readonly renew: (server: string) => Promise<void>;
  /** Measures one slice of a server. */
  readonly measure: (server: string) => Promise<Slice>;
  readonly onRound: (round: number, server: string) => void;
}

/** Each round begins with another server, so that none always has the same predecessor. */
export function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/**
 * Runs rounds of: new processes for all, then each server, with the yardstick before and after each.
 * The slice of the yardstick after one server is the one before the next. A server that fails is left
 * out from then on; if the yardstick fails, so does all.
 */
export async function runPairs(
  names: readonly string[],
  options: PairOptions,
): Promise<ReadonlyMap<string, Outcome>> {
  const { pairs, yardstick, renew, measure, onRound } = options;
  const runs = new Map<string, PairedRun[]>(names.map((name) => [name, []]));
  const failures = new Map<string, string>();
  const attempt = async <T>(name: string, body: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await body();
    } catch (error) {
      failures.set(name, error instanceof Error ? error.message : String(error));
      runs.delete(name);
      return undefined;
    }
  };

  for (let round = 0; round < pairs && runs.size > 0; round++) {
    await renew(yardstick);
    for (const name of rotated([...runs.keys()], round)) await attempt(name, () => renew(name));
    let before = await measure(yardstick);
    for (const [name, own] of rotated([...runs], round)) {
      onRound(round, name);
      const slice = await attempt(name, () => measure(name));
      const after = await measure(yardstick);
      if (slice !== undefined) own.push({ before, slice, after });
      before = after;
    }
  }
  return new Map(
    names.map((name) => {
      const failure = failures.get(name);
      return [name, failure === undefined ? { runs: runs.get(name) ?? [] } : { failure }];
    }),
  );
}

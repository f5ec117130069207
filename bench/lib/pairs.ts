/**
 * Interleaved pairs. A machine is never the same for long: clocks change, others work on it. So no
 * number stands alone: before and after each slice of a server there is a slice of the C server,
 * and the result is the ratio of the one to the mean of the two.
 */

import { type LoadOptions, runLoad, type Slice } from './load.js';
import type { ContenderName, RunningServer, ServerName } from './servers.js';

/** A slice of a server between two slices of the C server. */
export interface PairedRun {
  readonly before: Slice;
  readonly slice: Slice;
  readonly after: Slice;
}

/** The runs of each server; the n-th of every server belong to the same round. */
export type PairedRuns = ReadonlyMap<ContenderName, readonly PairedRun[]>;

/** How the pairs are run. */
export interface PairOptions {
  readonly pairs: number;
  readonly core: number | undefined;
  readonly load: LoadOptions;
  readonly onRound: (round: number) => void;
}

/** Each round begins with another server, so that none always has the same predecessor. */
function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/**
 * Runs rounds of: each server, and the C server after each. The last slice of the C server in one
 * round is the first of the next.
 */
export async function runPairs(
  servers: ReadonlyMap<ServerName, RunningServer>,
  options: PairOptions,
): Promise<PairedRuns> {
  const { pairs, core, load } = options;
  const measure = (server: RunningServer): Promise<Slice> => runLoad(server, core, load);
  const yardstick = servers.get('c');
  if (yardstick === undefined) throw new Error('the C server is not running');
  const runs = new Map<ContenderName, PairedRun[]>();

  // One slice of each, thrown away: compilers of all kinds have then seen the code.
  for (const [name, server] of servers) {
    await measure(server);
    if (name !== 'c') runs.set(name, []);
  }
  let before = await measure(yardstick);
  for (let round = 0; round < pairs; round++) {
    options.onRound(round);
    for (const [name, own] of rotated([...runs], round)) {
      const server = servers.get(name);
      if (server === undefined) continue;
      const slice = await measure(server);
      const after = await measure(yardstick);
      own.push({ before, slice, after });
      before = after;
    }
  }
  return runs;
}

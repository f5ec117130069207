/** Counts the garbage collections of a server in a steady state. */

import { collectionsSinceStart, runLoad } from './load.js';
import type { Placement } from './placement.js';
import { isBuilt, serverLabels, type ServerName, withServers } from './servers.js';
import { formatCount } from './table.js';

/**
 * A steady state begins when V8 has done with the start of the program: not only its compilers, but
 * also its memory reducer, which some eight seconds after the start makes up to three collections
 * (`Mark-Compact (reduce)` in the log), whatever the program does.
 */
const WARMUP_MS = 12_000;

/** `net` collects often: a part of the messages is enough to see that counting works. */
const NET_SHARE = 0.1;

const SCENARIO = { size: 64, connections: 50 } as const;

async function countFor(
  name: ServerName,
  messages: number,
  placement: Placement,
): Promise<{ readonly collections: number; readonly text: string }> {
  return withServers([name], placement.server, async (servers) => {
    const server = servers.get(name);
    if (server === undefined) throw new Error(`${name} is not running`);
    const load = { ...SCENARIO, warmupMs: WARMUP_MS, slice: { messages } };
    const slice = await runLoad(server, placement.load, load);
    const outside = collectionsSinceStart(server) - slice.collections;
    const text =
      `${serverLabels[name]}: ${formatCount(slice.collections)} collections in ` +
      `${formatCount(slice.messages)} messages (${slice.seconds.toFixed(1)} s); ` +
      `${formatCount(outside)} outside the slice`;
    return { collections: slice.collections, text };
  });
}

/** What {@link countCollectionsInSteadyState} found. */
export interface SteadyState {
  /** Of level 2; `undefined` if it is not built. */
  readonly collections: number | undefined;
  readonly messages: number;
  /** For the reader, one line for each server. */
  readonly text: string;
}

/**
 * Sends messages of 64 bytes on 50 connections and reports the collections after a warm-up. Node's
 * `net` goes first: it does collect, so if none is seen there, none would be seen elsewhere either.
 */
export async function countCollectionsInSteadyState(
  messages: number,
  placement: Placement,
): Promise<SteadyState> {
  const net = await countFor('net', Math.ceil(messages * NET_SHARE), placement);
  if (net.collections === 0) throw new Error(`no collection was seen where many are: ${net.text}`);
  const lines = [net.text];
  let collections: number | undefined;
  for (const name of ['sys', 'echo'] as const) {
    if (!isBuilt(name)) continue;
    const counted = await countFor(name, messages, placement);
    lines.push(counted.text);
    if (name === 'echo') collections = counted.collections;
  }
  return { collections, messages, text: lines.join('\n') };
}

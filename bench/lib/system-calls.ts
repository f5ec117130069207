/**
 * How many system calls a message costs. strace slows a server down by an order of magnitude, so
 * this has slices of its own, and nothing else is taken from them.
 */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type Traffic, runLoad } from './load.js';
import { logFor, type RunningServer } from './running.js';

/** Two numbers of messages: what connecting and closing cost is in both, and so not in their difference. */
const FEW = 2_000;
const MANY = 8_000;

/** strace may be missing, or not be allowed to look at a process that is not its child. */
export function hasStrace(): boolean {
  return spawnSync('strace', ['-V'], { stdio: 'ignore' }).status === 0;
}

/** The calls in a summary of `strace -c`. */
export function callsIn(summary: string): number {
  const rows = summary.matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(?!total)\w+$/gm);
  return [...rows].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

/** Counts the calls of all threads of a process while `body` runs. */
async function countCalls(pid: number, log: string, body: () => Promise<void>): Promise<number> {
  const command = ['-c', '-f', '-p', String(pid), '-o', log];
  const strace = spawn('strace', command, { stdio: ['ignore', 'ignore', 'pipe'] });
  const [attached] = (await once(strace.stderr, 'data')) as [Buffer];
  if (!attached.includes('attached')) throw new Error(`strace: ${attached.toString().trim()}`);
  try {
    await body();
  } finally {
    const ended = once(strace, 'exit');
    strace.kill('SIGINT');
    await ended;
  }
  return callsIn(readFileSync(log, 'utf8'));
}

/** System calls of a server for each message. */
export async function systemCallsPerMessage(
  server: RunningServer,
  core: number | undefined,
  load: Traffic,
): Promise<number> {
  const measure = async (messages: number): Promise<{ total: number; calls: number }> => {
    let total = 0;
    const calls = await countCalls(server.process.pid, logFor('strace'), async () => {
      ({ total } = await runLoad(server, core, { ...load, warmupMs: 0, slice: { messages } }));
    });
    return { total, calls };
  };
  const few = await measure(FEW);
  const many = await measure(MANY);
  return (many.calls - few.calls) / (many.total - few.total);
}

/**
 * How many system calls a message costs. strace slows a server down by an order of magnitude, so
 * this has slices of its own, and nothing else is taken from them.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { BackgroundProcess } from './child.js';
import { type Traffic, runLoad } from './load.js';
import { logFor, type RunningServer } from './running.js';

/** Two numbers of messages: what connecting and closing cost is in both, and so not in their difference. */
const FEW = 2_000;
const MANY = 8_000;

/** How long strace may take to get hold of all threads of a server. */
const ATTACH_LIMIT_MS = 10_000;

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
async function countCalls(pid: number, body: () => Promise<void>): Promise<number> {
  const summary = logFor('strace-summary');
  const command = ['strace', '-c', '-f', '-p', String(pid), '-o', summary];
  const strace = await BackgroundProcess.start(command, logFor('strace'));
  try {
    await strace.waitForLine(/ attached/, ATTACH_LIMIT_MS);
    await body();
  } finally {
    await strace.end(); // strace lets the process go, and writes what it has counted
  }
  return callsIn(readFileSync(summary, 'utf8'));
}

/** System calls of a server for each message. */
export async function systemCallsPerMessage(
  server: RunningServer,
  core: number | undefined,
  load: Traffic,
): Promise<number> {
  const measure = async (messages: number): Promise<{ total: number; calls: number }> => {
    let total = 0;
    const calls = await countCalls(server.process.pid, async () => {
      ({ total } = await runLoad(server, core, { ...load, warmupMs: 0, slice: { messages } }));
    });
    return { total, calls };
  };
  const few = await measure(FEW);
  const many = await measure(MANY);
  return (many.calls - few.calls) / (many.total - few.total);
}

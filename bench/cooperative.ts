/**
 * How late an interval of Node is beside a server of ours that never has nothing to do:
 * `npm run bench:cooperative`. The server has one core, the load the other. "own" is the lateness in
 * processor time of the server, "waited" how much of the time something else had its core.
 */
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { BackgroundProcess } from './lib/child.js';
import { runLoad, type Slice } from './lib/load.js';
import { optionsOrUsage, parseCount } from './lib/options.js';
import { inRepository } from './lib/paths.js';
import { choosePlacement, pinned, type Placement } from './lib/placement.js';
import { median } from './lib/statistics.js';

const DRIVES = ['runAsync', 'Epoll.turns', 'Poller.turns', 'net'] as const;
/** What the interval of 10 ms may be late, at p99.9. */
const LIMIT_MS = 25;
const START_LIMIT_MS = 10_000;
const WARM_UP_MS = 500;

interface Result {
  readonly late: readonly number[];
  /** The part of it that is processor time of the server. */
  readonly own: readonly number[];
  readonly slice: Slice;
}

async function measure(drive: string, placement: Placement, ms: number): Promise<Result> {
  const logs = inRepository('build', 'bench', 'logs');
  mkdirSync(logs, { recursive: true });
  const program = inRepository('build', 'bench', 'servers', 'cooperative.js');
  const server = await BackgroundProcess.start(
    pinned(placement.server, [process.execPath, program, '--drive', drive]),
    `${logs}/cooperative-${String(process.pid)}.log`,
  );
  try {
    const [, port] = await server.waitForLine(/listening on .*:(\d+)/, START_LIMIT_MS);
    const load = { size: 64, connections: 50, warmupMs: WARM_UP_MS, slice: { ms } };
    const slice = await runLoad(
      { at: { port: Number(port) }, process: server },
      placement.load,
      load,
    );
    await server.end();
    const [, printed = ''] = server.log().split('\n');
    return { ...(JSON.parse(printed) as Pick<Result, 'late' | 'own'>), slice };
  } finally {
    await server.end();
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function row(drive: string, results: readonly Result[]): string {
  const late = results.flatMap((result) => result.late);
  const own = results.flatMap((result) => result.own);
  const worst = quantile(late, 0.999);
  const columns = [
    ...[quantile(late, 0.5), quantile(late, 0.99), worst, quantile(own, 0.999)].map((value) =>
      value.toFixed(1),
    ),
    String(late.length),
    median(results.map(({ slice }) => slice.messagesPerSecond)).toFixed(0),
    `${(100 * median(results.map(({ slice }) => slice.serverWaitShare))).toFixed(0)} %`,
  ];
  const verdict = worst <= LIMIT_MS ? '' : `  above ${String(LIMIT_MS)} ms`;
  return `${drive.padEnd(14)}${columns.map((column) => column.padStart(10)).join('')}${verdict}`;
}

async function main(ms: number, rounds: number): Promise<void> {
  const placement = choosePlacement();
  const results = new Map<string, Result[]>(DRIVES.map((drive) => [drive, []]));
  for (let round = 0; round < rounds; round++) {
    for (const drive of DRIVES) results.get(drive)?.push(await measure(drive, placement, ms));
  }
  console.log(`${placement.note}; load average ${String(os.loadavg()[0]?.toFixed(1))}\n`);
  console.log('ms that an interval of 10 ms is late, beside 50 connections that echo 64 bytes\n');
  const head = ['p50', 'p99', 'p99.9', 'own p99.9', 'ticks', 'msgs/s', 'waited'];
  console.log(`${''.padEnd(14)}${head.map((name) => name.padStart(10)).join('')}`);
  for (const [drive, each] of results) console.log(row(drive, each));
}

const options = optionsOrUsage('bench:cooperative', () => {
  const { values } = parseArgs({
    options: {
      ms: { type: 'string', default: '10000' },
      rounds: { type: 'string', default: '3' },
    },
  });
  return { ms: parseCount('ms', values.ms), rounds: parseCount('rounds', values.rounds) };
});
if (options !== undefined) await main(options.ms, options.rounds);

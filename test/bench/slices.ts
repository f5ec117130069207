/** Slices and results as a run of the benchmark has them, with numbers that are easy to check. */
import type { Slice } from '../../bench/lib/load.js';
import type { PairedRun } from '../../bench/lib/pairs.js';
import {
  compare,
  type LoadResult,
  type ProbeResult,
  type Results,
} from '../../bench/lib/results.js';

/** A second of nothing but these messages, at a cost of processor time each. */
export function slice(messages: number, cpuNs: number, waitShare = 0): Slice {
  return {
    messages,
    total: messages,
    seconds: 1,
    messagesPerSecond: messages,
    cpuNsPerMessage: cpuNs,
    switches: messages / 10,
    preemptions: 0,
    residentBytes: 5e6,
    collections: 0,
    serverWaitShare: waitShare,
    loadWaitShare: 0,
    loadCpuShare: 0.5,
    latencies: [
      [100_000, 98],
      [900_000, 2],
    ],
  };
}

/** Pairs with the same ratios to a yardstick of 1,000 messages at 1,000 ns each. */
export function pairs(
  count: number,
  throughput: number,
  cpu: number,
  waitShare = 0,
): readonly PairedRun[] {
  const [before, after] = [slice(900, 900), slice(1100, 1100)];
  return Array.from({ length: count }, () => ({
    before,
    slice: slice(1000 * throughput, 1000 * cpu, waitShare),
    after,
  }));
}

/** A scenario with the ratios of its servers: throughput, processor time. */
export function loadResult(
  name: string,
  ratios: Readonly<Record<string, readonly [throughput: number, cpu: number]>>,
  { count = 7, waitShare = 0 }: { readonly count?: number; readonly waitShare?: number } = {},
): LoadResult {
  const servers = Object.fromEntries(
    Object.entries(ratios).map(([server, [throughput, cpu]]) => [
      server,
      compare(`label of ${server}`, pairs(count, throughput, cpu, waitShare), true),
    ]),
  );
  const { control } = servers;
  if (control === undefined) throw new Error('there is always a control');
  return {
    name,
    title: `title of ${name}`,
    section: 'Echo',
    unit: 'message',
    yardstick: { ...control, label: 'C epoll' },
    servers,
    failures: {},
  };
}

/** A probe with the rounds of its contenders. */
export function probeResult(
  name: string,
  statistic: ProbeResult['statistic'],
  rounds: Readonly<Record<string, readonly Readonly<Record<string, number>>[]>>,
): ProbeResult {
  const rows = Object.fromEntries(
    Object.entries(rounds).map(([contender, own]) => [
      contender,
      { label: `label of ${contender}`, rounds: own },
    ]),
  );
  return {
    name,
    title: `title of ${name}`,
    about: 'About.',
    unit: 'ns',
    statistic,
    rows,
    failures: {},
  };
}

/** A run with these scenarios and probes. */
export function resultsOf(
  loads: readonly LoadResult[],
  probes: readonly ProbeResult[] = [],
): Results {
  return {
    startedAt: '2026-01-02T03:04:05.000Z',
    seconds: 61,
    command: 'npm run bench',
    machine: { processor: 'of the test', kernel: 'Linux 6.1' },
    pairs: 7,
    sliceMs: 500,
    warmupMs: 200,
    servers: [
      { name: 'c', label: 'C epoll', runtime: 'C', note: 'The yardstick.' },
      { name: 'bun', label: 'Bun', runtime: 'Bun', note: 'Another.', absence: 'bun is not here' },
    ],
    loads,
    probes,
  };
}

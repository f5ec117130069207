/** From pairs of slices to the numbers of a scenario. */

import { isQuiet, mergeLatencies, type Slice } from './load.js';
import type { PairedRun, PairedRuns } from './pairs.js';
import type { Scenario } from './scenarios.js';
import type { ContenderName } from './servers.js';
import { median, spread, type Spread, sum } from './statistics.js';

/** With fewer quiet pairs than this, all pairs are used, and the results say so. */
const QUIET_PAIRS_NEEDED = 3;

/** A server in its own units. */
export interface Absolute {
  readonly messagesPerSecond: Spread;
  readonly cpuNsPerMessage: Spread;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Garbage collections in all measured slices, also the disturbed ones, and their messages. */
  readonly collections: number;
  readonly messages: number;
  /** Median share of its core that the load generator used. */
  readonly loadCpuShare: number;
}

/** One pair: the ratios to C, and whether nothing else disturbed it. */
interface PairResult {
  readonly throughput: number;
  readonly cpu: number;
  readonly quiet: boolean;
}

/** A server next to the C server. */
export interface Compared extends Absolute {
  readonly runs: readonly PairResult[];
  readonly pairs: number;
  readonly quietPairs: number;
  /** Ratios to C: throughput (more is better) and processor time a message (less is better). */
  readonly throughput: Spread;
  readonly cpu: Spread;
}

/** Everything that was found out about one scenario. */
export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly yardstick: Absolute;
  readonly servers: Readonly<Partial<Record<ContenderName, Compared>>>;
  /** Processor time a message: that of `net` divided by that of the server, round by round. */
  readonly netOver: Readonly<Partial<Record<ContenderName, Spread>>>;
}

function throughputRatio({ before, slice, after }: PairedRun): number {
  return (2 * slice.messagesPerSecond) / (before.messagesPerSecond + after.messagesPerSecond);
}

function cpuRatio({ before, slice, after }: PairedRun): number {
  return (2 * slice.cpuNsPerMessage) / (before.cpuNsPerMessage + after.cpuNsPerMessage);
}

function isQuietRun({ before, slice, after }: PairedRun): boolean {
  return isQuiet(before) && isQuiet(slice) && isQuiet(after);
}

/** The undisturbed ones of some runs; all of them if too few are undisturbed. */
function quietOrAll<T>(runs: readonly T[], quiet: (run: T) => boolean): readonly T[] {
  const undisturbed = runs.filter(quiet);
  return undisturbed.length >= QUIET_PAIRS_NEEDED ? undisturbed : runs;
}

function summarize(used: readonly Slice[], all: readonly Slice[]): Absolute {
  const latencies = mergeLatencies(used);
  return {
    messagesPerSecond: spread(used.map((slice) => slice.messagesPerSecond)),
    cpuNsPerMessage: spread(used.map((slice) => slice.cpuNsPerMessage)),
    p50Us: latencies.getValueAtPercentile(50) / 1e3,
    p99Us: latencies.getValueAtPercentile(99) / 1e3,
    collections: sum(all.map((slice) => slice.collections)),
    messages: sum(all.map((slice) => slice.messages)),
    loadCpuShare: median(used.map((slice) => slice.loadCpuShare)),
  };
}

function compare(runs: readonly PairedRun[]): Compared {
  const used = quietOrAll(runs, isQuietRun);
  const slicesOf = (pairs: readonly PairedRun[]): Slice[] => pairs.map(({ slice }) => slice);
  return {
    ...summarize(slicesOf(used), slicesOf(runs)),
    runs: runs.map((run) => ({
      throughput: throughputRatio(run),
      cpu: cpuRatio(run),
      quiet: isQuietRun(run),
    })),
    pairs: runs.length,
    quietPairs: runs.filter(isQuietRun).length,
    throughput: spread(used.map(throughputRatio)),
    cpu: spread(used.map(cpuRatio)),
  };
}

function compareWithNet(net: readonly PairedRun[], ours: readonly PairedRun[]): Spread {
  const rounds = net.flatMap((run, round) => {
    const own = ours[round];
    return own === undefined ? [] : [{ net: run, own }];
  });
  const used = quietOrAll(rounds, ({ net, own }) => isQuietRun(net) && isQuietRun(own));
  return spread(used.map(({ net, own }) => cpuRatio(net) / cpuRatio(own)));
}

/** The slices of the C server, each once: it follows every other slice. */
function yardstickSlices(runs: PairedRuns): readonly Slice[] {
  return [...new Set([...runs.values()].flat().flatMap(({ before, after }) => [before, after]))];
}

/** Works out the numbers of a scenario. */
export function summarizeScenario(scenario: Scenario, runs: PairedRuns): ScenarioResult {
  const yardstick = yardstickSlices(runs);
  const servers: Partial<Record<ContenderName, Compared>> = {};
  const netOver: Partial<Record<ContenderName, Spread>> = {};
  const net = runs.get('net');
  for (const [name, own] of runs) {
    servers[name] = compare(own);
    if (net !== undefined && name !== 'net') netOver[name] = compareWithNet(net, own);
  }
  const used = quietOrAll(yardstick, isQuiet);
  return { scenario, yardstick: summarize(used, yardstick), servers, netOver };
}

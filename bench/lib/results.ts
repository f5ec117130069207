/**
 * What a run has found out: the shape of the JSON file. Everything that a report says comes from
 * it, so that a report can be made again from the file alone.
 */

import { isQuiet, mergeLatencies, type Slice } from './load.js';
import type { Outcome, PairedRun } from './pairs.js';
import { median, spread, type Spread, sum } from './statistics.js';

/** With fewer quiet pairs than this, all pairs are used, and they decide nothing. */
const QUIET_PAIRS_NEEDED = 3;

/** A server in its own units. */
export interface Absolute {
  readonly perSecond: Spread;
  readonly cpuNs: Spread;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** Memory at the end of the last slice. */
  readonly residentBytes: number;
  /** Context switches for each message: it waited, or something else was to run. */
  readonly switches: number;
  readonly preemptions: number;
  /** Garbage collections in all measured slices, also the disturbed ones; null: not countable. */
  readonly collections: number | null;
  readonly messages: number;
  /** Median share of its core that the load generator used. */
  readonly loadCpuShare: number;
}

/** One pair: the ratios to the yardstick, and whether nothing else disturbed it. */
interface PairResult {
  readonly throughput: number;
  readonly cpu: number;
  readonly quiet: boolean;
}

/** What can be compared: throughput (more is better) and processor time a message (less is). */
export type Metric = 'cpu' | 'throughput';

/** A server next to the yardstick. The n-th pair of every server belongs to the same round. */
export interface Compared extends Absolute {
  readonly label: string;
  readonly runs: readonly PairResult[];
  readonly quietPairs: number;
  readonly throughput: Spread;
  readonly cpu: Spread;
  /** System calls for each message, where they were counted. */
  readonly systemCalls?: number;
  /** Requests a second as wrk counts them, where it was asked. */
  readonly wrk?: number;
}

/** Everything that was found out about one scenario with a load. */
export interface LoadResult {
  readonly name: string;
  readonly title: string;
  readonly section: string;
  readonly unit: string;
  readonly yardstick: Absolute & Pick<Compared, 'label' | 'systemCalls' | 'wrk'>;
  readonly servers: Readonly<Record<string, Compared>>;
  /** Servers that gave no result, and why. */
  readonly failures: Readonly<Record<string, string>>;
}

/** What a probe has measured of one contender: the values of each round, by what was measured. */
export interface ProbeRow {
  readonly label: string;
  readonly rounds: readonly Readonly<Record<string, number>>[];
}

/** Everything that was found out by one probe. */
export interface ProbeResult {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly unit: string;
  /** Which of the rounds counts. */
  readonly statistic: 'least' | 'median';
  readonly rows: Readonly<Record<string, ProbeRow>>;
  readonly failures: Readonly<Record<string, string>>;
}

/** A whole run. */
export interface Results {
  readonly startedAt: string;
  readonly seconds: number;
  readonly command: string;
  readonly machine: Readonly<Record<string, string>>;
  readonly pairs: number;
  readonly sliceMs: number;
  readonly warmupMs: number;
  /** The servers that were compared, and those that are not on this machine. */
  readonly servers: readonly {
    readonly name: string;
    readonly label: string;
    readonly runtime: string;
    readonly note: string;
    readonly absence?: string;
  }[];
  readonly loads: readonly LoadResult[];
  readonly probes: readonly ProbeResult[];
}

/**
 * The run in a JSON file. There a number that could not be had, a ratio to nothing, is `null`; only of
 * `collections` that is a value of its own.
 *
 * @throws `RangeError`: the text is no run.
 */
export function parseResults(text: string): Results {
  const run = JSON.parse(text, (name, value: unknown) =>
    value === null && name !== 'collections' ? NaN : value,
  ) as Partial<Results> | undefined;
  if (!Array.isArray(run?.loads) || !Array.isArray(run.probes) || !Array.isArray(run.servers)) {
    throw new RangeError('this is no run of the benchmark');
  }
  return run as Results;
}

function ratio(value: (slice: Slice) => number, { before, slice, after }: PairedRun): number {
  return (2 * value(slice)) / (value(before) + value(after));
}

function toPairResult(run: PairedRun): PairResult {
  return {
    throughput: ratio((slice) => slice.messagesPerSecond, run),
    cpu: ratio((slice) => slice.cpuNsPerMessage, run),
    quiet: isQuiet(run.before) && isQuiet(run.slice) && isQuiet(run.after),
  };
}

/** The undisturbed ones; all of them if too few are undisturbed. */
function quietOrAll<T>(items: readonly T[], quiet: (item: T) => boolean): readonly T[] {
  const undisturbed = items.filter(quiet);
  return undisturbed.length >= QUIET_PAIRS_NEEDED ? undisturbed : items;
}

function summarize(all: readonly Slice[], used: readonly Slice[], countable: boolean): Absolute {
  const latencies = mergeLatencies(used);
  const messages = sum(all.map((slice) => slice.messages));
  const perMessage = (value: (slice: Slice) => number): number =>
    median(used.map((slice) => value(slice) / slice.messages));
  return {
    perSecond: spread(used.map((slice) => slice.messagesPerSecond)),
    cpuNs: spread(used.map((slice) => slice.cpuNsPerMessage)),
    p50Us: latencies.getValueAtPercentile(50) / 1e3,
    p99Us: latencies.getValueAtPercentile(99) / 1e3,
    p999Us: latencies.getValueAtPercentile(99.9) / 1e3,
    residentBytes: all.at(-1)?.residentBytes ?? NaN,
    switches: perMessage((slice) => slice.switches),
    preemptions: perMessage((slice) => slice.preemptions),
    collections: countable ? sum(all.map((slice) => slice.collections)) : null,
    messages,
    loadCpuShare: median(used.map((slice) => slice.loadCpuShare)),
  };
}

/** A server next to the yardstick, from its pairs. */
export function compare(label: string, runs: readonly PairedRun[], countable: boolean): Compared {
  const results = runs.map((run) => ({ run, result: toPairResult(run) }));
  const used = quietOrAll(results, ({ result }) => result.quiet);
  const slicesOf = (some: typeof used): Slice[] => some.map(({ run }) => run.slice);
  return {
    label,
    ...summarize(slicesOf(results), slicesOf(used), countable),
    runs: results.map(({ result }) => result),
    quietPairs: results.filter(({ result }) => result.quiet).length,
    throughput: spread(used.map(({ result }) => result.throughput)),
    cpu: spread(used.map(({ result }) => result.cpu)),
  };
}

/** The yardstick itself: its slices, each once, though each belongs to two pairs. */
export function summarizeYardstick(outcomes: Iterable<Outcome>): Absolute {
  const runs = [...outcomes].flatMap((outcome) => ('runs' in outcome ? outcome.runs : []));
  const slices = [...new Set(runs.flatMap(({ before, after }) => [before, after]))];
  return summarize(slices, quietOrAll(slices, isQuiet), false);
}

/**
 * How many times as much one server has as another: the ratio of their ratios to the yardstick,
 * round by round. `undefined`: one of them was not measured.
 */
export function over(
  { servers }: LoadResult,
  one: string,
  other: string,
  metric: Metric,
): Spread | undefined {
  const otherRuns = servers[other]?.runs;
  const rounds = servers[one]?.runs.flatMap((run, round) => {
    const otherRun = otherRuns?.[round];
    if (otherRun === undefined) return [];
    return [{ value: run[metric] / otherRun[metric], quiet: run.quiet && otherRun.quiet }];
  });
  if (rounds === undefined || rounds.length === 0) return undefined;
  return spread(quietOrAll(rounds, ({ quiet }) => quiet).map(({ value }) => value));
}

/** Whether there were rounds enough in which nothing disturbed any of these servers. */
export function wasQuiet({ servers }: LoadResult, names: readonly string[]): boolean {
  const [first = [], ...others] = names.map((name) => servers[name]?.runs ?? []);
  const rounds = first.filter(
    ({ quiet }, round) => quiet && others.every((runs) => runs[round]?.quiet === true),
  );
  return rounds.length >= QUIET_PAIRS_NEEDED;
}

/** What counts of the rounds of a probe; `undefined`: it was not measured. */
export function probeValue(
  probe: ProbeResult,
  contender: string,
  measure: string,
): number | undefined {
  const values = probe.rows[contender]?.rounds.flatMap((round) => round[measure] ?? []);
  if (values === undefined || values.length === 0) return undefined;
  return probe.statistic === 'least' ? Math.min(...values) : median(values);
}

/** Runs the load generator against a server and reads its report. */

import { readFileSync } from 'node:fs';
import { build, type Histogram } from 'hdr-histogram-js';
import { BackgroundProcess, COLLECTION_LINE, runToEnd } from './child.js';
import { compileC } from './compile.js';
import { pinned } from './placement.js';
import { type Address, logFor, type RunningServer } from './running.js';

/** Longer than the load generator's own limit, which says more when it is reached. */
const LOAD_LIMIT_MS = 700_000;

/** A few files of /proc. */
const SAMPLE_LIMIT_MS = 10_000;

/** How long it may take until every idle connection has been served once. */
const HOLD_LIMIT_MS = 60_000;

/** A latency beyond this counts as this. */
const LATENCY_MAX_NS = 60e9;

/** From this share of waiting on, a run counts as disturbed by other work on the machine. */
const DISTURBED_SHARE = 0.15;

/** What goes over the connections; `bench/c/load/main.c` says what each means. */
export interface Traffic {
  readonly traffic?: 'echo' | 'datagrams' | 'broadcast' | 'http';
  readonly connections: number;
  /** Bytes of a message. HTTP has none: its requests are what they are. */
  readonly size?: number;
  /** Messages that are sent in one go. */
  readonly depth?: number;
  /** A connection for each batch of messages. */
  readonly reconnect?: boolean;
  /** HTTP: what is asked for. */
  readonly target?: string;
}

/** A run of the load: a warm-up, then a measured slice of a time or of a number of messages. */
export interface LoadOptions extends Traffic {
  readonly warmupMs: number;
  readonly slice: { readonly ms: number } | { readonly messages: number };
}

/** What the load generator prints. */
interface LoadReport {
  readonly messages: number;
  readonly total: number;
  readonly ns: number;
  readonly serverCpuNs: number;
  readonly serverHelperNs: number;
  readonly serverWaitNs: number;
  readonly serverSwitches: number;
  readonly serverPreemptions: number;
  readonly serverResidentBytes: number;
  readonly loadCpuNs: number;
  readonly loadWaitNs: number;
  readonly logFrom: number;
  readonly logTo: number;
  readonly latencies: Latencies;
}

/** Nanoseconds, and how often. */
export type Latencies = readonly (readonly [ns: number, count: number])[];

/** A measured slice. */
export interface Slice {
  readonly messages: number;
  /** With those of the warm-up. */
  readonly total: number;
  readonly seconds: number;
  readonly messagesPerSecond: number;
  /** Processor time of all threads of the server. */
  readonly cpuNsPerMessage: number;
  /** Context switches of all threads of the server: it waited, or something else was to run. */
  readonly switches: number;
  readonly preemptions: number;
  /** Memory of the server at the end of the slice. */
  readonly residentBytes: number;
  /** Garbage collections that the server has logged during the slice. */
  readonly collections: number;
  /** Shares of the slice in which server and load were ready to run but something else ran. */
  readonly serverWaitShare: number;
  readonly loadWaitShare: number;
  /** The load generator's own share of its core: near 1, the throughput is the load's, not ours. */
  readonly loadCpuShare: number;
  readonly latencies: Latencies;
}

/** The garbage collections in a part of what a program of Node has written with `--trace-gc`. */
export function countCollections(log: string): number {
  return log.match(COLLECTION_LINE)?.length ?? 0;
}

/** Those in the part of a server's log that was written between two moments. */
export function collectionsBetween(logPath: string, from: number, to: number): number {
  return countCollections(readFileSync(logPath).toString('latin1', from, to));
}

/**
 * The server's first thread also waits for the helper threads of its own process, which share its
 * core. That is a cost of the server, not a disturbance from outside.
 */
export function foreignWaitNs(waitNs: number, helperNs: number): number {
  return Math.max(0, waitNs - helperNs);
}

function toSlice(report: LoadReport, server: Pick<RunningServer, 'process'>): Slice {
  return {
    messages: report.messages,
    total: report.total,
    seconds: report.ns / 1e9,
    messagesPerSecond: (report.messages / report.ns) * 1e9,
    cpuNsPerMessage: report.serverCpuNs / report.messages,
    switches: report.serverSwitches,
    preemptions: report.serverPreemptions,
    residentBytes: report.serverResidentBytes,
    collections: collectionsBetween(server.process.logPath, report.logFrom, report.logTo),
    serverWaitShare: foreignWaitNs(report.serverWaitNs, report.serverHelperNs) / report.ns,
    loadWaitShare: report.loadWaitNs / report.ns,
    loadCpuShare: report.loadCpuNs / report.ns,
    latencies: report.latencies,
  };
}

/** What a server has cost since it was started: all threads, living and ended. */
export interface Sample {
  readonly cpuNs: number;
  readonly helperNs: number;
  readonly waitNs: number;
  readonly switches: number;
  readonly preemptions: number;
  readonly logBytes: number;
  readonly residentBytes: number;
}

/** What a server has cost so far, by the account that slices of our own load have. */
export async function sampleServer({ process: child }: RunningServer): Promise<Sample> {
  const which = [`--server-pid=${String(child.pid)}`, `--server-log=${child.logPath}`];
  const output = await runToEnd([compileC('load'), '--sample', ...which], SAMPLE_LIMIT_MS);
  return JSON.parse(output) as Sample;
}

/** The load generator against an address, without how long it goes on. */
function loadCommand(at: Address, load: Traffic): readonly string[] {
  const { traffic = 'echo', connections, size, depth, reconnect, target } = load;
  const given = (name: string, value: number | string | undefined): readonly string[] =>
    value === undefined ? [] : [`--${name}=${String(value)}`];
  return [
    compileC('load'),
    'port' in at ? `--port=${String(at.port)}` : `--path=${at.path}`,
    `--traffic=${traffic}`,
    `--connections=${String(connections)}`,
    ...given('size', size),
    ...given('depth', depth),
    ...given('target', target),
    ...(reconnect === true ? ['--reconnect'] : []),
  ];
}

/** Puts a server under load, from the given core. */
export async function runLoad(
  server: Pick<RunningServer, 'at' | 'process'>,
  core: number | undefined,
  options: LoadOptions,
): Promise<Slice> {
  const { slice } = options;
  const command = [
    ...loadCommand(server.at, options),
    `--warmup-ms=${String(options.warmupMs)}`,
    'ms' in slice ? `--measure-ms=${String(slice.ms)}` : `--messages=${String(slice.messages)}`,
    `--server-pid=${String(server.process.pid)}`,
    `--server-log=${server.process.logPath}`,
  ];
  let output: string;
  try {
    output = await runToEnd(pinned(core, command), LOAD_LIMIT_MS);
  } catch (error) {
    server.process.assertRunning(); // if the server has ended, that is the news
    throw error;
  }
  return toSlice(JSON.parse(output) as LoadReport, server);
}

/**
 * Opens connections that are served once and then do nothing, until the process that keeps them is
 * ended.
 */
export async function holdConnections(
  server: Pick<RunningServer, 'name' | 'at'>,
  core: number | undefined,
  load: Traffic,
): Promise<BackgroundProcess> {
  const command = [...loadCommand(server.at, load), '--hold'];
  const holder = await BackgroundProcess.start(
    pinned(core, command),
    logFor(`hold-${server.name}-${String(load.connections)}`),
  );
  try {
    await holder.waitForLine(/^holding /m, HOLD_LIMIT_MS);
    return holder;
  } catch (error) {
    await holder.end();
    throw error;
  }
}

/** Whether server and load had their cores to themselves. */
export function isQuiet(slice: Slice): boolean {
  return slice.serverWaitShare < DISTURBED_SHARE && slice.loadWaitShare < DISTURBED_SHARE;
}

/** The latencies of several slices in one histogram (nanoseconds, three significant digits). */
export function mergeLatencies(slices: readonly Pick<Slice, 'latencies'>[]): Histogram {
  const histogram = build({
    numberOfSignificantValueDigits: 3,
    highestTrackableValue: LATENCY_MAX_NS,
  });
  for (const { latencies } of slices) {
    for (const [ns, count] of latencies) {
      histogram.recordValueWithCount(Math.min(ns, LATENCY_MAX_NS), count);
    }
  }
  return histogram;
}

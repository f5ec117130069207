/** Runs the load generator against a server and reads its report. */

import { readFileSync } from 'node:fs';
import { build, type Histogram } from 'hdr-histogram-js';
import { runToEnd } from './child.js';
import { compileC } from './compile.js';
import { pinned } from './placement.js';
import type { RunningServer } from './servers.js';

/** Longer than the load generator's own limit, which says more when it is reached. */
const LOAD_LIMIT_MS = 180_000;

/** From this share of waiting on, a run counts as disturbed by other work on the machine. */
const DISTURBED_SHARE = 0.15;

/** A run of the load: a warm-up, then a measured slice of a time or of a number of messages. */
export interface LoadOptions {
  readonly size: number;
  readonly connections: number;
  readonly warmupMs: number;
  readonly slice: { readonly ms: number } | { readonly messages: number };
}

/** What `load.c` prints. */
interface LoadReport {
  readonly messages: number;
  readonly ns: number;
  readonly serverCpuNs: number;
  readonly serverHelperNs: number;
  readonly serverWaitNs: number;
  readonly loadCpuNs: number;
  readonly loadWaitNs: number;
  readonly logFrom: number;
  readonly logTo: number;
  readonly latencies: readonly (readonly [ns: number, count: number])[];
}

/** A measured slice. */
export interface Slice {
  readonly messages: number;
  readonly seconds: number;
  readonly messagesPerSecond: number;
  /** Processor time of all threads of the server. */
  readonly cpuNsPerMessage: number;
  /** Garbage collections of the server during the slice. */
  readonly collections: number;
  /** Shares of the slice in which server and load were ready to run but something else ran. */
  readonly serverWaitShare: number;
  readonly loadWaitShare: number;
  /** The load generator's own share of its core: near 1, the throughput is the load's, not ours. */
  readonly loadCpuShare: number;
  readonly latencies: readonly (readonly [ns: number, count: number])[];
}

function countCollections(log: Buffer): number {
  // "[4130:0x1661dc00]       34 ms: Scavenge 4.1 (4.2) -> 3.3 (5.2) MB, …"
  return log.toString('latin1').match(/^\[\d+:0x[0-9a-f]+\]\s+\d+ ms: /gm)?.length ?? 0;
}

/** Garbage collections that a server has logged since it was started. */
export function collectionsSinceStart(server: RunningServer): number {
  return countCollections(readFileSync(server.process.logPath));
}

function toSlice(report: LoadReport, server: Pick<RunningServer, 'process'>): Slice {
  const log = readFileSync(server.process.logPath);
  // The server's first thread also waits for the helper threads of its own process, which share
  // its core. That is a cost of the server, not a disturbance from outside.
  const foreignWaitNs = Math.max(0, report.serverWaitNs - report.serverHelperNs);
  return {
    messages: report.messages,
    seconds: report.ns / 1e9,
    messagesPerSecond: (report.messages / report.ns) * 1e9,
    cpuNsPerMessage: report.serverCpuNs / report.messages,
    collections: countCollections(log.subarray(report.logFrom, report.logTo)),
    serverWaitShare: foreignWaitNs / report.ns,
    loadWaitShare: report.loadWaitNs / report.ns,
    loadCpuShare: report.loadCpuNs / report.ns,
    latencies: report.latencies,
  };
}

/** Puts a server under load, from the given core. */
export async function runLoad(
  server: Pick<RunningServer, 'port' | 'process'>,
  core: number | undefined,
  options: LoadOptions,
): Promise<Slice> {
  const { slice } = options;
  const command = [
    compileC('load'),
    `--port=${String(server.port)}`,
    `--size=${String(options.size)}`,
    `--connections=${String(options.connections)}`,
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

/** Whether server and load had their cores to themselves. */
export function isQuiet(slice: Slice): boolean {
  return slice.serverWaitShare < DISTURBED_SHARE && slice.loadWaitShare < DISTURBED_SHARE;
}

/** The latencies of several slices in one histogram (nanoseconds, three significant digits). */
export function mergeLatencies(slices: readonly Slice[]): Histogram {
  const histogram = build({ numberOfSignificantValueDigits: 3, highestTrackableValue: 60e9 });
  for (const { latencies } of slices) {
    for (const [ns, count] of latencies) histogram.recordValueWithCount(ns, count);
  }
  return histogram;
}

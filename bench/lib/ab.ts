/** ApacheBench as the load: a new connection for each request. */

import { spawnSync } from 'node:child_process';
import { runToEnd } from './child.js';
import {
  collectionsBetween,
  foreignWaitNs,
  type Latencies,
  sampleServer,
  type Slice,
} from './load.js';
import { pinned } from './placement.js';
import type { RunningServer } from './running.js';

/** A server that needs longer for the requests of a slice than this has not passed. */
const AB_LIMIT_MS = 90_000;

/** What ApacheBench is told. */
export interface AbOptions {
  readonly requests: number;
  readonly connections: number;
  readonly target: string;
}

/** Whether ApacheBench is installed. */
export function hasAb(): boolean {
  return spawnSync('ab', ['-V'], { stdio: 'ignore' }).status === 0;
}

/** The requests that were not answered with the page. */
export function failedRequests(report: string, requests: number): number {
  const number = (pattern: RegExp): number => Number(pattern.exec(report)?.[1] ?? 0);
  const missing = requests - number(/^Complete requests: +(\d+)/m);
  // Pages of random characters may have any content, but all have one length: ab's "Length" counts.
  return number(/^Failed requests: +(\d+)/m) + number(/^Non-2xx responses: +(\d+)/m) + missing;
}

/** ab's table of percentiles, as if a hundredth of the requests had each of them. */
export function latenciesOf(report: string, requests: number): Latencies {
  const table = [...report.matchAll(/^ +(\d+)% +(\d+)/gm)].map(
    ([, percent, ms]) => [Number(percent), Number(ms)] as const,
  );
  return table.map(([percent, ms], i) => {
    const before = i === 0 ? 0 : (table[i - 1]?.[0] ?? 0);
    return [ms * 1e6, Math.max(1, Math.round(((percent - before) * requests) / 100))] as const;
  });
}

/** Sends all requests. @throws if one of them was not answered as it should be. */
export async function runAb(
  server: RunningServer,
  core: number | undefined,
  { requests, connections, target }: AbOptions,
): Promise<Slice> {
  if (!('port' in server.at)) throw new Error('ab needs a port');
  const url = `http://127.0.0.1:${String(server.at.port)}${target}`;
  const numbers = ['-n', String(requests), '-c', String(Math.min(requests, connections))];
  const before = await sampleServer(server);
  const report = await runToEnd(
    pinned(core, ['ab', '-q', '-s', '30', ...numbers, url]),
    AB_LIMIT_MS,
  );
  const after = await sampleServer(server);
  const failed = failedRequests(report, requests);
  if (failed > 0) throw new Error(`ab: ${String(failed)} of ${String(requests)} requests failed`);
  const seconds = Number(/^Time taken for tests: +([\d.]+)/m.exec(report)?.[1]);
  const waitNs = foreignWaitNs(after.waitNs - before.waitNs, after.helperNs - before.helperNs);
  return {
    messages: requests,
    total: requests,
    seconds,
    messagesPerSecond: requests / seconds,
    cpuNsPerMessage: (after.cpuNs - before.cpuNs) / requests,
    switches: after.switches - before.switches,
    preemptions: after.preemptions - before.preemptions,
    residentBytes: after.residentBytes,
    collections: collectionsBetween(server.process.logPath, before.logBytes, after.logBytes),
    serverWaitShare: waitNs / (seconds * 1e9),
    loadWaitShare: 0, // ab does not tell
    loadCpuShare: 0,
    latencies: latenciesOf(report, requests),
  };
}

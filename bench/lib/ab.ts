/** ApacheBench as the load: a new connection for each request. */

import { readdirSync, readFileSync } from 'node:fs';
import { runToEnd } from './child.js';
import type { Latencies, Slice } from './load.js';
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

/** Nanoseconds of processor time of all threads; and of waiting for it, of the first one. */
interface Cpu {
  readonly cpuNs: number;
  readonly helperNs: number;
  readonly waitNs: number;
}

function cpuOf(pid: number): Cpu {
  let cpuNs = 0;
  let helperNs = 0;
  let waitNs = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1');
    const [ran = 0, waited = 0] = stat.split(' ').map(Number);
    cpuNs += ran;
    if (Number(task) === pid) waitNs = waited;
    else helperNs += ran;
  }
  return { cpuNs, helperNs, waitNs };
}

/** As in load.ts: waiting for threads of its own process is no disturbance. */
function foreignWaitNs(before: Cpu, after: Cpu): number {
  return Math.max(0, after.waitNs - before.waitNs - (after.helperNs - before.helperNs));
}

/** A number from a file of /proc/<pid>/task/<task>/status, of all threads together. */
function statusSum(pid: number, field: string): number {
  const pattern = new RegExp(`^${field}:\\s+(\\d+)`, 'm');
  return readdirSync(`/proc/${pid}/task`)
    .map((task) => readFileSync(`/proc/${pid}/task/${task}/status`, 'latin1'))
    .map((status) => Number(pattern.exec(status)?.[1] ?? 0))
    .reduce((total, value) => total + value, 0);
}

/** How much memory of a process is resident. */
export function residentBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
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
  const { pid } = server.process;
  const before = { ...cpuOf(pid), switches: switchesOf(pid) };
  const log = readFileSync(server.process.logPath).length;
  const report = await runToEnd(
    pinned(core, ['ab', '-q', '-s', '30', ...numbers, url]),
    AB_LIMIT_MS,
  );
  const after = { ...cpuOf(pid), switches: switchesOf(pid) };
  const failed = failedRequests(report, requests);
  if (failed > 0) throw new Error(`ab: ${String(failed)} of ${String(requests)} requests failed`);
  const seconds = Number(/^Time taken for tests: +([\d.]+)/m.exec(report)?.[1]);
  const written = readFileSync(server.process.logPath).subarray(log).toString('latin1');
  return {
    messages: requests,
    total: requests,
    seconds,
    messagesPerSecond: requests / seconds,
    cpuNsPerMessage: (after.cpuNs - before.cpuNs) / requests,
    switches: after.switches.voluntary - before.switches.voluntary,
    preemptions: after.switches.involuntary - before.switches.involuntary,
    residentBytes: residentBytesOf(pid),
    collections: written.match(/^\[\d+:0x[0-9a-f]+\]\s+\d+ ms: /gm)?.length ?? 0,
    serverWaitShare: foreignWaitNs(before, after) / (seconds * 1e9),
    loadWaitShare: 0, // ab does not tell
    loadCpuShare: 0,
    latencies: latenciesOf(report, requests),
  };
}

function switchesOf(pid: number): { readonly voluntary: number; readonly involuntary: number } {
  return {
    voluntary: statusSum(pid, 'voluntary_ctxt_switches'),
    involuntary: statusSum(pid, 'nonvoluntary_ctxt_switches'),
  };
}

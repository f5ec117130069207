/**
 * What a second worker brings, in each of the three ways to share a port: `npm run bench:workers`.
 *
 * wrk asks examples/workers for passwords, over connections that stay; or ApacheBench does, over a
 * new one for each request. One worker and two have the same two cores, and the load generator
 * runs beside them on the same cores, so that two can never serve twice what one does: with s for the
 * time of a request in the server and l for that in the load, they serve 2s / (s + l) times as many. A
 * page is made `--times` times, so that there is work to share; once, it costs less than wrk does. Every round
 * begins with another contender. Of requests per second the median of the rounds counts; of two
 * workers next to one, the median of the ratios within a round.
 */
import { mkdirSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { FORMS, type Form } from '../examples/lib/workers/task.js';
import { cpuMsOf } from '../test/support/process-stats.js';
import { BackgroundProcess, runToEnd } from './lib/child.js';
import { optionsOrUsage, parseCount } from './lib/options.js';
import { inRepository } from './lib/paths.js';
import { choosePlacement } from './lib/placement.js';
import { median } from './lib/statistics.js';
import { formatTable } from './lib/table.js';

const START_LIMIT_MS = 20_000;
const LOAD_LIMIT_MS = 600_000;
const TARGET = 1.6;

interface Contender {
  readonly form: Form;
  readonly workers: number;
}

/** What one run of the load has told. */
interface Load {
  readonly requests: number;
  readonly perSecond: number;
  readonly failed: number;
}

/** The same with what the server says. */
interface Result extends Load {
  /** Microseconds of processor time of the server, for a request. */
  readonly cpuUs: number;
  /** Connections of each worker, and requests. */
  readonly connections: readonly number[];
  readonly served: readonly number[];
}

interface Options {
  readonly load: 'wrk' | 'ab';
  readonly seconds: number;
  readonly connections: number;
  readonly rounds: number;
  /** How much work a page is: so often it is made. */
  readonly times: number;
}

const contenders: readonly Contender[] = FORMS.flatMap((form) => [
  { form, workers: 1 },
  { form, workers: 2 },
]);

function nameOf({ form, workers }: Contender): string {
  return `${form}, ${workers}`;
}

/** The command, on the two cores that all of them share. */
function onTwoCores(command: readonly string[]): readonly string[] {
  const { server, load } = choosePlacement();
  if (server === undefined || load === undefined) return command;
  return ['taskset', '-c', `${server},${load}`, ...command];
}

function serverCommand({ form, workers }: Contender): readonly string[] {
  const file = inRepository('build', 'examples', 'workers.js');
  const args = ['--port', '0', '--form', form, '--workers', String(workers)];
  return onTwoCores([process.execPath, file, ...args]);
}

const loads: Readonly<Record<Options['load'], (url: string, options: Options) => Promise<Load>>> = {
  wrk: async (url, { seconds, connections }) => {
    const args = ['-t', '1', '-c', String(connections), '-d', `${seconds}s`, url];
    const report = await runToEnd(onTwoCores(['wrk', ...args]), LOAD_LIMIT_MS);
    const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
      report,
    );
    const refused = Number(/Non-2xx or 3xx responses: (\d+)/.exec(report)?.[1] ?? 0);
    return {
      requests: Number(/(\d+) requests in/.exec(report)?.[1]),
      perSecond: Number(/Requests\/sec: +([\d.]+)/.exec(report)?.[1]),
      failed: refused + (errors ?? []).slice(1).reduce((sum, count) => sum + Number(count), 0),
    };
  },
  ab: async (url, { seconds, connections }) => {
    const args = ['-q', '-t', String(seconds), '-n', '10000000', '-c', String(connections), url];
    const report = await runToEnd(onTwoCores(['ab', ...args]), LOAD_LIMIT_MS);
    const number = (pattern: RegExp): number => Number(pattern.exec(report)?.[1] ?? 0);
    return {
      requests: number(/^Complete requests: +(\d+)/m),
      perSecond: number(/^Requests per second: +([\d.]+)/m),
      failed: number(/^Failed requests: +(\d+)/m) + number(/^Non-2xx responses: +(\d+)/m),
    };
  },
};

async function measure(contender: Contender, options: Options): Promise<Result> {
  const log = inRepository('build', 'bench', 'logs', `workers ${nameOf(contender)}.log`);
  const server = await BackgroundProcess.start(serverCommand(contender), log);
  try {
    const [, address] = await server.waitForLine(/^listening on (\S+)/m, START_LIMIT_MS);
    const url = `http://${String(address)}/password?times=${options.times}`;
    await loads[options.load](url, { ...options, seconds: 1 }); // Warm.
    const before = cpuMsOf(server.pid);
    const load = await loads[options.load](url, options);
    const cpuUs = (1000 * (cpuMsOf(server.pid) - before)) / load.requests;
    await server.end();
    return { ...load, cpuUs, ...spreadOf(server.log()) };
  } finally {
    await server.end();
  }
}

/** What the workers have counted, the warm-up included. */
function spreadOf(log: string): Pick<Result, 'connections' | 'served'> {
  const lines = [...log.matchAll(/^worker \d+: (\d+) connections, (\d+) requests$/gm)];
  return {
    connections: lines.map(([, connections]) => Number(connections)),
    served: lines.map(([, , requests]) => Number(requests)),
  };
}

function parse(): Options {
  const { values } = parseArgs({
    options: {
      load: { type: 'string', default: 'wrk' },
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '100' },
      rounds: { type: 'string', default: '5' },
      times: { type: 'string', default: '50' },
    },
  });
  const { load } = values;
  if (load !== 'wrk' && load !== 'ab')
    throw new RangeError(`--load must be wrk or ab, not ${load}`);
  return {
    load,
    seconds: parseCount('seconds', values.seconds),
    connections: parseCount('connections', values.connections),
    rounds: parseCount('rounds', values.rounds),
    times: parseCount('times', values.times),
  };
}

type Results = ReadonlyMap<string, readonly Result[]>;

/** In per cent of all, of the last round: `48 + 52`. */
function shares(counts: readonly number[]): string {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => ((100 * count) / total).toFixed(0)).join(' + ');
}

function report(results: Results): void {
  const rows = contenders.map((contender) => {
    const of = results.get(nameOf(contender)) ?? [];
    const last = of.at(-1);
    return [
      nameOf(contender),
      median(of.map(({ perSecond }) => perSecond)).toFixed(0),
      median(of.map(({ cpuUs }) => cpuUs)).toFixed(1),
      shares(last?.connections ?? []),
      shares(last?.served ?? []),
      String(of.reduce((total, { failed }) => total + failed, 0)),
    ];
  });
  const titles = [
    ...['form, workers', 'requests/s', 'CPU us/request'],
    ...['connections, %', 'requests, %', 'failed'],
  ];
  console.log(formatTable([titles, ...rows]));
  for (const form of FORMS) {
    const ratio = ratioOf(form, results);
    const verdict = ratio >= TARGET ? 'reached' : 'missed';
    console.log(
      `${form}: two serve ${ratio.toFixed(2)} times what one serves (${TARGET}: ${verdict})`,
    );
  }
}

function ratioOf(form: Form, results: Results): number {
  const one = results.get(nameOf({ form, workers: 1 })) ?? [];
  const two = results.get(nameOf({ form, workers: 2 })) ?? [];
  return median(two.map(({ perSecond }, i) => perSecond / (one[i]?.perSecond ?? Number.NaN)));
}

async function main(options: Options): Promise<void> {
  mkdirSync(inRepository('build', 'bench', 'logs'), { recursive: true });
  console.log(`${options.load}, ${options.connections} connections; all on two cores`);
  const results = new Map<string, Result[]>(contenders.map((one) => [nameOf(one), []]));
  for (let round = 0; round < options.rounds; round++) {
    for (let i = 0; i < contenders.length; i++) {
      const contender = contenders[(round + i) % contenders.length] as Contender;
      const result = await measure(contender, options);
      results.get(nameOf(contender))?.push(result);
      const shown = `${result.perSecond.toFixed(0)} requests/s, ${result.served.join(' + ')} requests`;
      console.log(`round ${round + 1}, ${nameOf(contender)}: ${shown}`);
    }
  }
  report(results);
}

const options = optionsOrUsage('workers', parse);
if (options !== undefined) await main(options);

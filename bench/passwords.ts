/**
 * The site of passwords, a new connection for each request: `npm run bench:passwords`.
 *
 * ApacheBench asks examples/passwords, the same on Node's `http`, and, where `go` is installed, on
 * Go's `net/http`, one after the other, as often as there are rounds; every round begins with
 * another one. Each server has one core, and ab another. Of requests per second and of processor
 * time the median of the rounds counts; of the slowest request the slowest of all.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { cpuMsOf } from '../test/support/process-stats.js';
import { BackgroundProcess, runToEnd } from './lib/child.js';
import { optionsOrUsage, parseCount } from './lib/options.js';
import { inRepository } from './lib/paths.js';
import { choosePlacement, pinned } from './lib/placement.js';
import { median } from './lib/statistics.js';
import { formatTable } from './lib/table.js';

const START_LIMIT_MS = 20_000;
const AB_LIMIT_MS = 1_800_000;

interface Contender {
  readonly name: string;
  readonly command: readonly string[];
}

/** What one run of ab has told of one server. */
interface Result {
  readonly perSecond: number;
  readonly slowestMs: number;
  readonly failed: number;
  /** Microseconds of processor time of the server, for a request. */
  readonly cpuUs: number;
}

const node = (file: string, ...args: readonly string[]): readonly string[] => [
  ...[process.execPath, inRepository('build', ...file.split('/')), ...args],
];

function contenders(): Contender[] {
  const go = compileGo();
  return [
    { name: 'raw-epoll', command: node('examples/passwords.js', '--port', '0') },
    { name: 'Node http', command: node('bench/servers/passwords-http.js') },
    ...(go === undefined
      ? []
      : [
          { name: 'Go, goroutines', command: [go, '-goroutines'] },
          { name: 'Go, plain', command: [go] },
        ]),
  ];
}

/** The path of the program; `undefined` where there is no compiler. */
function compileGo(): string | undefined {
  const program = inRepository('build', 'bench', 'bin', 'passwords-go');
  const source = inRepository('bench', 'servers', 'passwords.go');
  const { status, error, stderr } = spawnSync('go', ['build', '-o', program, source]);
  if (error !== undefined) return undefined;
  if (status !== 0) throw new Error(`go build: ${stderr.toString()}`);
  return program;
}

async function measure(contender: Contender, options: Options): Promise<Result> {
  const { server: serverCore, load } = choosePlacement();
  const log = inRepository('build', 'bench', 'logs', `passwords ${contender.name}.log`);
  const server = await BackgroundProcess.start(pinned(serverCore, contender.command), log);
  try {
    const [, address] = await server.waitForLine(/^listening on (\S+)/m, START_LIMIT_MS);
    const url = `http://${String(address)}/password`;
    await runToEnd(ab(load, options.warmUp, options.connections, url), AB_LIMIT_MS);
    const before = cpuMsOf(server.pid);
    const report = await runToEnd(
      ab(load, options.requests, options.connections, url),
      AB_LIMIT_MS,
    );
    const cpuMs = cpuMsOf(server.pid) - before;
    return resultOf(report, cpuMs, options.requests);
  } finally {
    await server.end();
  }
}

function ab(
  core: number | undefined,
  count: number,
  connections: number,
  url: string,
): readonly string[] {
  const numbers = ['-n', String(count), '-c', String(Math.min(count, connections))];
  return pinned(core, ['ab', '-q', '-s', '60', ...numbers, url]);
}

function resultOf(report: string, cpuMs: number, requests: number): Result {
  const number = (pattern: RegExp): number => Number(pattern.exec(report)?.[1]);
  const complete = number(/^Complete requests: +(\d+)/m);
  const refused = /^Non-2xx responses: +(\d+)/m.exec(report)?.[1] ?? 0;
  return {
    perSecond: number(/^Requests per second: +([\d.]+)/m),
    slowestMs: number(/^ 100% +(\d+)/m),
    failed: number(/^Failed requests: +(\d+)/m) + Number(refused) + requests - complete,
    cpuUs: (1000 * cpuMs) / requests,
  };
}

interface Options {
  readonly requests: number;
  readonly warmUp: number;
  readonly connections: number;
  readonly rounds: number;
}

function parse(): Options {
  const { values } = parseArgs({
    options: {
      requests: { type: 'string', default: '500000' },
      connections: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '1' },
    },
  });
  const requests = parseCount('requests', values.requests);
  return {
    requests,
    warmUp: Math.ceil(requests / 20),
    connections: parseCount('connections', values.connections),
    rounds: parseCount('rounds', values.rounds),
  };
}

function report(all: readonly Contender[], results: ReadonlyMap<string, readonly Result[]>): void {
  const rows = all.map(({ name }) => {
    const of = results.get(name) ?? [];
    const worst = Math.max(...of.map(({ slowestMs }) => slowestMs));
    return [
      ...[name, median(of.map(({ perSecond }) => perSecond)).toFixed(0), `${worst}`],
      median(of.map(({ cpuUs }) => cpuUs)).toFixed(1),
      `${of.reduce((total, { failed }) => total + failed, 0)}`,
    ];
  });
  const titles = ['server', 'requests/s', 'slowest ms', 'CPU us/request', 'failed'];
  console.log(formatTable([titles, ...rows]));
}

async function main(options: Options): Promise<void> {
  mkdirSync(inRepository('build', 'bench', 'bin'), { recursive: true });
  mkdirSync(inRepository('build', 'bench', 'logs'), { recursive: true });
  const all = contenders();
  if (all.length === 2) console.log('go is not installed: without Go');
  console.log(choosePlacement().note);
  const results = new Map<string, Result[]>(all.map(({ name }) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (let i = 0; i < all.length; i++) {
      const contender = all[(round + i) % all.length] as Contender;
      const result = await measure(contender, options);
      results.get(contender.name)?.push(result);
      console.log(
        `round ${round + 1}, ${contender.name}: ${result.perSecond.toFixed(0)} requests/s`,
      );
    }
  }
  report(all, results);
}

const options = optionsOrUsage('passwords', parse);
if (options !== undefined) await main(options);

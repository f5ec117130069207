/** The echo servers that are compared, and how one is started. */

import { existsSync, mkdirSync } from 'node:fs';
import { BackgroundProcess } from './child.js';
import { compileC } from './compile.js';
import { inRepository } from './paths.js';
import { pinned } from './placement.js';

/** How long a server may take to listen. */
const START_LIMIT_MS = 10_000;

/** The name of a server. `c` is the yardstick; `control` is a second process of the same program. */
export type ServerName = 'c' | 'control' | 'sys' | 'echo' | 'run' | 'runAsync' | 'net';

/** A server that is compared with the yardstick. */
export type ContenderName = Exclude<ServerName, 'c'>;

/** What the results call a server. */
export const serverLabels: Readonly<Record<ServerName, string>> = {
  c: 'C epoll',
  control: 'C epoll (control)',
  sys: 'level 1 (echo-sys)',
  echo: 'level 2 (echo)',
  run: 'level 4 (run)',
  runAsync: 'level 4 (runAsync)',
  net: 'Node net',
};

/** The compiled programs of the servers that run in Node. */
const nodePrograms: Readonly<Partial<Record<ServerName, string>>> = {
  sys: inRepository('build', 'examples', 'echo-sys.js'),
  echo: inRepository('build', 'examples', 'echo.js'),
  run: inRepository('build', 'bench', 'servers', 'loop.js'),
  runAsync: inRepository('build', 'bench', 'servers', 'loop.js'),
  net: inRepository('build', 'bench', 'servers', 'net.js'),
};

/** What a program is told beside where to listen. */
const programArguments: Readonly<Partial<Record<ServerName, readonly string[]>>> = {
  run: ['--drive', 'run'],
  runAsync: ['--drive', 'runAsync'],
};

/** Whether the program of a server is there. Those in C are compiled when they are started. */
export function isBuilt(name: ServerName): boolean {
  const program = nodePrograms[name];
  return program === undefined || existsSync(program);
}

/**
 * `--trace-gc` writes one line for each garbage collection at the time of the collection, also
 * while a loop of our own keeps the thread. (Observers of `perf_hooks` would be told only when
 * Node's loop runs again, which it never does here.)
 */
function commandOf(name: ServerName): readonly string[] {
  const program = nodePrograms[name];
  if (program === undefined) return [compileC('echo_server')];
  return [process.execPath, '--trace-gc', program, ...(programArguments[name] ?? [])];
}

/** A server that listens. */
export interface RunningServer {
  readonly name: ServerName;
  readonly port: number;
  readonly process: BackgroundProcess;
}

/** Starts a server on a port of the kernel's choice and waits until it listens. */
async function startServer(name: ServerName, core: number | undefined): Promise<RunningServer> {
  const logs = inRepository('build', 'bench', 'logs');
  mkdirSync(logs, { recursive: true });
  const command = [...commandOf(name), '--host', '127.0.0.1', '--port', '0'];
  const logPath = `${logs}/${name}-${String(process.pid)}.log`;
  const child = await BackgroundProcess.start(pinned(core, command), logPath);
  try {
    const [, port] = await child.waitForLine(/listening on .*:(\d+)/, START_LIMIT_MS);
    return { name, port: Number(port), process: child };
  } catch (error) {
    await child.end();
    throw error;
  }
}

/** Starts servers one after the other, runs `body`, and ends them all, whatever happens. */
export async function withServers<T>(
  names: readonly ServerName[],
  core: number | undefined,
  body: (servers: ReadonlyMap<ServerName, RunningServer>) => Promise<T>,
): Promise<T> {
  const servers = new Map<ServerName, RunningServer>();
  try {
    for (const name of names) servers.set(name, await startServer(name, core));
    return await body(servers);
  } finally {
    await Promise.all([...servers.values()].map((server) => server.process.end()));
  }
}

/** Servers that run: how one is started, and how all are ended. */

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { adoptFile, BackgroundProcess } from './child.js';
import { inRepository } from './paths.js';
import { pinned } from './placement.js';
import type { Server, Work } from './servers.js';

/** How long a server may take to listen. */
const START_LIMIT_MS = 20_000;

/** Where a server listens, on this machine. */
export type Address = { readonly port: number } | { readonly path: string };

/** A server that listens. */
export interface RunningServer {
  readonly name: string;
  readonly at: Address;
  readonly process: BackgroundProcess;
}

/** What a server is started for. */
export interface Occasion {
  readonly work: Work;
  readonly core: number | undefined;
  /** A Unix socket rather than a port. */
  readonly onPath: boolean;
}

let sockets = 0;

/** Short, because an address of a Unix socket has room for 107 bytes. */
function nextPath(): string {
  sockets++;
  const path = `${tmpdir()}/bench-${String(process.pid)}-${String(sockets)}`;
  adoptFile(path);
  return path;
}

/** A file for the output of a process. */
export function logFor(name: string): string {
  const logs = inRepository('build', 'bench', 'logs');
  mkdirSync(logs, { recursive: true });
  return `${logs}/${name}-${String(process.pid)}.log`;
}

/** The processes that a process has started itself, where the kernel tells. */
function childrenOf(pid: number): readonly number[] {
  const list = `/proc/${String(pid)}/task/${String(pid)}/children`;
  return existsSync(list)
    ? readFileSync(list, 'latin1').split(' ').filter(Boolean).map(Number)
    : [];
}

/**
 * The cost of a server is read from the process that was started. Some runtimes come with a program
 * that starts the real one: it would be found cheap.
 */
function refuseWrapper({ pid }: BackgroundProcess, [program]: readonly string[]): void {
  if (childrenOf(pid).length === 0) return;
  throw new Error(`${String(program)} only starts another program: name that one`);
}

/** Starts a server on a port of the kernel's choice, or on a path, and waits until it listens. */
export async function startServer(server: Server, occasion: Occasion): Promise<RunningServer> {
  const { work, core, onPath } = occasion;
  const command = server.serves[work]?.();
  if (command === undefined) throw new Error(`${server.name} does not serve ${work}`);
  const path = onPath ? nextPath() : undefined;
  const where = path === undefined ? ['--host', '127.0.0.1', '--port', '0'] : ['--path', path];
  const child = await BackgroundProcess.start(
    pinned(core, [...command, ...where]),
    logFor(`${work}-${server.name}`),
  );
  try {
    const [, port] = await child.waitForLine(/^listening on (?:.*:(\d+)|\/.*)/m, START_LIMIT_MS);
    refuseWrapper(child, command);
    return {
      name: server.name,
      at: path === undefined ? { port: Number(port) } : { path },
      process: child,
    };
  } catch (error) {
    for (const one of childrenOf(child.pid)) process.kill(one, 'SIGKILL');
    await child.end();
    throw error;
  }
}

/** Ends a server, and leaves no socket behind in the file system. */
export async function endServer({ process: child, at }: RunningServer): Promise<void> {
  await child.end();
  if ('path' in at) rmSync(at.path, { force: true });
}

/** Starts a server, runs `body`, and ends it, whatever happens. */
export async function withServer<T>(
  server: Server,
  occasion: Occasion,
  body: (running: RunningServer) => Promise<T>,
): Promise<T> {
  const running = await startServer(server, occasion);
  try {
    return await body(running);
  } finally {
    await endServer(running);
  }
}

/** Servers that run: how one is started, and how all are ended. */

import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { BackgroundProcess } from './child.js';
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
  return `${tmpdir()}/bench-${String(process.pid)}-${String(sockets)}`;
}

/** A file for the output of a process. */
export function logFor(name: string): string {
  const logs = inRepository('build', 'bench', 'logs');
  mkdirSync(logs, { recursive: true });
  return `${logs}/${name}-${String(process.pid)}.log`;
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
    return {
      name: server.name,
      at: path === undefined ? { port: Number(port) } : { path },
      process: child,
    };
  } catch (error) {
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

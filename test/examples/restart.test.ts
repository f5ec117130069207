/** A server that is replaced while it serves. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { run } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { testWithPrograms } from '../support/programs.js';
import { exampleFile, type RunningServer } from '../support/server.js';
import { get } from './http-clients.js';
import { start } from './start.js';

const RESTARTS = Number(process.env['RAW_EPOLL_RESTARTS'] ?? 2);

/** The processes that have said so far that they serve, in order. */
function generations(server: RunningServer): number[] {
  const lines = server.stdout().matchAll(/^generation (\d+) is process (\d+)\nlistening/gm);
  return [...lines].map(([, , pid]) => Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function startFirst(t: ExecutionContext, ...args: string[]): Promise<RunningServer> {
  // On a busy machine a process takes its time; the test of a late successor says otherwise.
  const patient = ['--ready-within', '120000'];
  const server = await start(t, 'restart', ['--port', '0', ...patient, ...args]);
  t.teardown(() => {
    for (const pid of generations(server)) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
  return server;
}

/** Has the newest process replaced, and answers the one that has taken over. */
async function restart(t: ExecutionContext, server: RunningServer): Promise<number> {
  const before = generations(server);
  const old = before.at(-1) ?? 0;
  process.kill(old, 'SIGHUP');
  const handedOver = (): boolean => server.stdout().includes(`process ${old} has handed over\n`);
  t.true(await eventually(handedOver, true, 120_000), server.stderr());
  t.is(generations(server).length, before.length + 1);
  return generations(server).at(-1) ?? 0;
}

async function pidOf(server: RunningServer): Promise<number> {
  return Number((await get(server.port, '/pid')).body);
}

async function endOf(t: ExecutionContext, pid: number): Promise<void> {
  t.false(await eventually(() => isAlive(pid), false, 30_000), `process ${pid} is still there`);
}

testWithPrograms(
  ['wrk'],
  'no request fails while a hundred clients ask and the server is replaced again and again',
  async (t) => {
    const server = await startFirst(t);
    const url = `http://127.0.0.1:${server.port}/`;
    let wrk: ChildProcess | undefined;
    const load = run('wrk', ['-t1', '-c100', '-d600s', '--timeout', '60s', url], {
      timeoutMs: 240_000,
      onStart: (child) => (wrk = child),
    });
    for (let i = 0; i < RESTARTS; i++) {
      await delay(1000); // some load for each generation
      await restart(t, server);
    }
    await delay(1000); // until the clients that were idle have gone
    wrk?.kill('SIGINT'); // it says how it was, and ends
    const { code, stdout } = await load;
    t.log(stdout);
    t.is(code, 0);
    t.regex(stdout, /\b[1-9]\d* requests in /);
    t.notRegex(stdout, /Socket errors|Non-2xx/);
    t.is(generations(server).length, 1 + RESTARTS);
    t.deepEqual(await server.ended, [0, null]);
    for (const old of generations(server).slice(0, -1)) await endOf(t, old);
    t.is(server.stderr(), '');
    const last = generations(server).at(-1) ?? 0;
    process.kill(last, 'SIGTERM');
    await endOf(t, last);
  },
);

/** Asks on a connection that is kept. */
async function ask(
  server: RunningServer,
  agent: http.Agent,
): Promise<{ pid: number; connection: string | undefined }> {
  const request = http.get({ host: '127.0.0.1', port: server.port, path: '/pid', agent });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { pid: Number(await text(response)), connection: response.headers.connection };
}

function newAgent(t: ExecutionContext): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => {
    agent.destroy();
  });
  return agent;
}

test.serial(
  'requests under way are finished by the old process, and idle connections get their answer there',
  async (t) => {
    const server = await startFirst(t, '--parting', '20000');
    const { port } = server;
    const agent = newAgent(t);
    t.deepEqual(await ask(server, agent), { pid: server.pid, connection: undefined });
    const slow = http.request({
      host: '127.0.0.1',
      port,
      path: '/pid',
      method: 'POST',
      agent: false,
    });
    slow.write('a body that ');
    await once(
      slow.on('socket', (socket) => socket.on('connect', () => slow.emit('connected'))),
      'connected',
    );
    const next = await restart(t, server);
    t.deepEqual(await ask(server, agent), { pid: server.pid, connection: 'close' });
    slow.end('takes its time');
    const [answer] = (await once(slow, 'response')) as [http.IncomingMessage];
    t.is(answer.headers.connection, 'close');
    t.is(Number(await text(answer)), server.pid);
    t.deepEqual(await ask(server, agent), { pid: next, connection: undefined });
    t.deepEqual(await server.ended, [0, null]);
    t.is(await pidOf(server), next);
  },
);

test.serial('a client that stays idle is closed, and does not keep the old process', async (t) => {
  const server = await startFirst(t);
  const agent = newAgent(t);
  await ask(server, agent);
  await restart(t, server);
  t.deepEqual(await server.ended, [0, null]);
});

/** A program that is no successor, until it is written anew. */
function newSuccessor(t: ExecutionContext, body: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-restart-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const file = path.join(folder, 'successor.mjs');
  writeFileSync(file, body);
  return file;
}

async function givenUp(t: ExecutionContext, server: RunningServer): Promise<void> {
  process.kill(server.pid, 'SIGHUP');
  const isGivenUp = (): boolean => server.stderr().includes('does not take over');
  t.true(await eventually(isGivenUp, true, 60_000), server.stderr());
  t.is(await pidOf(server), server.pid);
}

test.serial('a successor that leaves is given up, and the next one takes over', async (t) => {
  const successor = newSuccessor(t, 'process.exit(3);');
  const server = await startFirst(t, '--successor', successor);
  await givenUp(t, server);
  writeFileSync(successor, `await import(${JSON.stringify(exampleFile('restart'))});`);
  const next = await restart(t, server);
  t.deepEqual(await server.ended, [0, null]);
  t.is(await pidOf(server), next);
});

test.serial('a successor that is not ready in time is given up', async (t) => {
  const successor = newSuccessor(t, 'setInterval(() => {}, 1000);');
  const server = await startFirst(t, '--successor', successor, '--ready-within', '500');
  await givenUp(t, server);
});

test.serial('of two signals one starts a successor', async (t) => {
  const server = await startFirst(t);
  process.kill(server.pid, 'SIGHUP');
  await pidOf(server); // a turn between the two
  process.kill(server.pid, 'SIGHUP');
  t.deepEqual(await server.ended, [0, null]);
  t.is(generations(server).length, 2);
  t.regex(server.stderr(), /has a successor already/);
});

test.serial('a process that ends while its successor starts takes it along', async (t) => {
  const body =
    'console.log(`generation 2 is process ${process.pid}\\nlistening`); setInterval(() => {}, 1000);';
  const server = await startFirst(
    t,
    '--successor',
    newSuccessor(t, body),
    '--ready-within',
    '60000',
  );
  process.kill(server.pid, 'SIGHUP');
  t.is(await eventually(() => generations(server).length, 2, 60_000), 2);
  t.deepEqual(await server.stop(), [0, null]);
  await endOf(t, generations(server)[1] ?? 0);
  t.regex(server.stderr(), /does not take over/);
});

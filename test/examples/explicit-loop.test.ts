/** The loop in twenty lines: the first thing that a reader of the README sees, and runs. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import process from 'node:process';
import test, { type ExecutionContext } from 'ava';
import { run, runNode } from '../support/child.js';
import { testWithPrograms } from '../support/programs.js';
import { exampleFile, type RunningServer } from '../support/server.js';
import { connectMany, connectTo, roundTrip } from './clients.js';
import { start } from './start.js';

const NAME = 'explicit-loop';

function textOf(file: string): string {
  return readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
}

/**
 * A free port. It has no way to tell the port that the kernel chose, so one is chosen here, from
 * below those that the kernel gives away: nobody else gets it meanwhile.
 */
async function freePort(): Promise<number> {
  for (let port = 20_000 + (process.pid % 10_000); ; port++) {
    const probe = net.createServer().listen(port, '127.0.0.1');
    const free = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    if (!free) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}

async function startOnFreePort(t: ExecutionContext): Promise<RunningServer> {
  const port = await freePort();
  const server = await start(t, NAME, [String(port)]);
  t.is(server.address, `127.0.0.1:${port}`);
  return server;
}

test('the README shows the file, word for word, as its first program', (t) => {
  const [, shown] = /```ts\n(.*?)```/s.exec(textOf('README.md')) ?? [];
  t.is(shown, textOf(`examples/${NAME}.ts`));
});

test('the program has twenty lines, besides imports, comments and braces', (t) => {
  const lines = textOf(`examples/${NAME}.ts`).split('\n');
  const code = lines.filter((line) => !/^\s*(\/\/.*|import .*|[{} ]*(else)?[{} ]*)$/.test(line));
  t.is(code.length, 20, code.join('\n'));
});

testWithPrograms(['nc'], 'it gives nc its lines back and closes after it', async (t) => {
  const server = await startOnFreePort(t);
  const input = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join('');
  const target = ['127.0.0.1', String(server.port)];
  const { code, stdout } = await run('nc', ['-N', ...target], { input });
  t.is(code, 0);
  t.is(stdout, input);
});

test('it serves many clients of node:net at the same time, and again when some have left', async (t) => {
  const server = await startOnFreePort(t);
  const sockets = await connectMany(server, 200);
  const greet = (socket: net.Socket, i: number): Promise<void> =>
    roundTrip(socket, Buffer.from(`hello, I am number ${i}\n`));
  await Promise.all(sockets.map(greet));
  for (const socket of sockets.slice(0, 100)) socket.resetAndDestroy();
  await Promise.all(sockets.slice(100).map(greet));
  for (const socket of sockets) socket.destroy();
  await greet(await connectTo(server), 200);
});

test('it drops a client that does not read, and serves the others', async (t) => {
  const server = await startOnFreePort(t);
  const stuck = await connectTo(server);
  const dropped = new Promise((resolve) => stuck.once('close', resolve));
  stuck.write(Buffer.alloc(64 * 1024 * 1024));
  await dropped;
  await roundTrip(await connectTo(server), Buffer.from('hello'));
});

test('a port in use ends it with a reason', async (t) => {
  const server = await startOnFreePort(t);
  const { code, stderr } = await runNode(exampleFile(NAME), { args: [String(server.port)] });
  t.is(code, 1);
  t.regex(stderr, /Error: Address already in use/);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends it at once, by the default action`, async (t) => {
    const server = await startOnFreePort(t);
    t.deepEqual(await server.stop(signal), [null, signal]);
  });
}

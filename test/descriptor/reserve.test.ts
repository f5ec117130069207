/** The descriptor that a listener keeps for the time when the table is full. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import type { Tally } from '../fixtures/descriptor-full-table.js';
import { fixture } from '../support/child.js';

interface Server {
  /** Connects and answers what came: `hello`, or nothing and the end of the stream. */
  readonly connect: () => Promise<{ socket: net.Socket; came: string }>;
  /** What the server says next. */
  readonly nextLine: () => Promise<string>;
  /** Has the server close the connection that it accepted first. */
  readonly free: () => void;
  /** Has the server end and tell. */
  readonly stop: () => Promise<Tally>;
}

async function connectTo(t: ExecutionContext, port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  t.teardown(() => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** What comes first: `hello`, or the end of the stream. */
function firstWord(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (data) => {
      resolve(data.toString());
    });
    socket.once('end', () => {
      resolve('');
    });
    socket.once('close', () => {
      resolve('');
    });
  });
}

/** Starts the fixture with a descriptor table of 200: the program alone loads dozens of modules at a time. */
async function start(t: ExecutionContext, mode: string): Promise<Server> {
  const script = 'ulimit -n 200 && exec "$0" "$@"';
  const args = ['-c', script, process.execPath, fixture('descriptor-full-table'), mode];
  const child = spawn('sh', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => String((await lines.next()).value);
  const port = Number(await nextLine());
  return {
    connect: async () => {
      const socket = await connectTo(t, port);
      return { socket, came: await firstWord(socket) };
    },
    nextLine,
    free: () => child.stdin.write('f'),
    stop: async () => {
      child.stdin.write('q');
      for (;;) {
        const line = await nextLine();
        if (line.startsWith('{')) return JSON.parse(line) as Tally;
      }
    },
  };
}

test('with a spare, those for whom there is no room see the end of the stream, and are counted', async (t) => {
  const server = await start(t, 'reserve');
  const first = await Promise.all(Array.from({ length: 3 }, server.connect));
  t.deepEqual(
    first.map(({ came }) => came),
    ['hello', 'hello', 'hello'],
  );
  const rest = await Promise.all(Array.from({ length: 8 }, server.connect));
  t.true(rest.every(({ came }) => came === ''));
  const tally = await server.stop();
  t.is(tally.accepted, 3);
  t.is(tally.shed, 8);
  t.deepEqual(tally.thrown, []);
  t.true(tally.waits <= 12, `${tally.waits} waits for 11 connections and a command: no spin`);
});

test('with a spare, a listener accepts again as soon as there is room', async (t) => {
  const server = await start(t, 'reserve');
  const first = await Promise.all(Array.from({ length: 3 }, server.connect));
  t.is((await server.connect()).came, '');
  const freed = Promise.race(first.map(({ socket }) => once(socket, 'close')));
  for (const { socket } of first) socket.resume();
  server.free();
  await freed;
  t.is((await server.connect()).came, 'hello');
  t.is((await server.connect()).came, '', 'the spare is there again');
  const tally = await server.stop();
  t.is(tally.accepted, 4);
  t.is(tally.shed, 2);
  t.deepEqual(tally.thrown, []);
});

for (const [mode, rule] of [
  ['plain', 'without a spare, accept throws EMFILE and the connection waits for room'],
  ['lost', 'a spare that could not be had leaves accept to throw EMFILE, and the connection waits'],
] as const) {
  test(rule, async (t) => {
    const server = await start(t, mode);
    const first = await Promise.all(Array.from({ length: 3 }, server.connect));
    t.true(first.every(({ came }) => came === 'hello'));
    const waiting = server.connect();
    const freed = Promise.race(first.map(({ socket }) => once(socket, 'close')));
    for (const { socket } of first) socket.resume();
    t.is(await server.nextLine(), 'EMFILE accept4');
    server.free();
    await freed;
    t.is((await waiting).came, 'hello', 'it was not lost');
    const tally = await server.stop();
    t.is(tally.accepted, 4);
    t.is(tally.shed, 0);
    // Once more after the fourth: a full table is told before it is looked whether anybody waits.
    t.deepEqual(tally.thrown, ['EMFILE accept4', 'EMFILE accept4']);
  });
}

/** Clients on their way from an acceptor to a worker: none is lost, and none leaks. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { Acceptor } from '../../examples/lib/workers/acceptor.js';
import { Loop, TcpListener, TcpStream, WOULD_BLOCK } from '../../ts/index.js';
import { EPOLLIN, SOMAXCONN } from '../../ts/sys/constants.js';
import { fixture, run } from '../support/child.js';
import { countDescriptors } from '../support/descriptors.js';
import { eventually } from '../support/eventually.js';
import { awaitReady, closing, portOf } from '../support/pairs.js';
import { testWithPrograms } from '../support/programs.js';
import { readAll } from '../support/read-all.js';

interface World {
  readonly loop: Loop;
  readonly acceptor: Acceptor;
  readonly clients: TcpStream[];
  /** So many more clients connect, and the acceptor passes on whom it can. */
  readonly come: (count: number) => void;
}

function open(t: ExecutionContext): World {
  const loop = closing(t, new Loop());
  const listener = closing(t, TcpListener.listen({ backlog: SOMAXCONN }));
  const acceptor = new Acceptor(loop, listener, 1);
  t.teardown(() => {
    acceptor[Symbol.dispose]();
  });
  const clients: TcpStream[] = [];
  const port = portOf(listener);
  const come = (count: number): void => {
    for (let i = 0; i < count; i++) {
      clients.push(closing(t, TcpStream.connect({ port })));
      loop.turn(0);
    }
  };
  return { loop, acceptor, clients, come };
}

async function startTaker(
  t: ExecutionContext,
  acceptor: Acceptor,
  takes: number,
): Promise<{ worker: Worker; taken: Int32Array }> {
  const taken = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('../fixtures/workers-taker.js', import.meta.url), {
    workerData: { fd: acceptor.farEnd(0), takes, taken },
  });
  t.teardown(() => worker.terminate());
  await once(worker, 'message');
  return { worker, taken };
}

const byte = new Uint8Array(1);

test.serial('clients on their way are there for the next worker in the place', async (t) => {
  const { acceptor, clients, come } = open(t);
  const first = await startTaker(t, acceptor, 3);
  come(10);
  t.is(await eventually(() => Atomics.load(first.taken, 0), 3), 3);
  await first.worker.terminate();
  for (const client of clients.slice(0, 3)) {
    awaitReady(client, EPOLLIN);
    t.is(client.read(byte), 0); // What the worker had taken ended with it.
  }
  for (const client of clients.slice(3)) t.is(client.read(byte), WOULD_BLOCK);
  const second = await startTaker(t, acceptor, 100);
  t.is(await eventually(() => Atomics.load(second.taken, 0), 7), 7);
  for (const client of clients.slice(3)) t.is(client.read(byte), WOULD_BLOCK);
});

test.serial('workers that are terminated while clients come leave no descriptor', async (t) => {
  const { acceptor, clients, come } = open(t);
  await (await startTaker(t, acceptor, 0)).worker.terminate();
  const before = countDescriptors();
  for (let round = 0; round < 10; round++) {
    const { worker, taken } = await startTaker(t, acceptor, 1000);
    const end = worker.terminate(); // At once, while the thread takes what comes.
    come(20);
    await end;
    t.true(Atomics.load(taken, 0) <= clients.length);
  }
  // Those that are on their way have no number in this process.
  t.is(countDescriptors(), before + clients.length);
  acceptor[Symbol.dispose]();
  for (const client of clients) {
    awaitReady(client, EPOLLIN);
    t.is(client.read(byte), 0);
    client.close();
  }
  t.is(countDescriptors(), before - 3); // Both ends of the line, and the listener.
});

test.serial(
  'a full line makes the acceptor wait, without a turn in vain, and loses nobody',
  async (t) => {
    const { loop, acceptor, clients, come } = open(t);
    come(800);
    t.is(loop.turn(0), 0);
    const { taken } = await startTaker(t, acceptor, 100_000);
    const all = await eventually(() => {
      loop.turn(0);
      return Atomics.load(taken, 0);
    }, 800);
    t.is(all, 800);
    for (const client of clients) t.is(client.read(byte), WOULD_BLOCK);
  },
);

/** As many descriptors as the process of a fixture may have open, and so on their way. */
const MOST_OPEN = 200;

/** CAP_SYS_ADMIN and CAP_SYS_RESOURCE: for whoever has one of them nothing is too much. */
const PRIVILEGES = (1n << 21n) | (1n << 24n);

function isPrivileged(): boolean {
  const [, effective = '0'] =
    /^CapEff:\s*(\w+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  return (BigInt(`0x${effective}`) & PRIVILEGES) !== 0n;
}

const WITHOUT_PRIVILEGES = ['setpriv', '--bounding-set=-sys_admin,-sys_resource'];

testWithPrograms(
  ['prlimit', 'setpriv'],
  'more clients than can be on their way wait, and all of them are served',
  async (t) => {
    const count = MOST_OPEN + 100;
    let answers: Promise<string[]> | undefined;
    const command = [
      ...(isPrivileged() ? WITHOUT_PRIVILEGES : []),
      ...['prlimit', `--nofile=${MOST_OPEN}`, process.execPath],
      ...[fixture('workers-too-many'), String(count)],
    ];
    const { code, stdout, stderr } = await run(command[0] as string, command.slice(1), {
      onStart: (child) => {
        child.stdout?.once('data', (line: string) => {
          const port = Number(/:(\d+)\n/.exec(line)?.[1]);
          const sockets = Array.from({ length: count }, () => net.connect(port, '127.0.0.1'));
          answers = Promise.all(sockets.map((socket) => readAll(socket)));
        });
      },
    });
    t.is(code, 0, stderr);
    t.regex(stdout, new RegExp(`\nrefused\ntaken ${count}, 0 left open\n$`));
    t.deepEqual(await answers, new Array(count).fill('\0'));
  },
);

/** Whom a connection wakes, of several threads that wait for one listener: counted. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { TcpListener, TcpStream } from '../../ts/index.js';
import { acceptOne, closing, portOf } from '../support/pairs.js';
import { untilAsleep, type ThreadName } from '../support/threads.js';

const THREADS = 4;
const CONNECTIONS = 25;

/** How often each thread was woken by connections that came one at a time, to all of them asleep. */
async function countWakes(t: ExecutionContext, exclusive: boolean): Promise<number[]> {
  const listener = closing(t, TcpListener.listen());
  const wakes = new Int32Array(new SharedArrayBuffer(THREADS * 4));
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const threads: ThreadName[] = [];
  for (let index = 0; index < THREADS; index++) {
    const worker = new Worker(new URL('../fixtures/herd-member.js', import.meta.url), {
      workerData: { fd: listener.fd, exclusive, index, wakes, gate },
    });
    t.teardown(() => worker.terminate());
    threads.push(((await once(worker, 'message')) as [ThreadName])[0]);
  }
  const allAsleep = (): Promise<unknown> => Promise.all(threads.map(untilAsleep));
  for (let i = 0; i < CONNECTIONS; i++) {
    await allAsleep();
    using client = TcpStream.connect({ port: portOf(listener) });
    await allAsleep(); // Who was woken has counted it, and stands still.
    acceptOne(listener).close();
    client.close();
    Atomics.add(gate, 0, 1);
    Atomics.notify(gate, 0);
  }
  return [...wakes];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

test.serial('a connection wakes every thread whose registration is plain', async (t) => {
  const wakes = await countWakes(t, false);
  t.log(wakes.join(' '));
  t.deepEqual(wakes, Array<number>(THREADS).fill(CONNECTIONS));
});

test.serial(
  'a connection wakes one of the threads whose registrations are exclusive',
  async (t) => {
    const wakes = await countWakes(t, true);
    t.log(wakes.join(' '));
    const total = sum(wakes);
    // epoll_ctl(2) promises one at least, and says nothing of more: so not all, and mostly one.
    t.true(total >= CONNECTIONS);
    t.true(total < CONNECTIONS * 2, `${total} wakes for ${CONNECTIONS} connections`);
  },
);

/**
 * How soon one thread wakes another: half of a round trip between this thread and a worker.
 *
 *     node build/bench/probes/wake.js [--by Waker|MessagePort|Atomics] [--rounds N]
 *
 * `Waker`: each thread waits in `Epoll.wait` and wakes the other's set. `MessagePort`: each posts a
 * number to the other, and Node's loop delivers it. `Atomics`: each waits for a word of shared memory,
 * with no descriptor at all, so that nothing else could be waited for at the same time.
 *
 * Prints {"p50": us, "p99": us}.
 */

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  isMainThread,
  type MessagePort,
  parentPort,
  Worker,
  workerData,
} from 'node:worker_threads';
import { Epoll, EpollEvents, Waker } from 'raw-epoll';
import { optionsOrUsage, parseCount } from '../lib/options.js';

const WARM_UP = 200;

/** What the worker is told. */
interface Task {
  readonly by: string;
  readonly total: number;
  readonly waker: { readonly id: number } | undefined;
  readonly words: Int32Array;
}

/** Wakes the other thread, and returns when it has woken this one. */
type RoundTrip = () => void | Promise<void>;

/** One end of a ping-pong: `wait` for the other, `wake` the other. */
interface End {
  readonly wait: () => void;
  readonly wake: () => void;
}

function endOnEpoll(epoll: Epoll, other: Waker): End {
  const events = new EpollEvents();
  return {
    wait: () => {
      epoll.wait(events);
    },
    wake: () => {
      if (!other.wake()) throw new Error('the other thread is gone');
    },
  };
}

/** Word 0 is this thread's, word 1 the worker's: it counts up whenever its owner is woken. */
function endOnAtomics(words: Int32Array, own: 0 | 1): End {
  let seen = 0;
  const other = 1 - own;
  return {
    wait: () => {
      Atomics.wait(words, own, seen);
      seen++;
    },
    wake: () => {
      Atomics.add(words, other, 1);
      Atomics.notify(words, other);
    },
  };
}

function answer({ wait, wake }: End, total: number): void {
  for (let i = 0; i < total; i++) {
    wait();
    wake();
  }
}

function answerMessages(port: MessagePort, total: number): void {
  let answered = 0;
  port.on('message', (message) => {
    port.postMessage(message);
    if (++answered === total) port.close();
  });
  port.postMessage(0); // ready
}

/** The worker: answers each wake with one of its own. */
function serve({ by, total, waker, words }: Task): void {
  const port = parentPort as MessagePort;
  if (by === 'MessagePort') answerMessages(port, total);
  else if (by === 'Atomics' || waker === undefined) {
    port.postMessage(0);
    answer(endOnAtomics(words, 1), total);
  } else {
    const epoll = new Epoll();
    port.postMessage(epoll.waker());
    answer(endOnEpoll(epoll, Waker.from(waker)), total);
    epoll.close();
  }
}

function trip({ wait, wake }: End): RoundTrip {
  return () => {
    wake();
    wait();
  };
}

function tripOfMessages(worker: Worker): RoundTrip {
  return async () => {
    worker.postMessage(1);
    await once(worker, 'message');
  };
}

async function measure(by: string, rounds: number): Promise<Record<string, number>> {
  const total = rounds + WARM_UP;
  const epoll = new Epoll();
  const words = new Int32Array(new SharedArrayBuffer(8));
  const waker = by === 'Waker' ? epoll.waker() : undefined;
  const data: Task = { by, total, waker, words };
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: data });
  const [ready] = (await once(worker, 'message')) as [{ id: number }];
  const trips: Readonly<Record<string, () => RoundTrip>> = {
    Waker: () => trip(endOnEpoll(epoll, Waker.from(ready))),
    MessagePort: () => tripOfMessages(worker),
    Atomics: () => trip(endOnAtomics(words, 0)),
  };
  const oneTrip = trips[by]?.();
  if (oneTrip === undefined) throw new RangeError(`--by ${by}: there is no such way`);
  const halves: number[] = [];
  for (let i = 0; i < total; i++) {
    const started = performance.now();
    const going = oneTrip();
    if (going !== undefined) await going;
    if (i >= WARM_UP) halves.push(((performance.now() - started) / 2) * 1e3);
  }
  await once(worker, 'exit');
  epoll.close();
  halves.sort((a, b) => a - b);
  const at = (share: number): number => halves[Math.floor(halves.length * share)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

const options = optionsOrUsage('wake', () => {
  const { values } = parseArgs({
    options: {
      by: { type: 'string', default: 'Waker' },
      rounds: { type: 'string', default: '2000' },
    },
  });
  return { by: values.by, rounds: parseCount('rounds', values.rounds) };
});
if (!isMainThread) serve(workerData as Task);
else if (options !== undefined) {
  console.log(JSON.stringify(await measure(options.by, options.rounds)));
}

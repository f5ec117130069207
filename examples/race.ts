/**
 * Race: two threads and one counter. Three ways to count together, one of which is wrong.
 *
 *     node build/examples/race.js
 *     node build/examples/race.js --increments 100000000
 *
 * `counter++` is three steps: load, add, store. What the other thread stores between the load and
 * the store is overwritten, and that count is lost. Go has the same race, and `go build -race`
 * to find it. JavaScript has it wherever memory is shared: objects never are, but the bytes of a
 * SharedArrayBuffer are. `Atomics.add` makes one step of the three. A lock lets one thread at a time
 * into any number of steps, and costs more: each entry and each exit are such steps themselves, and
 * whoever finds it locked sleeps in the kernel and has to be woken (futex(2)).
 *
 * The wrong way may be lucky, when the threads happen to run one after the other; with few increments
 * it mostly is. So it is tried until it has lost something, a hundred times at most. The others are
 * not: they are right because of how they are made.
 *
 * Exit code 1: a right way has lost counts, or the wrong one has lost none in so many rounds.
 */
import { once } from 'node:events';
import process from 'node:process';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { leave, ownOptions, wholeNumber } from './lib/command-line.js';

/** What lies where in the memory that both threads have. */
const [COUNTER, LOCK, RUNNERS] = [0, 1, 2];

const [FREE, LOCKED, AWAITED] = [0, 1, 2];

/** A lock that a thread sleeps on: one word of shared memory. */
class Mutex {
  readonly #cells: Int32Array;

  constructor(cells: Int32Array) {
    this.#cells = cells;
  }

  lock(): void {
    if (Atomics.compareExchange(this.#cells, LOCK, FREE, LOCKED) === FREE) return;
    // Whoever has slept cannot know whether others sleep still: it leaves the mark that they do.
    while (Atomics.exchange(this.#cells, LOCK, AWAITED) !== FREE) {
      Atomics.wait(this.#cells, LOCK, AWAITED);
    }
  }

  unlock(): void {
    if (Atomics.exchange(this.#cells, LOCK, FREE) === AWAITED) Atomics.notify(this.#cells, LOCK, 1);
  }
}

/** The three ways to count to `times`. */
const WAYS = {
  plain: (cells: Int32Array, times: number): void => {
    for (let i = 0; i < times; i++) (cells[COUNTER] as number)++;
  },
  Atomics: (cells: Int32Array, times: number): void => {
    for (let i = 0; i < times; i++) Atomics.add(cells, COUNTER, 1);
  },
  lock: (cells: Int32Array, times: number): void => {
    const mutex = new Mutex(cells);
    for (let i = 0; i < times; i++) {
      mutex.lock();
      (cells[COUNTER] as number)++;
      mutex.unlock();
    }
  },
};

type Way = keyof typeof WAYS;

interface Order {
  readonly cells: Int32Array;
  readonly way: Way;
  readonly times: number;
  readonly threads: number;
}

/** A thread counts from the moment when all are there, and answers how many ms it took. */
function count({ cells, way, times, threads }: Order): number {
  WAYS[way](new Int32Array(cells.length), Math.min(times, 100_000)); // so that it is compiled
  Atomics.add(cells, RUNNERS, 1);
  while (Atomics.load(cells, RUNNERS) < threads); // Sleeping, one would wake up after the other.
  const started = performance.now();
  WAYS[way](cells, times);
  return performance.now() - started;
}

interface Result {
  readonly counted: number;
  readonly lost: number;
  /** Of the time that passed, for each increment of either thread. */
  readonly ns: number;
}

async function countTogether(way: Way, increments: number, threads: number): Promise<Result> {
  const cells = new Int32Array(new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT));
  const order: Order = { cells, way, times: increments / threads, threads };
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL(import.meta.url), { workerData: order }),
  );
  const answers = workers.map(async (worker) => (await once(worker, 'message'))[0] as number);
  const ms = Math.max(...(await Promise.all(answers)));
  const counted = Atomics.load(cells, COUNTER);
  return { counted, lost: increments - counted, ns: (ms * 1e6) / increments };
}

const ROUNDS_MAX = 100;

async function race(increments: number): Promise<void> {
  for (const way of Object.keys(WAYS) as Way[]) {
    const alone = await countTogether(way, increments, 1);
    let [together, rounds] = [await countTogether(way, increments, 2), 1];
    if (way === 'plain') {
      for (; together.lost === 0 && rounds < ROUNDS_MAX; rounds++) {
        together = await countTogether(way, increments, 2);
      }
    }
    if ((together.lost === 0) === (way === 'plain')) process.exitCode = 1;
    const { counted, lost, ns } = together;
    console.log(
      `${way}: ${counted} of ${increments}, lost ${lost}, in round ${rounds}; ` +
        `${ns.toFixed(1)} ns an increment, ${alone.ns.toFixed(1)} ns alone`,
    );
  }
}

const INCREMENTS_MAX = 2 ** 31 - 2; // more do not fit into the counter

if (isMainThread) {
  const { increments } = ownOptions('race', {
    increments: '--increments N      of both threads together, even (10000000)',
  });
  const wanted = wholeNumber('race', '--increments', increments, 10_000_000, 2);
  if (wanted > INCREMENTS_MAX || wanted % 2 !== 0) {
    leave('race', `--increments must be even, and ${INCREMENTS_MAX} at most, not ${wanted}`, 2);
  }
  await race(wanted);
} else {
  parentPort?.postMessage(count(workerData as Order));
}

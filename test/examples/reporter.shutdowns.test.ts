/** The books of the reporter: what was accepted is reported, once, whenever the end comes. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Reporter, type ReporterCounts } from '../../examples/lib/reporter.js';
import { Loop } from '../../ts/index.js';
import { eventually } from '../support/eventually.js';
import { descriptorsOf } from '../support/process-stats.js';
import { Random } from '../support/random.js';

interface Plan {
  readonly workers: number;
  readonly capacity: number;
  readonly workMs: number;
  /** How many come with each tick of a millisecond; no more come after the last. */
  readonly ticks: readonly number[];
  /** The shutdown is called with the tick after so many were accepted, or after the last tick. */
  readonly enough: number;
}

function makePlan(random: Random): Plan {
  return {
    workers: random.next() < 0.7 ? 1 : 2, // a thread is most of what a plan costs
    capacity: random.integer(1, 9),
    workMs: random.integer(0, 3),
    ticks: Array.from({ length: random.integer(0, 1000) }, () => random.integer(0, 3)),
    enough: random.integer(0, 40),
  };
}

/** What is told of messages, by their names. */
class Books {
  readonly accepted: string[] = [];
  readonly refused: string[] = [];
  readonly acceptedTooLate: string[] = [];
  readonly failures: Error[] = [];
  readonly counts: ReporterCounts[] = [];
}

/** A file for the reports: what workers have written, whatever they have confirmed. */
class Sink {
  readonly #file: string;
  readonly fd: number;

  constructor(t: ExecutionContext) {
    const folder = mkdtempSync(path.join(tmpdir(), 'reporter-'));
    this.#file = path.join(folder, 'reports');
    this.fd = openSync(this.#file, 'a');
    t.teardown(() => {
      closeSync(this.fd);
      rmSync(folder, { recursive: true });
    });
  }

  get reports(): string[] {
    const lines = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => line.replace(/^report: /, ''));
  }
}

/** @param then  What happens when the time of the shutdown has come. */
async function carryOut(
  { workers, capacity, workMs, ticks, enough }: Plan,
  fd: number,
  then: (reporter: Reporter, loop: Loop) => void,
): Promise<Books> {
  using loop = new Loop();
  const books = new Books();
  const reporter = new Reporter(loop.root, {
    ...{ workers, capacity, workMs, fd },
    failed: (error) => books.failures.push(error),
    ended: (counts) => books.counts.push(counts),
  });
  let [over, come, tick] = [false, 0, 0];
  const report = (): void => {
    const message = String(come++);
    reporter.report(message, (accepted) => {
      (accepted ? books.accepted : books.refused).push(message);
      if (accepted && over) books.acceptedTooLate.push(message);
    });
  };
  const ticking = loop.setInterval(1, () => {
    const isTime = books.accepted.length >= enough || tick >= ticks.length;
    if (!over && (isTime || books.counts.length > 0)) {
      over = true;
      then(reporter, loop);
    }
    for (let i = 0; i < (ticks[tick] ?? 0); i++) report();
    if (over || tick++ > ticks.length) ticking.cancel();
  });
  await loop.runAsync();
  report();
  return books;
}

const numerically = (values: readonly string[]): number[] =>
  values.map(Number).sort((a, b) => a - b);

/** How many; each starts a thread or two. `RAW_EPOLL_SHUTDOWNS` says otherwise. */
const SHUTDOWNS = Number(process.env['RAW_EPOLL_SHUTDOWNS'] ?? 30);

test.serial(
  `${SHUTDOWNS} shutdowns at random: accepted = reported, once each, and none after the shutdown`,
  async (t) => {
    const random = new Random();
    t.log(`RAW_EPOLL_SEED=${random.seed}`);
    t.timeout(300_000); // dozens of threads, beside other tests
    const total = { accepted: 0, refused: 0 };
    for (let i = 0; i < SHUTDOWNS; i++) {
      const plan = makePlan(random);
      const name = `shutdown ${i}`;
      const sink = new Sink(t);
      const { accepted, refused, acceptedTooLate, failures, counts } = await carryOut(
        ...([plan, sink.fd] as const),
        (reporter) => {
          reporter.shutdown();
        },
      );
      t.deepEqual([failures, acceptedTooLate], [[], []], name);
      const come = accepted.length + refused.length;
      t.deepEqual(numerically([...accepted, ...refused]), [...Array(come).keys()], name);
      t.deepEqual(numerically(sink.reports), numerically(accepted), name);
      const counted = { accepted: accepted.length, reported: accepted.length, lost: 0 };
      t.deepEqual(counts, [counted], name);
      total.accepted += accepted.length;
      total.refused += refused.length;
    }
    t.log(JSON.stringify(total));
    t.true(total.accepted > 5 * SHUTDOWNS && total.refused > 5 * SHUTDOWNS);
  },
);

test.serial('a shutdown by force tells how many were lost, and leaves no worker', async (t) => {
  const sink = new Sink(t);
  const before = descriptorsOf(process.pid).length;
  const plan = {
    workers: 2,
    capacity: 8,
    workMs: 600_000,
    ticks: Array(60_000).fill(1),
    enough: 10,
  };
  // Each worker has one, and the channel is full.
  const { accepted, refused, counts } = await carryOut(plan, sink.fd, (reporter, loop) => {
    reporter.shutdown();
    loop.shutdown({ graceMs: 0 });
  });
  t.true(accepted.length >= plan.enough);
  t.true(refused.length >= 1);
  t.deepEqual(counts, [{ accepted: accepted.length, reported: 0, lost: accepted.length }]);
  t.deepEqual(sink.reports, []);
  t.is(await eventually(() => descriptorsOf(process.pid).length, before), before);
});

test.serial(
  'workers that fail are told; who comes then is refused, and what they had is lost',
  async (t) => {
    const plan = {
      workers: 2,
      capacity: 4,
      workMs: 0,
      ticks: Array(60_000).fill(1),
      enough: 60_000,
    };
    const nowhere = -1; // a write fails
    const { accepted, refused, failures, counts } = await carryOut(plan, nowhere, () => undefined);
    t.is(failures.length, 2);
    t.true(refused.length >= 1);
    t.deepEqual(counts, [{ accepted: accepted.length, reported: 0, lost: accepted.length }]);
  },
);

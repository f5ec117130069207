/** The books of the tracker: what was accepted is delivered or reported, however it ends. */
import test from 'ava';
import { EventTracker, type TrackerReport } from '../../examples/lib/event-tracker.js';
import { Loop, type Scope } from '../../ts/index.js';
import { AF_INET, SOCK_STREAM } from '../../ts/sys/constants.js';
import { bind, close, getsockname, socket } from '../../ts/sys/index.js';
import { lateMs } from '../support/measure.js';
import { Random } from '../support/random.js';
import { Collector, PROMPT, type CollectorHabits } from './collector.js';

interface Plan {
  /** Undefined: nobody listens. */
  readonly collector: CollectorHabits | undefined;
  readonly capacity: number;
  /** When each event comes, and how long it waits for room. */
  readonly events: readonly { readonly atMs: number; readonly timeoutMs: number }[];
  readonly shutdownAtMs: number;
  readonly graceMs: number;
}

const SPAN_MS = 40;

function makePlan(random: Random): Plan {
  const kinds: (CollectorHabits | undefined)[] = [
    PROMPT,
    { thinksMs: random.integer(1, 4), patience: Infinity, then: 'silence' },
    { thinksMs: 0, patience: random.integer(0, 10), then: 'silence' },
    { thinksMs: random.integer(0, 2), patience: random.integer(0, 10), then: 'reset' },
    { thinksMs: 0, patience: random.integer(0, 10), then: 'reset-before' },
    undefined,
  ];
  return {
    collector: kinds[random.integer(0, kinds.length)],
    capacity: random.integer(1, 12),
    events: Array.from({ length: random.integer(0, 60) }, () => ({
      atMs: random.integer(0, SPAN_MS),
      timeoutMs: random.integer(0, 20),
    })),
    shutdownAtMs: random.integer(0, SPAN_MS + 10),
    graceMs: [0, 1, 20, 200][random.integer(0, 4)] as number,
  };
}

/** What is told of events, by their names. */
class Books {
  readonly accepted: string[] = [];
  readonly refused: string[] = [];
  /** Of those that were dropped: whether they were on their way. */
  readonly dropped = new Map<string, boolean>();
  /** Accepted, or refused, when it should not be. */
  readonly wrong: string[] = [];
  reports: TrackerReport[] = [];
}

/** Carries a plan out, and answers the time from the call of shutdown to the report. */
async function carryOut(plan: Plan, port: number, books: Books): Promise<number> {
  using loop = new Loop();
  let [asked, ended] = [Number.NaN, Number.NaN];
  const tracker = new EventTracker(loop.root, {
    collector: { host: '127.0.0.1', port },
    capacity: plan.capacity,
    dropped: (event, onItsWay) => books.dropped.set(event, onItsWay),
    ended: (report) => {
      ended = performance.now();
      books.reports.push(report);
    },
  });
  for (const [i, { atMs, timeoutMs }] of plan.events.entries()) {
    loop.setTimeout(atMs, () => {
      track(tracker, String(i), timeoutMs, books, asked);
    });
  }
  loop.setTimeout(plan.shutdownAtMs, () => {
    asked = performance.now();
    tracker.shutdown({ graceMs: plan.graceMs });
  });
  await loop.runAsync();
  loop.assertEmpty();
  tracker.event('late', 0, (accepted) => (accepted ? books.wrong : []).push('accepted at the end'));
  return ended - asked;
}

function track(
  tracker: EventTracker,
  event: string,
  timeoutMs: number,
  books: Books,
  asked: number,
): void {
  const called = performance.now();
  tracker.event(event, timeoutMs, (accepted) => {
    if (accepted) books.accepted.push(event);
    else books.refused.push(event);
    if (accepted && asked > 0) books.wrong.push(`${event} was accepted after the shutdown`);
    const late = performance.now() - called - timeoutMs;
    if (late > lateMs(50)) books.wrong.push(`${event} was answered ${late} ms too late`);
  });
}

/** A port that nobody listens on, and nobody else gets. */
function deafPort(): { port: number; close: () => void } {
  const fd = socket(AF_INET, SOCK_STREAM, 0);
  const address = { family: AF_INET, address: '127.0.0.1', port: 0 };
  bind(fd, address);
  getsockname(fd, address);
  return { port: address.port, close: () => close(fd) };
}

test('100 shutdowns at random: accepted = delivered + dropped, and none after the shutdown', async (t) => {
  const random = new Random();
  t.log(`RAW_EPOLL_SEED=${random.seed}`);
  const total = { accepted: 0, refused: 0, delivered: 0, dropped: 0, onTheirWay: 0 };
  for (let i = 0; i < 100; i++) {
    const plan = makePlan(random);
    const name = `shutdown ${i}`;
    const collector = plan.collector && (await Collector.listen(plan.collector));
    const deaf = deafPort();
    const books = new Books();
    const ms = await carryOut(plan, collector?.port ?? deaf.port, books);
    await collector?.close();
    deaf.close();

    const { accepted, refused, dropped, reports, wrong } = books;
    const received = collector?.received ?? [];
    t.deepEqual(wrong, [], name);
    // Each was answered, once.
    const answered = [...accepted, ...refused].map(Number).sort((a, b) => a - b);
    t.deepEqual(answered, [...plan.events.keys()], name);
    // The report is the sum of what was told, and of what the collector has.
    const kept = received.filter((event) => !dropped.has(event));
    const delivered = accepted.length - dropped.size;
    const counts = { accepted: accepted.length, delivered, dropped: dropped.size, pending: 0 };
    t.deepEqual(reports, [counts], name);
    t.is(kept.length, delivered, name);
    t.is(new Set(received).size, received.length, `${name}: nothing arrives twice`);
    t.deepEqual([...new Set([...received, ...dropped.keys()])].sort(), [...accepted].sort(), name);
    // Only what was on its way may have arrived although it was dropped.
    const both = received.filter((event) => dropped.has(event));
    t.true(
      both.every((event) => dropped.get(event)),
      name,
    );
    // In time, and not before: the queue is given up at the deadline only.
    t.true(ms <= plan.graceMs + lateMs(50), `${name}: ${ms} ms`);
    const givenUp = [...dropped.values()].includes(false);
    if (givenUp) t.true(ms >= plan.graceMs, `${name}: after ${ms} of ${plan.graceMs} ms`);

    total.accepted += accepted.length;
    total.refused += refused.length;
    total.delivered += delivered;
    total.dropped += dropped.size;
    total.onTheirWay += both.length;
  }
  t.log(JSON.stringify(total));
  t.true(total.delivered > 100 && total.dropped > 100 && total.refused > 100);
});

async function withTracker(
  collector: Collector,
  capacity: number,
  body: (tracker: EventTracker, scope: Scope) => void,
): Promise<TrackerReport | undefined> {
  using loop = new Loop();
  let ended: TrackerReport | undefined;
  const tracker = new EventTracker(loop.root, {
    collector: { host: '127.0.0.1', port: collector.port },
    capacity,
    dropped: () => undefined,
    ended: (report) => (ended = report),
  });
  body(tracker, loop.root);
  await loop.runAsync();
  await collector.close();
  return ended;
}

test('a shutdown with nothing to do ends at once, and one of two ends at the earlier deadline', async (t) => {
  const idle = await withTracker(await Collector.listen(PROMPT), 1, (tracker) => {
    tracker.shutdown({ graceMs: 3_600_000 });
    tracker.shutdown({ graceMs: 0 });
  });
  t.deepEqual(idle, { accepted: 0, delivered: 0, dropped: 0, pending: 0 });
  const silent = await Collector.listen({ thinksMs: 0, patience: 0, then: 'silence' });
  const given = await withTracker(silent, 1, (tracker) => {
    tracker.event('one', 0, () => undefined);
    tracker.shutdown({ graceMs: 3_600_000 });
    tracker.shutdown({ graceMs: 10 });
  });
  t.deepEqual(given, { accepted: 1, delivered: 0, dropped: 1, pending: 0 });
});

test('who waits for room is admitted in the order of coming', async (t) => {
  const order: string[] = [];
  const collector = await Collector.listen({ ...PROMPT, thinksMs: 1 });
  const report = await withTracker(collector, 2, (tracker, scope) => {
    for (let i = 0; i < 20; i++) tracker.event(String(i), 60_000, () => order.push(String(i)));
    const end = scope.setInterval(1, () => {
      if (order.length < 20) return;
      tracker.shutdown({ graceMs: 60_000 });
      end.cancel();
    });
  });
  t.deepEqual(order, [...Array(20).keys()].map(String));
  t.deepEqual(collector.received, order);
  t.deepEqual(report, { accepted: 20, delivered: 20, dropped: 0, pending: 0 });
});

test('a loop that is closed in the middle reports what is left', async (t) => {
  const silent = await Collector.listen({ thinksMs: 0, patience: 0, then: 'silence' });
  const answers: boolean[] = [];
  const report = await withTracker(silent, 1, (tracker, scope) => {
    for (let i = 0; i < 3; i++) tracker.event('one', 60_000, (accepted) => answers.push(accepted));
    scope.defer(() => {
      scope.loop.close();
    });
  });
  t.deepEqual(answers, [true, false, false]);
  t.deepEqual(report, { accepted: 1, delivered: 0, dropped: 1, pending: 0 });
});

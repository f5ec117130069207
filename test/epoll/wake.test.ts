import { once } from 'node:events';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import test from 'ava';
import { Epoll, EpollEvents, Waker } from '../../ts/index.js';
import { EPOLLET, EPOLLIN } from '../../ts/sys/constants.js';
import { close, epoll_wait, EpollEventArray } from '../../ts/sys/index.js';
import type { WakeOrder } from '../fixtures/epoll-waker.js';
import { fixture } from '../support/child.js';
import { closing, newEpoll, newEventFd } from '../support/pairs.js';
import { reportedNow } from '../support/readiness.js';

/** So long that a test which needed it has failed. */
const FAR_MS = 30_000;

/** The time that a wait of a set takes, and what it answers. */
function timed(epoll: Epoll, timeoutMs: number): { count: number; ms: number } {
  const events = new EpollEvents(16);
  const started = performance.now();
  const count = epoll.wait(events, timeoutMs);
  return { count, ms: performance.now() - started };
}

test('wake before the wait ends that wait, with no event', (t) => {
  const epoll = newEpoll(t);
  epoll.wake();
  const { count, ms } = timed(epoll, FAR_MS);
  t.is(count, 0);
  t.true(ms < FAR_MS);
});

test('many wakes end one wait, and the next one takes its whole time', (t) => {
  const epoll = newEpoll(t);
  const waker = epoll.waker();
  for (let i = 0; i < 10_000; i++) {
    epoll.wake();
    t.true(waker.wake());
  }
  t.is(timed(epoll, FAR_MS).count, 0);
  t.true(timed(epoll, 50).ms >= 50);
});

test('a wake ends one wait each time', (t) => {
  const epoll = newEpoll(t);
  for (let i = 0; i < 100; i++) {
    epoll.wake();
    t.true(timed(epoll, FAR_MS).ms < FAR_MS);
  }
});

test('a wake is never shown as an event, and what is ready comes beside it', (t) => {
  const epoll = newEpoll(t);
  const eventFds = Array.from({ length: 3 }, () => newEventFd(t, 1));
  for (const eventFd of eventFds) epoll.add(eventFd, EPOLLIN);
  epoll.wake();
  t.deepEqual(
    [...reportedNow(epoll).keys()].sort((a, b) => a - b),
    eventFds.map(({ fd }) => fd).sort((a, b) => a - b),
  );
  t.is(epoll.size, 3);
  t.deepEqual(
    [...epoll.entries()].map(({ fd }) => fd),
    eventFds.map(({ fd }) => fd).sort((a, b) => a - b),
  );
});

test('a wake is seen wherever it stands in the batch', (t) => {
  for (const before of [0, 1, 2, 3]) {
    using epoll = new Epoll();
    const eventFds = Array.from({ length: 3 }, () => newEventFd(t));
    for (const eventFd of eventFds) epoll.add(eventFd, EPOLLIN);
    for (const eventFd of eventFds.slice(0, before)) eventFd.write();
    epoll.wake();
    for (const eventFd of eventFds.slice(before)) eventFd.write();
    t.is(reportedNow(epoll).size, 3);
    t.is(reportedNow(epoll).size, 3);
  }
});

test('with room for one event a wake loses nothing, neither level nor edge', (t) => {
  const epoll = newEpoll(t);
  const level = [newEventFd(t, 1), newEventFd(t, 1)];
  const edge = [newEventFd(t, 1), newEventFd(t, 1), newEventFd(t, 1)];
  for (const eventFd of level) epoll.add(eventFd, EPOLLIN);
  for (const eventFd of edge) epoll.add(eventFd, EPOLLIN | EPOLLET);
  const one = new EpollEvents(1);
  const shown = new Map<number, number>();
  for (let i = 0; i < 40; i++) {
    epoll.wake();
    if (epoll.wait(one, 0) === 0) continue;
    shown.set(one.fd(0), (shown.get(one.fd(0)) ?? 0) + 1);
  }
  for (const { fd } of edge) t.is(shown.get(fd), 1);
  for (const { fd } of level) t.true((shown.get(fd) ?? 0) > 1);
});

test('a wake that found no room in the batch ends the next wait', (t) => {
  const epoll = newEpoll(t);
  const eventFd = newEventFd(t, 1);
  const one = new EpollEvents(1);
  epoll.add(eventFd, EPOLLIN | EPOLLET);
  epoll.wake();
  const counts = [epoll.wait(one, FAR_MS), epoll.wait(one, FAR_MS)];
  t.deepEqual(counts.sort(), [0, 1]);
  t.true(timed(epoll, 30).ms >= 30);
});

for (const how of ['workerData', 'postMessage'] as const) {
  test.serial(
    `a worker ends a wait that is going on, with a waker that came by ${how}`,
    async (t) => {
      const epoll = newEpoll(t);
      const eventFd = newEventFd(t);
      epoll.add(eventFd, EPOLLIN);
      const order: WakeOrder = { waker: epoll.waker(), times: 1, whenAsleep: true };
      const worker = new Worker(
        fixture('epoll-waker'),
        how === 'workerData' ? { workerData: order } : {},
      );
      if (how === 'postMessage') worker.postMessage(order);
      const { count, ms } = timed(epoll, FAR_MS);
      t.is(count, 0);
      t.true(ms < FAR_MS);
      const [woken] = (await once(worker, 'message')) as [number];
      t.is(woken, 1);
      await worker.terminate();
    },
  );
}

test.serial(
  'a thousand wakes from a worker during a wait end that wait and at most one more',
  async (t) => {
    const epoll = newEpoll(t);
    const order: WakeOrder = { waker: epoll.waker(), times: 1000, whenAsleep: true };
    const worker = new Worker(fixture('epoll-waker'), { workerData: order });
    t.is(timed(epoll, FAR_MS).count, 0);
    const [woken] = (await once(worker, 'message')) as [number];
    t.is(woken, 1000);
    timed(epoll, 0); // Those that came after the end of the first wait.
    t.true(timed(epoll, 30).ms >= 30);
    await worker.terminate();
  },
);

test.serial('a waker that outlives its set answers false, from a worker too', async (t) => {
  const epoll = new Epoll();
  const waker = epoll.waker();
  t.true(waker.wake());
  epoll.close();
  t.false(waker.wake());
  const order: WakeOrder = { waker, times: 3, whenAsleep: false };
  const worker = new Worker(fixture('epoll-waker'), { workerData: order });
  const [woken] = (await once(worker, 'message')) as [number];
  t.is(woken, 0);
  await worker.terminate();
});

test('a waker of a closed set does not wake the set that got its descriptor', (t) => {
  const first = new Epoll();
  const waker = first.waker();
  first.close();
  const second = closing(t, new Epoll());
  t.false(waker.wake());
  t.not(second.waker().id, waker.id);
  t.true(timed(second, 30).ms >= 30);
});

test('a released set can no longer be woken, and its number shows no wake', (t) => {
  const epoll = new Epoll();
  const waker = epoll.waker();
  const fd = epoll.release();
  t.teardown(() => close(fd));
  t.false(waker.wake());
  t.is(epoll_wait(fd, new EpollEventArray(1), 1, 0), 0);
});

test('a waker survives structured cloning as a plain object with its id', (t) => {
  const epoll = newEpoll(t);
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(epoll.waker());
  const received = receiveMessageOnPort(port2)?.message as { id: number };
  port1.close();
  t.is(Object.getPrototypeOf(received), Object.prototype);
  t.true(Waker.from(received).wake());
  t.is(timed(epoll, FAR_MS).count, 0);
});

test('Waker.from refuses what is no waker', (t) => {
  for (const posted of [undefined, null, 1, 'waker', {}, { id: '1' }, { id: 0 }, { id: 1.5 }]) {
    t.throws(() => Waker.from(posted as never), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  t.false(Waker.from({ id: Number.MAX_SAFE_INTEGER }).wake(), 'no set has such an id');
});

test('wake and waker of a closed set throw ERR_CLOSED', (t) => {
  const epoll = new Epoll();
  epoll.close();
  t.throws(
    () => {
      epoll.wake();
    },
    { code: 'ERR_CLOSED' },
  );
  t.throws(() => epoll.waker(), { code: 'ERR_CLOSED' });
});

test('a wake from inside a batch ends the wait that follows it', (t) => {
  const epoll = newEpoll(t);
  const eventFd = newEventFd(t, 1);
  const events = new EpollEvents();
  epoll.add(eventFd, EPOLLIN | EPOLLET);
  epoll.wait(events);
  for (const { fd } of events) {
    t.is(fd, eventFd.fd);
    epoll.wake();
  }
  t.is(timed(epoll, FAR_MS).count, 0);
});

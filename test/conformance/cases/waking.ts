import { once } from 'node:events';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { Poller, PollerEvents, READABLE, Waker } from '../../../ts/index.js';
import type { WakeOrder } from '../../fixtures/epoll-waker.js';
import { fixture } from '../../support/child.js';
import { type Case, group, inModes } from '../case.js';
import { type Kit, LONG_MS } from '../kit.js';

/** A worker that wakes; the answer is how many of its wakes found the set. */
async function fromWorker(k: Kit, order: WakeOrder, meanwhile: () => void): Promise<number> {
  const worker = new Worker(fixture('epoll-waker'), { workerData: order });
  k.t.teardown(() => worker.terminate());
  meanwhile();
  const [woken] = (await once(worker, 'message')) as [number];
  return woken;
}

/** The next wait takes its whole time: no wake is left. */
function noneIsLeft(k: Kit, poller: Poller): void {
  const { count, ms } = k.timed(poller, 15);
  k.t.is(count, 0);
  k.t.true(ms >= 15, `${ms} ms`);
}

export const waking: readonly Case[] = group('waking', {
  'a wake before the wait ends that wait, with no event': (k) => {
    const poller = k.open();
    poller.wake();
    const { count, ms } = k.timed(poller, LONG_MS);
    k.t.is(count, 0);
    k.t.true(ms < LONG_MS);
  },
  'a wake ends a wait without end': (k) => {
    const poller = k.open();
    poller.wake();
    k.t.is(k.timed(poller).count, 0);
  },
  'many wakes end one wait, and the next one takes its whole time': (k) => {
    const poller = k.open();
    for (let i = 0; i < 1000; i++) poller.wake();
    k.t.is(k.timed(poller, LONG_MS).count, 0);
    noneIsLeft(k, poller);
  },
  'more wakes than any pipe holds end one wait': (k) => {
    const poller = k.open();
    for (let i = 0; i < 70_000; i++) poller.wake();
    k.t.is(k.timed(poller, LONG_MS).count, 0);
    noneIsLeft(k, poller);
  },
  'each wake ends one wait': (k) => {
    const poller = k.open();
    for (let i = 0; i < 50; i++) {
      poller.wake();
      k.t.true(k.timed(poller, LONG_MS).ms < LONG_MS);
    }
    noneIsLeft(k, poller);
  },
  'a wait of 0 consumes a wake': (k) => {
    const poller = k.open();
    poller.wake();
    k.t.is(k.timed(poller, 0).count, 0);
    noneIsLeft(k, poller);
  },
  'a wake is never shown, and what is ready comes beside it': inModes((k) => {
    const poller = k.open();
    const eventFds = [k.eventFd(1), k.eventFd(1), k.eventFd(1)];
    for (const eventFd of eventFds) k.add(poller, eventFd, READABLE);
    poller.wake();
    const wanted = eventFds.map(({ fd }) => `${fd}:R`).sort();
    k.t.deepEqual(k.all(poller).sort(), wanted);
    k.t.is(poller.size, 3);
    k.t.is([...poller.entries()].length, 3);
  }),
  'with room for one event a wake costs none its place': inModes((k) => {
    const poller = k.open();
    const one = new PollerEvents(1);
    const eventFd = k.eventFd(1);
    k.add(poller, eventFd, READABLE);
    poller.wake();
    const counts = [poller.wait(one, 0), poller.wait(one, 0)];
    k.t.true(counts.includes(1), counts.join());
  }),
  'a wake from inside a batch ends the wait that follows': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    const events = new PollerEvents();
    poller.add(eventFd, READABLE, { mode: 'oneshot' });
    poller.wait(events, 0);
    for (const event of events) {
      k.t.is(event.fd, eventFd.fd);
      poller.wake();
    }
    k.t.is(k.timed(poller, LONG_MS).count, 0);
  },
  'a worker ends a wait that is going on': async (k) => {
    const poller = k.open();
    poller.add(k.eventFd(), READABLE);
    const order: WakeOrder = { waker: poller.waker(), times: 1, whenAsleep: true };
    const woken = await fromWorker(k, order, () => {
      const { count, ms } = k.timed(poller, LONG_MS);
      k.t.is(count, 0);
      k.t.true(ms < LONG_MS);
    });
    k.t.is(woken, 1);
  },
  'a thousand wakes of a worker end that wait and at most one more': async (k) => {
    const poller = k.open();
    const order: WakeOrder = { waker: poller.waker(), times: 1000, whenAsleep: true };
    const woken = await fromWorker(k, order, () => {
      k.t.is(k.timed(poller, LONG_MS).count, 0);
    });
    k.t.is(woken, 1000);
    k.timed(poller, 0);
    noneIsLeft(k, poller);
  },
  'a waker survives cloning as a plain object with its id': (k) => {
    const poller = k.open();
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(poller.waker());
    const received = receiveMessageOnPort(port2)?.message as { id: number };
    port1.close();
    k.t.true(Waker.from(received).wake());
    k.t.is(k.timed(poller, LONG_MS).count, 0);
  },
  'a waker that outlives its poller answers false': async (k) => {
    const poller = k.open();
    const waker = poller.waker();
    k.t.true(waker.wake());
    poller.close();
    k.t.false(waker.wake());
    const order: WakeOrder = { waker, times: 3, whenAsleep: false };
    k.t.is(await fromWorker(k, order, () => undefined), 0);
  },
  'a waker of a closed poller does not wake the next one': (k) => {
    const first = k.open();
    const waker = first.waker();
    first.close();
    const second = k.open();
    k.t.false(waker.wake());
    k.t.not(second.waker().id, waker.id);
    noneIsLeft(k, second);
  },
  'a wake of one poller is none of another': (k) => {
    const [one, other] = [k.open(), k.open()];
    one.wake();
    noneIsLeft(k, other);
    k.t.true(k.timed(one, LONG_MS).ms < LONG_MS);
  },
});

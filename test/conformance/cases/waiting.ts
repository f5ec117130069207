import { once } from 'node:events';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { PollerEvents, READABLE } from '../../../ts/index.js';
import type { WriteOrder } from '../../fixtures/poller-writer.js';
import { fixture } from '../../support/child.js';
import { type Case, group, inModes } from '../case.js';
import { type Kit, LONG_MS } from '../kit.js';

/** Waits of that time are never early, by the clock that the kernel waits by. */
function neverEarly(k: Kit, timeoutMs: number, rounds: number): void {
  const poller = k.open();
  const events = new PollerEvents(4);
  poller.add(k.eventFd(), READABLE);
  const wanted = BigInt(Math.ceil(timeoutMs * 1e6));
  for (let i = 0; i < rounds; i++) {
    const started = process.hrtime.bigint();
    k.t.is(poller.wait(events, timeoutMs), 0);
    const took = process.hrtime.bigint() - started;
    k.t.true(took >= wanted, `${took} ns of ${wanted}`);
  }
}

/** Starts a worker that does something once this thread is asleep in a wait. */
function whenAsleep(k: Kit, order: WriteOrder): Promise<unknown> {
  const worker = new Worker(fixture('poller-writer'), { workerData: order });
  k.t.teardown(() => worker.terminate());
  return once(worker, 'exit');
}

export const waiting: readonly Case[] = group('waiting', {
  '0 asks without waiting': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    const events = new PollerEvents();
    poller.add(eventFd, READABLE);
    k.t.is(poller.wait(events, 0), 0);
    k.t.is(poller.wait(events, -0), 0);
    eventFd.write();
    k.t.is(poller.wait(events, 0), 1);
  },
  'whole milliseconds are never early': (k) => {
    neverEarly(k, 1, 5);
    neverEarly(k, 10, 3);
  },
  'fractions of a millisecond are never early': (k) => {
    neverEarly(k, 0.3, 5);
    neverEarly(k, 2.5, 5);
    neverEarly(k, 1.000001, 5);
  },
  'the smallest fraction is a wait, not a question': (k) => {
    neverEarly(k, 0.001, 5);
    neverEarly(k, Number.MIN_VALUE, 5);
  },
  'a set with nothing in it waits its time': (k) => {
    const poller = k.open();
    const { count, ms } = k.timed(poller, 10);
    k.t.is(count, 0);
    k.t.true(ms >= 10);
  },
  'what is ready comes at once, whatever the timeout': inModes((k) => {
    for (const timeoutMs of [0, 0.3, 1, 1e9, 2 ** 31, 2 ** 32, 1e300, Infinity, undefined]) {
      const poller = k.open();
      k.add(poller, k.eventFd(1), READABLE);
      k.t.is(k.timed(poller, timeoutMs).count, 1);
      poller.close();
    }
  }),
  'what is not ready lets a wait of any mode take its time': inModes((k) => {
    const poller = k.open();
    k.add(poller, k.eventFd(), READABLE);
    const { count, ms } = k.timed(poller, 5);
    k.t.is(count, 0);
    k.t.true(ms >= 5);
  }),
  'timeouts beyond any clock wait until they are woken': (k) => {
    const poller = k.open();
    for (const timeoutMs of [2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 9.2e12, 1e300, Infinity]) {
      poller.wake();
      k.t.is(k.timed(poller, timeoutMs).count, 0);
    }
  },
  'NaN and negative timeouts are ERR_OUT_OF_RANGE': (k) => {
    const poller = k.open();
    for (const timeoutMs of [Number.NaN, -1, -0.001, -Infinity]) {
      k.refused('ERR_OUT_OF_RANGE', () => poller.wait(new PollerEvents(1), timeoutMs));
    }
  },
  'a timeout that is no number is ERR_INVALID_ARG_TYPE and not asked for its value': (k) => {
    const poller = k.open();
    const asked = { valueOf: () => k.t.fail('valueOf was called') };
    for (const timeoutMs of [null, '5', '', true, 5n, {}, [], Symbol('5'), asked]) {
      k.refused('ERR_INVALID_ARG_TYPE', () => poller.wait(new PollerEvents(1), timeoutMs as never));
    }
  },
  'a batch that is none is ERR_INVALID_ARG_TYPE': (k) => {
    const poller = k.open();
    const pretender: unknown = Object.create(PollerEvents.prototype);
    for (const events of [undefined, null, {}, [], new Uint8Array(64), pretender]) {
      k.refused('ERR_INVALID_ARG_TYPE', () => poller.wait(events as never, 0));
    }
  },
  'a refused wait leaves the batch as it was': (k) => {
    const poller = k.open();
    const events = new PollerEvents();
    poller.add(k.eventFd(1), READABLE);
    poller.wait(events, 0);
    k.refused('ERR_OUT_OF_RANGE', () => poller.wait(events, -1));
    k.t.is(events.length, 1);
    k.t.true(events.readable(0));
  },
  'what arrives during the wait ends it': async (k) => {
    for (const mode of ['level', 'edge', 'oneshot', 'edgeOneshot'] as const) {
      if (mode !== 'level' && !k.has(mode)) continue;
      const poller = k.open();
      const eventFd = k.eventFd();
      poller.add(eventFd, READABLE, { mode });
      const exit = whenAsleep(k, { action: 'write', fd: eventFd.fd });
      k.t.is(k.ready(poller, eventFd, LONG_MS), 'R');
      await exit;
    }
  },
  'a peer that closes during the wait ends it': async (k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    poller.add(left, READABLE);
    const exit = whenAsleep(k, { action: 'close', fd: right.release() });
    k.t.is(k.ready(poller, left, LONG_MS), 'R');
    await exit;
  },
  'signals neither end a wait nor prolong it': async (k) => {
    const poller = k.open();
    poller.add(k.eventFd(), READABLE);
    const ignore = (): void => undefined;
    process.on('SIGUSR2', ignore);
    const exit = whenAsleep(k, { action: 'signal', times: 20 });
    const { count, ms } = k.timed(poller, 80);
    k.t.is(count, 0);
    k.t.true(ms >= 80, `${ms} ms`);
    await exit;
    process.off('SIGUSR2', ignore);
  },
  'wait, and every other call, on what is no poller throws a TypeError': (k) => {
    const poller = k.open();
    const { fd } = k.eventFd();
    const methods = Object.getPrototypeOf(poller) as Record<string, () => unknown>;
    for (const name of [
      'add',
      'modify',
      'delete',
      'get',
      'has',
      'entries',
      'wait',
      'wake',
      'close',
    ]) {
      for (const receiver of [undefined, {}, Object.create(methods)]) {
        const call = (): unknown => Reflect.apply(methods[name]!, receiver, [fd, READABLE]);
        k.t.throws(call, { instanceOf: TypeError }, name);
      }
    }
  },
});

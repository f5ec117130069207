/** The loop that a program turns itself, on every backend. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import {
  Loop,
  Poller,
  READABLE,
  WRITABLE,
  type BackendName,
  type LoopRegistration,
} from '../../ts/index.js';
import type { WakeOrder } from '../fixtures/epoll-waker.js';
import { fixture } from '../support/child.js';
import { countDescriptors } from '../support/descriptors.js';
import { closing, newEventFd, unixPair, type Teardown } from '../support/pairs.js';

const backends = Poller.backends() as BackendName[];

for (const backend of backends) {
  const newLoop = (t: Teardown): Loop => closing(t, new Loop({ backend }));

  test(`a turn runs ready descriptors, then timers, then what was deferred (${backend})`, (t) => {
    const loop = newLoop(t);
    const seen: string[] = [];
    loop.defer(() => seen.push('deferred'));
    loop.setTimeout(0, () => seen.push('timer'));
    loop.register(newEventFd(t, 1), READABLE, () => seen.push('ready'));
    t.is(loop.turn(), 3);
    t.deepEqual(seen, ['ready', 'timer', 'deferred']);
  });

  test(`a handler sees what is ready, until it takes it away (${backend})`, (t) => {
    const loop = newLoop(t);
    const [left, right] = unixPair(t);
    const registration = loop.register(left, READABLE | WRITABLE, (ready) => {
      t.is(ready.fd, left.fd);
      t.is(ready.registration, registration);
      t.deepEqual([ready.readable, ready.writable, ready.priority], [true, true, false]);
      t.deepEqual([ready.error, ready.hangup], [false, false]);
      left.close();
      t.is(ready.fd, -1);
      t.is(ready.registration, undefined);
      t.deepEqual([ready.readable, ready.writable, ready.readClosed], [false, false, false]);
    });
    right.write(Buffer.from('x'));
    t.is(loop.turn(), 1);
    t.false(registration.active);
    t.is(registration.interest, 0);
    t.is(loop.size, 0);
  });

  test(`an exclusive registration reports, and cannot be modified; elsewhere it is refused (${backend})`, (t) => {
    const loop = newLoop(t);
    const eventFd = newEventFd(t, 1);
    const register = (options: { exclusive?: boolean }): LoopRegistration =>
      loop.register(eventFd, READABLE, () => eventFd.read(), options);
    if (!loop.supports.exclusive) {
      t.throws(() => register({ exclusive: true }), { code: 'EOPNOTSUPP' });
      t.is(loop.size, 0);
      return;
    }
    const registration = register({ exclusive: true });
    t.is(loop.turn(), 1);
    t.throws(
      () => {
        registration.modify(READABLE);
      },
      { code: 'EINVAL' },
    );
    t.true(registration.active);
    eventFd.write();
    t.is(loop.turn(), 1);
    registration.deregister();
    register({ exclusive: false }).modify(READABLE);
    t.throws(() => register({ exclusive: 1 as unknown as boolean }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
  });

  test(`what a handler takes out of a batch does not run, what it puts in does later (${backend})`, (t) => {
    const loop = newLoop(t);
    const eventFds = Array.from({ length: 3 }, () => newEventFd(t, 1));
    let runs = 0;
    let later = 0;
    const registrations = eventFds.map((eventFd) =>
      loop.register(eventFd, READABLE, () => {
        runs++;
        for (const registration of registrations) registration.deregister();
        loop.register(eventFd, READABLE, () => later++);
      }),
    );
    loop.turn();
    t.deepEqual([runs, later], [1, 0]);
    loop.turn();
    t.deepEqual([runs, later], [1, 1]);
  });

  test(`the loop may be closed in its own turn, and nothing more runs (${backend})`, (t) => {
    const loop = new Loop({ backend });
    let runs = 0;
    for (let i = 0; i < 3; i++) {
      loop.register(newEventFd(t, 1), READABLE, () => {
        runs++;
        loop.close();
      });
    }
    const fail = (): void => {
      t.fail('ran after the close');
    };
    loop.setTimeout(0, fail);
    loop.defer(fail);
    loop.run();
    t.is(runs, 1);
    t.true(loop.closed);
    t.is(loop.size, 0);
    for (const use of [
      () => loop.turn(),
      () => {
        loop.run();
      },
      () => loop.setTimeout(0, fail),
      () => {
        loop.defer(fail);
      },
      () => loop.register(0, READABLE, fail),
      () => loop.waker(),
    ]) {
      t.throws(use, { code: 'ERR_CLOSED' });
    }
    loop.close();
  });

  test(`a handler that throws keeps no other from running (${backend})`, (t) => {
    const loop = newLoop(t);
    const seen: string[] = [];
    const errors = ['one', 'two', 'three', 'four'].map((message) => new Error(message));
    for (const error of errors.slice(0, 2)) {
      loop.register(newEventFd(t, 1), READABLE, () => {
        throw error;
      });
    }
    loop.register(newEventFd(t, 1), READABLE, () => seen.push('ready'));
    loop.setTimeout(0, () => {
      throw errors[2] as Error;
    });
    loop.setTimeout(0, () => seen.push('timer'));
    loop.defer(() => {
      throw errors[3] as Error;
    });
    loop.defer(() => seen.push('deferred'));
    const thrown = t.throws(() => loop.turn(), { instanceOf: AggregateError });
    t.deepEqual(new Set(thrown.errors), new Set(errors));
    t.deepEqual(seen, ['ready', 'timer', 'deferred']);
  });

  test(`one error comes as it is, and the loop goes on after it (${backend})`, (t) => {
    const loop = newLoop(t);
    const error = new Error('on purpose');
    loop.defer(() => {
      throw error;
    });
    t.is(
      t.throws(() => {
        loop.run();
      }),
      error,
    );
    let ran = false;
    loop.defer(() => {
      ran = true;
    });
    loop.run();
    t.true(ran);
  });

  test(`run ends when nothing is left, and when it is stopped (${backend})`, (t) => {
    const loop = newLoop(t);
    loop.run();
    const eventFd = newEventFd(t, 1);
    let runs = 0;
    const registration = loop.register(eventFd, READABLE, () => {
      if (++runs === 5) registration.deregister();
    });
    loop.run();
    t.is(runs, 5);
    loop.register(eventFd, READABLE, () => {
      runs++;
      loop.stop();
    });
    loop.run();
    t.is(runs, 6);
    eventFd.close(); // its owner takes it out of the loop
    t.is(loop.size, 0);
    loop.run();
  });

  test(`a waker ends a turn from another thread (${backend})`, async (t) => {
    const loop = newLoop(t);
    loop.register(newEventFd(t), READABLE, () => {
      t.fail('nothing was ready');
    });
    const worker = new Worker(fixture('loop-waker'), { workerData: loop.waker() });
    t.is(loop.turn(), 0);
    await worker.terminate();
  });

  test(`a waker that outlives its loop answers false, on any thread (${backend})`, async (t) => {
    const loop = newLoop(t);
    const waker = loop.waker();
    for (let i = 0; i < 100; i++) t.true(waker.wake());
    t.is(loop.turn(), 0, 'a hundred wakes end one turn');
    t.is(loop.turn(0), 0);
    loop.close();
    t.false(waker.wake());
    const order: WakeOrder = { waker, times: 3, whenAsleep: false };
    const worker = new Worker(fixture('epoll-waker'), { workerData: order });
    const [woken] = (await once(worker, 'message')) as [number];
    t.is(woken, 0);
    await worker.terminate();
  });

  test(`a turn in a turn, and a run in a run, are ERR_INVALID_STATE (${backend})`, async (t) => {
    const loop = newLoop(t);
    const state = { code: 'ERR_INVALID_STATE' };
    loop.defer(() => {
      t.throws(() => loop.turn(0), state);
      t.throws(() => {
        loop.run();
      }, state);
    });
    loop.run();
    using poller = new Poller({ backend });
    if (poller.supports.nested) {
      loop.setTimeout(1, () => undefined);
      const running = loop.runAsync();
      await t.throwsAsync(async () => loop.runAsync(), state);
      await running;
    }
  });

  test(`a registration can be changed, and taken out twice (${backend})`, (t) => {
    const loop = newLoop(t);
    const [left] = unixPair(t);
    let runs = 0;
    const registration = loop.register(left, READABLE, () => runs++, { label: 'left' });
    t.is(registration.label, 'left');
    t.is(registration.fd, left.fd);
    t.is(loop.turn(0), 0);
    registration.modify(WRITABLE);
    t.is(loop.turn(0), 1);
    registration.modify(WRITABLE, 'oneshot');
    t.is(loop.turn(0), 1);
    t.is(loop.turn(0), 0, 'it has fired');
    registration.modify(WRITABLE);
    t.is(loop.turn(0), 1, 'the mode stays, and it is enabled again');
    t.throws(() => loop.register(left, READABLE, () => undefined), { code: 'EEXIST' });
    t.true(registration.active);
    registration.deregister();
    registration.deregister();
    t.false(registration.active);
    t.throws(
      () => {
        registration.modify(READABLE);
      },
      { code: 'ENOENT' },
    );
    t.is(runs, 3);
  });

  test(`what is no function, no interest and no time is refused (${backend})`, (t) => {
    const loop = newLoop(t);
    const noFunction = 'x' as unknown as () => void;
    const eventFd = newEventFd(t);
    t.throws(() => loop.register(eventFd, READABLE, noFunction), { code: 'ERR_INVALID_ARG_TYPE' });
    t.throws(() => loop.register(eventFd, 64, () => undefined), { code: 'ERR_OUT_OF_RANGE' });
    t.throws(
      () => {
        loop.defer(noFunction);
      },
      { code: 'ERR_INVALID_ARG_TYPE' },
    );
    t.throws(() => loop.setTimeout(1, noFunction), { code: 'ERR_INVALID_ARG_TYPE' });
    for (const ms of [Number.NaN, -1, Number.POSITIVE_INFINITY, 2 ** 53]) {
      t.throws(() => loop.setTimeout(ms, () => undefined), { code: 'ERR_OUT_OF_RANGE' });
    }
    t.throws(() => loop.turn(Number.NaN), { code: 'ERR_OUT_OF_RANGE' });
    t.throws(() => new Loop({ backend, maxEvents: 0 }), { code: 'ERR_OUT_OF_RANGE' });
    t.is(loop.size, 0);
  });
}

test('a deferred function that defers does so for the next turn, which does not wait', (t) => {
  const loop = closing(t, new Loop());
  let turns = 0;
  const again = (): void => {
    if (++turns < 10) loop.defer(again);
  };
  loop.register(newEventFd(t), READABLE, () => undefined);
  loop.defer(again);
  for (let i = 1; i <= 10; i++) {
    t.is(loop.turn(), 1);
    t.is(turns, i);
  }
});

test.serial('a thousand loops leave no descriptor', (t) => {
  const eventFd = newEventFd(t, 1);
  const before = countDescriptors();
  for (let i = 0; i < 1000; i++) {
    using loop = new Loop();
    loop.register(eventFd, READABLE, () => {
      loop.stop();
    });
    loop.run();
  }
  t.is(countDescriptors(), before);
});

import test from 'ava';
import { EpollEvents } from '../../ts/index.js';
import { EPOLLIN } from '../../ts/sys/constants.js';
import { fixture, runNode } from '../support/child.js';
import { newEpoll, newEventFd } from '../support/pairs.js';

/** Nanoseconds by the clock that the kernel waits by. */
const now = (): bigint => process.hrtime.bigint();

for (const timeoutMs of [0.001, 0.05, 0.3, 0.999, 1, 1.000001, 2.5, 5, 10.5, 60]) {
  test.serial(`a wait of ${timeoutMs} ms is never early`, (t) => {
    const epoll = newEpoll(t);
    epoll.add(newEventFd(t), EPOLLIN);
    const events = new EpollEvents(4);
    const wanted = BigInt(Math.ceil(timeoutMs * 1e6));
    for (let round = 0; round < 30; round++) {
      const started = now();
      const count = epoll.wait(events, timeoutMs);
      const took = now() - started;
      t.is(count, 0);
      t.true(took >= wanted, `${took} ns of ${wanted}`);
    }
  });
}

test('0 asks without waiting, with and without something ready', (t) => {
  const epoll = newEpoll(t);
  const events = new EpollEvents(4);
  const eventFd = newEventFd(t);
  epoll.add(eventFd, EPOLLIN);
  t.is(epoll.wait(events, 0), 0);
  t.is(epoll.wait(events, -0), 0);
  eventFd.write();
  t.is(epoll.wait(events, 0), 1);
});

test('what is ready comes at once, whatever the timeout', (t) => {
  const epoll = newEpoll(t);
  const events = new EpollEvents(4);
  const eventFd = newEventFd(t, 1);
  epoll.add(eventFd, EPOLLIN);
  for (const timeoutMs of [0, 0.3, 1, 1e9, 2 ** 31, 2 ** 32, 1e300, Number.POSITIVE_INFINITY]) {
    t.is(epoll.wait(events, timeoutMs), 1);
  }
  t.is(epoll.wait(events), 1);
  t.is(epoll.wait(events, undefined), 1);
});

for (const timeoutMs of [2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53, 9.2e12, 1e300, Infinity]) {
  for (const where of ['main', 'worker']) {
    test(`a wait of ${timeoutMs} ms on the ${where} thread goes on until it is woken`, async (t) => {
      const child = await runNode(fixture('epoll-long-wait'), {
        args: [where, String(timeoutMs)],
      });
      t.is(child.stderr, '');
      t.is(child.code, 0);
      t.deepEqual(JSON.parse(child.stdout), { count: 0, woken: true });
    });
  }
}

test('NaN and negative timeouts are ERR_OUT_OF_RANGE, other types ERR_INVALID_ARG_TYPE', (t) => {
  const epoll = newEpoll(t);
  const events = new EpollEvents(1);
  epoll.add(newEventFd(t, 1), EPOLLIN);
  for (const timeoutMs of [Number.NaN, -1, -0.001, -Infinity, -(2 ** 31)]) {
    t.throws(() => epoll.wait(events, timeoutMs), {
      code: 'ERR_OUT_OF_RANGE',
      instanceOf: RangeError,
    });
  }
  for (const timeoutMs of [null, '5', '', true, 5n, {}, [], Symbol('5'), () => 5]) {
    t.throws(() => epoll.wait(events, timeoutMs as never), {
      code: 'ERR_INVALID_ARG_TYPE',
      instanceOf: TypeError,
    });
  }
  t.is(events.length, 0, 'the batch was not touched');
});

test('an object that could become a number is refused without being asked', (t) => {
  const epoll = newEpoll(t);
  const asked = {
    valueOf: () => {
      t.fail('valueOf was called');
      return 0;
    },
  };
  t.throws(() => epoll.wait(new EpollEvents(1), asked as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

import test from 'ava';
import { EventFd, WOULD_BLOCK } from '../../ts/index.js';
import { EPOLLIN } from '../../ts/sys/constants.js';
import { ALL_CONDITIONS, conditionsOf } from '../support/readiness.js';
import { closing, newEpoll, newEventFd } from '../support/pairs.js';

const MOST = 2n ** 64n - 2n;

test('read takes the whole counter, and write adds to it', (t) => {
  const eventFd = newEventFd(t, 5);
  t.is(eventFd.write(), 0);
  t.is(eventFd.write(10), 0);
  t.is(eventFd.write(2n ** 40n), 0);
  t.is(eventFd.read(), 2n ** 40n + 16n);
  t.is(eventFd.read(), WOULD_BLOCK);
});

test('a semaphore gives 1 with each read', (t) => {
  const eventFd = closing(t, new EventFd({ semaphore: true, initialValue: 2 }));
  eventFd.write();
  t.deepEqual(
    Array.from({ length: 5 }, () => eventFd.read()),
    [1n, 1n, 1n, WOULD_BLOCK, WOULD_BLOCK],
  );
});

test('the counter holds at most 2 ** 64 - 2, and says WOULD_BLOCK above', (t) => {
  const eventFd = newEventFd(t);
  const epoll = newEpoll(t);
  epoll.add(eventFd, ALL_CONDITIONS);
  t.is(eventFd.write(MOST), 0);
  t.is(conditionsOf(epoll, eventFd), 'IN');
  t.is(eventFd.write(1), WOULD_BLOCK);
  t.is(eventFd.write(0), 0);
  t.is(eventFd.read(), MOST);
  t.is(eventFd.write(1), 0);
  t.is(eventFd.write(MOST - 1n), 0);
  t.is(eventFd.read(), MOST);
});

test('write of 2 ** 64 - 1 is EINVAL, and of what is no uint64 ERR_OUT_OF_RANGE', (t) => {
  const eventFd = newEventFd(t);
  t.throws(() => eventFd.write(2n ** 64n - 1n), { code: 'EINVAL' });
  for (const value of [2n ** 64n, -1n, -1, 0.5, Number.NaN, 2 ** 53]) {
    t.throws(() => eventFd.write(value), { code: 'ERR_OUT_OF_RANGE' });
  }
  for (const value of ['1', null, true, {}]) {
    t.throws(() => eventFd.write(value as never), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  t.is(eventFd.read(), WOULD_BLOCK);
});

test('the initial value is a uint32', (t) => {
  t.is(newEventFd(t, 0).read(), WOULD_BLOCK);
  t.is(newEventFd(t, 2 ** 32 - 1).read(), 2n ** 32n - 1n);
});

test('a write of 0 makes nothing readable', (t) => {
  const eventFd = newEventFd(t);
  const epoll = newEpoll(t);
  epoll.add(eventFd, EPOLLIN);
  t.is(eventFd.write(0), 0);
  t.is(conditionsOf(epoll, eventFd), '-');
});

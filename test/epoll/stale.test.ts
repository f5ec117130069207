/**
 * "A stale event never reaches its successor": in each test a batch was fetched while the event
 * was true, and then something happened to the registration that it belongs to.
 */
import test, { type ExecutionContext } from 'ava';
import { Epoll, EpollEvents, EventFd } from '../../ts/index.js';
import {
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  O_CLOEXEC,
} from '../../ts/sys/constants.js';
import { close, dup3 } from '../../ts/sys/index.js';
import { closing, newEpoll, newEventFd, pipePair, unixPair } from '../support/pairs.js';
import { showMask } from '../support/readiness.js';

/** Asserts that event `i` says nothing any more, in every way to ask. */
function isStale(t: ExecutionContext, events: EpollEvents, i: number): void {
  t.is(events.fd(i), -1);
  t.is(events.events(i), 0);
  t.is(events.data(i), undefined);
}

/** A set with `count` ready descriptors, and the batch that says so. */
function readyBatch(
  t: ExecutionContext,
  count: number,
): { epoll: Epoll<string>; events: EpollEvents<string>; ready: EventFd[] } {
  const epoll = newEpoll<string>(t);
  const ready = Array.from({ length: count }, () => newEventFd(t, 1));
  for (const [i, eventFd] of ready.entries()) epoll.add(eventFd, EPOLLIN | EPOLLOUT, `data ${i}`);
  const events = new EpollEvents<string>();
  t.is(epoll.wait(events, 0), count);
  return { epoll, events, ready };
}

test('an event is true until something happens to its registration', (t) => {
  const { events, ready } = readyBatch(t, 2);
  t.is(events.length, 2);
  for (const [i, eventFd] of ready.entries()) {
    t.is(events.fd(i), eventFd.fd);
    t.is(events.events(i), EPOLLIN | EPOLLOUT);
    t.is(events.data(i), `data ${i}`);
  }
});

test('delete makes the event stale, and only that one', (t) => {
  const { epoll, events, ready } = readyBatch(t, 2);
  epoll.delete(ready[0]!);
  isStale(t, events, 0);
  t.is(events.length, 2, 'the batch keeps its length');
  t.is(events.fd(1), ready[1]!.fd);
  t.is(events.data(1), 'data 1');
});

test('delete and add again makes the event stale: it belongs to the registration before', (t) => {
  const { epoll, events, ready } = readyBatch(t, 1);
  epoll.delete(ready[0]!);
  epoll.add(ready[0]!, EPOLLIN, 'successor');
  isStale(t, events, 0);
  t.is(epoll.wait(events, 0), 1);
  t.is(events.data(0), 'successor');
});

test('close of the object makes the event stale', (t) => {
  const { epoll, events, ready } = readyBatch(t, 1);
  ready[0]!.close();
  isStale(t, events, 0);
  t.is(epoll.size, 0);
});

test('release of the object makes the event stale', (t) => {
  const { epoll, events, ready } = readyBatch(t, 1);
  const fd = ready[0]!.release();
  isStale(t, events, 0);
  t.is(epoll.size, 0);
  t.is(close(fd), 0);
});

test('close, reuse of the number, and add again: the event does not reach the successor', (t) => {
  const { epoll, events, ready } = readyBatch(t, 1);
  const number = ready[0]!.fd;
  const successor = newEventFd(t);
  ready[0]!.close();
  t.is(dup3(successor.fd, number, O_CLOEXEC), number);
  epoll.add(number, EPOLLIN | EPOLLOUT, 'successor');
  isStale(t, events, 0);
  t.deepEqual([...events], []);
  t.is(epoll.wait(events, 0), 1);
  t.is(events.fd(0), number);
  t.is(events.events(0), EPOLLOUT, 'what the successor itself has');
  epoll.delete(number);
  t.is(close(number), 0);
});

test('a number that was closed behind the back and added again makes the event stale', (t) => {
  const epoll = newEpoll<string>(t);
  const events = new EpollEvents<string>();
  const source = newEventFd(t, 1);
  const number = 300;
  t.is(dup3(source.fd, number, O_CLOEXEC), number);
  epoll.add(number, EPOLLIN, 'first');
  t.is(epoll.wait(events, 0), 1);
  const other = newEventFd(t);
  t.is(dup3(other.fd, number, O_CLOEXEC), number); // Closes what it was.
  epoll.add(number, EPOLLIN, 'second');
  t.is(epoll.size, 1);
  isStale(t, events, 0);
  epoll.delete(number);
  t.is(close(number), 0);
});

test('modify that narrows cuts the event to what is asked for now', (t) => {
  const { epoll, events, ready } = readyBatch(t, 1);
  epoll.modify(ready[0]!, EPOLLOUT);
  t.is(events.events(0), EPOLLOUT);
  t.is(events.fd(0), ready[0]!.fd);
  epoll.modify(ready[0]!, 0);
  t.is(events.events(0), 0);
  t.is(events.fd(0), ready[0]!.fd, 'the registration is still there');
  t.deepEqual([...events], [], 'an event that says nothing is passed over');
});

test('modify that widens adds nothing to an event that was fetched before', (t) => {
  const epoll = newEpoll(t);
  const eventFd = newEventFd(t, 1);
  epoll.add(eventFd, EPOLLIN);
  const events = new EpollEvents();
  epoll.wait(events, 0);
  epoll.modify(eventFd, EPOLLIN | EPOLLOUT);
  t.is(events.events(0), EPOLLIN);
});

test('modify forth and back leaves the event as it was', (t) => {
  const { epoll, events, ready } = readyBatch(t, 1);
  epoll.modify(ready[0]!, EPOLLOUT);
  epoll.modify(ready[0]!, EPOLLIN | EPOLLOUT | EPOLLET);
  t.is(events.events(0), EPOLLIN | EPOLLOUT);
  t.is(events.data(0), 'data 0');
});

test('EPOLLERR and EPOLLHUP stay in the event whatever modify asks for', (t) => {
  const epoll = newEpoll(t);
  const events = new EpollEvents();
  const [left, right] = unixPair(t);
  left.write(Buffer.from('unread'));
  epoll.add(left, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
  right.close();
  epoll.wait(events, 0);
  t.is(showMask(events.events(0)), 'IN|OUT|ERR|HUP|RDHUP');
  epoll.modify(left, EPOLLRDHUP);
  t.is(showMask(events.events(0)), 'ERR|HUP|RDHUP');
  epoll.modify(left, 0);
  t.is(events.events(0), EPOLLERR | EPOLLHUP);
});

test('after modify the event carries the data of now', (t) => {
  const { epoll, events, ready } = readyBatch(t, 1);
  epoll.modify(ready[0]!, EPOLLIN, 'newer');
  t.is(events.data(0), 'newer');
  epoll.modify(ready[0]!, EPOLLIN);
  t.is(events.data(0), 'newer', 'data left out stays');
});

test('close of the set makes every event stale', (t) => {
  const { epoll, events } = readyBatch(t, 3);
  epoll.close();
  for (const i of [0, 1, 2]) isStale(t, events, i);
  t.deepEqual([...events], []);
});

test('release of the set makes every event stale', (t) => {
  const { epoll, events } = readyBatch(t, 2);
  const fd = epoll.release();
  for (const i of [0, 1]) isStale(t, events, i);
  t.is(close(fd), 0);
});

test('iteration judges each event when it comes to it', (t) => {
  const { epoll, events, ready } = readyBatch(t, 5);
  const [, second, third, fourth] = ready;
  const seen: (string | undefined)[] = [];
  for (const { data } of events) {
    seen.push(data);
    if (seen.length !== 1) continue;
    epoll.delete(second!);
    third!.close();
    epoll.modify(fourth!, EPOLLIN, 'changed on the way');
  }
  t.deepEqual(seen, ['data 0', 'changed on the way', 'data 4']);
});

test('a handler may delete its own registration in mid-batch', (t) => {
  const { epoll, events } = readyBatch(t, 3);
  const seen: number[] = [];
  for (let i = 0; i < events.length; i++) {
    seen.push(events.fd(i));
    epoll.delete(events.fd(i));
    isStale(t, events, i);
  }
  t.is(seen.length, 3);
  t.is(epoll.size, 0);
  t.is(epoll.wait(events, 0), 0);
});

test('a handler may close all others in mid-batch, whatever their place', (t) => {
  for (const own of [0, 1, 2]) {
    const { events, ready } = readyBatch(t, 3);
    for (const [i, eventFd] of ready.entries()) if (i !== own) eventFd.close();
    t.deepEqual(
      [...events].map(({ data }) => data),
      [`data ${own}`],
    );
  }
});

test('one batch that serves two sets belongs to the one that waited last', (t) => {
  const events = new EpollEvents<string>();
  const first = newEpoll<string>(t);
  const second = newEpoll<string>(t);
  const shared = newEventFd(t, 1);
  first.add(shared, EPOLLIN, 'first');
  second.add(shared, EPOLLIN, 'second');
  first.wait(events, 0);
  t.is(events.data(0), 'first');
  second.delete(shared);
  t.is(events.data(0), 'first', 'the other set has no say in it');
  second.add(shared, EPOLLIN, 'second again');
  second.wait(events, 0);
  t.is(events.data(0), 'second again');
  first.close();
  t.is(events.data(0), 'second again');
  second.delete(shared);
  isStale(t, events, 0);
});

test('a batch of one set says nothing of another set with the same descriptor', (t) => {
  const first = newEpoll<string>(t);
  const second = newEpoll<string>(t);
  const shared = newEventFd(t, 1);
  const batch = new EpollEvents<string>();
  first.add(shared, EPOLLIN, 'first');
  second.add(shared, EPOLLIN, 'second');
  first.wait(batch, 0);
  first.delete(shared);
  isStale(t, batch, 0);
  t.true(second.has(shared));
});

test('a wait that brings nothing empties the batch', (t) => {
  const { epoll, events, ready } = readyBatch(t, 2);
  for (const eventFd of ready) epoll.delete(eventFd);
  t.is(epoll.wait(events, 0), 0);
  t.is(events.length, 0);
  t.throws(() => events.fd(0), { code: 'ERR_OUT_OF_RANGE' });
});

test('an event outside the batch is ERR_OUT_OF_RANGE, in every way to ask', (t) => {
  const { events } = readyBatch(t, 2);
  for (const i of [2, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32]) {
    t.throws(() => events.fd(i), { code: 'ERR_OUT_OF_RANGE', instanceOf: RangeError });
    t.throws(() => events.events(i), { code: 'ERR_OUT_OF_RANGE', instanceOf: RangeError });
    t.throws(() => events.data(i), { code: 'ERR_OUT_OF_RANGE', instanceOf: RangeError });
  }
  t.throws(() => events.fd('0' as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => events.fd(undefined as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('the capacity of a batch is 1 … 65,536, and 1,024 if nothing is said', (t) => {
  t.is(new EpollEvents().capacity, 1024);
  t.is(new EpollEvents(1).capacity, 1);
  t.is(new EpollEvents(65_536).capacity, 65_536);
  for (const capacity of [0, -1, 65_537, 1.5, Number.NaN]) {
    t.throws(() => new EpollEvents(capacity), { code: 'ERR_OUT_OF_RANGE' });
  }
  t.throws(() => new EpollEvents('8' as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => new EpollEvents(null as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('generations tell registrations apart over many rounds of add and delete', (t) => {
  const epoll = newEpoll<number>(t);
  const events = new EpollEvents<number>();
  const eventFd = newEventFd(t, 1);
  for (let round = 0; round < 10_000; round++) {
    epoll.add(eventFd, EPOLLIN, round);
    epoll.wait(events, 0);
    if (events.data(0) !== round) t.fail(`round ${round} shows ${String(events.data(0))}`);
    epoll.delete(eventFd);
    if (events.fd(0) !== -1) t.fail(`round ${round} is shown after delete`);
  }
  t.is(epoll.size, 0);
});

test('a modify of an older registration does not bring an old generation back', (t) => {
  const epoll = newEpoll<string>(t);
  const events = new EpollEvents<string>();
  const [older, younger] = [newEventFd(t), newEventFd(t, 1)];
  epoll.add(older, EPOLLIN, 'older');
  epoll.add(younger, EPOLLIN, 'younger');
  t.is(epoll.wait(events, 0), 1);
  epoll.delete(younger);
  epoll.modify(older, EPOLLIN, 'older');
  epoll.add(younger, EPOLLIN, 'successor');
  isStale(t, events, 0);
});

test('what was read in the meantime still shows: spurious, and not stale', (t) => {
  const epoll = newEpoll(t);
  const events = new EpollEvents();
  const { reader, writer } = pipePair(t);
  epoll.add(reader, EPOLLIN);
  writer.write(Buffer.from('a'));
  epoll.wait(events, 0);
  reader.read(Buffer.alloc(1));
  t.is(events.fd(0), reader.fd);
  t.is(events.events(0), EPOLLIN);
});

test('a closed object stays stale for a batch of a set that was opened before it', (t) => {
  const epoll = newEpoll(t);
  const events = new EpollEvents();
  const eventFd = closing(t, new EventFd({ initialValue: 1 }));
  epoll.add(eventFd, EPOLLIN);
  epoll.wait(events, 0);
  eventFd.close();
  const later = closing(t, new EventFd({ initialValue: 1 }));
  isStale(t, events, 0);
  epoll.add(later, EPOLLIN);
  isStale(t, events, 0);
});

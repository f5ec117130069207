import test from 'ava';
import { Epoll, EpollEvents } from '../../ts/index.js';
import {
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
} from '../../ts/sys/constants.js';
import { close, dup } from '../../ts/sys/index.js';
import { closing, newEpoll, newEventFd, pipePair, unixPair } from '../support/pairs.js';
import { conditionsOf, reportedNow } from '../support/readiness.js';

const bytes = Buffer.from('abc');

test('level-triggered reports for as long as the condition holds', (t) => {
  const epoll = newEpoll(t);
  const [left, right] = unixPair(t);
  epoll.add(left, EPOLLIN);
  t.is(conditionsOf(epoll, left), '-');
  right.write(bytes);
  t.is(conditionsOf(epoll, left), 'IN');
  t.is(conditionsOf(epoll, left), 'IN');
  left.read(Buffer.alloc(1));
  t.is(conditionsOf(epoll, left), 'IN');
  left.read(Buffer.alloc(2));
  t.is(conditionsOf(epoll, left), '-');
});

test('edge-triggered reports once for each arrival, drained or not', (t) => {
  const epoll = newEpoll(t);
  const [left, right] = unixPair(t);
  epoll.add(left, EPOLLIN | EPOLLET);
  right.write(bytes);
  t.is(conditionsOf(epoll, left), 'IN');
  t.is(conditionsOf(epoll, left), '-');
  left.read(Buffer.alloc(1));
  t.is(conditionsOf(epoll, left), '-');
  right.write(bytes);
  t.is(conditionsOf(epoll, left), 'IN');
  t.is(conditionsOf(epoll, left), '-');
});

test('edge-triggered merges arrivals between two waits into one event', (t) => {
  const epoll = newEpoll(t);
  const [left, right] = unixPair(t);
  epoll.add(left, EPOLLIN | EPOLLET);
  for (let i = 0; i < 10; i++) right.write(bytes);
  t.is(conditionsOf(epoll, left), 'IN');
  t.is(conditionsOf(epoll, left), '-');
});

test('edge-triggered reports what was there before the add', (t) => {
  const epoll = newEpoll(t);
  const [left, right] = unixPair(t);
  right.write(bytes);
  epoll.add(left, EPOLLIN | EPOLLET);
  t.is(conditionsOf(epoll, left), 'IN');
  t.is(conditionsOf(epoll, left), '-');
});

test('edge-triggered says nothing of an arrival that was read before the wait', (t) => {
  const epoll = newEpoll(t);
  const [left, right] = unixPair(t);
  epoll.add(left, EPOLLIN | EPOLLET);
  right.write(bytes);
  left.read(Buffer.alloc(3));
  t.is(conditionsOf(epoll, left), '-');
});

test('edge-triggered reports room once it is made, not while it lasts', (t) => {
  const epoll = newEpoll(t);
  const { reader, writer } = pipePair(t);
  epoll.add(writer, EPOLLOUT | EPOLLET);
  t.is(conditionsOf(epoll, writer), 'OUT');
  t.is(conditionsOf(epoll, writer), '-');
  const page = Buffer.alloc(65_536);
  while (writer.write(page) > 0);
  t.is(conditionsOf(epoll, writer), '-');
  while (reader.read(page) > 0);
  t.is(conditionsOf(epoll, writer), 'OUT');
});

test('modify reports an edge anew while the condition holds', (t) => {
  const epoll = newEpoll(t);
  const [left, right] = unixPair(t);
  epoll.add(left, EPOLLIN | EPOLLET);
  right.write(bytes);
  t.is(conditionsOf(epoll, left), 'IN');
  epoll.modify(left, EPOLLIN | EPOLLET);
  t.is(conditionsOf(epoll, left), 'IN');
  left.read(Buffer.alloc(3));
  epoll.modify(left, EPOLLIN | EPOLLET);
  t.is(conditionsOf(epoll, left), '-');
});

for (const [name, extra] of [
  ['level-triggered', 0],
  ['edge-triggered', EPOLLET],
] as const) {
  test(`${name} one-shot reports once until modify enables it again`, (t) => {
    const epoll = newEpoll(t);
    const [left, right] = unixPair(t);
    const mask = EPOLLIN | EPOLLONESHOT | extra;
    epoll.add(left, mask);
    right.write(bytes);
    t.is(conditionsOf(epoll, left), 'IN');
    right.write(bytes);
    t.is(conditionsOf(epoll, left), '-');
    epoll.modify(left, mask);
    t.is(conditionsOf(epoll, left), 'IN');
    t.is(conditionsOf(epoll, left), '-');
  });
}

test('a one-shot that has fired stays registered and says nothing of a hang-up', (t) => {
  const epoll = newEpoll<string>(t);
  const [left, right] = unixPair(t);
  epoll.add(left, EPOLLIN | EPOLLONESHOT, 'kept');
  right.write(bytes);
  t.is(conditionsOf(epoll, left), 'IN');
  right.close();
  t.is(conditionsOf(epoll, left), '-');
  t.throws(
    () => {
      epoll.add(left, EPOLLIN);
    },
    { code: 'EEXIST' },
  );
  t.deepEqual(epoll.get(left), { fd: left.fd, events: EPOLLIN | EPOLLONESHOT, data: 'kept' });
  epoll.modify(left, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT);
  t.is(conditionsOf(epoll, left), 'IN|HUP|RDHUP');
});

test('a one-shot that was shown with too small a batch fires with the next wait', (t) => {
  const epoll = newEpoll(t);
  const ready = Array.from({ length: 3 }, () => newEventFd(t, 1));
  for (const eventFd of ready) epoll.add(eventFd, EPOLLIN | EPOLLONESHOT);
  const one = new EpollEvents(1);
  const shown = ready.map(() => (epoll.wait(one, 0), one.fd(0)));
  t.deepEqual(
    shown.sort((a, b) => a - b),
    ready.map(({ fd }) => fd).sort((a, b) => a - b),
  );
  t.is(epoll.wait(one, 0), 0);
});

test('what does not fit into the batch comes with the next waits, level-triggered in turn', (t) => {
  const epoll = newEpoll(t);
  const ready = Array.from({ length: 10 }, () => newEventFd(t, 1));
  for (const eventFd of ready) epoll.add(eventFd, EPOLLIN);
  const events = new EpollEvents(3);
  const shown = new Set<number>();
  for (let wait = 0; wait < 4; wait++) {
    t.is(epoll.wait(events, 0), 3);
    for (const { fd } of events) shown.add(fd);
  }
  t.is(shown.size, 10);
});

test('what does not fit into the batch comes with the next waits, edge-triggered once each', (t) => {
  const epoll = newEpoll(t);
  const ready = Array.from({ length: 10 }, () => newEventFd(t, 1));
  for (const eventFd of ready) epoll.add(eventFd, EPOLLIN | EPOLLET);
  const events = new EpollEvents(3);
  const shown: number[] = [];
  while (epoll.wait(events, 0) > 0) shown.push(...[...events].map(({ fd }) => fd));
  t.deepEqual(
    shown.sort((a, b) => a - b),
    ready.map(({ fd }) => fd).sort((a, b) => a - b),
  );
});

test('exclusive registrations of one descriptor report in at least one of the sets', (t) => {
  const sets = [newEpoll(t), newEpoll(t)];
  const { reader, writer } = pipePair(t);
  for (const epoll of sets) epoll.add(reader, EPOLLIN | EPOLLEXCLUSIVE);
  t.deepEqual(
    sets.map((epoll) => conditionsOf(epoll, reader)),
    ['-', '-'],
  );
  writer.write(bytes);
  t.true(sets.some((epoll) => conditionsOf(epoll, reader) === 'IN'));
});

for (const [name, mask] of [
  ['EPOLLONESHOT', EPOLLIN | EPOLLONESHOT],
  ['EPOLLRDHUP', EPOLLIN | EPOLLRDHUP],
  ['EPOLLPRI', EPOLLIN | EPOLLPRI],
] as const) {
  test(`EPOLLEXCLUSIVE does not go with ${name}: EINVAL, and nothing is registered`, (t) => {
    const epoll = newEpoll(t);
    const [left] = unixPair(t);
    t.throws(
      () => {
        epoll.add(left, (mask | EPOLLEXCLUSIVE) >>> 0);
      },
      { code: 'EINVAL' },
    );
    t.is(epoll.size, 0);
    t.false(epoll.has(left));
  });
}

test('EPOLLEXCLUSIVE goes with EPOLLET, and is never to be modified', (t) => {
  const epoll = newEpoll(t);
  const [left, right] = unixPair(t);
  const mask = (EPOLLIN | EPOLLET | EPOLLEXCLUSIVE) >>> 0;
  epoll.add(left, mask);
  t.throws(
    () => {
      epoll.modify(left, EPOLLIN);
    },
    { code: 'EINVAL' },
  );
  t.is(epoll.get(left)?.events, mask);
  right.write(bytes);
  t.is(conditionsOf(epoll, left), 'IN');
  t.is(conditionsOf(epoll, left), '-');
});

test('modify to EPOLLEXCLUSIVE is EINVAL and leaves the registration', (t) => {
  const epoll = newEpoll(t);
  const eventFd = newEventFd(t);
  epoll.add(eventFd, EPOLLIN);
  t.throws(
    () => {
      epoll.modify(eventFd, EPOLLIN | EPOLLEXCLUSIVE);
    },
    { code: 'EINVAL' },
  );
  t.is(epoll.get(eventFd)?.events, EPOLLIN);
});

test('a set in a set is readable while the inner one has something to report', (t) => {
  const outer = newEpoll(t);
  const inner = newEpoll(t);
  const eventFd = newEventFd(t);
  inner.add(eventFd, EPOLLIN);
  outer.add(inner, EPOLLIN);
  t.is(conditionsOf(outer, inner), '-');
  eventFd.write();
  t.is(conditionsOf(outer, inner), 'IN');
  t.is(conditionsOf(outer, inner), 'IN');
  t.is(conditionsOf(inner, eventFd), 'IN');
  eventFd.read();
  t.is(conditionsOf(outer, inner), '-');
});

test('an inner set that has reported an edge is no longer readable', (t) => {
  const outer = newEpoll(t);
  const inner = newEpoll(t);
  const eventFd = newEventFd(t, 1);
  inner.add(eventFd, EPOLLIN | EPOLLET);
  outer.add(inner, EPOLLIN);
  t.is(conditionsOf(outer, inner), 'IN');
  t.is(conditionsOf(inner, eventFd), 'IN');
  t.is(conditionsOf(outer, inner), '-');
});

test('a closed inner set leaves the outer one', (t) => {
  const outer = newEpoll(t);
  const inner = newEpoll(t);
  const eventFd = newEventFd(t, 1);
  inner.add(eventFd, EPOLLIN);
  outer.add(inner, EPOLLIN);
  inner.close();
  t.is(outer.size, 0);
  t.is(reportedNow(outer).size, 0);
});

test('sets nest until ELOOP, and a cycle is ELOOP at once', (t) => {
  const innermost = newEpoll(t);
  let outermost = innermost;
  let depth = 1;
  const refused = t.throws(() => {
    for (; depth < 20; depth++) {
      const outer = newEpoll(t);
      outer.add(outermost, EPOLLIN);
      outermost = outer;
    }
  });
  t.is((refused as NodeJS.ErrnoException).code, 'ELOOP');
  t.true(depth >= 4, `refused at ${depth}`);

  const [a, b] = [newEpoll(t), newEpoll(t)];
  a.add(b, EPOLLIN);
  t.throws(
    () => {
      b.add(a, EPOLLIN);
    },
    { code: 'ELOOP' },
  );
  t.is(b.size, 0);
});

test('EPOLLERR and EPOLLHUP come without being asked for', (t) => {
  const epoll = newEpoll(t);
  const hungUp = pipePair(t);
  const broken = pipePair(t);
  hungUp.writer.close();
  broken.reader.close();
  epoll.add(hungUp.reader, 0);
  epoll.add(broken.writer, 0);
  t.is(conditionsOf(epoll, hungUp.reader), 'HUP');
  t.is(conditionsOf(epoll, broken.writer), 'ERR');
  t.is(epoll.get(hungUp.reader)?.events, 0);
});

test('masks are taken as int32 or uint32 and shown as uint32', (t) => {
  const epoll = newEpoll(t);
  const eventFd = newEventFd(t, 1);
  epoll.add(eventFd, EPOLLIN | EPOLLET); // Bit 31: a negative number in JavaScript.
  t.is(epoll.get(eventFd)?.events, 0x8000_0001);
  epoll.modify(eventFd, 0x8000_0001);
  t.is(epoll.get(eventFd)?.events, 0x8000_0001);
  t.is(conditionsOf(epoll, eventFd), 'IN');
});

test('one descriptor in two sets reports to both, each in its own mode', (t) => {
  const level = newEpoll(t);
  const edge = newEpoll(t);
  const eventFd = newEventFd(t);
  level.add(eventFd, EPOLLIN);
  edge.add(eventFd, EPOLLIN | EPOLLET);
  eventFd.write();
  t.is(conditionsOf(level, eventFd), 'IN');
  t.is(conditionsOf(edge, eventFd), 'IN');
  t.is(conditionsOf(level, eventFd), 'IN');
  t.is(conditionsOf(edge, eventFd), '-');
  level.delete(eventFd);
  eventFd.write();
  t.is(conditionsOf(edge, eventFd), 'IN');
});

test('two numbers of one description are two registrations with data of their own', (t) => {
  const epoll = newEpoll<string>(t);
  const eventFd = newEventFd(t, 1);
  const duplicate = dup(eventFd.fd);
  epoll.add(eventFd, EPOLLIN, 'original');
  epoll.add(duplicate, EPOLLIN, 'duplicate');
  const events = new EpollEvents<string>();
  t.is(epoll.wait(events, 0), 2);
  t.deepEqual(
    new Map([...events].map(({ fd, data }) => [fd, data])),
    new Map([
      [eventFd.fd, 'original'],
      [duplicate, 'duplicate'],
    ]),
  );
  epoll.delete(duplicate);
  t.is(close(duplicate), 0);
  t.deepEqual([...reportedNow(epoll)], [[eventFd.fd, 'IN']]);
});

test('an event that was asked for never carries a condition that was not', (t) => {
  const epoll = newEpoll(t);
  const [left, right] = unixPair(t);
  epoll.add(left, EPOLLOUT);
  right.write(bytes);
  right.shutdown('write');
  t.is(conditionsOf(epoll, left), 'OUT');
  right.close();
  const events = new EpollEvents();
  epoll.wait(events, 0);
  t.is(events.events(0) & ~(EPOLLOUT | EPOLLERR | EPOLLHUP), 0);
});

test('a set leaves nothing behind after `using`', (t) => {
  const eventFd = newEventFd(t, 1);
  let kept: Epoll;
  {
    using epoll = new Epoll();
    kept = closing(t, epoll);
    epoll.add(eventFd, EPOLLIN);
    t.is(conditionsOf(epoll, eventFd), 'IN');
  }
  t.true(kept.closed);
  t.is(kept.fd, -1);
  t.is(eventFd.read(), 1n);
});

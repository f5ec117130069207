import {
  EventFd,
  type Poller,
  PollerEvents,
  READABLE,
  type UnixStream,
  WRITABLE,
} from '../../../ts/index.js';
import { close, dup3 } from '../../../ts/sys/index.js';
import { closing } from '../../support/pairs.js';
import { type Case, group, inModes, needing } from '../case.js';
import type { Kit } from '../kit.js';

const both = READABLE | WRITABLE;

/** A batch with an event of each of three counters, in the order in which they are answered. */
function three(k: Kit): {
  poller: Poller<string>;
  events: PollerEvents<string>;
  counters: EventFd[];
} {
  const poller = k.open<string>();
  const events = new PollerEvents<string>();
  const counters = Array.from({ length: 3 }, () => new EventFd({ initialValue: 1 }));
  for (const counter of counters) {
    closing(k.t, counter);
    k.add(poller, counter, READABLE, `data of ${counter.fd}`);
  }
  k.t.is(poller.wait(events, 0), 3);
  const order = [0, 1, 2].map((i) => events.fd(i));
  counters.sort((a, b) => order.indexOf(a.fd) - order.indexOf(b.fd));
  return { poller, events, counters };
}

/** Event `i` says nothing any more. */
function isStale(k: Kit, events: PollerEvents, i: number): void {
  k.t.is(events.fd(i), -1);
  k.t.is(events.data(i), undefined);
  k.t.false(events.readable(i) || events.writable(i) || events.priority(i));
  k.t.false(events.error(i) || events.hangup(i) || events.readClosed(i));
}

/** Event `i` is that of the counter. */
function isFresh(k: Kit, events: PollerEvents<string>, i: number, { fd }: EventFd): void {
  k.t.is(events.fd(i), fd);
  k.t.is(events.data(i), `data of ${fd}`);
  k.t.true(events.readable(i));
}

/** A batch with one event of a socket that shows both. */
function one(k: Kit): { poller: Poller<string>; events: PollerEvents<string>; left: UnixStream } {
  const poller = k.open<string>();
  const events = new PollerEvents<string>();
  const [left, right] = k.pair();
  right.write(new Uint8Array(1));
  poller.add(left, both, { data: 'old' });
  k.t.is(poller.wait(events, 0), 1);
  return { poller, events, left };
}

export const stale: readonly Case[] = group('stale', {
  'delete makes the event stale, and only that one': inModes((k) => {
    const { poller, events, counters } = three(k);
    poller.delete(counters[1]!);
    isFresh(k, events, 0, counters[0]!);
    isStale(k, events, 1);
    isFresh(k, events, 2, counters[2]!);
  }),
  'delete and add again: the event does not reach the successor': inModes((k) => {
    const { poller, events, counters } = three(k);
    poller.delete(counters[1]!);
    k.add(poller, counters[1]!, READABLE, 'new');
    isStale(k, events, 1);
    k.t.is(poller.get(counters[1]!)?.data, 'new');
  }),
  'close of the object makes its event stale': inModes((k) => {
    const { poller, events, counters } = three(k);
    counters[2]!.close();
    isStale(k, events, 2);
    k.t.is(poller.size, 2);
  }),
  'release of the object makes its event stale': inModes((k) => {
    const { poller, events, counters } = three(k);
    const fd = counters[0]!.release();
    isStale(k, events, 0);
    k.t.false(poller.has(fd));
    k.t.is(close(fd), 0);
  }),
  'close, reuse of the number and add: the event does not reach the successor': inModes((k) => {
    const { poller, events, counters } = three(k);
    const { fd } = counters[1]!;
    counters[1]!.close();
    const successor = k.eventFd(1);
    k.t.is(successor.fd, fd);
    k.add(poller, successor, READABLE, 'successor');
    isStale(k, events, 1);
    const again = new PollerEvents<string>();
    poller.wait(again, 0);
    k.t.true([...again].some((event) => event.fd === fd && event.data === 'successor'));
  }),
  'a number that another file took over behind the back, added again, is a successor': needing(
    ['remembers'],
    (k) => {
      const { poller, events, counters } = three(k);
      const { fd } = counters[1]!;
      k.t.is(dup3(k.eventFd(1).fd, fd, 0), fd);
      poller.add(fd, READABLE, { data: 'successor' });
      isStale(k, events, 1);
    },
  ),
  'modify that narrows cuts the event to what is asked for now': (k) => {
    const { poller, events, left } = one(k);
    k.t.true(events.readable(0) && events.writable(0));
    poller.modify(left, WRITABLE);
    k.t.false(events.readable(0));
    k.t.true(events.writable(0));
    poller.modify(left, READABLE);
    k.t.true(events.readable(0));
    k.t.false(events.writable(0));
  },
  'modify to nothing leaves an event that says nothing, and iteration skips it': (k) => {
    const { poller, events, left } = one(k);
    poller.modify(left, 0);
    k.t.is(events.fd(0), left.fd);
    k.t.false(events.readable(0) || events.writable(0));
    k.t.deepEqual([...events], []);
  },
  'modify that widens adds nothing to an event that was fetched before': (k) => {
    const poller = k.open();
    const events = new PollerEvents();
    const [left, right] = k.pair();
    right.write(new Uint8Array(1));
    poller.add(left, WRITABLE);
    poller.wait(events, 0);
    poller.modify(left, both);
    k.t.true(events.writable(0));
    k.t.false(events.readable(0));
    k.t.is(k.ready(poller, left), 'RW');
  },
  'modify that widens adds nothing at the end of a stream either': (k) => {
    const poller = k.open();
    const events = new PollerEvents();
    const [left, right] = k.pair();
    right.close();
    poller.add(left, WRITABLE);
    k.t.is(poller.wait(events, 0), 1);
    poller.modify(left, both);
    k.t.false(events.readable(0));
    k.t.is(k.ready(poller, left), 'RW');
  },
  'modify shows its data in an event that was fetched before': (k) => {
    const { poller, events, left } = one(k);
    poller.modify(left, both, { data: 'new' });
    k.t.is(events.data(0), 'new');
  },
  'a hang-up stays in the event whatever modify asks for': needing(['hangup'], (k) => {
    const poller = k.open();
    const events = new PollerEvents();
    const [left, right] = k.pair();
    right.close();
    poller.add(left, both);
    poller.wait(events, 0);
    k.t.true(events.hangup(0));
    poller.modify(left, 0);
    k.t.true(events.hangup(0));
    k.t.false(events.readable(0) || events.readClosed(0));
  }),
  'iteration judges each event when it comes to it': (k) => {
    const { poller, events, counters } = three(k);
    const seen: number[] = [];
    for (const { fd } of events) {
      seen.push(fd);
      if (seen.length === 1) poller.delete(counters[1]!);
    }
    k.t.deepEqual(seen, [counters[0]!.fd, counters[2]!.fd]);
  },
  'a handler may delete all of the others': inModes((k) => {
    const { poller, events, counters } = three(k);
    for (const { fd } of events) {
      for (const counter of counters) if (counter.fd !== fd) poller.delete(counter);
    }
    k.t.is(poller.size, 1);
    isStale(k, events, 1);
    isStale(k, events, 2);
  }),
  'a handler may close its own descriptor': inModes((k) => {
    const { poller, events, counters } = three(k);
    let handled = 0;
    for (const { fd } of events) {
      counters.find((counter) => counter.fd === fd)?.close();
      handled++;
    }
    k.t.is(handled, 3);
    k.t.is(poller.size, 0);
    k.t.deepEqual(k.all(poller), []);
  }),
  'what a handler adds comes with the next wait, not in this batch': (k) => {
    const { poller, events } = three(k);
    const added = k.eventFd(1);
    let seen = 0;
    for (const { fd } of events) {
      k.t.not(fd, added.fd);
      if (seen++ === 0) poller.add(added, READABLE);
    }
    k.t.is(k.ready(poller, added), 'R');
  },
  'a stale event keeps its place: length and the others stay': (k) => {
    const { poller, events, counters } = three(k);
    poller.delete(counters[0]!);
    k.t.is(events.length, 3);
    isFresh(k, events, 1, counters[1]!);
    k.t.is([...events].length, 2);
  },
  'close of the poller makes every event stale': inModes((k) => {
    const { poller, events } = three(k);
    poller.close();
    for (const i of [0, 1, 2]) isStale(k, events, i);
    k.t.deepEqual([...events], []);
  }),
  'a handler may close the poller: iteration ends': (k) => {
    const { poller, events } = three(k);
    let handled = 0;
    for (const event of events) {
      k.t.truthy(event);
      handled++;
      poller.close();
    }
    k.t.is(handled, 1);
  },
  'a nested wait into another batch leaves the first as it was': (k) => {
    const { poller, events, counters } = three(k);
    for (const event of events) {
      k.t.true(event.readable);
      k.t.is(poller.wait(new PollerEvents(), 0), 3);
    }
    isFresh(k, events, 2, counters[2]!);
  },
  'an event may say what is no longer so: spurious is not stale': (k) => {
    const { events, counters } = three(k);
    counters[0]!.read();
    isFresh(k, events, 0, counters[0]!);
  },
});

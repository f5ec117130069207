import { PollerEvents, READABLE, WRITABLE } from '../../../ts/index.js';
import { type Case, group, inModes } from '../case.js';

export const batch: readonly Case[] = group('batch', {
  'before any wait it is empty': (k) => {
    const events = new PollerEvents();
    k.t.is(events.length, 0);
    k.t.deepEqual([...events], []);
  },
  'its capacity is what was asked for, 1,024 by default': (k) => {
    k.t.is(new PollerEvents().capacity, 1024);
    k.t.is(new PollerEvents(1).capacity, 1);
    k.t.is(new PollerEvents(65_536).capacity, 65_536);
  },
  'a capacity that is none is ERR_OUT_OF_RANGE or ERR_INVALID_ARG_TYPE': (k) => {
    for (const capacity of [0, -1, 65_537, 1.5, Number.NaN, Infinity]) {
      k.refused('ERR_OUT_OF_RANGE', () => new PollerEvents(capacity));
    }
    for (const capacity of [null, '1', 1n, {}]) {
      k.refused('ERR_INVALID_ARG_TYPE', () => new PollerEvents(capacity as never));
    }
  },
  'wait answers its length': inModes((k) => {
    const poller = k.open();
    const events = new PollerEvents(8);
    for (let i = 0; i < 3; i++) k.add(poller, k.eventFd(1), READABLE);
    k.t.is(poller.wait(events, 0), 3);
    k.t.is(events.length, 3);
  }),
  'a wait brings no more than fit': inModes((k) => {
    const poller = k.open();
    for (let i = 0; i < 9; i++) k.add(poller, k.eventFd(1), READABLE);
    for (const capacity of [1, 2, 3]) {
      k.t.is(poller.wait(new PollerEvents(capacity), 0), capacity);
    }
  }),
  'a wait that brings nothing empties it': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    const events = new PollerEvents();
    poller.add(eventFd, READABLE);
    k.t.is(poller.wait(events, 0), 1);
    eventFd.read();
    k.t.is(poller.wait(events, 0), 0);
    k.t.is(events.length, 0);
    k.refused('ERR_OUT_OF_RANGE', () => events.fd(0));
  },
  'each wait overwrites it from event 0': (k) => {
    const poller = k.open<string>();
    const events = new PollerEvents<string>();
    const [first, second] = [k.eventFd(1), k.eventFd()];
    poller.add(first, READABLE, { data: 'first' });
    poller.add(second, READABLE, { data: 'second' });
    poller.wait(events, 0);
    k.t.is(events.data(0), 'first');
    first.read();
    second.write();
    poller.wait(events, 0);
    k.t.is(events.data(0), 'second');
  },
  'each registration is in it once': inModes((k) => {
    const poller = k.open();
    const events = new PollerEvents();
    for (let i = 0; i < 30; i++) {
      const [left, right] = k.pair();
      right.write(new Uint8Array(3));
      k.add(poller, left, READABLE | WRITABLE);
    }
    poller.wait(events, 0);
    const fds = [...events].map(({ fd }) => fd);
    k.t.is(fds.length, 30);
    k.t.is(new Set(fds).size, 30);
  }),
  'it may serve two pollers in turn': (k) => {
    const [one, other] = [k.open<string>(), k.open<string>()];
    const events = new PollerEvents<string>();
    one.add(k.eventFd(1), READABLE, { data: 'one' });
    other.add(k.eventFd(1), READABLE, { data: 'other' });
    for (const [poller, name] of [
      [one, 'one'],
      [other, 'other'],
      [one, 'one'],
    ] as const) {
      k.t.is(poller.wait(events, 0), 1);
      k.t.is(events.data(0), name);
    }
  },
  'two batches of one poller are independent': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    const [before, after] = [new PollerEvents(), new PollerEvents()];
    poller.add(eventFd, READABLE);
    poller.wait(before, 0);
    eventFd.read();
    poller.wait(after, 0);
    k.t.deepEqual([before.length, after.length], [1, 0]);
    k.t.true(before.readable(0));
  },
  'an index outside of it is ERR_OUT_OF_RANGE, no number ERR_INVALID_ARG_TYPE': (k) => {
    const poller = k.open();
    const events = new PollerEvents();
    poller.add(k.eventFd(1), READABLE);
    poller.wait(events, 0);
    const looks = [
      'fd',
      'data',
      'readable',
      'writable',
      'priority',
      'error',
      'hangup',
      'readClosed',
    ];
    for (const look of looks as 'fd'[]) {
      for (const i of [-1, 1, 0.5, Number.NaN, 2 ** 32]) {
        k.refused('ERR_OUT_OF_RANGE', () => events[look](i));
      }
      for (const i of [undefined, null, '0', 0n]) {
        k.refused('ERR_INVALID_ARG_TYPE', () => events[look](i as never));
      }
    }
  },
  'iteration gives what the methods give': (k) => {
    const poller = k.open<number>();
    const events = new PollerEvents<number>();
    for (let i = 0; i < 5; i++) {
      const [left, right] = k.pair();
      if (i % 2) right.close();
      poller.add(left, READABLE | WRITABLE, { data: i });
    }
    poller.wait(events, 0);
    const byMethods = Array.from({ length: events.length }, (_, i) => ({
      ...{ fd: events.fd(i), data: events.data(i), readable: events.readable(i) },
      ...{ writable: events.writable(i), priority: events.priority(i), error: events.error(i) },
      ...{ hangup: events.hangup(i), readClosed: events.readClosed(i) },
    }));
    k.t.is(byMethods.length, 5);
    k.t.deepEqual([...events], byMethods);
  },
  'methods on what is no batch throw a TypeError': (k) => {
    const { fd } = PollerEvents.prototype;
    for (const receiver of [undefined, {}, Object.create(PollerEvents.prototype)]) {
      k.t.throws(() => fd.call(receiver as never, 0), { instanceOf: TypeError });
    }
  },
});

import { type Poller, PollerEvents, READABLE, WRITABLE } from '../../../ts/index.js';
import { read } from '../../../ts/sys/index.js';
import { type Case, group, inModes, needing } from '../case.js';
import { fill } from '../kit.js';

const byte = new Uint8Array(1);
const EDGES = ['edge', 'edgeOneshot'] as const;
const ONE_SHOTS = ['oneshot', 'edgeOneshot'] as const;
const both = READABLE | WRITABLE;

/** Waits `rounds` times with room for one event; answers how often each descriptor was shown. */
function oneByOne(poller: Poller, rounds: number): Map<number, number> {
  const one = new PollerEvents(1);
  const shown = new Map<number, number>();
  for (let i = 0; i < rounds; i++) {
    if (poller.wait(one, 0) === 1) shown.set(one.fd(0), (shown.get(one.fd(0)) ?? 0) + 1);
  }
  return shown;
}

const level = group('level', {
  'reports with every wait for as long as the condition holds': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    poller.add(eventFd, READABLE);
    for (let i = 0; i < 5; i++) k.t.is(k.ready(poller, eventFd), 'R');
    eventFd.read();
    k.t.is(k.ready(poller, eventFd), '-');
    eventFd.write();
    k.t.is(k.ready(poller, eventFd), 'R');
  },
  'what is left after a read is reported again': (k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    poller.add(left, READABLE);
    right.write(new Uint8Array(10));
    left.read(new Uint8Array(4));
    k.t.is(k.ready(poller, left), 'R');
    left.read(new Uint8Array(10));
    k.t.is(k.ready(poller, left), '-');
  },
  'an edge elsewhere does not matter: three waits, three reports each': (k) => {
    const poller = k.open();
    const eventFds = [k.eventFd(1), k.eventFd(1), k.eventFd()];
    for (const eventFd of eventFds) poller.add(eventFd, READABLE);
    for (let i = 0; i < 3; i++) k.t.is(k.all(poller).length, 2);
  },
  'with too small a batch all are shown in turn': (k) => {
    const poller = k.open();
    const eventFds = Array.from({ length: 7 }, () => k.eventFd(1));
    for (const eventFd of eventFds) poller.add(eventFd, READABLE);
    const shown = oneByOne(poller, 21);
    for (const { fd } of eventFds) k.t.true((shown.get(fd) ?? 0) >= 1, `fd ${fd}`);
  },
  'one that is always ready does not starve one that comes and goes': (k) => {
    const poller = k.open();
    const [busy, rare] = [k.eventFd(1), k.eventFd()];
    poller.add(busy, READABLE);
    poller.add(rare, READABLE);
    for (let i = 0; i < 5; i++) {
      rare.write();
      k.t.true(oneByOne(poller, 4).has(rare.fd));
      rare.read();
    }
  },
});

const edge = group('edge', {
  'reports once for each arrival, drained or not': inModes(
    (k) => {
      const poller = k.open();
      const [left, right] = k.pair();
      poller.add(left, READABLE, { mode: 'edge' });
      for (let i = 0; i < 3; i++) {
        right.write(byte);
        k.t.is(k.ready(poller, left), 'R');
        k.t.is(k.ready(poller, left), '-');
      }
    },
    ['edge'],
  ),
  'what was there before add is reported once': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    k.add(poller, eventFd, READABLE);
    k.t.is(k.ready(poller, eventFd), 'R');
    k.t.is(k.ready(poller, eventFd), '-');
  }, EDGES),
  'arrivals between two waits become one event': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    k.add(poller, left, READABLE);
    for (let i = 0; i < 5; i++) right.write(byte);
    k.t.is(k.all(poller).length, 1);
    k.t.is(k.all(poller).length, 0);
  }, EDGES),
  'an arrival that was read before the wait is not reported': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    k.add(poller, left, READABLE);
    right.write(byte);
    left.read(byte);
    k.t.is(k.ready(poller, left), '-');
  }, EDGES),
  'reading half is no new edge': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    k.add(poller, left, READABLE);
    right.write(new Uint8Array(10));
    k.t.is(k.ready(poller, left), 'R');
    left.read(new Uint8Array(3));
    k.t.is(k.ready(poller, left), '-');
  }, EDGES),
  'modify reports the edge anew while the condition holds': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    k.add(poller, eventFd, READABLE);
    k.t.is(k.ready(poller, eventFd), 'R');
    for (let i = 0; i < 3; i++) {
      poller.modify(eventFd, READABLE);
      k.t.is(k.ready(poller, eventFd), 'R');
      k.t.is(k.ready(poller, eventFd), '-');
    }
    eventFd.read();
    poller.modify(eventFd, READABLE);
    k.t.is(k.ready(poller, eventFd), '-');
  }, EDGES),
  'room to write is reported when it is made, not while it lasts': inModes(
    (k) => {
      const poller = k.open();
      const { reader, writer } = k.pipe();
      poller.add(writer, WRITABLE, { mode: 'edge' });
      k.t.is(k.ready(poller, writer), 'W');
      k.t.is(k.ready(poller, writer), '-');
      fill(writer.fd);
      k.t.is(k.ready(poller, writer), '-');
      const sink = new Uint8Array(65_536);
      while (read(reader.fd, sink, 0, sink.length) > 0);
      k.t.is(k.ready(poller, writer), 'W');
      k.t.is(k.ready(poller, writer), '-');
    },
    ['edge'],
  ),
  'what does not fit into the batch is not lost, and shown once': inModes((k) => {
    const poller = k.open();
    const eventFds = Array.from({ length: 7 }, () => k.eventFd(1));
    for (const eventFd of eventFds) k.add(poller, eventFd, READABLE);
    const shown = oneByOne(poller, 21);
    for (const { fd } of eventFds) k.t.is(shown.get(fd), 1);
  }, EDGES),
  'the end of the stream is an edge': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    k.add(poller, left, READABLE);
    k.t.is(k.ready(poller, left), '-');
    right.close();
    k.t.is(k.ready(poller, left), 'R');
    k.t.is(k.ready(poller, left), '-');
  }, EDGES),
  'a wake takes no edge with it': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    k.add(poller, eventFd, READABLE);
    eventFd.write();
    poller.wake();
    k.t.is(k.ready(poller, eventFd), 'R');
    poller.wake();
    k.t.is(k.ready(poller, eventFd), '-');
  }, EDGES),
  'an edge that was shown in another poller is shown here too': inModes((k) => {
    const [one, other] = [k.open(), k.open()];
    const eventFd = k.eventFd();
    k.add(one, eventFd, READABLE);
    k.add(other, eventFd, READABLE);
    eventFd.write();
    k.t.is(k.ready(one, eventFd), 'R');
    k.t.is(k.ready(one, eventFd), '-');
    k.t.is(k.ready(other, eventFd), 'R');
  }, EDGES),
  'level beside edge: each keeps its own way': needing(['edge'], (k) => {
    const poller = k.open();
    const [levelled, edged] = [k.eventFd(1), k.eventFd(1)];
    poller.add(levelled, READABLE);
    poller.add(edged, READABLE, { mode: 'edge' });
    k.t.is(k.all(poller).length, 2);
    k.t.deepEqual(k.all(poller), [`${levelled.fd}:R`]);
  }),
});

const oneshot = group('oneshot', {
  'reports once, then stays silent while the condition holds': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    k.add(poller, eventFd, READABLE);
    k.t.is(k.ready(poller, eventFd), 'R');
    for (let i = 0; i < 3; i++) k.t.is(k.ready(poller, eventFd), '-');
  }, ONE_SHOTS),
  'a fired one stays registered': inModes((k) => {
    const poller = k.open<string>();
    const eventFd = k.eventFd(1);
    k.add(poller, eventFd, READABLE, 'kept');
    k.t.is(k.ready(poller, eventFd), 'R');
    k.t.true(poller.has(eventFd));
    k.t.is(poller.size, 1);
    k.t.deepEqual(poller.get(eventFd), {
      ...{ fd: eventFd.fd, interest: READABLE, mode: k.mode, exclusive: false, data: 'kept' },
    });
  }, ONE_SHOTS),
  'a fired one says nothing of new arrivals': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    k.add(poller, left, READABLE);
    right.write(byte);
    k.t.is(k.ready(poller, left), 'R');
    left.read(byte);
    right.write(byte);
    k.t.is(k.ready(poller, left), '-');
  }, ONE_SHOTS),
  'a fired one says nothing of a hang-up': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    k.add(poller, left, READABLE);
    right.write(byte);
    k.t.is(k.ready(poller, left), 'R');
    right.close();
    k.t.is(k.full(poller, left), '-');
  }, ONE_SHOTS),
  'modify enables it, and what is there is reported at once': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    k.add(poller, eventFd, READABLE);
    for (let i = 0; i < 3; i++) {
      k.t.is(k.ready(poller, eventFd), 'R');
      k.t.is(k.ready(poller, eventFd), '-');
      poller.modify(eventFd, READABLE);
    }
  }, ONE_SHOTS),
  'modify enables it for what is still to come': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    k.add(poller, left, READABLE);
    right.write(byte);
    k.t.is(k.ready(poller, left), 'R');
    left.read(byte);
    poller.modify(left, READABLE);
    k.t.is(k.ready(poller, left), '-');
    right.write(byte);
    k.t.is(k.ready(poller, left), 'R');
  }, ONE_SHOTS),
  'modify enables it for another interest': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    k.add(poller, left, READABLE);
    right.write(byte);
    k.t.is(k.ready(poller, left), 'R');
    poller.modify(left, WRITABLE);
    k.t.is(k.ready(poller, left), 'W');
    k.t.is(k.ready(poller, left), '-');
  }, ONE_SHOTS),
  'modify to level ends the one-shot': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    k.add(poller, eventFd, READABLE);
    k.t.is(k.ready(poller, eventFd), 'R');
    poller.modify(eventFd, READABLE, { mode: 'level' });
    for (let i = 0; i < 3; i++) k.t.is(k.ready(poller, eventFd), 'R');
  }, ONE_SHOTS),
  'with two interests it fires once, with both when both hold': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    right.write(byte);
    k.add(poller, left, both);
    k.t.is(k.ready(poller, left), 'RW');
    k.t.is(k.ready(poller, left), '-');
  }, ONE_SHOTS),
  'one interest that fires disables the other': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    k.add(poller, left, both);
    k.t.is(k.ready(poller, left), 'W');
    right.write(byte);
    k.t.is(k.ready(poller, left), '-');
    poller.modify(left, both);
    k.t.is(k.ready(poller, left), 'RW');
  }, ONE_SHOTS),
  'one that found no room in the batch has not fired': inModes((k) => {
    const poller = k.open();
    const eventFds = Array.from({ length: 5 }, () => k.eventFd(1));
    for (const eventFd of eventFds) k.add(poller, eventFd, READABLE);
    const shown = oneByOne(poller, 15);
    for (const { fd } of eventFds) k.t.is(shown.get(fd), 1);
  }, ONE_SHOTS),
  'a fired one is deleted like any other': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    k.add(poller, eventFd, READABLE);
    k.t.is(k.ready(poller, eventFd), 'R');
    poller.delete(eventFd);
    k.t.is(poller.size, 0);
    k.add(poller, eventFd, READABLE);
    k.t.is(k.ready(poller, eventFd), 'R');
  }, ONE_SHOTS),
  'adding a fired one is EEXIST and does not enable it': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    k.add(poller, eventFd, READABLE);
    k.t.is(k.ready(poller, eventFd), 'R');
    k.refused('EEXIST', () => {
      k.add(poller, eventFd, READABLE);
    });
    k.t.is(k.ready(poller, eventFd), '-');
  }, ONE_SHOTS),
  'firing one leaves the others': inModes((k) => {
    const poller = k.open();
    const [first, second] = [k.eventFd(1), k.eventFd()];
    k.add(poller, first, READABLE);
    k.add(poller, second, READABLE);
    k.t.deepEqual(k.all(poller), [`${first.fd}:R`]);
    second.write();
    k.t.deepEqual(k.all(poller), [`${second.fd}:R`]);
    k.t.deepEqual(k.all(poller), []);
  }, ONE_SHOTS),
  'a wait of only fired ones takes its whole time': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    k.add(poller, eventFd, READABLE);
    k.t.is(k.ready(poller, eventFd), 'R');
    const { count, ms } = k.timed(poller, 20);
    k.t.is(count, 0);
    k.t.true(ms >= 20);
  }, ONE_SHOTS),
  'a wake does not fire it': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    k.add(poller, eventFd, READABLE);
    poller.wake();
    k.t.is(k.timed(poller, 1000).count, 0);
    eventFd.write();
    k.t.is(k.ready(poller, eventFd), 'R');
  }, ONE_SHOTS),
});

export const modes: readonly Case[] = [...level, ...edge, ...oneshot];

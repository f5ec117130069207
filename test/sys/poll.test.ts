import test from 'ava';
import {
  EBADF,
  F_DUPFD_CLOEXEC,
  FD_SETSIZE,
  MSG_OOB,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
  SHUT_WR,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { descriptorLimit } from '../support/kernel-view.js';
import { Descriptors, fill, must, pipe, tcpPair, unixPair } from './support/kernel.js';
import { refuses } from './support/misuse.js';

/** What poll and ppoll say of one descriptor; both must agree. */
function polled(fd: number, events: number): number {
  const fds = new sys.PollFdArray(1);
  fds.set(0, fd, events);
  const count = must(sys.poll(fds, 1, 0));
  const revents = fds.getRevents(0);
  fds.set(0, fd, events);
  if (sys.ppoll(fds, 1, 0) !== count || fds.getRevents(0) !== revents) return Number.NaN;
  return count === (revents === 0 ? 0 : 1) ? revents : Number.NaN;
}

test('poll shows what holds, of what was asked for', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open);
  t.is(polled(a, POLLIN | POLLOUT), POLLOUT);
  must(sys.send(b, Buffer.from('x'), 0, 1, 0));
  t.is(polled(a, POLLIN | POLLOUT), POLLIN | POLLOUT);
  t.is(polled(a, POLLIN), POLLIN);
  t.is(polled(a, 0), 0);
  fill(a);
  t.is(polled(a, POLLIN | POLLOUT), POLLIN);
  must(sys.shutdown(b, SHUT_WR));
  t.is(polled(a, POLLRDHUP), POLLRDHUP);
});

test('poll shows urgent data as POLLPRI', (t) => {
  using open = new Descriptors();
  const { client, server } = tcpPair(open);
  t.is(polled(server, POLLPRI), 0);
  must(sys.send(client, Buffer.from('!'), 0, 1, MSG_OOB));
  t.is(polled(server, POLLPRI), POLLPRI);
});

test('poll shows POLLERR, POLLHUP and POLLNVAL without being asked', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open);
  open.close(reader);
  t.is(polled(writer, 0), POLLERR);
  const [otherReader, otherWriter] = pipe(open);
  open.close(otherWriter);
  t.is(polled(otherReader, 0), POLLHUP);
  open.close(otherReader);
  t.is(polled(otherReader, 0), POLLNVAL);
});

test('poll passes over negative descriptors, and clears what they showed before', (t) => {
  using open = new Descriptors();
  const fds = new sys.PollFdArray(3);
  fds.set(1, pipe(open)[1], POLLOUT);
  t.is(sys.poll(fds, 3, 0), 1);
  t.is(fds.getRevents(0), 0);
  t.is(fds.getRevents(1), POLLOUT);
  fds.set(1, -(2 ** 31), POLLOUT);
  t.is(fds.getRevents(1), 0);
  t.is(sys.poll(fds, 3, 0), 0);
});

test('poll looks at the first nfds elements and leaves the others as they were', (t) => {
  using open = new Descriptors();
  const [, writer] = pipe(open);
  const fds = new sys.PollFdArray(4);
  for (let i = 0; i < 4; i++) fds.set(i, writer, POLLOUT);
  t.is(sys.poll(fds, 0, 0), 0);
  t.is(sys.poll(fds, 2, -1), 2);
  t.deepEqual(
    [0, 1, 2, 3].map((i) => fds.getRevents(i)),
    [POLLOUT, POLLOUT, 0, 0],
  );
});

test('PollFdArray has what was set, all bits, as unsigned numbers', (t) => {
  const fds = new sys.PollFdArray(2);
  t.deepEqual([fds.capacity, fds.getFd(1), fds.getEvents(1), fds.getRevents(1)], [2, -1, 0, 0]);
  for (const [fd, events, expected] of [
    [0, 0, 0],
    [2 ** 31 - 1, 0xffff, 0xffff],
    [-(2 ** 31), -0x8000, 0x8000],
    [5, -1, 0xffff],
  ] as const) {
    fds.set(1, fd, events);
    t.deepEqual([fds.getFd(1), fds.getEvents(1), fds.getRevents(1)], [fd, expected, 0]);
  }
  t.is(fds.getFd(0), -1);
});

test('PollFdArray refuses what is no capacity, index, descriptor or mask', (t) => {
  const fds = new sys.PollFdArray(2);
  for (const bad of [-1, 2, 0.5, Number.NaN, 2 ** 32]) {
    refuses(t, () => fds.getFd(bad), 'ERR_OUT_OF_RANGE', 'i');
    refuses(t, () => fds.getEvents(bad), 'ERR_OUT_OF_RANGE', 'i');
    refuses(t, () => fds.getRevents(bad), 'ERR_OUT_OF_RANGE', 'i');
    refuses(
      t,
      () => {
        fds.set(bad, 1, 1);
      },
      'ERR_OUT_OF_RANGE',
      'i',
    );
  }
  for (const bad of [0, -1, 0.5, Number.NaN, Infinity, 2 ** 31]) {
    refuses(t, () => new sys.PollFdArray(bad), 'ERR_OUT_OF_RANGE', 'capacity');
  }
  for (const bad of [0.5, Number.NaN, 2 ** 31]) {
    refuses(
      t,
      () => {
        fds.set(0, bad, 0);
      },
      'ERR_OUT_OF_RANGE',
      'fd',
    );
  }
  for (const bad of [0.5, Number.NaN, 0x10000, -0x8001]) {
    refuses(
      t,
      () => {
        fds.set(0, 0, bad);
      },
      'ERR_OUT_OF_RANGE',
      'events',
    );
  }
  for (const bad of [undefined, null, '0', 0n, {}] as unknown[] as number[]) {
    refuses(t, () => new sys.PollFdArray(bad), 'ERR_INVALID_ARG_TYPE', 'capacity');
    refuses(t, () => fds.getFd(bad), 'ERR_INVALID_ARG_TYPE', 'i');
    refuses(
      t,
      () => {
        fds.set(0, bad, 0);
      },
      'ERR_INVALID_ARG_TYPE',
      'fd',
    );
    refuses(
      t,
      () => {
        fds.set(0, 0, bad);
      },
      'ERR_INVALID_ARG_TYPE',
      'events',
    );
  }
  t.deepEqual([fds.getFd(0), fds.getEvents(0)], [-1, 0]);
});

test('PollFdArray keeps its own length when somebody writes another capacity', (t) => {
  const fds = new sys.PollFdArray(2);
  Object.assign(fds, { capacity: 1_000 });
  refuses(t, () => sys.poll(fds, 3, 0), 'ERR_OUT_OF_RANGE', 'nfds');
  refuses(t, () => fds.getFd(2), 'ERR_OUT_OF_RANGE', 'i');
});

for (const name of ['PollFdArray', 'FdSet'] as const) {
  test(`${name} refuses a wrong receiver`, (t) => {
    const { prototype } = sys[name];
    const methods = Object.getOwnPropertyNames(prototype).filter((key) => key !== 'constructor');
    t.true(methods.length >= 4);
    for (const method of methods) {
      for (const receiver of [undefined, {}, Object.create(prototype) as unknown]) {
        const call = (prototype as unknown as Record<string, (...args: unknown[]) => unknown>)[
          method
        ];
        t.throws(() => call?.call(receiver, 0, 0, 0), { instanceOf: TypeError }, method);
      }
    }
  });
}

/** The numbers below `nfds` that are in a set. */
function members(set: sys.FdSet): number[] {
  return Array.from({ length: FD_SETSIZE }, (_, fd) => fd).filter((fd) => set.isSet(fd));
}

/** Duplicates a descriptor to that number. */
function at(open: Descriptors, fd: number, number: number): number {
  return open.own(sys.dup3(fd, number, 0));
}

test('FdSet holds the descriptors that were set, and no others', (t) => {
  const set = new sys.FdSet();
  const some = [0, 7, 8, 31, 32, 63, 64, 511, FD_SETSIZE - 1];
  for (const fd of some) set.set(fd);
  t.deepEqual(members(set), some);
  set.set(7);
  set.clear(8);
  set.clear(9);
  const copy = new sys.FdSet();
  copy.set(100);
  copy.assign(set);
  set.zero();
  t.deepEqual(members(set), []);
  t.deepEqual(
    members(copy),
    some.filter((fd) => fd !== 8),
  );
});

test('FdSet refuses descriptors of FD_SETSIZE and above, and what is none', (t) => {
  t.is(FD_SETSIZE, 1_024);
  const set = new sys.FdSet();
  for (const method of ['set', 'clear', 'isSet'] as const) {
    for (const fd of [-1, FD_SETSIZE, FD_SETSIZE + 1, 2 ** 31 - 1, 0.5, Number.NaN]) {
      refuses(t, () => set[method](fd), 'ERR_OUT_OF_RANGE', 'fd');
    }
    for (const fd of [undefined, null, '1', 1n, {}] as unknown[] as number[]) {
      refuses(t, () => set[method](fd), 'ERR_INVALID_ARG_TYPE', 'fd');
    }
  }
  for (const other of [undefined, null, {}, [], new Uint8Array(128)] as unknown[] as sys.FdSet[]) {
    refuses(
      t,
      () => {
        set.assign(other);
      },
      'ERR_INVALID_ARG_TYPE',
      'other',
    );
  }
  t.deepEqual(members(set), []);
});

test('select leaves in its sets what is ready, and answers how many bits that are', (t) => {
  using open = new Descriptors();
  const { client, server } = tcpPair(open);
  const [reader, writer] = pipe(open);
  must(sys.send(client, Buffer.from('!'), 0, 1, MSG_OOB));
  const sets = [new sys.FdSet(), new sys.FdSet(), new sys.FdSet()] as const;
  for (const set of sets) for (const fd of [server, reader, writer]) set.set(fd);
  const nfds = Math.max(server, reader, writer) + 1;
  t.is(sys.select(nfds, ...sets, 0), 3);
  t.deepEqual(sets.map(members), [[], [server, writer].sort((a, b) => a - b), [server]]);
});

test('select finds descriptors wherever they are in a set', (t) => {
  using open = new Descriptors();
  const [, writer] = pipe(open);
  for (const number of [500, 511, 512, 567, FD_SETSIZE - 2, FD_SETSIZE - 1]) {
    const fd = at(open, writer, number);
    const set = new sys.FdSet();
    set.set(fd);
    t.is(sys.select(fd + 1, null, set, null, null), 1);
    t.deepEqual(members(set), [fd]);
    open.close(fd);
  }
});

test('a descriptor above FD_SETSIZE is refused by select, and taken by poll', (t) => {
  using open = new Descriptors();
  if (descriptorLimit() <= FD_SETSIZE) {
    t.pass('the limit of descriptors keeps them below FD_SETSIZE');
    return;
  }
  const fd = open.own(sys.fcntl(pipe(open)[1], F_DUPFD_CLOEXEC, FD_SETSIZE));
  t.is(polled(fd, POLLOUT), POLLOUT);
  const set = new sys.FdSet();
  refuses(
    t,
    () => {
      set.set(fd);
    },
    'ERR_OUT_OF_RANGE',
    'fd',
  );
  refuses(t, () => sys.select(fd + 1, null, set, null, 0), 'ERR_OUT_OF_RANGE', 'nfds');
});

test('select passes over what is in a set at nfds and above', (t) => {
  using open = new Descriptors();
  const [, writer] = pipe(open);
  const set = new sys.FdSet();
  set.set(writer);
  set.set(900); // not open
  t.is(sys.select(writer + 1, null, set, null, 0), 1);
  t.true(set.isSet(writer));
});

test('select empties its sets when the time has passed, and keeps them after an error', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open);
  const set = new sys.FdSet();
  set.set(reader);
  t.is(sys.select(reader + 1, set, null, null, 1_000), 0);
  t.deepEqual(members(set), []);
  set.set(reader);
  open.close(reader);
  t.is(sys.select(reader + 1, set, null, null, 0), -EBADF);
  t.deepEqual(members(set), [reader]);
  t.is(sys.select(writer + 1, null, null, null, 0), 0);
});

test('select with one set in three places leaves what the last of them has', (t) => {
  using open = new Descriptors();
  const [, writer] = pipe(open);
  const set = new sys.FdSet();
  set.set(writer);
  t.is(sys.select(writer + 1, set, set, set, 0), 1);
  t.deepEqual(members(set), []);
});

import process from 'node:process';
import test from 'ava';
import {
  EBADF,
  ECONNRESET,
  EINVAL,
  ENOENT,
  ENOSYS,
  EV_ADD,
  EV_CLEAR,
  EV_DELETE,
  EV_DISABLE,
  EV_DISPATCH,
  EV_ENABLE,
  EV_EOF,
  EV_ERROR,
  EV_ONESHOT,
  EV_RECEIPT,
  EVFILT_READ,
  EVFILT_TIMER,
  EVFILT_USER,
  EVFILT_WRITE,
  NOTE_FFCOPY,
  NOTE_FFOR,
  NOTE_NSECONDS,
  NOTE_TRIGGER,
  NOTE_USECONDS,
  POLLIN,
  SHUT_WR,
  SO_LINGER,
  SOL_SOCKET,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import {
  Descriptors,
  fill,
  hasKqueue,
  listener,
  must,
  NOT_OPEN,
  openFiles,
  pipe,
  tcpPair,
  unixPair,
} from './support/kernel.js';
import { refuses } from './support/misuse.js';

const check = hasKqueue ? test : test.skip;
const one = new sys.KeventArray(1);
const events = new sys.KeventArray(8);

/** `[ident, filter, flags, fflags, data, udata]`, each but the first two optional. */
type Change = Parameters<sys.KeventArray['set']> extends [number, ...infer Rest] ? Rest : never;

/** Makes one change; answers as kevent does when there is no room for an event. */
function change(kq: number, ...fields: Change): number {
  one.set(0, ...fields);
  return sys.kevent(kq, one, 1, null, 0, null);
}

interface Seen {
  readonly ident: number;
  readonly filter: number;
  readonly eof: boolean;
  readonly fflags: number;
  readonly data: number;
  readonly udata: bigint;
}

/** What the queue has, without waiting. */
function collect(kq: number, room = 8): Seen[] {
  const count = must(sys.kevent(kq, null, 0, events, room, 0));
  return Array.from({ length: count }, (_, i) => ({
    ident: events.getIdent(i),
    filter: events.getFilter(i),
    eof: (events.getFlags(i) & EV_EOF) !== 0,
    fflags: events.getFflags(i),
    data: events.getData(i),
    udata: events.getUdata(i),
  }));
}

function queue(open: Descriptors): number {
  return open.own(sys.kqueue());
}

function write(fd: number, length = 1): void {
  must(sys.write(fd, new Uint8Array(length), 0, length));
}

(hasKqueue ? test.skip : test)('without a kqueue every call answers -ENOSYS', (t) => {
  t.is(sys.kqueue(), -ENOSYS);
  t.is(sys.kevent(0, one, 1, events, 8, null), -ENOSYS);
  t.is(EV_ADD, 0);
});

// --- the struct -----------------------------------------------------------------------------

test('KeventArray has what was set, all bits', (t) => {
  const array = new sys.KeventArray(2);
  t.is(array.capacity, 2);
  for (const [ident, data] of [
    [0, 0],
    [2 ** 31, -1],
    [2 ** 32 + 7, 2 ** 32 + 9],
    [2 ** 53 - 1, 2 ** 53 - 1],
    [9, -(2 ** 53 - 1)],
    [9, -(2 ** 32)],
  ] as const) {
    array.set(1, ident, -7, 0x8001, 0xc0000001, data, 2 ** 53 - 1);
    t.is(array.getIdent(1), ident);
    t.is(array.getFilter(1), -7);
    t.is(array.getFlags(1), 0x8001);
    t.is(array.getFflags(1), 0xc0000001);
    t.is(array.getData(1), data);
    t.is(array.getUdata(1), 2n ** 53n - 1n);
    array.set(1, BigInt(ident), -7, 0x8001, 0xc0000001, BigInt(data), 2n ** 64n - 1n);
    t.is(array.getIdent(1), ident);
    t.is(array.getData(1), data);
  }
  t.is(array.getUdata(1), 2n ** 64n - 1n);
  array.set(1, 1, 0, -1, -1, 0n, 0x1234_5678_9abc_def0n);
  t.is(array.getFlags(1), 0xffff);
  t.is(array.getFflags(1), 0xffff_ffff);
  t.deepEqual([array.getUdataLow(1), array.getUdataHigh(1)], [0x9abc_def0, 0x1234_5678]);
  t.is(array.getIdent(0), 0);
});

/** Values that a field refuses, and with which code. */
const BAD = {
  ERR_OUT_OF_RANGE: [0.5, Number.NaN, Infinity, 2 ** 53, -(2 ** 53), 2n ** 64n, -(2n ** 64n)],
  ERR_INVALID_ARG_TYPE: [null, '1', true, {}, Symbol.iterator],
} as const;

test('KeventArray refuses what does not fit, and then changes nothing', (t) => {
  const array = new sys.KeventArray(2);
  const names = ['i', 'ident', 'filter', 'flags', 'fflags', 'data', 'udata'];
  const good: unknown[] = [1, 5, -1, 1, 1, 1, 1];
  const set = array.set.bind(array) as (...args: unknown[]) => void;
  for (const [index, name] of names.entries()) {
    for (const [code, values] of Object.entries(BAD)) {
      for (const value of values) {
        const isNarrow = !['ident', 'data', 'udata'].includes(name);
        const expected = isNarrow && typeof value === 'bigint' ? 'ERR_INVALID_ARG_TYPE' : code;
        const call = (): void => {
          set(...good.with(index, value));
        };
        refuses(t, call, expected as keyof typeof BAD, name);
      }
    }
  }
  for (const [index, value] of [
    [0, 2],
    [0, -1],
    [1, -1],
    [1, -1n],
    [2, 2 ** 15],
    [2, -(2 ** 15) - 1],
    [3, 2 ** 16],
    [3, -(2 ** 15) - 1],
    [4, 2 ** 32],
    [5, 2n ** 63n],
    [5, -(2n ** 63n) - 1n],
    [6, -1],
  ] as const) {
    const call = (): void => {
      set(...good.with(index, value));
    };
    refuses(t, call, 'ERR_OUT_OF_RANGE', names[index] ?? '');
  }
  t.is(array.getIdent(1), 0);
  t.is(array.getFilter(1), 0);
});

test('KeventArray refuses what is no capacity, index or receiver', (t) => {
  for (const bad of [0, -1, 0.5, Number.NaN, Infinity, 2 ** 31]) {
    refuses(t, () => new sys.KeventArray(bad), 'ERR_OUT_OF_RANGE', 'capacity');
  }
  const { prototype } = sys.KeventArray;
  const getters = Object.getOwnPropertyNames(prototype).filter((name) => name.startsWith('get'));
  t.is(getters.length, 8);
  for (const name of getters) {
    const getter = (prototype as unknown as Record<string, (i: unknown) => unknown>)[name];
    for (const bad of [-1, 1, 0.5, Number.NaN]) {
      refuses(t, () => getter?.call(one, bad), 'ERR_OUT_OF_RANGE', 'i');
    }
    refuses(t, () => getter?.call(one, '0'), 'ERR_INVALID_ARG_TYPE', 'i');
    for (const receiver of [undefined, {}, Object.create(prototype) as unknown]) {
      t.throws(() => getter?.call(receiver, 0), { instanceOf: TypeError });
    }
  }
});

test('kevent refuses counts for which there is no array', (t) => {
  refuses(t, () => sys.kevent(0, null, 1, null, 0, 0), 'ERR_OUT_OF_RANGE', 'nchanges');
  refuses(t, () => sys.kevent(0, null, 0, null, 1, 0), 'ERR_OUT_OF_RANGE', 'nevents');
  refuses(t, () => sys.kevent(0, one, 2, null, 0, 0), 'ERR_OUT_OF_RANGE', 'nchanges');
  refuses(t, () => sys.kevent(0, null, -1, null, 0, 0), 'ERR_OUT_OF_RANGE', 'nchanges');
});

// --- what is readable and writable ----------------------------------------------------------

check('EVFILT_READ says how many bytes there are, as long as there are any', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const [reader, writer] = pipe(open);
  t.is(change(kq, reader, EVFILT_READ, EV_ADD, 0, 0, 2n ** 64n - 1n), 0);
  t.deepEqual(collect(kq), []);
  write(writer, 5);
  for (let i = 0; i < 3; i++) {
    t.deepEqual(collect(kq), [
      { ident: reader, filter: EVFILT_READ, eof: false, fflags: 0, data: 5, udata: 2n ** 64n - 1n },
    ]);
  }
  must(sys.read(reader, new Uint8Array(8), 0, 8));
  t.deepEqual(collect(kq), []);
});

check('EVFILT_READ of a listener says how many connections wait', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const { fd, port } = listener(open);
  t.is(change(kq, fd, EVFILT_READ, EV_ADD), 0);
  t.deepEqual(collect(kq), []);
  for (const count of [1, 2]) {
    const client = open.own(sys.socket(2, 1, 0));
    must(sys.connect(client, { family: 2, address: '127.0.0.1', port }));
    t.like(collect(kq)[0], { ident: fd, data: count, eof: false });
  }
});

check('EVFILT_WRITE says how much room there is, and nothing while there is none', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const [reader, writer] = pipe(open);
  t.is(change(kq, writer, EVFILT_WRITE, EV_ADD), 0);
  const room = collect(kq)[0]?.data ?? 0;
  t.true(room >= 4_096);
  write(writer, 100);
  t.true((collect(kq)[0]?.data ?? 0) <= room - 100);
  fill(writer);
  t.deepEqual(collect(kq), []);
  must(sys.read(reader, new Uint8Array(1 << 20), 0, 1 << 20));
  t.like(collect(kq)[0], { ident: writer, filter: EVFILT_WRITE });
});

check('one descriptor has a knote to read and another to write, each with its own mode', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const [a, b] = unixPair(open);
  t.is(change(kq, a, EVFILT_READ, EV_ADD, 0, 0, 1), 0);
  t.is(change(kq, a, EVFILT_WRITE, EV_ADD | EV_CLEAR, 0, 0, 2), 0);
  write(b);
  t.deepEqual(
    collect(kq)
      .map(({ udata }) => udata)
      .sort(),
    [1n, 2n],
  );
  t.deepEqual(
    collect(kq).map(({ udata }) => udata),
    [1n],
  );
  t.is(change(kq, a, EVFILT_READ, EV_DELETE), 0);
  t.deepEqual(collect(kq), []);
  t.is(change(kq, a, EVFILT_WRITE, EV_DELETE), 0);
  t.is(change(kq, a, EVFILT_WRITE, EV_DELETE), -ENOENT);
});

check('what does not fit into the events comes with the next call', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const writers = Array.from({ length: 5 }, () => pipe(open)[1]);
  for (const fd of writers) t.is(change(kq, fd, EVFILT_WRITE, EV_ADD | EV_CLEAR), 0);
  const seen = [...collect(kq, 2), ...collect(kq, 2), ...collect(kq, 2)];
  t.deepEqual(
    seen.map(({ ident }) => ident).sort((a, b) => a - b),
    writers.sort((a, b) => a - b),
  );
  t.deepEqual(collect(kq), []);
});

check('EV_EOF comes with the end of the stream, beside what is still to be read', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const { client, server } = tcpPair(open);
  t.is(change(kq, server, EVFILT_READ, EV_ADD), 0);
  write(client, 3);
  must(sys.shutdown(client, SHUT_WR));
  t.deepEqual(collect(kq), [
    { ident: server, filter: EVFILT_READ, eof: true, fflags: 0, data: 3, udata: 0n },
  ]);
});

check('EV_EOF of a reset has the error of the socket, which a read then meets', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const { client, server } = tcpPair(open);
  t.is(change(kq, server, EVFILT_READ, EV_ADD), 0);
  must(sys.setsockopt(client, SOL_SOCKET, SO_LINGER, new Int32Array([1, 0])));
  open.close(client);
  t.like(collect(kq)[0], { eof: true, fflags: ECONNRESET });
  t.is(sys.read(server, new Uint8Array(1), 0, 1), -ECONNRESET);
});

check('EV_EOF of a pipe comes on either end when the other is closed', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const [reader, writer] = pipe(open);
  const [otherReader, otherWriter] = pipe(open);
  t.is(change(kq, reader, EVFILT_READ, EV_ADD), 0);
  t.is(change(kq, otherWriter, EVFILT_WRITE, EV_ADD), 0);
  t.like(collect(kq), { length: 1 });
  open.close(writer);
  open.close(otherReader);
  t.deepEqual(
    collect(kq)
      .map(({ ident, eof }) => [ident, eof])
      .sort(),
    [
      [reader, true],
      [otherWriter, true],
    ].sort(),
  );
});

// --- modes ----------------------------------------------------------------------------------

check('EV_CLEAR reports once for each arrival, drained or not', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const [a, b] = unixPair(open);
  t.is(change(kq, a, EVFILT_READ, EV_ADD | EV_CLEAR), 0);
  for (const length of [1, 2, 3]) {
    write(b);
    t.like(collect(kq)[0], { data: length });
    t.deepEqual(collect(kq), []);
  }
});

check('EV_CLEAR of what is there already does not come by adding again', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const [, writer] = pipe(open);
  t.is(change(kq, writer, EVFILT_WRITE, EV_ADD), 0);
  t.is(change(kq, writer, EVFILT_WRITE, EV_ADD | EV_CLEAR, 0, 0, 5), 0);
  t.like(collect(kq)[0], { udata: 5n });
  t.is(collect(kq).length, 1);
});

check('EV_ONESHOT reports once and is gone', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const [, writer] = pipe(open);
  t.is(change(kq, writer, EVFILT_WRITE, EV_ADD | EV_ONESHOT), 0);
  t.is(collect(kq).length, 1);
  t.deepEqual(collect(kq), []);
  t.is(change(kq, writer, EVFILT_WRITE, EV_DELETE), -ENOENT);
  t.is(change(kq, writer, EVFILT_WRITE, EV_ADD), 0);
  t.is(collect(kq).length, 1);
});

check('EV_DISPATCH reports once until it is enabled again', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const [reader, writer] = pipe(open);
  t.is(change(kq, reader, EVFILT_READ, EV_ADD | EV_DISPATCH, 0, 0, 3), 0);
  write(writer);
  t.is(collect(kq).length, 1);
  open.close(writer);
  t.deepEqual(collect(kq), []);
  t.is(change(kq, reader, EVFILT_READ, EV_ENABLE, 0, 0, 4), 0);
  t.like(collect(kq)[0], { eof: true, data: 1, udata: 4n });
  t.deepEqual(collect(kq), []);
});

check('EV_DISABLE keeps a knote quiet, also of the end, until EV_ENABLE', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const [reader, writer] = pipe(open);
  t.is(change(kq, reader, EVFILT_READ, EV_ADD | EV_DISABLE), 0);
  write(writer);
  open.close(writer);
  t.deepEqual(collect(kq), []);
  t.is(change(kq, reader, EVFILT_READ, EV_ENABLE), 0);
  t.is(collect(kq).length, 1);
  t.is(change(kq, reader, EVFILT_READ, EV_DISABLE), 0);
  t.deepEqual(collect(kq), []);
  t.is(change(kq, reader, EVFILT_READ, EV_DELETE), 0);
});

// --- changes and their answers --------------------------------------------------------------

check('EV_RECEIPT answers every change, 0 for success, and does not wait', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const [reader, writer] = pipe(open);
  const list = new sys.KeventArray(3);
  list.set(0, writer, EVFILT_WRITE, EV_ADD | EV_RECEIPT, 0, 0, 1);
  list.set(1, NOT_OPEN, EVFILT_READ, EV_ADD | EV_RECEIPT, 0, 0, 2);
  list.set(2, reader, EVFILT_READ, EV_DELETE | EV_RECEIPT, 0, 0, 3);
  // The same array takes the answers.
  t.is(sys.kevent(kq, list, 3, list, 3, null), 3);
  const answers = [0, 1, 2].map((i) => [
    (list.getFlags(i) & EV_ERROR) !== 0,
    list.getIdent(i),
    list.getData(i),
  ]);
  t.deepEqual(answers, [
    [true, writer, 0],
    [true, NOT_OPEN, EBADF],
    [true, reader, ENOENT],
  ]);
  t.is(collect(kq).length, 1);
});

check('a refused change becomes an event, or the answer where there is no room', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const list = new sys.KeventArray(2);
  list.set(0, 1, EVFILT_USER, EV_DELETE);
  list.set(1, 2, EVFILT_USER, EV_ADD, NOTE_TRIGGER);
  t.is(sys.kevent(kq, list, 2, events, 8, null), 1);
  t.is(events.getFlags(0) & EV_ERROR, EV_ERROR);
  t.is(events.getData(0), ENOENT);
  t.is(sys.kevent(kq, list, 2, null, 0, null), -ENOENT);
  t.like(collect(kq)[0], { ident: 2 });
});

check('changes are made and events collected in one call', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const [, writer] = pipe(open);
  one.set(0, writer, EVFILT_WRITE, EV_ADD);
  t.is(sys.kevent(kq, one, 1, events, 8, null), 1);
  t.is(events.getIdent(0), writer);
});

check('a descriptor that is closed takes its knotes with it, a successor gets none', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  const [reader, writer] = pipe(open);
  write(writer);
  t.is(change(kq, reader, EVFILT_READ, EV_ADD), 0);
  const duplicate = open.own(sys.dup(reader));
  open.close(reader);
  t.deepEqual(collect(kq), []);
  t.is(open.own(sys.dup3(duplicate, reader, 0)), reader);
  t.deepEqual(collect(kq), []);
  t.is(change(kq, reader, EVFILT_READ, EV_DELETE), -ENOENT);
  t.is(change(kq, reader, EVFILT_READ, EV_ADD), 0);
  t.is(must(sys.dup2(writer, reader)), reader);
  t.deepEqual(collect(kq), []);
});

check('a queue is a descriptor that can be polled, and leaves nothing behind', (t) => {
  const before = openFiles();
  {
    using open = new Descriptors();
    const [outer, inner] = [queue(open), queue(open)];
    t.is(change(outer, inner, EVFILT_READ, EV_ADD), 0);
    const fds = new sys.PollFdArray(1);
    fds.set(0, inner, POLLIN);
    t.is(sys.poll(fds, 1, 0), 0);
    t.is(change(inner, 1, EVFILT_USER, EV_ADD, NOTE_TRIGGER), 0);
    t.is(sys.poll(fds, 1, -1), 1);
    t.like(collect(outer)[0], { ident: inner });
    t.is(change(inner, 2, EVFILT_TIMER, EV_ADD, 0, 1), 0);
  }
  t.deepEqual(openFiles(), before);
});

// --- timers and events of the user ----------------------------------------------------------

for (const [name, fflags, data, ns] of [
  ['milliseconds', 0, 2, 2_000_000n],
  ['microseconds', NOTE_USECONDS, 1_500, 1_500_000n],
  ['nanoseconds', NOTE_NSECONDS, 700_000n, 700_000n],
] as const) {
  check(`EVFILT_TIMER counts in ${name}, never early, again and again`, (t) => {
    using open = new Descriptors();
    const kq = queue(open);
    const started = process.hrtime.bigint();
    t.is(change(kq, 5, EVFILT_TIMER, EV_ADD, fflags, data, 9), 0);
    for (let fired = 0; fired < 3;) {
      t.is(sys.kevent(kq, null, 0, events, 8, null), 1);
      t.is(events.getUdataLow(0), 9);
      fired += events.getData(0);
      t.true(process.hrtime.bigint() - started >= BigInt(fired) * ns);
    }
    t.is(change(kq, 5, EVFILT_TIMER, EV_DELETE), 0);
    t.is(sys.kevent(kq, null, 0, events, 8, 5_000_000), 0);
  });
}

check('EVFILT_TIMER with EV_ONESHOT fires once; a period below zero is EINVAL', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  t.is(change(kq, 5, EVFILT_TIMER, EV_ADD | EV_ONESHOT, 0, 1), 0);
  t.is(sys.kevent(kq, null, 0, events, 8, null), 1);
  t.is(events.getData(0), 1);
  t.is(sys.kevent(kq, null, 0, events, 8, 5_000_000), 0);
  t.is(change(kq, 5, EVFILT_TIMER, EV_DELETE), -ENOENT);
  t.is(change(kq, 6, EVFILT_TIMER, EV_ADD, 0, -1), -EINVAL);
});

check('EVFILT_USER is there once it is triggered; with EV_CLEAR once for each time', (t) => {
  using open = new Descriptors();
  const kq = queue(open);
  t.is(change(kq, 1, EVFILT_USER, EV_ADD | EV_CLEAR, NOTE_FFCOPY | 3, 0, 7), 0);
  t.is(change(kq, 2, EVFILT_USER, EV_ADD), 0);
  t.deepEqual(collect(kq), []);
  t.is(change(kq, 1, EVFILT_USER, 0, NOTE_TRIGGER | NOTE_FFOR | 4, 0, 7), 0);
  t.is(change(kq, 1, EVFILT_USER, 0, NOTE_TRIGGER, 0, 7), 0);
  t.deepEqual(collect(kq), [
    { ident: 1, filter: EVFILT_USER, eof: false, fflags: 7, data: 0, udata: 7n },
  ]);
  t.deepEqual(collect(kq), []);
  t.is(change(kq, 2, EVFILT_USER, 0, NOTE_TRIGGER), 0);
  t.is(collect(kq).length, 1);
  t.is(collect(kq).length, 1);
  t.is(change(kq, 2, EVFILT_USER, EV_DELETE), 0);
  t.deepEqual(collect(kq), []);
});

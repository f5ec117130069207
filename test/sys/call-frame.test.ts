/**
 * The second form of the calls of the hot path, which takes over once a buffer has been used so
 * often that the addon knows where it lies: it answers as the first one does, refuses what that one
 * refuses, and never touches memory that is not there any more.
 */
import { once } from 'node:events';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { Epoll, EpollEvents, EventFd } from '../../ts/index.js';
import { CALLS_UNTIL_KNOWN } from '../../ts/sys/call-frame.js';
import {
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  MSG_PEEK,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { untilAsleep, type ThreadName } from '../support/threads.js';
import { Descriptors, inWords, must, pipe, unixPair } from './support/kernel.js';
import { detach } from './support/memory.js';
import { refuses } from './support/misuse.js';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

/** Has the buffer known in both directions. */
function makeKnown(buffer: Uint8Array): void {
  using open = new Descriptors();
  const [fd] = unixPair(open);
  for (let i = 0; i < CALLS_UNTIL_KNOWN; i++) {
    sys.send(fd, buffer, 0, 0, 0);
    sys.recv(fd, buffer, 0, 0, 0);
  }
}

/** What a peer gets when `length` bytes from `offset` on are sent to it, and what comes back. */
function exchange(buffer: Uint8Array, offset: number, length: number): string {
  using open = new Descriptors();
  const [fd, peer] = unixPair(open);
  const bytes = Buffer.alloc(64);
  must(sys.send(fd, buffer, offset, length, 0));
  const got = must(sys.recv(peer, bytes, 0, 64, 0));
  must(sys.send(peer, Buffer.from('back'), 0, 4, 0));
  must(sys.recv(fd, buffer, offset, 4, 0));
  return bytes.toString('latin1', 0, got);
}

for (const [name, make] of Object.entries({
  'a Uint8Array': () => new Uint8Array(256),
  'a Buffer of the pool': () => Buffer.from('x'.repeat(256)),
  'a view in the middle of its memory': () => new Uint8Array(new ArrayBuffer(1024), 300, 256),
  'shared memory': () => new Uint8Array(new SharedArrayBuffer(256)),
})) {
  test(`${name} that is known is read and written where it lies`, (t) => {
    const buffer = make();
    makeKnown(buffer);
    for (const offset of [0, 7, 250]) {
      buffer.set(Buffer.from('there'), offset);
      t.is(exchange(buffer, offset, 5), 'there');
      t.is(Buffer.from(buffer.subarray(offset, offset + 5)).toString(), 'backe');
    }
  });
}

test('a small array that is known stays where it is when garbage is collected', (t) => {
  // V8 keeps the bytes of small arrays in its own heap, and moves them, until somebody asks where.
  const buffers = Array.from({ length: 100 }, () => new Uint8Array(16));
  for (const buffer of buffers) {
    makeKnown(buffer);
    collectGarbage();
    buffer.set(Buffer.from('there'));
    t.is(exchange(buffer, 0, 5), 'there');
    t.is(Buffer.from(buffer.subarray(0, 4)).toString(), 'back');
  }
});

test('answers and errors of the kernel are those of the first form', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open);
  const [fd, peer] = unixPair(open);
  const calls: Readonly<Record<string, (buffer: Uint8Array) => number>> = {
    'send to -1': (buffer) => sys.send(-1, buffer, 0, 1, 0),
    'send to a pipe': (buffer) => sys.send(writer, buffer, 0, 1, 0),
    'recv of nothing': (buffer) => sys.recv(fd, buffer, 0, 8, 0),
    'recv with flags': (buffer) => sys.recv(fd, buffer, 0, 8, -1),
    'read of the end to write': (buffer) => sys.read(writer, buffer, 0, 8),
    'read of nothing': (buffer) => sys.read(reader, buffer, 0, 8),
    'write to the end to read': (buffer) => sys.write(reader, buffer, 0, 8),
    'write of 2 ** 31 - 1': (buffer) => sys.write(2 ** 31 - 1, buffer, 0, 8),
    'peek twice': (buffer) => {
      must(sys.send(peer, Buffer.from('ab'), 0, 2, 0));
      must(sys.recv(fd, buffer, 1, 8, MSG_PEEK));
      return sys.recv(fd, buffer, 1, 8, 0);
    },
  };
  for (const [name, call] of Object.entries(calls)) {
    const known = new Uint8Array(16);
    makeKnown(known);
    t.is(inWords(call(known)), inWords(call(new Uint8Array(16))), name);
  }
});

/** Each changes a known buffer of 64 bytes so that its memory is gone, and lies about it. */
const LIES: Readonly<Record<string, (buffer: Uint8Array) => void>> = {
  'nothing else': () => undefined,
  'a length of its own': (buffer) => {
    for (const name of ['length', 'byteLength']) Object.defineProperty(buffer, name, { value: 64 });
  },
  'another prototype': (buffer) => {
    Object.setPrototypeOf(buffer, {
      0: 1,
      length: 64,
      byteLength: 64,
      buffer: new ArrayBuffer(64),
    });
  },
};

for (const [name, lie] of Object.entries(LIES)) {
  test(`memory that is gone is not touched: ${name}`, (t) => {
    using open = new Descriptors();
    const [fd, peer] = unixPair(open);
    const memory = new ArrayBuffer(64);
    const buffer = new Uint8Array(memory);
    makeKnown(buffer);
    const moved = structuredClone(memory, { transfer: [memory] });
    lie(buffer);
    must(sys.send(peer, Buffer.from('secret'), 0, 6, 0));
    refuses(t, () => sys.recv(fd, buffer, 0, 6, 0), 'ERR_OUT_OF_RANGE', 'length');
    refuses(t, () => sys.send(fd, buffer, 0, 6, 0), 'ERR_OUT_OF_RANGE', 'length');
    t.deepEqual(new Uint8Array(moved), new Uint8Array(64), 'whoever has it now');
    t.is(sys.recv(fd, Buffer.alloc(64), 0, 64, 0), 6, 'nothing was received');
  });
}

test('a number that is none is refused, and nothing of it runs', (t) => {
  const buffer = new Uint8Array(64);
  makeKnown(buffer);
  const never = (): number => t.fail('was run');
  const none: readonly unknown[] = [
    1n,
    '1',
    true,
    null,
    undefined,
    Symbol('1'),
    { valueOf: never },
  ];
  for (const value of none) {
    const number = value as number;
    for (const call of [sys.recv, sys.send]) {
      refuses(t, () => call(number, buffer, 0, 1, 0), 'ERR_INVALID_ARG_TYPE', 'fd');
      refuses(t, () => call(-1, buffer, number, 1, 0), 'ERR_INVALID_ARG_TYPE', 'offset');
      refuses(t, () => call(-1, buffer, 0, number, 0), 'ERR_INVALID_ARG_TYPE', 'length');
      refuses(t, () => call(-1, buffer, 0, 1, number), 'ERR_INVALID_ARG_TYPE', 'flags');
    }
  }
  for (const number of [NaN, 0.5, -Infinity, 2 ** 31, -(2 ** 31) - 1]) {
    for (const call of [sys.recv, sys.send]) {
      refuses(t, () => call(number, buffer, 0, 1, 0), 'ERR_OUT_OF_RANGE', 'fd');
      refuses(t, () => call(-1, buffer, number, 1, 0), 'ERR_OUT_OF_RANGE', 'offset');
      refuses(t, () => call(-1, buffer, 0, number, 0), 'ERR_OUT_OF_RANGE', 'length');
      refuses(t, () => call(-1, buffer, 0, 1, number), 'ERR_OUT_OF_RANGE', 'flags');
    }
  }
  buffer.set(Buffer.from('there'));
  t.is(exchange(buffer, -0, 5), 'there', 'a zero below zero is one');
});

test('what is no buffer is refused, however often it is used', (t) => {
  const values: readonly unknown[] = [null, undefined, 0, 'bytes', {}, [1], new ArrayBuffer(8)];
  for (const value of values) {
    for (let i = 0; i <= CALLS_UNTIL_KNOWN; i++) {
      refuses(
        t,
        () => sys.recv(-1, value as Uint8Array, 0, 0, 0),
        'ERR_INVALID_ARG_TYPE',
        'buffer',
      );
    }
  }
});

async function isCollected(use: () => WeakRef<object>): Promise<boolean> {
  const reference = use();
  await new Promise(setImmediate); // A target lives on until the end of the job that has seen it.
  collectGarbage();
  return reference.deref() === undefined;
}

test('a large buffer is not kept for being used often, a small one until another is', async (t) => {
  const known = (memory: () => Uint8Array) => (): WeakRef<object> => {
    const buffer = memory();
    makeKnown(buffer);
    return new WeakRef(buffer);
  };
  for (const large of [
    () => new Uint8Array(1024 * 1024 + 1),
    () => new Uint8Array(new ArrayBuffer(2 ** 21), 0, 16),
    () => new Uint8Array(new SharedArrayBuffer(2 ** 21), 0, 16),
  ]) {
    t.true(await isCollected(known(large)), large.toString());
  }
  const reference = known(() => new Uint8Array(16))();
  makeKnown(new Uint8Array(16));
  t.true(await isCollected(() => reference));
});

test('epoll_ctl takes its mask and data in every form', (t) => {
  using open = new Descriptors();
  const epfd = open.own(sys.epoll_create1(EPOLL_CLOEXEC));
  const [fd] = unixPair(open);
  const events = new sys.EpollEventArray(4);
  const reported = (): [number, bigint] => {
    t.is(sys.epoll_wait(epfd, events, 4, 0), 1);
    return [events.getEvents(0), events.getData(0)];
  };
  const low = BigInt(fd);
  t.is(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLOUT), 0);
  t.deepEqual(reported(), [EPOLLOUT, low]);
  for (const mask of [EPOLLET | EPOLLOUT, (EPOLLET | EPOLLOUT) >>> 0]) {
    for (const [data, answer] of [
      [undefined, low],
      [0, 0n],
      [2 ** 32 - 1, 2n ** 32n - 1n],
      [2 ** 53 - 1, 2n ** 53n - 1n],
      [2n ** 64n - 1n, 2n ** 64n - 1n],
    ] as const) {
      t.is(sys.epoll_ctl(epfd, EPOLL_CTL_MOD, fd, mask, data), 0);
      t.deepEqual(reported(), [EPOLLOUT, answer]);
      t.is(sys.epoll_wait(epfd, events, 4, 0), 0, 'an edge');
    }
  }
  t.is(inWords(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN, 1)), 'EEXIST');
  t.is(inWords(sys.epoll_ctl(epfd, EPOLL_CTL_DEL, -1, 0, 1)), 'EBADF');
  for (const data of [-1, 0.5, 2 ** 53, -1n]) {
    refuses(t, () => sys.epoll_ctl(epfd, EPOLL_CTL_MOD, fd, 0, data), 'ERR_OUT_OF_RANGE', 'data');
  }
  const none = { valueOf: () => t.fail('was run') } as unknown as number;
  const type = 'ERR_INVALID_ARG_TYPE';
  refuses(t, () => sys.epoll_ctl(epfd, EPOLL_CTL_MOD, fd, none), type, 'events');
  refuses(t, () => sys.epoll_ctl(epfd, EPOLL_CTL_MOD, fd, 0, none), type, 'data');
});

test('an array of events that is known is filled, within its bounds', (t) => {
  using open = new Descriptors();
  const epfd = open.own(sys.epoll_create1(EPOLL_CLOEXEC));
  const pairs = Array.from({ length: 5 }, () => unixPair(open));
  for (const [fd] of pairs) must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLOUT, 2 ** 40 + fd));
  const events = new sys.EpollEventArray(4);
  for (let i = 0; i < CALLS_UNTIL_KNOWN; i++) must(sys.epoll_wait(epfd, events, 4, 0));
  const seen = new Set<bigint>();
  for (let i = 0; i < 10; i++) {
    t.is(sys.epoll_wait(epfd, events, 4, i % 2 === 0 ? -1 : 5), 4);
    for (let at = 0; at < 4; at++) seen.add(events.getData(at));
  }
  for (const [fd] of pairs) t.true(seen.delete(BigInt(2 ** 40 + fd)), `fd ${String(fd)}`);
  t.is(seen.size, 0);
  t.is(sys.epoll_wait(epfd, events, 1, 0), 1);
  refuses(t, () => sys.epoll_wait(epfd, events, 5, 0), 'ERR_OUT_OF_RANGE', 'maxevents');
  t.is(inWords(sys.epoll_wait(epfd, events, 0, 0)), 'EINVAL');
  t.is(inWords(sys.epoll_wait(epfd, events, -1, 0)), 'EINVAL');
  t.is(inWords(sys.epoll_wait(-1, events, 4, -1)), 'EBADF');
  refuses(t, () => sys.epoll_wait(epfd, events, 4, 0.5), 'ERR_OUT_OF_RANGE', 'timeoutMs');
});

test('another buffer becomes known after the one that was is gone', (t) => {
  const first = new Uint8Array(64);
  makeKnown(first);
  detach(first.buffer);
  const second = new Uint8Array(64);
  makeKnown(second);
  second.set(Buffer.from('there'));
  t.is(exchange(second, 0, 5), 'there');
  refuses(t, () => exchange(first, 0, 5), 'ERR_OUT_OF_RANGE', 'length');
});

type CallFrameModule = typeof import('../../ts/sys/call-frame.js');

test('two imports in one environment know nothing of each other', async (t) => {
  using open = new Descriptors();
  const [fd, peer] = unixPair(open);
  const again = new URL('../../ts/sys/call-frame.js?again', import.meta.url).href;
  const other = (await import(again)) as CallFrameModule;
  const large = new Uint8Array(4096);
  makeKnown(large);
  const small = new Uint8Array(16);
  for (let i = 0; i < CALLS_UNTIL_KNOWN; i++) other.incoming.holds(small, 0, 16);
  t.true(other.incoming.holds(small, 0, 16));
  must(sys.send(peer, new Uint8Array(4096).fill(1), 0, 4096, 0));
  t.is(sys.recv(fd, large, 0, 4096, 0), 4096);
  t.deepEqual(large, new Uint8Array(4096).fill(1));
  t.deepEqual(small, new Uint8Array(16));
});

test('a worker that is terminated in recv does not see the end of the stream', async (t) => {
  for (let i = 0; i < 10; i++) {
    const seen = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(new URL('../fixtures/sys-stopped-recv.js', import.meta.url), {
      workerData: seen,
    });
    const [thread] = (await once(worker, 'message')) as [ThreadName];
    await untilAsleep(thread);
    await worker.terminate();
    t.is(seen[0], 0);
  }
});

/** Answers one number and then another, to whoever asks as a number. */
function changing(first: number, then: number): number {
  const answers = [first];
  return { valueOf: () => answers.pop() ?? then } as unknown as number;
}

test('numbers of a wait that are none are refused, though a subclass gives them', (t) => {
  class LyingEpoll extends Epoll {
    lie: unknown = undefined;
    override get fd(): number {
      return this.lie === undefined ? super.fd : (this.lie as number);
    }
  }
  using epoll = new LyingEpoll();
  using eventFd = new EventFd();
  eventFd.write();
  epoll.add(eventFd, EPOLLIN);
  const events = new EpollEvents(1);
  for (let i = 0; i <= CALLS_UNTIL_KNOWN; i++) t.is(epoll.wait(events, 0), 1);
  epoll.lie = changing(0, 1);
  refuses(t, () => epoll.wait(events, 0), 'ERR_INVALID_ARG_TYPE', 'epfd');
  refuses(
    t,
    () => {
      epoll.modify(eventFd, EPOLLIN);
    },
    'ERR_INVALID_ARG_TYPE',
    'epfd',
  );
  epoll.lie = undefined;
  Object.defineProperty(events, 'capacity', { value: changing(1, 1000) });
  refuses(t, () => epoll.wait(events, 0), 'ERR_INVALID_ARG_TYPE', 'maxevents');
});

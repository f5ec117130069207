/** Memory that is gone, that shrinks, that is huge: no call touches a byte outside its slice. */
import { openSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import {
  EFD_NONBLOCK,
  IPPROTO_TCP,
  O_NONBLOCK,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_INFO,
} from '../../ts/sys/constants.js';
import { CALLS_UNTIL_KNOWN } from '../../ts/sys/call-frame.js';
import * as sys from '../../ts/sys/index.js';
import { needs } from '../support/emulator.js';
import { Descriptors, inWords, must, pipe, tcpPair, unixPair } from './support/kernel.js';
import { detach, growableMemory, resizableMemory, wasmMemory } from './support/memory.js';
import { refuses } from './support/misuse.js';

type SliceCall = (fd: number, view: ArrayBufferView, offset: number, length: number) => number;

/** Every call that takes `buffer, offset, length`. */
const sliceCalls: Readonly<Record<string, SliceCall>> = {
  read: sys.read,
  write: sys.write,
  recv: (fd, view, offset, length) => sys.recv(fd, view, offset, length, 0),
  send: (fd, view, offset, length) => sys.send(fd, view, offset, length, 0),
  recvfrom: (fd, view, offset, length) => sys.recvfrom(fd, view, offset, length, 0, null),
  sendto: (fd, view, offset, length) => sys.sendto(fd, view, offset, length, 0, null),
};

/** A connected socket whose peer has sent eight bytes. */
function arrange(open: Descriptors): { fd: number; peer: number; look: () => string } {
  const [fd, peer] = unixPair(open);
  must(sys.send(peer, Buffer.from('received'), 0, 8, 0));
  const look = (): string => {
    const bytes = Buffer.alloc(64);
    const shown = [fd, peer].map((socket) => sys.recv(socket, bytes, 0, 64, 0x2));
    return shown.map(inWords).join();
  };
  return { fd, peer, look };
}

/** Has the calls used with a view so often that the addon remembers where it lies, if it can. */
function useOften(fd: number, view: ArrayBufferView): void {
  for (const call of Object.values(sliceCalls)) {
    for (let i = 0; i < CALLS_UNTIL_KNOWN; i++) must(call(fd, view, 0, 0));
  }
}

/** Checks that nothing beyond `length` bytes of a view is accepted by any call. */
function hasOnly(t: ExecutionContext, view: ArrayBufferView, length: number, why = ''): void {
  using open = new Descriptors();
  const { fd, look } = arrange(open);
  useOften(fd, view);
  const before = look();
  for (const [name, call] of Object.entries(sliceCalls)) {
    const asked = (offset: number, count: number) => () => call(fd, view, offset, count);
    const note = `${name} ${why}`;
    refuses(t, asked(length + 1, 0), 'ERR_OUT_OF_RANGE', 'offset', note);
    refuses(t, asked(0, length + 1), 'ERR_OUT_OF_RANGE', 'length', note);
    refuses(t, asked(length, 1), 'ERR_OUT_OF_RANGE', 'length', note);
    refuses(t, asked(2 ** 53 - 1, 0), 'ERR_OUT_OF_RANGE', 'offset', note);
    refuses(t, asked(length, 2 ** 53 - 1), 'ERR_OUT_OF_RANGE', 'length', note);
  }
  t.is(look(), before, why);
  for (const call of Object.values(sliceCalls)) t.is(call(fd, view, length, 0), 0, why);
}

test('a view of ordinary memory has its bytes', (t) => {
  hasOnly(t, new Uint8Array(16), 16);
  hasOnly(t, new Uint8Array(0), 0);
  hasOnly(t, new Float64Array(2), 16);
  hasOnly(t, new DataView(new ArrayBuffer(20), 3, 11), 11);
  hasOnly(t, new Uint16Array(new SharedArrayBuffer(64), 8, 3), 6);
});

/** Views of 16 bytes from byte 8 of the memory on: with a fixed length, or following the memory. */
const views: Readonly<Record<string, (memory: ArrayBufferLike) => ArrayBufferView>> = {
  'Uint8Array of fixed length': (memory) => new Uint8Array(memory, 8, 16),
  'Float64Array of fixed length': (memory) => new Float64Array(memory, 8, 2),
  'DataView of fixed length': (memory) => new DataView(memory, 8, 16),
  'Uint8Array that follows': (memory) => new Uint8Array(memory, 8),
  'Float64Array that follows': (memory) => new Float64Array(memory, 8),
  'DataView that follows': (memory) => new DataView(memory, 8),
};

for (const [name, newView] of Object.entries(views)) {
  test(`a ${name} on detached memory has no bytes`, (t) => {
    for (const memory of [new ArrayBuffer(24), resizableMemory(24)]) {
      const view = newView(memory);
      hasOnly(t, view, 16);
      detach(memory);
      hasOnly(t, view, 0);
    }
  });

  test(`a ${name} on memory that shrinks has no byte beyond it`, (t) => {
    const follows = name.endsWith('follows');
    for (const left of [24, 23, 16, 9, 8, 7, 1, 0]) {
      const memory = resizableMemory(24);
      const view = newView(memory);
      hasOnly(t, view, 16);
      memory.resize(left);
      const whole = Math.max(0, left - 8);
      const elements = view instanceof Float64Array ? 8 * Math.floor(whole / 8) : whole;
      hasOnly(t, view, follows ? elements : left === 24 ? 16 : 0, `shrunk to ${left}`);
    }
  });

  test(`a ${name} on memory that grows again is whole again`, (t) => {
    const memory = resizableMemory(24);
    const view = newView(memory);
    hasOnly(t, view, 16);
    memory.resize(0);
    memory.resize(24);
    hasOnly(t, view, 16);
    memory.resize(40);
    hasOnly(t, view, name.endsWith('follows') ? 32 : 16);
  });

  test(`a ${name} on shared memory that grows is as long as it says`, (t) => {
    const memory = growableMemory(24);
    const view = newView(memory);
    hasOnly(t, view, 16);
    (memory as unknown as { grow: (length: number) => void }).grow(40);
    hasOnly(t, view, name.endsWith('follows') ? 32 : 16);
  });
}

test('views of WebAssembly memory have no bytes once it has grown', (t) => {
  const memory = wasmMemory();
  const view = new Uint8Array(memory.buffer, 8, 16);
  hasOnly(t, view, 16);
  memory.grow(1);
  hasOnly(t, view, 0);
  hasOnly(t, new Uint8Array(memory.buffer), 2 * 65_536);
});

for (const [name, newView] of Object.entries(views)) {
  test(`readv and writev pass over a ${name} whose memory is gone`, (t) => {
    using open = new Descriptors();
    const { fd, peer } = arrange(open);
    const detached = new ArrayBuffer(24);
    const shrunk = resizableMemory(24);
    const gone = [newView(detached), newView(shrunk)];
    detach(detached);
    shrunk.resize(8);
    const [a, b] = [Buffer.alloc(3), Buffer.alloc(9)];
    t.is(sys.readv(fd, [a, ...gone, b]), 8);
    t.is(`${a.toString()}${b.toString('latin1', 0, 5)}`, 'received');
    t.is(sys.writev(fd, [...gone, Buffer.from('sent'), ...gone]), 4);
    t.is(sys.recv(peer, b, 0, 9, 0), 4);
    t.is(sys.writev(fd, gone), 0);
  });

  needs('empty memory')(
    `getsockopt and setsockopt see no bytes in a ${name} whose memory is gone`,
    (t) => {
      using open = new Descriptors();
      const { client } = tcpPair(open);
      const memory = resizableMemory(24);
      const view = newView(memory);
      t.is(sys.getsockopt(client, IPPROTO_TCP, TCP_INFO, view), 16);
      memory.resize(0);
      t.is(sys.getsockopt(client, IPPROTO_TCP, TCP_INFO, view), 0);
      t.is(inWords(sys.setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, view)), 'EINVAL');
      detach(memory);
      t.is(sys.getsockopt(client, IPPROTO_TCP, TCP_INFO, view), 0);
    },
  );
}

test('memory that is gone holds no descriptors and no counter', (t) => {
  using open = new Descriptors();
  const fd = open.own(sys.eventfd(5, EFD_NONBLOCK));
  for (const take of [
    (memory: ReturnType<typeof resizableMemory>) => {
      detach(memory);
    },
    (memory: ReturnType<typeof resizableMemory>) => {
      memory.resize(7);
    },
  ]) {
    const memory = resizableMemory(16);
    const fds = new Int32Array(memory, 0, 2);
    const value = new BigUint64Array(memory, 8);
    take(memory);
    refuses(t, () => sys.pipe2(fds, O_NONBLOCK), 'ERR_OUT_OF_RANGE', 'fds');
    refuses(t, () => sys.socketpair(1, 1, 0, fds), 'ERR_OUT_OF_RANGE', 'sv');
    refuses(t, () => sys.eventfd_read(fd, value), 'ERR_OUT_OF_RANGE', 'value');
  }
  const value = new BigUint64Array(1);
  t.is(sys.eventfd_read(fd, value), 0);
  t.is(value[0], 5n, 'nothing was taken before');
});

test('descriptors and counters can be filled into shared memory', (t) => {
  using open = new Descriptors();
  const fds = new Int32Array(new SharedArrayBuffer(8));
  must(sys.pipe2(fds, O_NONBLOCK));
  for (const fd of fds) open.own(fd);
  const value = new BigUint64Array(growableMemory(16), 8, 1);
  t.is(sys.eventfd_read(open.own(sys.eventfd(5, 0)), value), 0);
  t.is(value[0], 5n);
});

const GIB = 2 ** 30;

/** More than 4 GiB, of which the kernel gives pages only where somebody writes. */
function hugeMemory(): ArrayBuffer | undefined {
  try {
    return new ArrayBuffer(4 * GIB + 65_536);
  } catch {
    return undefined;
  }
}

for (const [name, newView] of Object.entries({
  Float64Array: (memory: ArrayBuffer) => new Float64Array(memory),
  BigUint64Array: (memory: ArrayBuffer) => new BigUint64Array(memory),
  DataView: (memory: ArrayBuffer) => new DataView(memory),
})) {
  test.serial(`slices of a ${name} reach beyond 4 GiB`, (t) => {
    const memory = hugeMemory();
    if (memory === undefined) {
      t.log('not asked: this machine gives no 4 GiB');
      t.pass();
      return;
    }
    using open = new Descriptors();
    const [reader, writer] = pipe(open);
    const view = newView(memory);
    const length = memory.byteLength;
    const offset = 4 * GIB + 5;
    must(sys.write(writer, Buffer.from('beyond'), 0, 6));
    t.is(sys.read(reader, view, offset, 6), 6);
    t.is(Buffer.from(memory, offset, 6).toString(), 'beyond');
    t.is(
      Buffer.from(memory, 5, 6).toString('hex'),
      '000000000000',
      'not at the offset cut to 32 bits',
    );
    t.is(sys.write(writer, view, offset + 2, 4), 4);
    t.is(sys.read(reader, view, 0, length), 4, 'a length of more than 32 bits');
    t.is(Buffer.from(memory, 0, 4).toString(), 'yond');
    for (const [from, count] of [
      [offset, length],
      [length, 1],
      [length + 1, 0],
      [1, length],
      [2 ** 53 - 1, 2 ** 53 - 1],
    ] as const) {
      t.throws(() => sys.read(reader, view, from, count), { code: 'ERR_OUT_OF_RANGE' });
    }
    // The kernel moves at most 0x7ffff000 bytes at a time. /dev/null looks at none of them.
    const nothing = open.own(openSync('/dev/null', 'w'));
    t.is(sys.write(nothing, view, 0, length), 0x7fff_f000);
    t.true(sys.writev(nothing, [view, view]) > 0);
  });
}

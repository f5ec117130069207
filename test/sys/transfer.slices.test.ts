/** read, write, recv, send and their kin: which bytes move, and that no others do. */
import test from 'ava';
import { SOCK_DGRAM } from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { Descriptors, inWords, must, pipe, unixPair } from './support/kernel.js';
import { growableMemory, resizableMemory, wasmMemory } from './support/memory.js';

const CANARY = 0xee;

/** Every kind of view, on 64 bytes that begin 16 bytes into the memory. */
const views: Readonly<Record<string, (memory: ArrayBufferLike) => ArrayBufferView>> = {
  Int8Array: (memory) => new Int8Array(memory, 16, 64),
  Uint8Array: (memory) => new Uint8Array(memory, 16, 64),
  Uint8ClampedArray: (memory) => new Uint8ClampedArray(memory, 16, 64),
  Int16Array: (memory) => new Int16Array(memory, 16, 32),
  Uint16Array: (memory) => new Uint16Array(memory, 16, 32),
  Int32Array: (memory) => new Int32Array(memory, 16, 16),
  Uint32Array: (memory) => new Uint32Array(memory, 16, 16),
  Float32Array: (memory) => new Float32Array(memory, 16, 16),
  Float64Array: (memory) => new Float64Array(memory, 16, 8),
  BigInt64Array: (memory) => new BigInt64Array(memory, 16, 8),
  BigUint64Array: (memory) => new BigUint64Array(memory, 16, 8),
  DataView: (memory) => new DataView(memory, 16, 64),
  Buffer: (memory) => Buffer.from(memory as ArrayBuffer, 16, 64),
};

/** Every kind of memory: 96 bytes. */
const memories: Readonly<Record<string, () => ArrayBufferLike>> = {
  ArrayBuffer: () => new ArrayBuffer(96),
  SharedArrayBuffer: () => new SharedArrayBuffer(96),
  'resizable ArrayBuffer': () => resizableMemory(96),
  'growable SharedArrayBuffer': () => growableMemory(96),
  'WebAssembly.Memory': () => wasmMemory().buffer,
};

/** Ways to move bytes out of a slice, and into one. */
const ways: Readonly<
  Record<
    string,
    {
      readonly out: (fd: number, view: ArrayBufferView, offset: number, length: number) => number;
      readonly into: (fd: number, view: ArrayBufferView, offset: number, length: number) => number;
    }
  >
> = {
  'read and write': { out: sys.write, into: sys.read },
  'recv and send': {
    out: (fd, view, offset, length) => sys.send(fd, view, offset, length, 0),
    into: (fd, view, offset, length) => sys.recv(fd, view, offset, length, 0),
  },
  'recvfrom and sendto': {
    out: (fd, view, offset, length) => sys.sendto(fd, view, offset, length, 0, null),
    into: (fd, view, offset, length) => sys.recvfrom(fd, view, offset, length, 0, null),
  },
};

/** Bytes 0 … 255, again and again. */
function counted(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 256);
}

for (const [memoryName, newMemory] of Object.entries(memories)) {
  for (const [viewName, newView] of Object.entries(views)) {
    test(`a slice counts in bytes of a ${viewName} on ${memoryName}`, (t) => {
      using open = new Descriptors();
      const [a, b] = unixPair(open);
      for (const [name, { out, into }] of Object.entries(ways)) {
        const memory = newMemory();
        const bytes = new Uint8Array(memory);
        bytes.set(counted(96));
        const view = newView(memory);
        t.is(out(a, view, 3, 10), 10, name);
        const arrived = new Uint8Array(20);
        t.is(sys.recv(b, arrived, 0, 20, 0), 10);
        t.deepEqual([...arrived.subarray(0, 10)], [...counted(96).subarray(19, 29)]);

        bytes.fill(CANARY);
        must(sys.send(b, counted(8), 0, 8, 0));
        t.is(into(a, view, 5, 59), 8, name);
        t.deepEqual([...bytes.subarray(21, 29)], [...counted(8)]);
        t.true(
          bytes.every((byte, i) => (i >= 21 && i < 29) || byte === CANARY),
          name,
        );
      }
    });
  }
}

test('a slice may be the whole view, its last byte, or nothing at either end', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_DGRAM);
  const view = counted(64).subarray(16, 32);
  for (const [offset, length] of [
    [0, 16],
    [15, 1],
    [0, 0],
    [16, 0],
  ] as const) {
    t.is(sys.send(a, view, offset, length, 0), length);
    const arrived = new Uint8Array(20);
    t.is(sys.recv(b, arrived, 0, 20, 0), length);
    t.deepEqual([...arrived.subarray(0, length)], [...view.subarray(offset, offset + length)]);
  }
});

test('no bytes are read into a slice without length, and none are lost', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open);
  must(sys.write(writer, counted(3), 0, 3));
  t.is(sys.read(reader, new Uint8Array(8), 8, 0), 0);
  t.is(sys.read(reader, new Uint8Array(0), 0, 0), 0);
  t.is(sys.readv(reader, []), 0);
  t.is(sys.read(reader, new Uint8Array(8), 0, 8), 3);
});

test('read takes what is there and answers 0 at the end of the stream', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open);
  const bytes = new Uint8Array(8);
  must(sys.write(writer, counted(5), 0, 5));
  t.is(sys.read(reader, bytes, 0, 3), 3);
  t.is(sys.read(reader, bytes, 3, 5), 2);
  t.deepEqual([...bytes], [0, 1, 2, 3, 4, 0, 0, 0]);
  t.is(inWords(sys.read(reader, bytes, 0, 8)), 'EAGAIN');
  open.close(writer);
  t.is(sys.read(reader, bytes, 0, 8), 0);
});

test('write takes as much as there is room for', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open);
  const large = counted(1 << 20);
  const taken = must(sys.write(writer, large, 0, large.length));
  t.true(taken > 0 && taken < large.length);
  const back = new Uint8Array(taken + 1);
  t.is(sys.read(reader, back, 0, back.length), taken);
  t.deepEqual(back.subarray(0, taken), large.subarray(0, taken));
});

test('writev and readv move several views, one after the other', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open);
  const memory = counted(32);
  const iov = [
    memory.subarray(0, 3),
    new DataView(memory.buffer, 3, 4),
    new Uint8Array(0),
    new Float64Array(counted(32).buffer, 8, 1),
    Buffer.from([99]),
  ];
  t.is(sys.writev(a, iov), 16);
  const into = [
    new Uint8Array(5).fill(CANARY),
    new BigUint64Array(1),
    new Uint8Array(0),
    new Uint8Array(9).fill(CANARY),
  ];
  t.is(sys.readv(b, into), 16);
  const bytes = into.flatMap((view) => [...new Uint8Array(view.buffer, 0, view.byteLength)]);
  t.deepEqual(bytes, [
    ...counted(7),
    ...counted(16).subarray(8),
    ...[99],
    ...new Array<number>(6).fill(CANARY),
  ]);
});

test('writev and readv take 1,024 views', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open);
  const bytes = counted(1_024);
  t.is(
    sys.writev(
      writer,
      Array.from({ length: 1_024 }, (_, i) => bytes.subarray(i, i + 1)),
    ),
    1_024,
  );
  const back = new Uint8Array(1_024);
  t.is(
    sys.readv(
      reader,
      Array.from({ length: 1_024 }, (_, i) => back.subarray(i, i + 1)),
    ),
    1_024,
  );
  t.deepEqual(back, bytes);
});

test('writev takes the same view more than once', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open);
  const view = Buffer.from('ab');
  t.is(sys.writev(writer, [view, view, view]), 6);
  const back = Buffer.alloc(8);
  t.is(sys.read(reader, back, 0, 8), 6);
  t.is(back.toString('latin1', 0, 6), 'ababab');
});

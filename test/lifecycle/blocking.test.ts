/** Descriptors that block, on a worker: the calls answer as their man pages say. */
import { on } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import type { Answer } from '../fixtures/lifecycle-caller.js';
import {
  AF_INET,
  AF_UNIX,
  EAGAIN,
  ECONNREFUSED,
  EINPROGRESS,
  ENOTCONN,
  EPIPE,
  F_GETFL,
  F_SETFL,
  MSG_DONTWAIT,
  O_NONBLOCK,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import type { SocketAddress, SocketAddressOut } from '../../ts/sys/index.js';
import { untilAsleep, type ThreadName } from '../support/threads.js';

/** Makes a call on a worker. `unblock` comes once the worker sleeps in it. */
async function onWorker(
  t: ExecutionContext,
  call: keyof typeof sys,
  args: readonly unknown[],
  unblock?: () => void,
): Promise<Answer> {
  const worker = new Worker(new URL('../fixtures/lifecycle-caller.js', import.meta.url), {
    workerData: { call, args },
  });
  t.teardown(() => worker.terminate());
  const messages = on(worker, 'message', { close: ['exit'] }) as AsyncIterator<[unknown]>;
  const next = async (): Promise<unknown> => ((await messages.next()).value as [unknown])[0];
  const thread = (await next()) as ThreadName;
  if (unblock !== undefined) {
    await untilAsleep(thread);
    unblock();
  }
  return (await next()) as Answer;
}

function ok(result: number): number {
  if (result < 0) throw new Error(sys.errnoName(result));
  return result;
}

/** A descriptor that the end of the test closes. */
function opened(t: ExecutionContext, result: number): number {
  const fd = ok(result);
  t.teardown(() => void sys.close(fd));
  return fd;
}

function pipe(t: ExecutionContext): [reader: number, writer: number] {
  const fds = new Int32Array(2);
  ok(sys.pipe2(fds, 0));
  return [opened(t, fds[0] as number), opened(t, fds[1] as number)];
}

function pair(t: ExecutionContext, type: number): [number, number] {
  const sv = new Int32Array(2);
  ok(sys.socketpair(AF_UNIX, type, 0, sv));
  return [opened(t, sv[0] as number), opened(t, sv[1] as number)];
}

/** Memory that a worker and this thread both see. */
function shared(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

/** Fills a pipe or a socket by calls that do not block. Answers how much went in. */
function fill(fd: number): number {
  const flags = ok(sys.fcntl(fd, F_GETFL));
  const buffer = new Uint8Array(4096);
  let total = 0;
  ok(sys.fcntl(fd, F_SETFL, flags | O_NONBLOCK));
  for (;;) {
    const written = sys.write(fd, buffer, 0, buffer.length);
    if (written < 0) break;
    total += written;
  }
  ok(sys.fcntl(fd, F_SETFL, flags));
  return total;
}

function drain(fd: number, total: number): void {
  const buffer = new Uint8Array(65_536);
  for (let left = total; left > 0;) left -= ok(sys.read(fd, buffer, 0, buffer.length));
}

/** A time limit of a socket: `struct timeval`. */
function limit(fd: number, option: number, ms: number): void {
  ok(sys.setsockopt(fd, SOL_SOCKET, option, new BigInt64Array([0n, BigInt(ms * 1000)])));
}

/** An `MmsgArray` of 8 messages of 16 bytes: none can be posted, so the worker makes it. */
const MESSAGES = { messages: 8, size: 16 };

let names = 0;
function freshAddress(): SocketAddress {
  return { family: AF_UNIX, path: `\0raw-epoll-blocking-${process.pid}-${names++}` };
}

function listening(t: ExecutionContext, address: SocketAddress): [number, SocketAddress] {
  const fd = opened(t, sys.socket(address.family, SOCK_STREAM, 0));
  ok(sys.bind(fd, address));
  ok(sys.listen(fd, 0));
  const bound: SocketAddressOut = {};
  ok(sys.getsockname(fd, bound));
  return [fd, bound as SocketAddress];
}

/** Connects without blocking until the listener takes no more. */
function fillQueue(t: ExecutionContext, address: SocketAddress): void {
  for (let i = 0; i < 4; i++) {
    const fd = opened(t, sys.socket(address.family, SOCK_STREAM, 0));
    ok(sys.fcntl(fd, F_SETFL, O_NONBLOCK));
    sys.connect(fd, address);
  }
}

const loopback: SocketAddress = { family: AF_INET, address: '127.0.0.1', port: 0 };

test('read on a worker waits for what is written to a pipe', async (t) => {
  const [reader, writer] = pipe(t);
  const buffer = shared(16);
  const { result } = await onWorker(t, 'read', [reader, buffer, 4, 8], () => {
    ok(sys.write(writer, new Uint8Array([7, 8, 9]), 0, 3));
  });
  t.is(result, 3);
  t.deepEqual([...buffer.subarray(3, 8)], [0, 7, 8, 9, 0]);
});

test('read on a worker answers 0 once the last writer closes', async (t) => {
  const fds = new Int32Array(2);
  ok(sys.pipe2(fds, 0));
  const reader = opened(t, fds[0] as number);
  const { result } = await onWorker(t, 'read', [reader, shared(1), 0, 1], () => {
    ok(sys.close(fds[1] as number));
  });
  t.is(result, 0);
});

test('read of nothing on a worker answers 0 at once', async (t) => {
  const [reader] = pipe(t);
  t.is((await onWorker(t, 'read', [reader, shared(1), 0, 0])).result, 0);
});

test('readv on a worker fills one buffer after the other', async (t) => {
  const [reader, writer] = pipe(t);
  const parts = [shared(2), shared(4)];
  const { result } = await onWorker(t, 'readv', [reader, parts], () => {
    ok(sys.write(writer, new Uint8Array([1, 2, 3]), 0, 3));
  });
  t.is(result, 3);
  t.deepEqual(
    parts.map((part) => [...part]),
    [
      [1, 2],
      [3, 0, 0, 0],
    ],
  );
});

test('recv on a worker waits for a message', async (t) => {
  const [fd, peer] = pair(t, SOCK_DGRAM);
  const buffer = shared(16);
  const { result } = await onWorker(t, 'recv', [fd, buffer, 0, 16, 0], () => {
    ok(sys.send(peer, new Uint8Array([5, 6]), 0, 2, 0));
  });
  t.is(result, 2);
  t.deepEqual([...buffer.subarray(0, 3)], [5, 6, 0]);
});

test('recv on a worker keeps to SO_RCVTIMEO', async (t) => {
  const [fd] = pair(t, SOCK_STREAM);
  limit(fd, SO_RCVTIMEO, 130);
  const { result, ms } = await onWorker(t, 'recv', [fd, shared(1), 0, 1, 0]);
  t.is(result, -EAGAIN);
  t.true(ms >= 130, `${ms} ms`);
});

test('recv with MSG_DONTWAIT on a worker does not wait', async (t) => {
  const [fd] = pair(t, SOCK_STREAM);
  t.is((await onWorker(t, 'recv', [fd, shared(1), 0, 1, MSG_DONTWAIT])).result, -EAGAIN);
});

test('eventfd_read on a worker waits for a value', async (t) => {
  const fd = opened(t, sys.eventfd(0, 0));
  const value = new BigUint64Array(new SharedArrayBuffer(8));
  const { result } = await onWorker(t, 'eventfd_read', [fd, value], () => {
    ok(sys.eventfd_write(fd, 2n ** 40n));
  });
  t.is(result, 0);
  t.is(value[0], 2n ** 40n);
});

test('eventfd_write on a worker waits until its value fits', async (t) => {
  const fd = opened(t, sys.eventfd(0, 0));
  ok(sys.eventfd_write(fd, 2n ** 63n));
  const value = new BigUint64Array(1);
  const { result } = await onWorker(t, 'eventfd_write', [fd, 2n ** 63n + 5n], () => {
    ok(sys.eventfd_read(fd, value));
  });
  t.is(result, 0);
  ok(sys.eventfd_read(fd, value));
  t.is(value[0], 2n ** 63n + 5n);
});

test('eventfd_write on a worker refuses what no eventfd holds', async (t) => {
  const fd = opened(t, sys.eventfd(0, 0));
  const { result } = await onWorker(t, 'eventfd_write', [fd, 2n ** 64n - 1n]);
  t.is(sys.errnoName(result), 'EINVAL');
});

test('accept4 on a worker waits for a connection', async (t) => {
  const [fd, address] = listening(t, loopback);
  const { result } = await onWorker(t, 'accept4', [fd, null, 0], () => {
    const client = opened(t, sys.socket(AF_INET, SOCK_STREAM, 0));
    ok(sys.connect(client, address));
  });
  opened(t, result);
  t.is(sys.getpeername(result, {}), 0);
});

test('write to a full pipe on a worker waits for room', async (t) => {
  const [reader, writer] = pipe(t);
  const total = fill(writer);
  const { result } = await onWorker(t, 'write', [writer, shared(100), 0, 100], () => {
    drain(reader, total);
  });
  t.is(result, 100);
  t.is(sys.read(reader, new Uint8Array(200), 0, 200), 100);
});

test('write of more than fits on a worker takes what fits', async (t) => {
  const [reader, writer] = pipe(t);
  const { result } = await onWorker(t, 'write', [writer, shared(1 << 20), 0, 1 << 20]);
  t.true(result > 0 && result < 1 << 20, String(result));
  drain(reader, result);
});

test('writev to a full socket on a worker waits for room', async (t) => {
  const [left, right] = pair(t, SOCK_STREAM);
  const total = fill(left);
  const parts = [shared(0), shared(3), shared(4)];
  const { result } = await onWorker(t, 'writev', [left, parts], () => {
    drain(right, total);
  });
  t.is(result, 7);
});

test('write of a datagram on a worker keeps it in one piece', async (t) => {
  const [left, right] = pair(t, SOCK_DGRAM);
  t.is((await onWorker(t, 'write', [left, shared(10_000), 0, 10_000])).result, 10_000);
  t.is(sys.recv(right, new Uint8Array(20_000), 0, 20_000, MSG_DONTWAIT), 10_000);
});

test('write without a reader on a worker answers EPIPE', async (t) => {
  const fds = new Int32Array(2);
  ok(sys.pipe2(fds, 0));
  const writer = opened(t, fds[1] as number);
  ok(sys.close(fds[0] as number));
  t.is((await onWorker(t, 'write', [writer, shared(1), 0, 1])).result, -EPIPE);
});

test('send to a full socket on a worker waits for room', async (t) => {
  const [left, right] = pair(t, SOCK_STREAM);
  const total = fill(left);
  const { result } = await onWorker(t, 'send', [left, shared(10), 0, 10, 0], () => {
    drain(right, total);
  });
  t.is(result, 10);
});

test('send to a full socket on a worker keeps to SO_SNDTIMEO', async (t) => {
  const [left] = pair(t, SOCK_STREAM);
  fill(left);
  limit(left, SO_SNDTIMEO, 120);
  const { result, ms } = await onWorker(t, 'send', [left, shared(10), 0, 10, 0]);
  t.is(result, -EAGAIN);
  t.true(ms >= 120, `${ms} ms`);
});

test('recvmsg on a worker waits for a message, and takes its descriptors', async (t) => {
  const [fd, peer] = pair(t, SOCK_STREAM);
  const [reader] = pipe(t);
  const parts = [shared(2), shared(4)];
  // In shared memory: the worker would fill in a copy of its own otherwise.
  const rights = new Int32Array(new SharedArrayBuffer(8));
  const { result } = await onWorker(
    t,
    'recvmsg',
    [fd, { iov: parts, control: { rights } }, 0],
    () => {
      const msg = { iov: [new Uint8Array([1, 2, 3])], control: { rights: Int32Array.of(reader) } };
      t.is(sys.sendmsg(peer, msg, 0), 3);
    },
  );
  t.is(result, 3);
  t.deepEqual(
    parts.map((part) => [...part]),
    [
      [1, 2],
      [3, 0, 0, 0],
    ],
  );
  t.is(rights[1], -1);
  opened(t, rights[0] as number);
});

test('recvmsg on a worker keeps to SO_RCVTIMEO', async (t) => {
  const [fd] = pair(t, SOCK_STREAM);
  limit(fd, SO_RCVTIMEO, 130);
  const { result, ms } = await onWorker(t, 'recvmsg', [fd, { iov: [shared(1)] }, 0]);
  t.is(result, -EAGAIN);
  t.true(ms >= 130, `${ms} ms`);
});

test('sendmsg to a full socket on a worker waits for room', async (t) => {
  const [left, right] = pair(t, SOCK_STREAM);
  const total = fill(left);
  const msg = { iov: [shared(3), shared(4)] };
  const { result } = await onWorker(t, 'sendmsg', [left, msg, 0], () => {
    drain(right, total);
  });
  t.is(result, 7);
});

test('sendmsg to a full socket on a worker keeps to SO_SNDTIMEO', async (t) => {
  const [left] = pair(t, SOCK_STREAM);
  fill(left);
  limit(left, SO_SNDTIMEO, 120);
  const { result, ms } = await onWorker(t, 'sendmsg', [left, { iov: [shared(9)] }, 0]);
  t.is(result, -EAGAIN);
  t.true(ms >= 120, `${ms} ms`);
});

test('recvmmsg on a worker waits for the first message, and not for all', async (t) => {
  const [fd, peer] = pair(t, SOCK_DGRAM);
  const { result } = await onWorker(t, 'recvmmsg', [fd, MESSAGES, 0, 8, 0, null], () => {
    ok(sys.send(peer, new Uint8Array([5, 6]), 0, 2, 0));
  });
  t.is(result, 1);
});

test('sendmmsg to a full socket on a worker waits for room', async (t) => {
  const [left, right] = pair(t, SOCK_DGRAM);
  const total = fill(left);
  const { result } = await onWorker(t, 'sendmmsg', [left, MESSAGES, 0, 1, 0], () => {
    drain(right, total);
  });
  t.is(result, 1);
});

test('sendfile to a full pipe on a worker waits for room', async (t) => {
  const [reader, writer] = pipe(t);
  const total = fill(writer);
  const file = openSync(process.execPath, 'r');
  t.teardown(() => {
    closeSync(file);
  });
  const { result } = await onWorker(t, 'sendfile', [writer, file, 0, 100], () => {
    drain(reader, total);
  });
  t.is(result, 100);
  t.is(sys.read(reader, new Uint8Array(200), 0, 200), 100);
});

test('splice on a worker waits for bytes, and for room', async (t) => {
  const [reader, writer] = pipe(t);
  const [left, right] = pair(t, SOCK_STREAM);
  const moved = await onWorker(t, 'splice', [reader, null, left, null, 100, 0], () => {
    ok(sys.write(writer, new Uint8Array(5), 0, 5));
  });
  t.is(moved.result, 5);
  t.is(sys.read(right, new Uint8Array(9), 0, 9), 5);
  const total = fill(left);
  ok(sys.write(writer, new Uint8Array(6), 0, 6));
  const made = await onWorker(t, 'splice', [reader, null, left, null, 6, 0], () => {
    drain(right, total);
  });
  t.is(made.result, 6);
});

test('connect on a worker connects, and leaves the socket blocking', async (t) => {
  const [, address] = listening(t, loopback);
  const fd = opened(t, sys.socket(AF_INET, SOCK_STREAM, 0));
  t.is((await onWorker(t, 'connect', [fd, address])).result, 0);
  t.is(sys.getpeername(fd, {}), 0);
  t.is(ok(sys.fcntl(fd, F_GETFL)) & O_NONBLOCK, 0);
});

test('connect on a worker answers ECONNREFUSED where nobody listens', async (t) => {
  const reserved = opened(t, sys.socket(AF_INET, SOCK_STREAM, 0));
  ok(sys.bind(reserved, loopback));
  const address: SocketAddressOut = {};
  ok(sys.getsockname(reserved, address));
  const fd = opened(t, sys.socket(AF_INET, SOCK_STREAM, 0));
  t.is((await onWorker(t, 'connect', [fd, address])).result, -ECONNREFUSED);
});

test('connect to a full Unix listener on a worker waits until it accepts', async (t) => {
  const [listener, address] = listening(t, freshAddress());
  fillQueue(t, address);
  const fd = opened(t, sys.socket(AF_UNIX, SOCK_STREAM, 0));
  const { result } = await onWorker(t, 'connect', [fd, address], () => {
    opened(t, sys.accept4(listener, null, 0));
  });
  t.is(result, 0);
});

test('connect to a full listener on a worker keeps to SO_SNDTIMEO', async (t) => {
  for (const [local, errno] of [
    [freshAddress(), EAGAIN],
    [loopback, EINPROGRESS],
  ] as const) {
    const [, address] = listening(t, local);
    fillQueue(t, address);
    const fd = opened(t, sys.socket(local.family, SOCK_STREAM, 0));
    limit(fd, SO_SNDTIMEO, 110);
    const { result, ms } = await onWorker(t, 'connect', [fd, address]);
    t.is(result, -errno);
    t.true(ms >= 110, `${ms} ms`);
    t.is(sys.getpeername(fd, {}), -ENOTCONN);
  }
});

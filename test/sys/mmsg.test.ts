/** recvmmsg, sendmmsg and MmsgArray: many messages with one call. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import test from 'ava';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  F_SETFL,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITFORONE,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { MmsgArray } from '../../ts/sys/index.js';
import { needs } from '../support/emulator.js';
import { boundSocket, Descriptors, fill, inWords, must, unixPair } from './support/kernel.js';
import { detach } from './support/memory.js';
import { refuses } from './support/misuse.js';

const loopback = (port: number): sys.SocketAddress => ({
  family: AF_INET,
  address: '127.0.0.1',
  port,
});

/** Puts a text into a message. */
function put(messages: MmsgArray, i: number, text: string): void {
  messages.setLength(i, messages.buffer.subarray(i * messages.size).length && text.length);
  messages.buffer.set(Buffer.from(text, 'latin1'), i * messages.size);
}

/** The text of a message. */
function text(messages: MmsgArray, i: number): string {
  const length = Math.min(messages.getLength(i), messages.size);
  return Buffer.from(messages.buffer.buffer, i * messages.size, length).toString('latin1');
}

function nameOf(messages: MmsgArray, i: number): sys.SocketAddressOut {
  const address = {};
  messages.getName(i, address);
  return address;
}

test('messages go and come each with its bytes, length and sender', (t) => {
  using open = new Descriptors();
  const to = boundSocket(open);
  const senders = Array.from({ length: 5 }, () => boundSocket(open));
  for (const [i, { fd }] of senders.entries()) {
    const out = new MmsgArray(3, 16);
    for (const part of [0, 1, 2]) {
      put(out, part, `${i} says ${'x'.repeat(part)}`);
      out.setName(part, loopback(to.port));
    }
    t.is(sys.sendmmsg(fd, out, 0, 3, 0), 3);
  }
  const into = new MmsgArray(32, 16);
  t.is(sys.recvmmsg(to.fd, into, 0, 32, 0, null), 15);
  for (const [i, { port }] of senders.entries()) {
    for (const part of [0, 1, 2]) {
      t.is(text(into, 3 * i + part), `${i} says ${'x'.repeat(part)}`);
      t.is(into.getFlags(3 * i + part), 0);
      t.deepEqual(nameOf(into, 3 * i + part), loopback(port));
    }
  }
  t.is(inWords(sys.recvmmsg(to.fd, into, 0, 32, 0, null)), 'EAGAIN');
});

test('what was received is sent back as it is, to whom it came from', async (t) => {
  using open = new Descriptors();
  const server = boundSocket(open);
  const client = dgram.createSocket('udp4');
  t.teardown(() => client.close());
  client.bind(0, '127.0.0.1');
  await once(client, 'listening');
  const sent = ['one', '', 'three'];
  for (const part of sent) {
    client.send(part, server.port, '127.0.0.1');
    await once(client, 'message', { signal: AbortSignal.timeout(1) }).catch(() => undefined);
  }
  const messages = new MmsgArray(8, 64);
  t.is(sys.recvmmsg(server.fd, messages, 0, 8, 0, null), 3);
  const echoed: string[] = [];
  client.on('message', (message, { port }) => {
    t.is(port, server.port);
    echoed.push(message.toString());
  });
  t.is(sys.sendmmsg(server.fd, messages, 0, 3, 0), 3);
  while (echoed.length < sent.length) await once(client, 'message');
  t.deepEqual(echoed, sent);
});

test('a datagram that is cut says so, and with MSG_TRUNC how long it was', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
  for (const length of [4, 5, 3]) must(sys.send(a, Buffer.alloc(length, 'x'), 0, length, 0));
  const messages = new MmsgArray(3, 4);
  t.is(sys.recvmmsg(b, messages, 0, 1, MSG_PEEK | MSG_TRUNC, null), 1);
  t.is(sys.recvmmsg(b, messages, 0, 3, MSG_TRUNC, null), 3);
  t.deepEqual(
    [0, 1, 2].map((i) => messages.getLength(i)),
    [4, 5, 3],
  );
  t.deepEqual(
    [0, 1, 2].map((i) => messages.getFlags(i)),
    [0, MSG_TRUNC, 0],
  );
  t.is(text(messages, 1), 'xxxx');
  t.is(text(messages, 2), 'xxx', 'nothing of one message is in another');
  refuses(t, () => sys.sendmmsg(b, messages, 0, 3, 0), 'ERR_OUT_OF_RANGE', 'msgvec');
});

test('offset and vlen choose the messages, and others stay as they are', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
  const messages = new MmsgArray(4, 4);
  for (const i of [0, 1, 2, 3]) put(messages, i, `${i}`);
  t.is(sys.sendmmsg(a, messages, 1, 2, 0), 2);
  t.is(sys.sendmmsg(a, messages, 4, 0, 0), 0);
  const into = new MmsgArray(4, 4);
  put(into, 0, 'old');
  t.is(sys.recvmmsg(b, into, 1, 3, 0, null), 2);
  t.deepEqual(
    [0, 1, 2, 3].map((i) => text(into, i)),
    ['old', '1', '2', ''],
  );
  t.is(sys.recvmmsg(b, into, 4, 0, 0, null), 0);
  for (const [offset, vlen] of [
    [0, 5],
    [4, 1],
    [5, 0],
    [2 ** 32 - 1, 2 ** 32 - 1],
  ] as const) {
    refuses(t, () => sys.sendmmsg(a, messages, offset, vlen, 0), 'ERR_OUT_OF_RANGE', 'vlen');
    refuses(t, () => sys.recvmmsg(b, into, offset, vlen, 0, null), 'ERR_OUT_OF_RANGE', 'vlen');
  }
});

test('sendmmsg answers how many went, and the rest goes later', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
  const total = 1_024;
  const messages = new MmsgArray(total, 4);
  for (let i = 0; i < total; i++) put(messages, i, String(i));
  const into = new MmsgArray(total, 4);
  let received = 0;
  let calls = 0;
  for (let sent = 0; sent < total; calls++) {
    const answer = sys.sendmmsg(a, messages, sent, total - sent, 0);
    if (answer > 0) sent += answer;
    else t.is(inWords(answer), 'EAGAIN');
    received += Math.max(0, sys.recvmmsg(b, into, received, total - received, 0, null));
  }
  t.true(calls > 1, 'the socket holds fewer');
  t.is(received, total);
  for (let i = 0; i < total; i++) t.is(text(into, i), String(i));
});

test('sendmmsg tells of each message of a stream how much went', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_STREAM | SOCK_NONBLOCK);
  fill(a);
  must(sys.recv(b, new Uint8Array(65_536), 0, 65_536, 0));
  const messages = new MmsgArray(1, 1 << 20);
  messages.setLength(0, 1 << 20);
  t.is(sys.sendmmsg(a, messages, 0, 1, 0), 1);
  t.true(messages.getLength(0) > 0 && messages.getLength(0) < 1 << 20);
});

test('addresses of every family go in and come out', (t) => {
  const messages = new MmsgArray(1, 1);
  t.deepEqual(nameOf(messages, 0), { family: 0 });
  for (const address of [
    loopback(65_535),
    { family: AF_INET6, address: '2001:db8::1', port: 1, flowinfo: 7, scopeId: 3 },
    { family: AF_UNIX, path: '/a/path' },
    { family: AF_UNIX, path: '\0abstract\0name' },
    { family: AF_UNIX, path: '' },
  ]) {
    messages.setName(0, address);
    t.deepEqual(nameOf(messages, 0), address);
  }
  messages.setName(0, null);
  t.deepEqual(nameOf(messages, 0), { family: 0 });
});

test('messages, lengths and names outside the array are refused', (t) => {
  const messages = new MmsgArray(2, 8);
  for (const i of [-1, 2, 0.5, Number.NaN, 2 ** 32]) {
    refuses(t, () => messages.getLength(i), 'ERR_OUT_OF_RANGE', 'i');
    refuses(t, () => messages.getFlags(i), 'ERR_OUT_OF_RANGE', 'i');
    refuses(
      t,
      () => {
        messages.setLength(i, 1);
      },
      'ERR_OUT_OF_RANGE',
      'i',
    );
    refuses(
      t,
      () => {
        messages.getName(i, {});
      },
      'ERR_OUT_OF_RANGE',
      'i',
    );
    refuses(
      t,
      () => {
        messages.setName(i, null);
      },
      'ERR_OUT_OF_RANGE',
      'i',
    );
  }
  for (const length of [-1, 9, 0.5, Number.NaN]) {
    refuses(
      t,
      () => {
        messages.setLength(0, length);
      },
      'ERR_OUT_OF_RANGE',
      'length',
    );
  }
  refuses(
    t,
    () => {
      messages.setName(0, { family: 99, address: '', port: 0 });
    },
    'ERR_OUT_OF_RANGE',
    'family',
  );
  refuses(
    t,
    () => {
      messages.setName(0, 1 as never);
    },
    'ERR_INVALID_ARG_TYPE',
    'addr',
  );
  refuses(
    t,
    () => {
      messages.getName(0, null as never);
    },
    'ERR_INVALID_ARG_TYPE',
    'addr',
  );
  for (const [capacity, size] of [
    [0, 1],
    [1_025, 1],
    [1, 0],
    [1, 2 ** 20 + 1],
    [0.5, 1],
  ] as const) {
    t.throws(() => new MmsgArray(capacity, size), { code: 'ERR_OUT_OF_RANGE' });
  }
  t.throws(() => new MmsgArray('1' as never, 1), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('a buffer that is gone is refused, and nothing is received', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
  must(sys.send(a, Buffer.from('kept'), 0, 4, 0));
  const messages = new MmsgArray(2, 8);
  detach(messages.buffer.buffer);
  refuses(t, () => sys.recvmmsg(b, messages, 0, 2, 0, null), 'ERR_OUT_OF_RANGE', 'buffer');
  refuses(t, () => sys.sendmmsg(b, messages, 0, 2, 0), 'ERR_OUT_OF_RANGE', 'buffer');
  t.is(sys.recv(b, new Uint8Array(8), 0, 8, 0), 4);
});

needs('timeout of recvmmsg')(
  'a timeout ends recvmmsg after a message, and a negative one is refused',
  (t) => {
    using open = new Descriptors();
    const [a, b] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
    const messages = new MmsgArray(4, 8);
    for (let i = 0; i < 4; i++) must(sys.send(a, Buffer.from('x'), 0, 1, 0));
    t.is(inWords(sys.recvmmsg(b, messages, 0, 4, 0, -1)), 'EINVAL');
    t.is(inWords(sys.recvmmsg(b, messages, 0, 4, 0, -(2n ** 63n))), 'EINVAL');
    t.is(sys.recvmmsg(b, messages, 0, 4, 0, 0), 1, 'zero is over after the first');
    t.is(sys.recvmmsg(b, messages, 0, 4, 0, 2n ** 63n - 1n), 3);
  },
);

test('MSG_WAITFORONE on a socket that blocks does not wait for a second message', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_DGRAM);
  must(sys.fcntl(b, F_SETFL, 0));
  must(sys.send(a, Buffer.from('x'), 0, 1, 0));
  t.is(sys.recvmmsg(b, new MmsgArray(4, 8), 0, 4, MSG_WAITFORONE, null), 1);
  t.is(inWords(sys.recvmmsg(b, new MmsgArray(4, 8), 0, 4, MSG_DONTWAIT, null)), 'EAGAIN');
});

test('100,000 datagrams keep their boundaries, their bytes and their senders', (t) => {
  using open = new Descriptors();
  const TOTAL = 100_000;
  const BATCH = 64;
  const to = boundSocket(open);
  const senders = Array.from({ length: 7 }, () => boundSocket(open));
  const room = 1 << 20;
  if (sys.setsockopt(to.fd, SOL_SOCKET, SO_RCVBUFFORCE, room) < 0) {
    must(sys.setsockopt(to.fd, SOL_SOCKET, SO_RCVBUF, room));
  }
  const out = new MmsgArray(BATCH, 256);
  const into = new MmsgArray(BATCH, 256);
  for (let i = 0; i < BATCH; i++) out.setName(i, loopback(to.port));
  const from: sys.SocketAddressOut = {};
  let wrong = 0;
  for (let sent = 0, batch = 0; sent < TOTAL; batch++) {
    const sender = senders[batch % senders.length] as (typeof senders)[0];
    const count = Math.min(BATCH, TOTAL - sent);
    for (let i = 0; i < count; i++) {
      const number = sent + i;
      const length = 8 + (number % 249);
      out.setLength(i, length);
      new DataView(out.buffer.buffer, i * 256).setFloat64(0, number);
      out.buffer[i * 256 + length - 1] = number & 0xff;
    }
    t.is(sys.sendmmsg(sender.fd, out, 0, count, 0), count);
    // The loopback delivers in the sender's own call: all of them wait here.
    let received = 0;
    while (received < count) {
      received += must(sys.recvmmsg(to.fd, into, received, BATCH - received, 0, null));
    }
    for (let i = 0; i < count; i++) {
      const number = sent + i;
      const length = 8 + (number % 249);
      into.getName(i, from);
      const isRight =
        into.getLength(i) === length &&
        (length === 8 || into.buffer[i * 256 + length - 1] === (number & 0xff)) &&
        (length === 8 || new DataView(into.buffer.buffer, i * 256).getFloat64(0) === number) &&
        from.port === sender.port &&
        from.address === '127.0.0.1';
      if (!isRight) wrong++;
    }
    sent += count;
  }
  t.is(wrong, 0);
  t.is(inWords(sys.recvmmsg(to.fd, into, 0, BATCH, 0, null)), 'EAGAIN', 'and no more than those');
});

/** Reading, writing, ending and failing of streams, against the other end of the same kernel. */
import { once } from 'node:events';
import net from 'node:net';
import test, { type ExecutionContext } from 'ava';
import {
  SystemError,
  TcpListener,
  TcpStream,
  UnixListener,
  UnixStream,
  WOULD_BLOCK,
  type Pipe,
} from '../../ts/index.js';
import {
  AF_INET,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  MSG_PEEK,
  SO_LINGER,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../ts/sys/constants.js';
import {
  bind,
  close,
  connect,
  getsockname,
  listen,
  setsockopt,
  socket,
  type SocketAddressOut,
} from '../../ts/sys/index.js';
import { eventually } from '../support/eventually.js';
import {
  acceptOne,
  awaitReady,
  closing,
  connectError,
  newEpoll,
  pipePair,
  portOf,
  tcpPair,
  unixPair,
  type Teardown,
} from '../support/pairs.js';
import { ALL_CONDITIONS, awaitConditions, conditionsOf } from '../support/readiness.js';

interface Ends {
  readonly from: TcpStream | UnixStream | Pipe;
  readonly to: TcpStream | UnixStream | Pipe;
}

const transports: Readonly<Record<string, (t: Teardown) => Ends>> = {
  'a TCP stream': (t) => {
    const { client, server } = tcpPair(t);
    return { from: client, to: server };
  },
  'a Unix stream': (t) => {
    const [from, to] = unixPair(t);
    return { from, to };
  },
  'a pipe': (t) => {
    const { reader, writer } = pipePair(t);
    return { from: writer, to: reader };
  },
};

for (const [name, open] of Object.entries(transports)) {
  test(`${name} carries bytes, and says WOULD_BLOCK when there are none`, (t) => {
    const { from, to } = open(t);
    const buffer = Buffer.alloc(10);
    t.is(to.read(buffer), WOULD_BLOCK);
    t.is(from.write(Buffer.from('hello')), 5);
    awaitReady(to, EPOLLIN);
    t.is(to.read(buffer), 5);
    t.is(buffer.toString('latin1', 0, 5), 'hello');
    t.is(to.read(buffer), WOULD_BLOCK);
  });

  test(`${name} reads and writes a slice and touches nothing else`, (t) => {
    const { from, to } = open(t);
    t.is(from.write(Buffer.from('0123456789'), 2, 3), 3);
    awaitReady(to, EPOLLIN);
    const buffer = Buffer.alloc(8, '.');
    t.is(to.read(buffer, 4, 2), 2);
    t.is(buffer.toString(), '....23..');
    t.is(to.read(buffer, 7), 1);
    t.is(buffer.toString(), '....23.4');
  });

  test(`${name} takes views of every kind`, (t) => {
    const { from, to } = open(t);
    const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(7);
    t.is(from.write(shared), 4);
    t.is(from.write(new DataView(new ArrayBuffer(8), 2, 3)), 3);
    t.is(from.write(Float64Array.of(1)), 8);
    awaitReady(to, EPOLLIN);
    const got = new Uint8Array(new SharedArrayBuffer(20));
    let length = 0;
    while (length < 15) length += Math.max(0, to.read(got, length));
    t.deepEqual([...got.subarray(0, 7)], [7, 7, 7, 7, 0, 0, 0]);
    t.is(new DataView(got.buffer).getFloat64(7, true), 1);
  });

  test(`${name} answers 0 at its end, again and again, after what was written before`, (t) => {
    const { from, to } = open(t);
    const buffer = Buffer.alloc(10);
    from.write(Buffer.from('last'));
    from.close();
    awaitReady(to, EPOLLIN);
    t.is(to.read(buffer), 4);
    awaitReady(to, EPOLLIN | EPOLLHUP);
    t.is(to.read(buffer), 0);
    t.is(to.read(buffer), 0);
  });

  test(`${name} takes part of what does not fit, then WOULD_BLOCK, and loses no byte`, (t) => {
    const { from, to } = open(t);
    const sent = Buffer.alloc(8 * 1024 * 1024, 'the quick brown fox ');
    const got = Buffer.alloc(sent.length);
    let written = 0;
    let read = 0;
    let partial = 0;
    while (read < sent.length) {
      const taken = written < sent.length ? from.write(sent, written) : 0;
      if (taken > 0 && taken < sent.length - written) partial++;
      if (taken > 0) written += taken;
      awaitReady(to, EPOLLIN);
      const count = to.read(got, read, Math.min(100_000, sent.length - read));
      if (count > 0) read += count;
    }
    t.true(partial > 0);
    t.true(got.equals(sent));
  });

  test(`${name} to a reader that is gone throws EPIPE, or what the peer sent instead`, (t) => {
    const { from, to } = open(t);
    to.close();
    awaitReady(from, EPOLLERR | EPOLLHUP | EPOLLOUT);
    const error = t.throws(
      () => {
        for (;;) if (from.write(Buffer.from('x')) < 0) awaitReady(from, EPOLLOUT);
      },
      { instanceOf: SystemError },
    );
    t.true(['EPIPE', 'ECONNRESET'].includes(error.code), error.code);
    t.is(error.fd, from.fd);
  });

  test(`${name} refuses what is no slice of the buffer, and moves no byte`, (t) => {
    const { from, to } = open(t);
    const buffer = Buffer.alloc(10);
    const calls: ((buffer: ArrayBufferView, offset: number, length: number) => number)[] = [
      (view, offset, length) => from.write(view, offset, length),
      (view, offset, length) => to.read(view, offset, length),
    ];
    for (const call of calls) {
      for (const [offset, length] of [
        [0, 11],
        [11, 0],
        [-1, 1],
        [5, 6],
        [0.5, 1],
        [Number.NaN, 1],
        [0, 2 ** 53],
        [2 ** 32, 0],
      ] as const) {
        t.throws(() => call(buffer, offset, length), { code: 'ERR_OUT_OF_RANGE' });
      }
      for (const wrong of [null, undefined, 'text', new ArrayBuffer(4), [1, 2], {}]) {
        t.throws(() => call(wrong as never, 0, 1), { code: 'ERR_INVALID_ARG_TYPE' });
      }
    }
    t.is(to.read(buffer), WOULD_BLOCK);
  });

  test(`${name} moves nothing for a slice of no length`, (t) => {
    const { from, to } = open(t);
    from.write(Buffer.from('a'));
    awaitReady(to, EPOLLIN);
    t.is(from.write(Buffer.alloc(0)), 0);
    t.is(to.read(Buffer.alloc(4), 2, 0), 0);
    t.is(to.read(Buffer.alloc(4)), 1);
  });
}

test('recv with MSG_PEEK leaves the bytes where they are', (t) => {
  const [left, right] = unixPair(t);
  const buffer = Buffer.alloc(10);
  right.write(Buffer.from('peek'));
  t.is(left.recv(buffer, 0, 10, MSG_PEEK), 4);
  t.is(left.recv(buffer, 5, 5, 0), 4);
  t.is(buffer.toString('latin1', 0, 9), 'peek\0peek');
  t.is(left.recv(buffer, 0, 10, 0), WOULD_BLOCK);
  t.is(left.send(Buffer.from('abc'), 1, 2, 0), 2);
});

test('read of a connection that was reset throws ECONNRESET once, and then ends', (t) => {
  const { client, server } = tcpPair(t);
  setsockopt(client.fd, SOL_SOCKET, SO_LINGER, Int32Array.of(1, 0));
  client.close();
  awaitReady(server, EPOLLERR);
  const error = t.throws(() => server.read(Buffer.alloc(1)), {
    code: 'ECONNRESET',
    instanceOf: SystemError,
  });
  t.is(error.syscall, 'recv');
  t.is(server.read(Buffer.alloc(1)), 0);
});

/** A Node server that echoes, keeps the half of the connection that it owns, and its connections. */
async function nodeServer(
  t: ExecutionContext,
): Promise<{ port: number; connection: Promise<net.Socket> }> {
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connection = (once(server, 'connection') as Promise<[net.Socket]>).then(([socket]) => {
    t.teardown(() => socket.destroy());
    return socket;
  });
  t.teardown(() => server.close());
  return { port: (server.address() as net.AddressInfo).port, connection };
}

test("shutdown('write') ends the stream for a Node peer, which can still send", async (t) => {
  const { port, connection } = await nodeServer(t);
  const stream = closing(t, TcpStream.connect({ port }));
  const peer = await connection;
  const received: string[] = [];
  peer.setEncoding('utf8').on('data', (text: string) => received.push(text));
  stream.write(Buffer.from('all of it'));
  stream.shutdown('write');
  await once(peer, 'end');
  t.is(received.join(''), 'all of it');
  t.throws(() => stream.write(Buffer.from('more')), { code: 'EPIPE' });
  peer.end('and the answer');
  const buffer = Buffer.alloc(100);
  let text = '';
  await eventually(() => {
    const count = stream.read(buffer);
    if (count > 0) text += buffer.toString('latin1', 0, count);
    return count;
  }, 0);
  t.is(text, 'and the answer');
});

test("shutdown('read') answers 0 at once, and writing goes on", async (t) => {
  const { port, connection } = await nodeServer(t);
  const stream = closing(t, TcpStream.connect({ port }));
  const peer = await connection;
  stream.shutdown('read');
  t.is(stream.read(Buffer.alloc(1)), 0);
  t.is(stream.write(Buffer.from('still')), 5);
  const [data] = (await once(peer, 'data')) as [Buffer];
  t.is(data.toString(), 'still');
});

test("shutdown('both') ends both directions for a Node peer", async (t) => {
  const { port, connection } = await nodeServer(t);
  const stream = closing(t, TcpStream.connect({ port }));
  const peer = await connection;
  stream.shutdown('both');
  peer.resume();
  await once(peer, 'end');
  t.is(stream.read(Buffer.alloc(1)), 0);
  t.throws(() => stream.write(Buffer.from('x')), { code: 'EPIPE' });
});

test('shutdown refuses other words, and a socket that is not connected', (t) => {
  const [left] = unixPair(t);
  for (const how of ['', 'READ', 'toString', 0, undefined, null]) {
    t.throws(
      () => {
        left.shutdown(how as never);
      },
      { code: 'ERR_INVALID_ARG_TYPE' },
    );
  }
  const fresh = closing(t, TcpStream.adopt(socket(AF_INET, SOCK_STREAM, 0)));
  const error = t.throws(
    () => {
      fresh.shutdown('write');
    },
    { code: 'ENOTCONN', instanceOf: SystemError },
  );
  t.is(error.syscall, 'shutdown');
});

test('connect to a port where nobody listens is refused, at once or by takeError', (t) => {
  const held = socket(AF_INET, SOCK_STREAM, 0);
  t.teardown(() => close(held));
  bind(held, { family: AF_INET, address: '127.0.0.1', port: 0 });
  const address: SocketAddressOut = {};
  getsockname(held, address);
  t.is(connectError(t, { port: address.port as number }), 'ECONNREFUSED');
});

/** A listener whose queue is full, so that the next connect stays in progress. */
function fullListener(t: ExecutionContext): { port: number; close: () => void } {
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  bind(fd, { family: AF_INET, address: '127.0.0.1', port: 0 });
  listen(fd, 0);
  const address: SocketAddressOut = {};
  getsockname(fd, address);
  const remote = { family: AF_INET, address: '127.0.0.1', port: address.port as number };
  const waiting = socket(AF_INET, SOCK_STREAM, 0);
  t.is(connect(waiting, remote), 0);
  t.teardown(() => close(waiting));
  return { port: remote.port, close: () => close(fd) };
}

test('a connect in progress is neither readable nor writable, and takeError then tells how it ended', (t) => {
  const listener = fullListener(t);
  const stream = closing(t, TcpStream.connect({ port: listener.port }));
  const epoll = newEpoll(t);
  epoll.add(stream, ALL_CONDITIONS);
  t.is(conditionsOf(epoll, stream), '-');
  t.throws(() => stream.remoteAddress, { code: 'ENOTCONN' });
  t.is(stream.takeError(), null);
  t.is(stream.read(Buffer.alloc(1)), WOULD_BLOCK);
  listener.close(); // The next attempt of the kernel is refused.
  t.is(awaitConditions(epoll, stream, 'IN|OUT|ERR|HUP|RDHUP'), 'IN|OUT|ERR|HUP|RDHUP');
  const error = stream.takeError();
  t.true(error instanceof SystemError);
  t.is(error?.code, 'ECONNREFUSED');
  t.is(error?.syscall, 'connect');
  t.is(error?.fd, stream.fd);
  t.is(stream.takeError(), null, 'taken');
});

test('a connect that succeeds is writable, and takeError is null', async (t) => {
  const { port, connection } = await nodeServer(t);
  const stream = closing(t, TcpStream.connect({ port }));
  awaitReady(stream, EPOLLOUT);
  t.is(stream.takeError(), null);
  const peer = await connection;
  t.like(stream.remoteAddress, { family: AF_INET, address: '127.0.0.1', port });
  t.like(stream.localAddress, { address: '127.0.0.1', port: peer.remotePort });
});

test('connect to where no way leads throws what the kernel says', (t) => {
  // No connection leads to all machines at once, with a network or without.
  t.throws(() => TcpStream.connect({ host: '255.255.255.255', port: 9 }), {
    instanceOf: SystemError,
    message: /, connect 255\.255\.255\.255:9$/,
  });
});

test('accept passes a connection on, with the addresses of both ends', (t) => {
  const listener = closing(t, TcpListener.listen());
  const client = closing(t, TcpStream.connect({ port: portOf(listener) }));
  const server = closing(t, acceptOne(listener));
  t.deepEqual(server.remoteAddress, client.localAddress);
  t.deepEqual(server.localAddress, client.remoteAddress);
  t.is(listener.accept(), null);
});

test('accept takes waiting connections one by one', (t) => {
  const path = `\0raw-epoll-accept-${process.pid}`;
  const listener = closing(t, UnixListener.listen({ path }));
  for (let i = 0; i < 5; i++) closing(t, UnixStream.connect({ path })).write(Buffer.from([i]));
  const order: number[] = [];
  for (let stream = listener.accept(); stream !== null; stream = listener.accept()) {
    const buffer = Buffer.alloc(1);
    closing(t, stream).read(buffer);
    order.push(buffer[0] as number);
  }
  t.deepEqual(order, [0, 1, 2, 3, 4]);
});

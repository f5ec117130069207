/** `toNetSocket`: a connection goes on as a `net.Socket` of Node. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  EpollEvents,
  EventFd,
  TcpListener,
  TcpStream,
  UnixListener,
  UnixStream,
  type SystemError,
} from '../../ts/index.js';
import { EPOLLIN, EPOLLOUT, EPOLLRDHUP, O_CLOEXEC } from '../../ts/sys/constants.js';
import { dup3 } from '../../ts/sys/index.js';
import { eventually } from '../support/eventually.js';
import { isOpen } from '../support/kernel-view.js';
import { acceptOne, awaitReady, closing, newEpoll, portOf, unixPair } from '../support/pairs.js';
import { readAll } from '../support/read-all.js';

interface Connection {
  /** A client of Node. */
  readonly peer: net.Socket;
  readonly stream: TcpStream | UnixStream;
}

async function connectTo(
  t: ExecutionContext,
  listener: TcpListener | UnixListener,
  peer: net.Socket,
): Promise<Connection> {
  t.teardown(() => peer.destroy());
  await once(peer, 'connect');
  return { peer, stream: acceptOne<TcpStream | UnixStream>(listener) };
}

const transports: Readonly<Record<string, (t: ExecutionContext) => Promise<Connection>>> = {
  TCP: (t) => {
    const listener = closing(t, TcpListener.listen());
    const peer = net.connect({ port: portOf(listener), host: '127.0.0.1', allowHalfOpen: true });
    return connectTo(t, listener, peer);
  },
  Unix: (t) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-net-'));
    t.teardown(() => {
      rmSync(folder, { recursive: true });
    });
    const socketPath = path.join(folder, 'socket');
    const listener = closing(t, UnixListener.listen({ path: socketPath }));
    return connectTo(t, listener, net.connect({ path: socketPath, allowHalfOpen: true }));
  },
};

for (const [name, open] of Object.entries(transports)) {
  test(`a ${name} connection goes on in both directions`, async (t) => {
    const { peer, stream } = await open(t);
    const socket = stream.toNetSocket({ allowHalfOpen: true });
    t.true(socket instanceof net.Socket);
    t.true(stream.closed);
    t.is(stream.fd, -1);
    const closed = once(socket, 'close');
    peer.end('from the peer');
    t.is(await readAll(socket), 'from the peer');
    socket.end('from the socket');
    t.is(await readAll(peer), 'from the socket');
    await closed;
  });

  test(`data that waits in a ${name} connection is not lost`, async (t) => {
    const { peer, stream } = await open(t);
    const first = Buffer.alloc(3);
    peer.write('onetwothree');
    awaitReady(stream, EPOLLIN);
    t.is(stream.read(first), 3);
    const socket = stream.toNetSocket();
    peer.end('four');
    t.is(await readAll(socket), 'twothreefour');
    t.is(first.toString(), 'one');
  });

  test(`what was read from a ${name} connection and is given back comes first`, async (t) => {
    const { peer, stream } = await open(t);
    const first = Buffer.alloc(3);
    peer.write('onetwothree');
    awaitReady(stream, EPOLLIN);
    t.is(stream.read(first), 3);
    const socket = stream.toNetSocket({ unread: first });
    first.fill('x'); // It was copied.
    peer.end('four');
    t.is(await readAll(socket), 'onetwothreefour');
  });

  test(`a ${name} connection whose peer has ended already still gives back what was read`, async (t) => {
    const { peer, stream } = await open(t);
    peer.end('all');
    await once(peer, 'finish');
    awaitReady(stream, EPOLLRDHUP);
    const all = Buffer.alloc(10);
    t.is(stream.read(all), 3);
    t.is(stream.read(all, 3), 0);
    t.is(
      await readAll(stream.toNetSocket({ unread: new DataView(all.buffer, all.byteOffset, 3) })),
      'all',
    );
  });

  test(`a ${name} connection that was in sets leaves them before it is handed over`, async (t) => {
    const { peer, stream } = await open(t);
    const sets = [newEpoll(t), newEpoll(t)] as const;
    for (const epoll of sets) epoll.add(stream, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
    const events = new EpollEvents();
    t.is(sets[0].wait(events, 0), 1);
    const socket = stream.toNetSocket();
    t.is(events.fd(0), -1);
    peer.write('for the socket');
    const [data] = (await once(socket, 'data')) as [Buffer];
    t.is(data.toString(), 'for the socket');
    for (const epoll of sets) {
      t.is(epoll.size, 0);
      t.is(epoll.wait(events, 0), 0);
    }
    socket.destroy();
    await once(socket, 'close');
  });

  test(`without allowHalfOpen a ${name} socket ends itself after its peer`, async (t) => {
    const { peer, stream } = await open(t);
    const socket = stream.toNetSocket();
    t.false(socket.allowHalfOpen);
    const closed = once(socket, 'close');
    socket.resume();
    peer.end();
    t.is(await readAll(peer), '');
    await closed;
  });

  test(`with allowHalfOpen a ${name} socket writes on after its peer has ended`, async (t) => {
    const { peer, stream } = await open(t);
    const socket = stream.toNetSocket({ allowHalfOpen: true });
    t.true(socket.allowHalfOpen);
    socket.resume();
    peer.end();
    await once(socket, 'end');
    socket.write('later ');
    socket.end('than that');
    t.is(await readAll(peer), 'later than that');
  });

  test(`Node closes the descriptor of a ${name} socket, and its former owner does not`, async (t) => {
    const { stream } = await open(t);
    const { fd } = stream;
    const socket = stream.toNetSocket();
    stream.close();
    t.true(isOpen(fd));
    socket.destroy();
    await once(socket, 'close');
    t.is(await eventually(() => isOpen(fd), false), false);
    t.throws(() => stream.toNetSocket(), { code: 'ERR_CLOSED' });
  });
}

test('a megabyte each way passes through a connection that was handed over', async (t) => {
  const { peer, stream } = await transports['TCP']!(t);
  const socket = stream.toNetSocket({ allowHalfOpen: true });
  const text = 'abcdefghij'.repeat(100_000);
  socket.end(text);
  peer.end(text);
  const [there, back] = await Promise.all([readAll(peer), readAll(socket)]);
  t.true(there === text && back === text);
});

test('a client connection goes on as a net.Socket as well, with its addresses', async (t) => {
  const server = net.createServer((socket) => socket.end('welcome'));
  t.teardown(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const stream = TcpStream.connect({ port });
  awaitReady(stream, EPOLLOUT);
  const socket = stream.toNetSocket();
  t.is(socket.remotePort, port);
  t.is(await readAll(socket), 'welcome');
});

test('a stream that is connecting goes on connecting, and sends what was written meanwhile', async (t) => {
  const listener = closing(t, TcpListener.listen({ backlog: 0 }));
  const port = portOf(listener);
  // One fills the queue. Who comes then is not answered until there is room.
  awaitReady(closing(t, TcpStream.connect({ port })), EPOLLOUT);
  const stream = TcpStream.connect({ port });
  t.is(stream.info().state, 'SYN_SENT');
  const socket = stream.toNetSocket();
  t.teardown(() => socket.destroy());
  socket.end('at last');
  acceptOne(listener).close();
  const accepted = closing(t, acceptOne(listener));
  t.is(await readAll(accepted.toNetSocket()), 'at last');
});

test('that a stream could not connect is an error of the socket', async (t) => {
  const listener = TcpListener.listen();
  const port = portOf(listener);
  listener.close();
  let stream: TcpStream;
  try {
    stream = TcpStream.connect({ port });
  } catch (error) {
    t.is((error as SystemError).code, 'ECONNREFUSED'); // at once: there is nothing to hand over
    return;
  }
  const [error] = (await once(stream.toNetSocket(), 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNREFUSED');
});

test('misuse is refused, and leaves the stream as it was', (t) => {
  const [stream, peer] = unixPair(t);
  const epoll = newEpoll(t);
  epoll.add(stream, EPOLLIN);
  for (const options of [null, 7, 'text'] as never[]) {
    t.throws(() => stream.toNetSocket(options), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  for (const unread of [null, 'text', new ArrayBuffer(3), [1]] as never[]) {
    t.throws(() => stream.toNetSocket({ unread }), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  for (const allowHalfOpen of [null, 1, 'true'] as never[]) {
    t.throws(() => stream.toNetSocket({ allowHalfOpen }), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  t.false(stream.closed);
  peer.write(Buffer.from('x'));
  t.is(epoll.wait(new EpollEvents(1), 10_000), 1);
});

test('of a detached buffer nothing is given back', async (t) => {
  const [stream, peer] = unixPair(t);
  const unread = new Uint8Array(8);
  structuredClone(unread.buffer, { transfer: [unread.buffer] });
  const socket = stream.toNetSocket({ unread });
  peer.write(Buffer.from('new'));
  peer.shutdown('write');
  t.is(await readAll(socket), 'new');
});

test('a connection that Node does not take stays with its owner', (t) => {
  const [left] = unixPair(t);
  const eventFd = closing(t, new EventFd());
  const { fd } = left;
  t.is(dup3(eventFd.fd, fd, O_CLOEXEC), fd); // What Node cannot read from is behind the number.
  t.throws(() => left.toNetSocket(), { code: 'ERR_INVALID_FD_TYPE' });
  t.false(left.closed);
  left.close();
  t.false(isOpen(fd));
});

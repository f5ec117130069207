/** Connections and listeners that Node had, and that go on here. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { TcpListener, TcpStream, UnixStream, WOULD_BLOCK } from '../../ts/index.js';
import { EPOLLIN, F_GETFD, FD_CLOEXEC } from '../../ts/sys/constants.js';
import { fcntl } from '../../ts/sys/index.js';
import { fixture, runNode } from '../support/child.js';
import { countDescriptors } from '../support/descriptors.js';
import { eventually } from '../support/eventually.js';
import { isOpen } from '../support/kernel-view.js';
import { acceptOne, awaitReady, closing, portOf, tcpPair } from '../support/pairs.js';
import { readAll } from '../support/read-all.js';

type Taken = ReturnType<typeof TcpStream.fromNetSocket | typeof UnixStream.fromNetSocket>;

interface Transport {
  readonly listen: (t: ExecutionContext) => net.ListenOptions;
  readonly take: (socket: net.Socket) => Taken;
}

const transports: Readonly<Record<string, Transport>> = {
  TCP: {
    listen: () => ({ host: '127.0.0.1', port: 0 }),
    take: (socket) => TcpStream.fromNetSocket(socket),
  },
  Unix: {
    listen: (t) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-from-'));
      t.teardown(() => {
        rmSync(folder, { recursive: true });
      });
      return { path: path.join(folder, 'socket') };
    },
    take: (socket) => UnixStream.fromNetSocket(socket),
  },
};

/** A connection of Node with both of its ends. */
async function nodePair(
  t: ExecutionContext,
  at: net.ListenOptions = { host: '127.0.0.1', port: 0 },
  options: net.ServerOpts = {},
): Promise<{ client: net.Socket; server: net.Socket }> {
  const listener = net.createServer({ allowHalfOpen: true, ...options }).listen(at);
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[net.Socket]>;
  const { port } = listener.address() as net.AddressInfo;
  const to = at.path === undefined ? { host: '127.0.0.1', port } : { path: at.path };
  const client = net.connect({ ...to, allowHalfOpen: true });
  const [[server]] = await Promise.all([accepted, once(client, 'connect')]);
  listener.close();
  t.teardown(() => {
    client.destroy();
    server.destroy();
  });
  return { client, server };
}

/** Reads what there is now, after waiting for something. */
function read(stream: TcpStream | UnixStream): string {
  awaitReady(stream, EPOLLIN);
  const buffer = Buffer.alloc(100);
  return buffer.toString('latin1', 0, Math.max(stream.read(buffer), 0));
}

/** Whether Node has read the end; nothing public tells before everything else is taken. */
function endHasCome(socket: net.Socket): boolean {
  return (socket as unknown as { _readableState: { ended: boolean } })._readableState.ended;
}

function numberOf(socket: net.Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

for (const [name, { listen, take }] of Object.entries(transports)) {
  test(`an accepted ${name} socket that was never read goes on here, in both directions`, async (t) => {
    const { client, server } = await nodePair(t, listen(t), { pauseOnConnect: true });
    client.end('from the client');
    await once(client, 'finish');
    const { stream, unread } = take(server);
    closing(t, stream);
    t.is(unread.length, 0);
    t.is(read(stream), 'from the client');
    t.is(read(stream), '');
    stream.write(Buffer.from('from here'));
    stream.shutdown('write');
    t.is(await readAll(client), 'from here');
  });

  test(`a client ${name} socket goes on here, and what Node had read is given with it`, async (t) => {
    const { client, server } = await nodePair(t, listen(t));
    client.pause();
    server.write('read by Node, ');
    t.is(await eventually(() => client.readableLength, 14), 14);
    const { stream, unread } = take(client);
    closing(t, stream);
    server.write('read here');
    t.is(unread.toString(), 'read by Node, ');
    t.is(read(stream), 'read here');
  });
}

test('the duplicate is closed by execve, and Node closes its own number', async (t) => {
  const { server } = await nodePair(t);
  const fd = numberOf(server);
  const { stream } = TcpStream.fromNetSocket(server);
  closing(t, stream);
  t.not(stream.fd, fd);
  t.is(fcntl(stream.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  t.true(server.destroyed);
  await once(server, 'close');
  t.is(await eventually(() => isOpen(fd), false), false);
  t.true(isOpen(stream.fd));
});

test('what a paused socket with a listener had read is given once', async (t) => {
  const { client, server } = await nodePair(t);
  const heard: Buffer[] = [];
  server.on('data', (chunk: Buffer) => heard.push(chunk));
  server.pause();
  client.write('once');
  t.is(await eventually(() => server.readableLength, 4), 4);
  const { stream, unread } = TcpStream.fromNetSocket(server);
  closing(t, stream);
  await once(server, 'close');
  t.is(unread.toString(), 'once');
  t.deepEqual(heard, []);
});

test('the end that Node has read after it is read here, and Node’s socket tells of none', async (t) => {
  const { client, server } = await nodePair(t);
  const heard: string[] = [];
  for (const event of ['end', 'close', 'error']) server.on(event, () => heard.push(event));
  server.pause();
  client.end('last');
  // Node reads on to the end while it keeps less than its high-water mark.
  t.true(await eventually(() => endHasCome(server), true));
  const { stream, unread } = TcpStream.fromNetSocket(server);
  closing(t, stream);
  await once(server, 'close');
  t.is(unread.toString(), 'last');
  t.is(read(stream), '');
  t.deepEqual(heard, ['close']);
});

test('a connection goes to Node and back and to Node again', async (t) => {
  const { client, server } = await nodePair(t);
  const first = TcpStream.fromNetSocket(server);
  const second = TcpStream.fromNetSocket(first.stream.toNetSocket({ unread: Buffer.from('ab') }));
  t.is(second.unread.toString(), 'ab');
  const socket = second.stream.toNetSocket({ unread: second.unread, allowHalfOpen: true });
  client.end('cd');
  t.is(await readAll(socket), 'abcd');
  socket.end('answer');
  t.is(await readAll(client), 'answer');
});

test('an upgraded connection of an HTTP server goes on here, with its head', async (t) => {
  const server = http.createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const upgraded = once(server, 'upgrade') as Promise<[unknown, net.Socket, Buffer]>;
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => client.destroy());
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\nhead, ');
  const [, socket, head] = await upgraded;
  const { stream, unread } = TcpStream.fromNetSocket(socket);
  closing(t, stream);
  client.end('and more');
  await once(client, 'finish');
  let all = Buffer.concat([head, unread]).toString();
  for (let more; (more = read(stream)) !== '';) all += more;
  t.is(all, 'head, and more');
  stream.write(Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
  stream.shutdown('write');
  t.regex(await readAll(client), /^HTTP\/1\.1 101 /);
});

test('a socket that was written to and has sent everything can be taken', async (t) => {
  const { client, server } = await nodePair(t);
  server.write('from Node, ');
  const { stream } = TcpStream.fromNetSocket(server);
  stream.write(Buffer.from('and from here'));
  stream.close();
  t.is(await readAll(client), 'from Node, and from here');
});

const refusals: Readonly<
  Record<string, (t: ExecutionContext) => Promise<[socket: net.Socket, code: string]>>
> = {
  'a destroyed socket': async (t) => {
    const { server } = await nodePair(t);
    return [server.destroy(), 'ERR_CLOSED'];
  },
  'a socket that was never connected': () =>
    Promise.resolve([new net.Socket(), 'ERR_INVALID_STATE']),
  'a socket that is connecting': (t) => {
    const listener = closing(t, TcpListener.listen());
    const socket = net.connect(portOf(listener), '127.0.0.1');
    t.teardown(() => socket.destroy());
    return Promise.resolve([socket, 'ERR_INVALID_STATE']);
  },
  'a socket that has been ended': async (t) => {
    const { server } = await nodePair(t);
    return [server.end(), 'ERR_INVALID_STATE'];
  },
  'a socket with output pending': async (t) => {
    const { server } = await nodePair(t);
    server.write(Buffer.alloc(32 * 1024 * 1024));
    return [server, 'ERR_INVALID_STATE'];
  },
  'a socket that decodes': async (t) => {
    const { server } = await nodePair(t);
    return [server.setEncoding('utf8'), 'ERR_INVALID_STATE'];
  },
  'a socket of TLS': async (t) => {
    const { client } = await nodePair(t);
    const secure = new tls.TLSSocket(client);
    secure.on('error', () => undefined);
    return [secure, 'ERR_INVALID_STATE'];
  },
  'a socket of another kind': async (t) => {
    const { server } = await nodePair(t, transports['Unix']?.listen(t));
    return [server, 'ERR_INVALID_FD_TYPE'];
  },
  'a Node that does not tell the number': async (t) => {
    const { server } = await nodePair(t);
    return [hiding(server, undefined), 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'];
  },
  'a handle that is closed': async (t) => {
    const { server } = await nodePair(t);
    return [hiding(server, -1), 'ERR_CLOSED'];
  },
  'a number that was closed behind the back of Node': async (t) => {
    const { server } = await nodePair(t);
    return [hiding(server, 0x7fff_ffff), 'EBADF'];
  },
};

/** The same socket, whose handle has another number. */
function hiding(socket: net.Socket, fd: number | undefined): net.Socket {
  return new Proxy(socket, {
    get: (target, property) =>
      property === '_handle' ? { fd } : (Reflect.get(target, property, target) as unknown),
  });
}

for (const [what, make] of Object.entries(refusals)) {
  test(`${what} is refused, and stays with Node`, async (t) => {
    const [socket, code] = await make(t);
    const { destroyed } = socket;
    t.throws(() => TcpStream.fromNetSocket(socket), { code });
    t.is(socket.destroyed, destroyed);
  });
}

test('what is no socket, and no server, is refused', (t) => {
  for (const wrong of [null, undefined, 7, {}, net.createServer(), { _handle: { fd: 1 } }]) {
    t.throws(() => TcpStream.fromNetSocket(wrong as never), { code: 'ERR_INVALID_ARG_TYPE' });
    t.throws(() => UnixStream.fromNetSocket(wrong as never), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  for (const wrong of [null, undefined, 7, {}, new net.Socket()]) {
    t.throws(() => TcpListener.fromNetServer(wrong as never), { code: 'ERR_INVALID_ARG_TYPE' });
  }
});

test('out of descriptors, the socket and the server stay with Node', async (t) => {
  const { stdout, stderr } = await runNode(fixture('descriptor-from-node-full-table'));
  t.is(stderr, '');
  t.deepEqual(JSON.parse(stdout), {
    thrown: ['EMFILE fcntl', 'EMFILE fcntl'],
    destroyed: false,
    listening: true,
    heard: 'all of it',
    taken: 'more',
  });
});

test('in a worker a connection goes on here as well', async (t) => {
  const worker = new Worker(fixture('descriptor-from-node-worker'));
  t.teardown(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.teardown(() => client.destroy());
  client.end('to the worker');
  t.is(await readAll(client), 'to the worker');
});

test('a server of Node goes on as a listener here, with the connections that wait', async (t) => {
  const server = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  // Connected in the kernel alone, before Node's loop turns and accepts.
  const waits = closing(t, TcpStream.connect({ port }));
  const listener = closing(t, TcpListener.fromNetServer(server, { reserveDescriptor: true }));
  t.false(server.listening);
  const accepted = closing(t, acceptOne(listener));
  waits.write(Buffer.from('early'));
  t.is(read(accepted), 'early');
  await once(server, 'close');
  const late = closing(t, TcpStream.connect({ port }));
  closing(t, acceptOne(listener));
  t.is(late.read(Buffer.alloc(1)), WOULD_BLOCK);
  t.is(portOf(listener), port);
});

test('a server that does not listen, or on a path, is refused and stays with Node', async (t) => {
  const closed = net.createServer();
  t.throws(() => TcpListener.fromNetServer(closed), { code: 'ERR_INVALID_STATE' });
  const server = net.createServer().listen(transports['Unix']?.listen(t));
  t.teardown(() => server.close());
  await once(server, 'listening');
  t.throws(() => TcpListener.fromNetServer(server), { code: 'ERR_INVALID_FD_TYPE' });
  t.throws(() => TcpListener.fromNetServer(server, null as never), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
  t.true(server.listening);
});

test.serial('five hundred connections that come from Node leave no descriptor', async (t) => {
  const before = countDescriptors();
  for (let i = 0; i < 500; i++) {
    const { client, server } = tcpPair(t);
    const closed = [once(toNode(client), 'close'), once(toNode(server), 'close')];
    await Promise.all(closed);
  }
  t.is(await eventually(countDescriptors, before), before);
});

/** To Node and back, and closed here. */
function toNode(stream: TcpStream): net.Socket {
  const socket = stream.toNetSocket();
  TcpStream.fromNetSocket(socket).stream.close();
  return socket;
}

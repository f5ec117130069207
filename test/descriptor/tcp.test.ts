import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import test from 'ava';
import { TcpListener, TcpStream } from '../../ts/index.js';
import {
  AF_INET,
  AF_INET6,
  EPOLLIN,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SO_ACCEPTCONN,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from '../../ts/sys/constants.js';
import { getsockopt } from '../../ts/sys/index.js';
import { countDescriptors } from '../support/descriptors.js';
import { acceptOne, awaitReady, closing, portOf, tcpPair } from '../support/pairs.js';

/** An option of a socket, from the kernel. */
function option({ fd }: { readonly fd: number }, level: number, name: number): number {
  const value = new Int32Array(1);
  if (getsockopt(fd, level, name, value) !== 4) throw new Error('no int');
  return value[0] as number;
}

const loopback6 = Object.values(os.networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);
const testIpv6 = loopback6 ? test : test.skip;

/** The port that was taken before, on an address of the test's choice. */
function listenAgain(port: number, host?: string): TcpListener {
  return TcpListener.listen({ port, ...(host === undefined ? {} : { host }) });
}

test('setNoDelay sets and clears TCP_NODELAY', (t) => {
  const { client } = tcpPair(t);
  t.is(option(client, IPPROTO_TCP, TCP_NODELAY), 0);
  client.setNoDelay();
  t.is(option(client, IPPROTO_TCP, TCP_NODELAY), 1);
  client.setNoDelay(false);
  t.is(option(client, IPPROTO_TCP, TCP_NODELAY), 0);
  client.setNoDelay(true);
  t.is(option(client, IPPROTO_TCP, TCP_NODELAY), 1);
});

test('setKeepAlive sets SO_KEEPALIVE and the times that are given, and leaves the others', (t) => {
  const { client } = tcpPair(t);
  const idle = option(client, IPPROTO_TCP, TCP_KEEPIDLE);
  t.is(option(client, SOL_SOCKET, SO_KEEPALIVE), 0);
  client.setKeepAlive(true, { intervalSeconds: 7, count: 3 });
  t.is(option(client, SOL_SOCKET, SO_KEEPALIVE), 1);
  t.is(option(client, IPPROTO_TCP, TCP_KEEPIDLE), idle);
  t.is(option(client, IPPROTO_TCP, TCP_KEEPINTVL), 7);
  t.is(option(client, IPPROTO_TCP, TCP_KEEPCNT), 3);
  client.setKeepAlive(false, { idleSeconds: 32_767 });
  t.is(option(client, SOL_SOCKET, SO_KEEPALIVE), 0);
  t.is(option(client, IPPROTO_TCP, TCP_KEEPIDLE), 32_767);
});

test('setKeepAlive refuses times that are none', (t) => {
  const { client } = tcpPair(t);
  const wrong = [
    { idleSeconds: 0 },
    { idleSeconds: 32_768 },
    { intervalSeconds: 1.5 },
    { count: 128 },
    { count: Number.NaN },
  ];
  for (const options of wrong) {
    t.throws(
      () => {
        client.setKeepAlive(true, options);
      },
      { code: 'ERR_OUT_OF_RANGE' },
    );
  }
  t.throws(
    () => {
      client.setKeepAlive(true, { count: '3' as never });
    },
    { code: 'ERR_INVALID_ARG_TYPE' },
  );
});

test('reuseAddress is on by default and can be turned off', (t) => {
  t.is(option(closing(t, TcpListener.listen()), SOL_SOCKET, SO_REUSEADDR), 1);
  const off = closing(t, TcpListener.listen({ reuseAddress: false }));
  t.is(option(off, SOL_SOCKET, SO_REUSEADDR), 0);
});

test('a port with connections in TIME_WAIT can be taken again', (t) => {
  const listener = TcpListener.listen();
  const port = portOf(listener);
  const client = closing(t, TcpStream.connect({ port }));
  const server = acceptOne(listener);
  server.close(); // Whoever closes first keeps the connection in TIME_WAIT.
  awaitReady(client, EPOLLIN);
  client.close();
  listener.close();
  t.is(portOf(closing(t, listenAgain(port))), port);
});

test('two listeners share a port with reusePort, and both get connections', (t) => {
  const first = closing(t, TcpListener.listen({ reusePort: true }));
  const port = portOf(first);
  const second = closing(t, TcpListener.listen({ port, reusePort: true }));
  t.is(option(second, SOL_SOCKET, SO_REUSEPORT), 1);
  t.is(portOf(second), port);
  // The kernel spreads them by a hash of the addresses: 64 on one side is out of the question.
  const clients = Array.from({ length: 64 }, () => closing(t, TcpStream.connect({ port })));
  const counts = [0, 0];
  while (counts[0]! + counts[1]! < clients.length) {
    for (const [i, listener] of [first, second].entries()) {
      const stream = listener.accept();
      if (stream !== null) counts[i] = counts[i]! + closing(t, stream).write(Buffer.alloc(1));
    }
  }
  t.true(counts[0]! > 0 && counts[1]! > 0, counts.join());
});

test('a port without reusePort is taken once', (t) => {
  const first = closing(t, TcpListener.listen());
  t.is(option(first, SOL_SOCKET, SO_REUSEPORT), 0);
  t.throws(() => listenAgain(portOf(first)), {
    code: 'EADDRINUSE',
    message: new RegExp(
      `^EADDRINUSE: address already in use, bind 127\\.0\\.0\\.1:${portOf(first)}$`,
    ),
  });
});

test('a listener listens on 127.0.0.1 at a port of the kernel, if nothing is said', (t) => {
  const listener = closing(t, TcpListener.listen());
  t.is(option(listener, SOL_SOCKET, SO_ACCEPTCONN), 1);
  t.like(listener.address, { family: AF_INET, address: '127.0.0.1' });
  t.true(portOf(listener) > 0);
});

test('localHost and localPort are this end of the connection', (t) => {
  const listener = closing(t, TcpListener.listen());
  const free = TcpListener.listen({ host: '127.0.0.2' });
  const localPort = portOf(free);
  free.close();
  const port = portOf(listener);
  const both = closing(t, TcpStream.connect({ port, localHost: '127.0.0.2', localPort }));
  t.like(both.localAddress, { address: '127.0.0.2', port: localPort });
  t.like(closing(t, acceptOne(listener)).remoteAddress, { address: '127.0.0.2', port: localPort });
  const hostOnly = closing(t, TcpStream.connect({ port, localHost: '127.0.0.3' }));
  t.like(closing(t, acceptOne(listener)).remoteAddress, { address: '127.0.0.3' });
  t.like(hostOnly.localAddress, { address: '127.0.0.3' });
});

test('localPort alone is a port at the address that the kernel chooses', (t) => {
  const listener = closing(t, TcpListener.listen());
  const free = TcpListener.listen();
  const localPort = portOf(free);
  free.close();
  const stream = closing(t, TcpStream.connect({ port: portOf(listener), localPort }));
  t.like(stream.localAddress, { address: '127.0.0.1', port: localPort });
});

testIpv6('IPv6 connects and listens, with addresses in their IPv6 form', (t) => {
  const listener = closing(t, TcpListener.listen({ host: '::1' }));
  t.like(listener.address, { family: AF_INET6, address: '::1', flowinfo: 0, scopeId: 0 });
  const client = closing(t, TcpStream.connect({ host: '::1', port: portOf(listener) }));
  const server = closing(t, acceptOne(listener));
  t.like(server.localAddress, { family: AF_INET6, address: '::1', port: portOf(listener) });
  t.deepEqual(server.remoteAddress, client.localAddress);
});

testIpv6("'::' takes IPv4 as well, shown as a mapped address", (t) => {
  const listener = closing(t, TcpListener.listen({ host: '::' }));
  t.is(option(listener, IPPROTO_IPV6, IPV6_V6ONLY), 0);
  const port = portOf(listener);
  closing(t, TcpStream.connect({ port }));
  t.like(closing(t, acceptOne(listener)).remoteAddress, {
    family: AF_INET6,
    address: '::ffff:127.0.0.1',
  });
  closing(t, TcpStream.connect({ host: '::1', port }));
  t.like(closing(t, acceptOne(listener)).remoteAddress, { family: AF_INET6, address: '::1' });
});

testIpv6('ipv6Only leaves IPv4 alone: another listener may have the port', (t) => {
  // A port of IPv4 that is not free any more once it is known belongs to IPv6 in the same way.
  const ipv4 = closing(t, TcpListener.listen({ host: '0.0.0.0' }));
  const port = portOf(ipv4);
  const listener = closing(t, TcpListener.listen({ host: '::', port, ipv6Only: true }));
  t.is(option(listener, IPPROTO_IPV6, IPV6_V6ONLY), 1);
  t.is(portOf(listener), port);
  closing(t, TcpStream.connect({ port }));
  t.like(closing(t, acceptOne(ipv4)).remoteAddress, { family: AF_INET, address: '127.0.0.1' });
});

test('the zone of an address is the index of an interface, and nothing else', (t) => {
  const before = countDescriptors();
  for (const host of [
    'fe80::1%lo',
    'fe80::1%-1',
    'fe80::1%',
    'fe80::1%1%1',
    '127.0.0.1%1',
    '1.2.3',
    '::g',
    '',
  ]) {
    t.throws(() => TcpStream.connect({ host, port: 1 }), { code: 'ERR_OUT_OF_RANGE' }, host);
  }
  t.is(countDescriptors(), before);
});

test('the backlog limits how many connections wait', (t) => {
  const small = closing(t, TcpListener.listen({ backlog: 0 }));
  const port = portOf(small);
  const clients = Array.from({ length: 3 }, () => closing(t, TcpStream.connect({ port })));
  const connected = clients.filter((client) => isConnected(client));
  t.is(connected.length, 1, 'one more than the backlog, says the kernel');
});

function isConnected(stream: TcpStream): boolean {
  try {
    return stream.remoteAddress.family === AF_INET;
  } catch {
    return false;
  }
}

test('a Node client talks to a TcpListener', async (t) => {
  const listener = closing(t, TcpListener.listen());
  const client = net.connect(portOf(listener), '127.0.0.1');
  t.teardown(() => client.destroy());
  await once(client, 'connect');
  const server = closing(t, acceptOne(listener));
  t.like(server.remoteAddress, { port: client.localPort });
  server.write(Buffer.from('from the set'));
  const [data] = (await once(client, 'data')) as [Buffer];
  t.is(data.toString(), 'from the set');
});

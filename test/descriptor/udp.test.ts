/** UdpSocket against the kernel, `node:dgram` and other programs. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import {
  DatagramBatch,
  EpollEvents,
  type SocketAddress,
  type SocketAddressOut,
  UdpSocket,
  WOULD_BLOCK,
} from '../../ts/index.js';
import { AF_INET, EPOLLIN, IPPROTO_IPV6, IPV6_MULTICAST_IF } from '../../ts/sys/constants.js';
import { getsockopt } from '../../ts/sys/index.js';
import { needs } from '../support/emulator.js';
import { awaitReady, closing, newEpoll } from '../support/pairs.js';

const buffer = Buffer.alloc(64);

function bound(t: ExecutionContext, options: Parameters<typeof UdpSocket.bind>[0] = {}): UdpSocket {
  return closing(t, UdpSocket.bind(options));
}

function portOf(socket: UdpSocket): number {
  return (socket.localAddress as { port: number }).port;
}

/** Receives one, which must be there. */
function text(socket: UdpSocket, from?: SocketAddressOut): string {
  const length = socket.receive(buffer, 0, buffer.length, from);
  return length === WOULD_BLOCK ? 'nothing' : buffer.toString('latin1', 0, length);
}

test('datagrams go to an address and tell where they come from', (t) => {
  const [a, b] = [bound(t), bound(t)];
  t.is(a.sendTo(b.localAddress, Buffer.from('hello')), 5);
  t.is(a.sendTo(b.localAddress, Buffer.from('....slice..'), 4, 5), 5);
  const from: SocketAddressOut = {};
  t.is(text(b, from), 'hello');
  t.deepEqual(from, a.localAddress);
  t.is(text(b), 'slice');
  t.is(b.receive(buffer), WOULD_BLOCK);
});

test('an empty datagram is one, and no end', (t) => {
  const [a, b] = [bound(t), bound(t)];
  t.is(a.sendTo(b.localAddress, new Uint8Array(0)), 0);
  t.is(b.receive(buffer), 0);
  t.is(b.receive(buffer), WOULD_BLOCK);
});

test('a datagram that is cut answers how long it was, and the rest of it is gone', (t) => {
  const [a, b] = [bound(t), bound(t)];
  a.sendTo(b.localAddress, Buffer.from('too long'));
  a.sendTo(b.localAddress, Buffer.from('next'));
  buffer.fill(0);
  t.is(b.receive(buffer, 0, 3), 8);
  t.is(buffer.toString('latin1', 0, 8), 'too\0\0\0\0\0');
  t.is(text(b), 'next');
});

test('a connected socket sends to its peer and hears nobody else', (t) => {
  const [server, stranger] = [bound(t), bound(t)];
  const client = closing(t, UdpSocket.connect({ port: portOf(server) }));
  t.deepEqual(client.remoteAddress, server.localAddress);
  t.is(client.send(Buffer.from('question')), 8);
  const from: SocketAddressOut = {};
  t.is(text(server, from), 'question');
  stranger.sendTo(client.localAddress, Buffer.from('noise'));
  server.sendTo(from as SocketAddress, Buffer.from('answer'));
  t.is(text(client), 'answer');
  t.is(client.receive(buffer), WOULD_BLOCK);
  client.disconnect();
  t.throws(() => client.remoteAddress, { code: 'ENOTCONN' });
  t.throws(() => client.send(buffer), { code: 'EDESTADDRREQ' });
});

test('a bound socket can be connected later, and again', (t) => {
  const [a, b, c] = [bound(t), bound(t), bound(t)];
  for (const peer of [b, c]) {
    a.connect({ port: portOf(peer) });
    t.is(a.send(Buffer.from('hi')), 2);
    t.is(text(peer), 'hi');
  }
});

test('a refused datagram is told to the next call, once', (t) => {
  const gone = bound(t);
  const client = closing(t, UdpSocket.connect({ port: portOf(gone), localHost: '127.0.0.1' }));
  gone.close();
  for (const next of [() => client.receive(buffer), () => client.send(buffer)]) {
    client.send(buffer);
    t.throws(next, { code: 'ECONNREFUSED' });
    t.is(client.receive(buffer), WOULD_BLOCK);
  }
  client.send(buffer);
  t.is(client.takeError()?.code, 'ECONNREFUSED');
  t.is(client.takeError(), null);
});

test('what no datagram holds is EMSGSIZE, and the socket goes on', (t) => {
  const [a, b] = [bound(t), bound(t)];
  const most = Buffer.alloc(65_507, 'x');
  t.throws(() => a.sendTo(b.localAddress, Buffer.alloc(65_508)), { code: 'EMSGSIZE' });
  t.is(a.sendTo(b.localAddress, most), 65_507);
  const large = Buffer.alloc(65_507);
  t.is(b.receive(large), 65_507);
  t.true(large.equals(most));
});

test('IPv6 works alike, and takes IPv4 unless told otherwise', (t) => {
  const both = bound(t, { host: '::' });
  const four = bound(t);
  four.sendTo({ family: AF_INET, address: '127.0.0.1', port: portOf(both) }, Buffer.from('4'));
  const from: SocketAddressOut = {};
  t.is(text(both, from), '4');
  t.is(from.address, '::ffff:127.0.0.1');
  const only = bound(t, { host: '::1', ipv6Only: true });
  const six = bound(t, { host: '::1' });
  six.sendTo(only.localAddress, Buffer.from('6'));
  t.is(text(only, from), '6');
  t.deepEqual(from, six.localAddress);
});

test('a port is shared with reusePort or reuseAddress alone', (t) => {
  for (const option of ['reusePort', 'reuseAddress'] as const) {
    const port = portOf(bound(t, { [option]: true }));
    bound(t, { port, [option]: true });
    t.throws(() => UdpSocket.bind({ port }), { code: 'EADDRINUSE' });
  }
});

test('broadcast addresses need the option', (t) => {
  const to = { family: AF_INET, address: '127.255.255.255', port: portOf(bound(t)) };
  t.throws(() => bound(t).sendTo(to, buffer), { code: 'EACCES' });
  t.is(bound(t, { broadcast: true }).sendTo(to, buffer), buffer.length);
});

test('node:dgram and a UdpSocket talk to each other', async (t) => {
  const socket = bound(t);
  const peer = dgram.createSocket('udp4');
  t.teardown(() => peer.close());
  peer.bind(0, '127.0.0.1');
  await once(peer, 'listening');
  const address = { family: AF_INET, address: '127.0.0.1', port: peer.address().port };
  const answer = once(peer, 'message') as Promise<[Buffer, dgram.RemoteInfo]>;
  socket.sendTo(address, Buffer.from('to dgram'));
  const [message, { port }] = await answer;
  t.is(message.toString(), 'to dgram');
  t.is(port, portOf(socket));
  peer.send('from dgram', port, '127.0.0.1');
  await once(peer, 'message', { signal: AbortSignal.timeout(20) }).catch(() => undefined);
  awaitReady(socket, EPOLLIN);
  const from: SocketAddressOut = {};
  t.is(text(socket, from), 'from dgram');
  t.deepEqual(from, address);
});

test('a set reports a datagram', (t) => {
  const [a, b] = [bound(t), bound(t)];
  const epoll = newEpoll<string>(t);
  epoll.add(b, EPOLLIN, 'b');
  const events = new EpollEvents<string>(2);
  t.is(epoll.wait(events, 0), 0);
  a.sendTo(b.localAddress, buffer);
  t.is(epoll.wait(events, 10_000), 1);
  t.is(events.data(0), 'b');
});

// --- batches ----------------------------------------------------------------------------------

test('a batch is sent with one call and received with another', (t) => {
  const [a, b] = [bound(t), bound(t)];
  const out = new DatagramBatch(8, 32);
  for (const word of ['one', '', 'three']) t.true(out.add(Buffer.from(word), b.localAddress));
  t.is(out.length, 3);
  t.is(a.sendBatch(out), 3);
  const into = new DatagramBatch(8, 32);
  t.is(b.receiveBatch(into), 3);
  const words = [0, 1, 2].map((i) => Buffer.from(into.data(i)).toString());
  t.deepEqual(words, ['one', '', 'three']);
  for (const i of [0, 1, 2]) {
    t.deepEqual(into.address(i), a.localAddress);
    t.false(into.truncated(i));
  }
  t.is(b.receiveBatch(into), WOULD_BLOCK);
  t.is(into.length, 0, 'what was in it is gone');
  t.throws(() => into.data(0), { code: 'ERR_OUT_OF_RANGE' });
});

test('a received batch goes back to where it came from', (t) => {
  const clients = [bound(t), bound(t), bound(t)];
  const server = bound(t);
  for (const [i, client] of clients.entries()) {
    client.sendTo(server.localAddress, Buffer.from(`client ${i}`));
  }
  const batch = new DatagramBatch();
  t.is(server.receiveBatch(batch), 3);
  t.is(server.sendBatch(batch), 3);
  for (const [i, client] of clients.entries()) t.is(text(client), `client ${i}`);
});

test('a datagram that does not fit a batch is cut, and only that one', (t) => {
  const [a, b] = [bound(t), bound(t)];
  for (const word of ['four', 'fives', 'four']) a.sendTo(b.localAddress, Buffer.from(word));
  const batch = new DatagramBatch(4, 4);
  t.is(b.receiveBatch(batch), 3);
  t.deepEqual(
    [0, 1, 2].map((i) => [batch.truncated(i), Buffer.from(batch.data(i)).toString()]),
    [
      [false, 'four'],
      [true, 'five'],
      [false, 'four'],
    ],
  );
  t.is(b.sendBatch(batch), 3, 'what is there can be sent');
  t.is(text(a), 'four');
  t.is(text(a), 'five');
});

test('a batch that is full, too small, or wrong says so', (t) => {
  const batch = new DatagramBatch(1, 4);
  t.throws(() => batch.add(Buffer.from('fives')), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => batch.add('text' as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => batch.add(Buffer.from('x'), 1 as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => batch.add(Buffer.from('x'), { family: 99, path: '' }), {
    code: 'ERR_OUT_OF_RANGE',
  });
  t.is(batch.length, 0);
  t.true(batch.add(Buffer.from('x')));
  t.false(batch.add(Buffer.from('x')));
  t.is(batch.address(0), null);
  batch.clear();
  t.true(batch.add(Buffer.from('y')));
  const socket = bound(t);
  t.throws(() => socket.receiveBatch({} as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => socket.sendBatch(null as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => socket.sendBatch(Object.create(DatagramBatch.prototype) as DatagramBatch), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
  for (const first of [-1, 2, 0.5]) {
    t.throws(() => socket.sendBatch(batch, first), { code: 'ERR_OUT_OF_RANGE' });
  }
  t.is(socket.sendBatch(batch, 1), 0, 'nothing is left to send');
  for (const [capacity, size] of [[0], [1_025], [1, 0], [Number.NaN], [1, 2 ** 21]] as const) {
    t.throws(() => new DatagramBatch(capacity, size), { code: 'ERR_OUT_OF_RANGE' });
  }
});

test('an error in the middle of a batch is told by the call that begins with it', (t) => {
  const [a, b] = [bound(t), bound(t)];
  const batch = new DatagramBatch(3, 4);
  batch.add(Buffer.from('1'), b.localAddress);
  batch.add(Buffer.from('2'), { family: AF_INET, address: '255.255.255.255', port: 9 });
  batch.add(Buffer.from('3'), b.localAddress);
  t.is(a.sendBatch(batch), 1);
  const error = t.throws(() => a.sendBatch(batch, 1));
  t.true(['EACCES', 'ENETUNREACH'].includes((error as { code?: string }).code ?? ''));
  t.is(a.sendBatch(batch, 2), 1);
  t.is(text(b) + text(b), '13');
});

// --- multicast --------------------------------------------------------------------------------

const testOfGroups = needs('multicast');

const LOOPBACK = Number(readFileSync('/sys/class/net/lo/ifindex', 'latin1'));

testOfGroups('members of a group get what is sent to it, until they leave', (t) => {
  const group = '239.255.77.1';
  const member = bound(t, { host: '0.0.0.0', reuseAddress: true });
  const second = bound(t, { host: '0.0.0.0', port: portOf(member), reuseAddress: true });
  const sender = bound(t);
  sender.setMulticastInterface(LOOPBACK);
  const to = { family: AF_INET, address: group, port: portOf(member) };
  for (const socket of [member, second]) socket.joinGroup(group, LOOPBACK);
  t.throws(
    () => {
      member.joinGroup(group, LOOPBACK);
    },
    { code: 'EADDRINUSE' },
  );
  sender.sendTo(to, Buffer.from('all'));
  t.is(text(member), 'all');
  t.is(text(second), 'all');
  for (const socket of [member, second]) socket.leaveGroup(group, LOOPBACK);
  t.throws(
    () => {
      member.leaveGroup(group, LOOPBACK);
    },
    { code: 'EADDRNOTAVAIL' },
  );
  sender.sendTo(to, Buffer.from('nobody'));
  t.is(text(member), 'nothing');
  t.is(text(second), 'nothing');
});

// The loopback device of a container has no route for groups of IPv6: the kernel's list tells.
testOfGroups('an IPv6 socket is in its groups as the kernel lists them', (t) => {
  const isMember = (): boolean =>
    /^\d+\s+lo\s+ff010000000000000000000000000077 /m.test(
      readFileSync('/proc/net/igmp6', 'latin1'),
    );
  const socket = bound(t, { host: '::1' });
  t.false(isMember());
  socket.joinGroup('ff01::77', LOOPBACK);
  t.true(isMember());
  socket.leaveGroup('ff01::77', LOOPBACK);
  t.false(isMember());
  socket.setMulticastInterface(LOOPBACK);
  const value = new Int32Array(1);
  t.is(getsockopt(socket.fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, value), 4);
  t.is(value[0], LOOPBACK);
});

testOfGroups('groups and interfaces that are none are refused', (t) => {
  const socket = bound(t, { host: '0.0.0.0' });
  t.throws(
    () => {
      socket.joinGroup('10.0.0.1');
    },
    { code: 'EINVAL' },
  );
  t.throws(
    () => {
      socket.joinGroup('ff02::1');
    },
    { message: /setsockopt/ },
  );
  t.throws(
    () => {
      socket.joinGroup('all-hosts');
    },
    { code: 'ERR_OUT_OF_RANGE' },
  );
  t.throws(
    () => {
      socket.joinGroup(1 as never);
    },
    { code: 'ERR_INVALID_ARG_TYPE' },
  );
  t.throws(
    () => {
      socket.joinGroup('239.1.2.3', 2 ** 31 - 1);
    },
    { code: 'ENODEV' },
  );
  t.throws(
    () => {
      socket.joinGroup('239.1.2.3', -1);
    },
    { code: 'ERR_OUT_OF_RANGE' },
  );
  t.throws(
    () => {
      socket.setMulticastInterface(-1);
    },
    { code: 'ERR_OUT_OF_RANGE' },
  );
  t.throws(
    () => {
      socket.setMulticastInterface(2 ** 31 - 1);
    },
    { code: 'EADDRNOTAVAIL' },
  );
});

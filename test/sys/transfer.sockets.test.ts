import dgram from 'node:dgram';
import { once } from 'node:events';
import test from 'ava';
import { fixture, runNode } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import {
  AF_INET,
  F_SETFL,
  MSG_DONTWAIT,
  MSG_MORE,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  SHUT_WR,
  SOCK_SEQPACKET,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { boundSocket, Descriptors, inWords, must, tcpPair, unixPair } from './support/kernel.js';

const bytes = Buffer.alloc(64);

function text(length: number): string {
  return bytes.toString('latin1', 0, length);
}

/** What is there now. */
function received(fd: number, flags = 0): string {
  const answer = sys.recv(fd, bytes, 0, bytes.length, flags);
  return answer < 0 ? inWords(answer) : text(answer);
}

function sent(fd: number, message: string, flags = 0): number {
  const buffer = Buffer.from(message);
  return sys.send(fd, buffer, 0, buffer.length, flags);
}

test('MSG_PEEK leaves what it shows', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open);
  must(sent(a, 'abc'));
  t.is(received(b, MSG_PEEK), 'abc');
  t.is(received(b, MSG_PEEK), 'abc');
  t.is(received(b), 'abc');
  t.is(received(b), 'EAGAIN');
});

test('MSG_DONTWAIT does not block on a descriptor that does', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open);
  for (const fd of [a, b]) must(sys.fcntl(fd, F_SETFL, 0));
  t.is(received(a, MSG_DONTWAIT), 'EAGAIN');
  const chunk = Buffer.alloc(65_536);
  let answer = 0;
  while (answer >= 0) answer = sys.send(b, chunk, 0, chunk.length, MSG_DONTWAIT);
  t.is(inWords(answer), 'EAGAIN');
});

test('MSG_NOSIGNAL answers EPIPE where SIGPIPE would end the process', async (t) => {
  const { stdout, signal } = await runNode(fixture('sys-sigpipe'));
  t.is(stdout, 'send EPIPE\nsendto EPIPE\n');
  t.is(signal, 'SIGPIPE', 'which a send without the flag then does');
});

test('MSG_TRUNC answers the length of the datagram, and fills no more than the slice', (t) => {
  using open = new Descriptors();
  const receiver = boundSocket(open);
  const sender = boundSocket(open).fd;
  const to = { family: AF_INET, address: '127.0.0.1', port: receiver.port };
  for (const [flags, answer] of [
    [MSG_TRUNC, 20],
    [0, 4],
  ] as const) {
    must(sys.sendto(sender, Buffer.from('01234567890123456789'), 0, 20, 0, to));
    bytes.fill('.');
    t.is(sys.recv(receiver.fd, bytes, 2, 4, flags), answer);
    t.is(text(8), '..0123..');
  }
  t.is(received(receiver.fd), 'EAGAIN', 'the rest of a datagram is gone');
});

test('MSG_WAITALL waits for the whole slice', (t) => {
  using open = new Descriptors();
  const { client, server } = tcpPair(open);
  must(sys.fcntl(server, F_SETFL, 0));
  must(sent(client, 'abc'));
  must(sent(client, 'def'));
  t.is(sys.recv(server, bytes, 0, 6, MSG_WAITALL), 6);
  t.is(text(6), 'abcdef');
});

test('MSG_OOB carries a byte apart from the stream', (t) => {
  using open = new Descriptors();
  const { client, server } = tcpPair(open);
  must(sent(client, 'ab!', MSG_OOB));
  t.is(received(server, MSG_OOB), '!');
  t.is(received(server), 'ab');
});

test('MSG_MORE keeps datagrams together', (t) => {
  using open = new Descriptors();
  const { fd, port } = boundSocket(open);
  const sender = boundSocket(open).fd;
  must(sys.connect(sender, { family: AF_INET, address: '127.0.0.1', port }));
  must(sent(sender, 'one ', MSG_MORE));
  t.is(received(fd), 'EAGAIN');
  must(sent(sender, 'datagram'));
  t.is(received(fd), 'one datagram');
});

test('recv answers 0 at the end of the stream, and before it what was sent', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open);
  must(sent(a, 'last'));
  must(sys.shutdown(a, SHUT_WR));
  t.is(received(b), 'last');
  t.is(sys.recv(b, bytes, 0, 8, 0), 0);
  t.is(sent(b, 'back'), 4, 'the other direction is open');
  t.is(received(a), 'back');
});

test('messages of SOCK_SEQPACKET keep their bounds', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_SEQPACKET);
  must(sent(a, 'one'));
  must(sent(a, 'two'));
  t.is(received(b), 'one');
  t.is(received(b), 'two');
});

test('sendto reaches a socket of node:dgram, and recvfrom tells who answered', async (t) => {
  using open = new Descriptors();
  const { fd, port } = boundSocket(open);
  const peer = dgram.createSocket('udp4');
  peer.bind(0, '127.0.0.1');
  await once(peer, 'listening');
  const { port: peerPort } = peer.address();
  const arrival = once(peer, 'message') as Promise<[Buffer, dgram.RemoteInfo]>;
  const to = { family: AF_INET, address: '127.0.0.1', port: peerPort };
  t.is(sys.sendto(fd, Buffer.from('.question.'), 1, 8, 0, to), 8);
  const [message, from] = await arrival;
  t.is(message.toString(), 'question');
  t.is(from.port, port);
  peer.send('answer', port, '127.0.0.1');
  const sender: sys.SocketAddressOut = {};
  const answer = (): string => {
    const length = sys.recvfrom(fd, bytes, 0, bytes.length, 0, sender);
    return length < 0 ? inWords(length) : text(length);
  };
  t.is(await eventually(answer, 'answer'), 'answer');
  t.deepEqual(sender, to);
  peer.close();
});

test('a datagram may be empty', (t) => {
  using open = new Descriptors();
  const receiver = boundSocket(open);
  const sender = boundSocket(open);
  const to = { family: AF_INET, address: '127.0.0.1', port: receiver.port };
  t.is(sys.sendto(sender.fd, bytes, 0, 0, 0, to), 0);
  const from: sys.SocketAddressOut = {};
  t.is(sys.recvfrom(receiver.fd, bytes, 0, 8, 0, from), 0);
  t.is(from.port, sender.port);
});

test('recvfrom of a TCP socket has no sender to tell', (t) => {
  using open = new Descriptors();
  const { client, server } = tcpPair(open);
  must(sent(client, 'abc'));
  const from = { port: 7 };
  t.is(sys.recvfrom(server, bytes, 0, 8, 0, from), 3);
  t.deepEqual(from as object, { port: 7, family: 0 });
});

test('a refused recvfrom leaves the address as it is', (t) => {
  using open = new Descriptors();
  const from = { port: 7 };
  t.is(inWords(sys.recvfrom(boundSocket(open).fd, bytes, 0, 8, 0, from)), 'EAGAIN');
  t.deepEqual(from, { port: 7 });
});

/** UnixDatagram: names, peers, batches; nothing is lost on the way. */
import { existsSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import test, { type ExecutionContext } from 'ava';
import {
  DatagramBatch,
  type SocketAddressOut,
  UnixDatagram,
  UnixStream,
  WOULD_BLOCK,
} from '../../ts/index.js';
import { AF_UNIX, EPOLLIN } from '../../ts/sys/constants.js';
import { awaitReady, closing } from '../support/pairs.js';
import { testWithPrograms } from '../support/programs.js';

const buffer = Buffer.alloc(64);

function freshPath(t: ExecutionContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  return path.join(folder, 'socket');
}

function bound(t: ExecutionContext, path_ = freshPath(t)): UnixDatagram {
  return closing(t, UnixDatagram.bind({ path: path_ }));
}

function pair(t: ExecutionContext): [UnixDatagram, UnixDatagram] {
  const [a, b] = UnixDatagram.pair();
  return [closing(t, a), closing(t, b)];
}

test('datagrams go to paths and abstract names, and tell where they come from', (t) => {
  const receiver = bound(t);
  for (const sender of [bound(t), bound(t, `\0raw-epoll-datagram-${process.pid}`)]) {
    t.is(sender.sendTo(receiver.localAddress, Buffer.from('hello')), 5);
    const from: SocketAddressOut = {};
    t.is(receiver.receive(buffer, 0, 64, from), 5);
    t.deepEqual(from, sender.localAddress);
  }
  t.is(receiver.receive(buffer), WOULD_BLOCK);
});

test('a connected socket without a name sends to its peer', (t) => {
  const where = freshPath(t);
  const receiver = bound(t, where);
  const sender = closing(t, UnixDatagram.connect({ path: where }));
  t.is(sender.send(Buffer.from('hi')), 2);
  const from: SocketAddressOut = {};
  t.is(receiver.receive(buffer, 0, 64, from), 2);
  t.deepEqual(from, { family: 0 });
  t.deepEqual(sender.remoteAddress, { family: AF_UNIX, path: where });
  receiver.close();
  t.throws(() => sender.send(buffer), { code: 'ECONNREFUSED' });
  t.throws(() => UnixDatagram.connect({ path: where }), { code: 'ENOENT' });
});

test('connect chooses a peer, disconnect forgets it', (t) => {
  const [a, b] = [freshPath(t), freshPath(t)];
  const receivers = [bound(t, a), bound(t, b)];
  const sender = bound(t);
  for (const [i, where] of [a, b].entries()) {
    sender.connect({ path: where });
    sender.send(Buffer.from('x'));
    t.is(receivers[i]?.receive(buffer), 1);
  }
  sender.disconnect();
  t.throws(() => sender.send(buffer), { code: 'ENOTCONN' });
});

test('a receiver that is full makes the sender wait, and nothing is lost', (t) => {
  const [a, b] = pair(t);
  let sent = 0;
  while (a.send(Buffer.from(String(sent))) !== WOULD_BLOCK) sent++;
  t.true(sent > 0);
  for (let i = 0; i < sent; i++) {
    const length = b.receive(buffer);
    t.is(buffer.toString('latin1', 0, length), String(i));
  }
  t.is(b.receive(buffer), WOULD_BLOCK);
  t.is(a.send(buffer), 64);
});

test('a batch to a receiver that is full goes in parts', (t) => {
  const [a, b] = pair(t);
  const batch = new DatagramBatch(1_024, 8);
  for (let i = 0; i < 1_024; i++) batch.add(Buffer.from(String(i)));
  const into = new DatagramBatch(100, 8);
  const seen: string[] = [];
  for (let first = 0; first < 1_024;) {
    const went = a.sendBatch(batch, first);
    if (went > 0) first += went;
    while (b.receiveBatch(into) > 0) {
      for (let i = 0; i < into.length; i++) seen.push(Buffer.from(into.data(i)).toString());
    }
  }
  t.deepEqual(
    seen,
    Array.from({ length: 1_024 }, (_, i) => String(i)),
  );
});

test('a datagram that is cut answers how long it was', (t) => {
  const [a, b] = pair(t);
  a.send(Buffer.from('too long'));
  t.is(b.receive(buffer, 0, 3), 8);
  t.is(b.receive(buffer), WOULD_BLOCK);
});

test('close removes the path, unless it is another file by now or shall stay', (t) => {
  const where = freshPath(t);
  const first = UnixDatagram.bind({ path: where });
  first.close();
  t.false(existsSync(where));
  const second = UnixDatagram.bind({ path: where });
  unlinkSync(where);
  writeFileSync(where, 'somebody else');
  second.close();
  t.true(existsSync(where));
  unlinkSync(where);
  UnixDatagram.bind({ path: where, unlinkOnClose: false }).close();
  t.true(existsSync(where));
  t.throws(() => UnixDatagram.bind({ path: where }), { code: 'EADDRINUSE' });
});

test('adopt takes a datagram socket over and no stream', (t) => {
  const [a, b] = pair(t);
  const number = a.release();
  const again = closing(t, UnixDatagram.adopt(number));
  again.send(Buffer.from('x'));
  t.is(b.receive(buffer), 1);
  const [stream, other] = UnixStream.pair().map((one) => closing(t, one)) as [
    UnixStream,
    UnixStream,
  ];
  t.throws(() => UnixDatagram.adopt(stream.fd), { code: 'ERR_INVALID_FD_TYPE' });
  t.throws(() => UnixDatagram.adopt(again.fd), { code: 'ERR_FD_OWNED' });
  t.throws(() => UnixStream.adopt(again), { code: 'ERR_INVALID_FD_TYPE' });
  t.false(other.closed);
});

testWithPrograms(['python3'], 'another program sends to the path', (t) => {
  const where = freshPath(t);
  const receiver = bound(t, where);
  const program = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1] + '.python')
s.sendto(b'from python', sys.argv[1])`;
  t.is(spawnSync('python3', ['-c', program, where]).status, 0);
  awaitReady(receiver, EPOLLIN);
  const from: SocketAddressOut = {};
  t.is(receiver.receive(buffer, 0, 64, from), 11);
  t.is(buffer.toString('latin1', 0, 11), 'from python');
  t.deepEqual(from, { family: AF_UNIX, path: `${where}.python` });
});

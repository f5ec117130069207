import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { UnixListener, UnixStream } from '../../ts/index.js';
import { AF_UNIX, EPOLLIN } from '../../ts/sys/constants.js';
import { close } from '../../ts/sys/index.js';
import { fixture, run } from '../support/child.js';
import { acceptOne, awaitReady, closing, unixPair } from '../support/pairs.js';
import { testWithPrograms } from '../support/programs.js';

let names = 0;

/** A path in a folder of its own. */
function newPath(t: ExecutionContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-unix-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  return path.join(folder, 'socket');
}

function newAbstractName(): string {
  return `\0raw-epoll-unix-${process.pid}-${names++}`;
}

test('a path is a socket in the file system, and the address of both ends', (t) => {
  const socketPath = newPath(t);
  const listener = closing(t, UnixListener.listen({ path: socketPath }));
  t.true(lstatSync(socketPath).isSocket());
  t.deepEqual(listener.address, { family: AF_UNIX, path: socketPath });
  const client = closing(t, UnixStream.connect({ path: socketPath }));
  const server = closing(t, acceptOne(listener));
  t.deepEqual(client.remoteAddress, { family: AF_UNIX, path: socketPath });
  t.deepEqual(server.localAddress, { family: AF_UNIX, path: socketPath });
  t.deepEqual(client.localAddress, { family: AF_UNIX, path: '' }, 'unnamed');
  client.write(Buffer.from('hello'));
  const buffer = Buffer.alloc(10);
  t.is(server.read(buffer), 5);
});

test('an abstract name is no file, and free as soon as it is closed', (t) => {
  const name = newAbstractName();
  const listener = closing(t, UnixListener.listen({ path: name }));
  t.deepEqual(listener.address, { family: AF_UNIX, path: name });
  const client = closing(t, UnixStream.connect({ path: name }));
  t.deepEqual(client.remoteAddress, { family: AF_UNIX, path: name });
  t.throws(() => UnixListener.listen({ path: name }), { code: 'EADDRINUSE' });
  listener.close();
  closing(t, UnixListener.listen({ path: name }));
});

test('the path is removed on close', (t) => {
  const socketPath = newPath(t);
  const listener = UnixListener.listen({ path: socketPath });
  t.true(existsSync(socketPath));
  listener.close();
  t.false(existsSync(socketPath));
  listener.close();
});

test('the path is removed by using', (t) => {
  const socketPath = newPath(t);
  {
    using listener = UnixListener.listen({ path: socketPath });
    t.true(listener.fd >= 0 && existsSync(socketPath));
  }
  t.false(existsSync(socketPath));
});

test('the path stays with unlinkOnClose off, and is then in use', (t) => {
  const socketPath = newPath(t);
  UnixListener.listen({ path: socketPath, unlinkOnClose: false }).close();
  t.true(existsSync(socketPath));
  t.throws(() => UnixListener.listen({ path: socketPath }), { code: 'EADDRINUSE' });
  t.throws(() => UnixStream.connect({ path: socketPath }), { code: 'ECONNREFUSED' });
});

test('a path that another listener has taken stays on close', (t) => {
  const socketPath = newPath(t);
  const first = closing(t, UnixListener.listen({ path: socketPath }));
  rmSync(socketPath);
  const second = closing(t, UnixListener.listen({ path: socketPath }));
  first.close();
  t.true(lstatSync(socketPath).isSocket());
  closing(t, UnixStream.connect({ path: socketPath }));
  closing(t, acceptOne(second));
});

test('a path where another file stands by now stays on close', (t) => {
  const socketPath = newPath(t);
  const listener = closing(t, UnixListener.listen({ path: socketPath }));
  writeFileSync(`${socketPath}.new`, 'kept');
  renameSync(`${socketPath}.new`, socketPath);
  listener.close();
  t.true(lstatSync(socketPath).isFile());
});

test('a path that somebody has removed, with its folder, does not keep close from closing', (t) => {
  const socketPath = newPath(t);
  const listener = UnixListener.listen({ path: path.join(socketPath, '..', 'socket') });
  rmSync(socketPath);
  listener.close();
  t.true(listener.closed);
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-gone-'));
  const another = UnixListener.listen({ path: path.join(folder, 'socket') });
  rmSync(folder, { recursive: true });
  another.close();
  t.true(another.closed);
});

testWithPrograms(
  ['strace'],
  'a path that cannot be removed is thrown about once the socket is closed',
  async (t) => {
    const child = await run('strace', [
      // Not every architecture has unlink.
      ...['-qq', '-o', '/dev/null', '-e', 'inject=/^unlink(at)?$:error=EROFS'],
      ...[process.execPath, fixture('descriptor-refused-unlink'), newPath(t)],
    ]);
    t.deepEqual(JSON.parse(child.stdout), { code: 'EROFS', closed: true, left: 0 });
  },
);

test('a listener whose number is released leaves its path', (t) => {
  const socketPath = newPath(t);
  const listener = UnixListener.listen({ path: socketPath });
  const fd = listener.release();
  listener.close();
  t.true(existsSync(socketPath));
  const adopted = UnixListener.adopt(fd);
  closing(t, UnixStream.connect({ path: socketPath }));
  closing(t, acceptOne(adopted));
  adopted.close();
  t.true(existsSync(socketPath), 'an adopted listener does not own the path');
});

test('a relative path is removed on close also from another folder', (t) => {
  const socketPath = newPath(t);
  const before = process.cwd();
  t.teardown(() => {
    process.chdir(before);
  });
  process.chdir(path.dirname(socketPath));
  const listener = UnixListener.listen({ path: 'relative' });
  process.chdir(before);
  listener.close();
  t.false(existsSync(path.join(path.dirname(socketPath), 'relative')));
});

test('the longest path has 107 bytes', (t) => {
  const folder = path.dirname(newPath(t));
  const longest = path.join(folder, 'x'.repeat(107 - Buffer.byteLength(folder) - 1));
  t.is(Buffer.byteLength(longest), 107);
  const listener = closing(t, UnixListener.listen({ path: longest }));
  t.deepEqual(listener.address, { family: AF_UNIX, path: longest });
  t.throws(() => UnixListener.listen({ path: `${longest}x` }), { code: 'ERR_OUT_OF_RANGE' });
});

test('a pair is connected both ways and unnamed', (t) => {
  const [left, right] = unixPair(t);
  const buffer = Buffer.alloc(10);
  left.write(Buffer.from('right'));
  right.write(Buffer.from('left'));
  t.is(right.read(buffer), 5);
  t.is(left.read(buffer), 4);
  t.deepEqual(left.localAddress, { family: AF_UNIX, path: '' });
  t.deepEqual(left.remoteAddress, { family: AF_UNIX, path: '' });
});

test('a Node client talks to a UnixListener', async (t) => {
  const socketPath = newPath(t);
  const listener = closing(t, UnixListener.listen({ path: socketPath }));
  const client = net.connect(socketPath);
  t.teardown(() => client.destroy());
  await once(client, 'connect');
  const server = closing(t, acceptOne(listener));
  client.write('from Node');
  awaitReady(server, EPOLLIN);
  const buffer = Buffer.alloc(20);
  t.is(buffer.toString('latin1', 0, server.read(buffer)), 'from Node');
  server.shutdown('write');
  client.resume();
  await once(client, 'end');
});

test('a UnixStream talks to a Node server', async (t) => {
  const socketPath = newPath(t);
  const server = net.createServer((socket) => socket.end('from Node'));
  t.teardown(() => server.close());
  server.listen(socketPath);
  await once(server, 'listening');
  const stream = closing(t, UnixStream.connect({ path: socketPath }));
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  awaitReady(stream, EPOLLIN);
  const buffer = Buffer.alloc(20);
  t.is(buffer.toString('latin1', 0, stream.read(buffer)), 'from Node');
});

test('a listener with a full queue refuses with EAGAIN, and has not lost those that wait', (t) => {
  const name = newAbstractName();
  const listener = closing(t, UnixListener.listen({ path: name, backlog: 0 }));
  closing(t, UnixStream.connect({ path: name }));
  t.throws(() => UnixStream.connect({ path: name }), { code: 'EAGAIN' });
  closing(t, acceptOne(listener));
  closing(t, UnixStream.connect({ path: name }));
});

test('close of a released number is the new owner’s affair', (t) => {
  const [left, right] = unixPair(t);
  const fd = left.release();
  left.close();
  t.is(right.write(Buffer.from('a')), 1);
  t.is(close(fd), 0);
  t.throws(() => right.write(Buffer.from('b')), { code: 'EPIPE' });
});

/** sendfile, splice and ioctl: what moves, and what is told. */
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import test from 'ava';
import {
  F_GETFD,
  F_GETFL,
  FD_CLOEXEC,
  FIOCLEX,
  FIONBIO,
  FIONCLEX,
  FIONREAD,
  O_NONBLOCK,
  SIOCOUTQ,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { Descriptors, inWords, must, pipe, tcpPair, unixPair } from './support/kernel.js';

test('sendfile sends a part of a file, and the file stays or moves', (t) => {
  using open = new Descriptors();
  const name = `${open.folder()}/file`;
  writeFileSync(name, '0123456789');
  const file = open.own(openSync(name, 'r'));
  const [a, b] = unixPair(open);
  t.is(sys.sendfile(a, file, 3, 4), 4);
  t.is(sys.sendfile(a, file, null, 2), 2);
  t.is(sys.sendfile(a, file, null, 100n), 8);
  t.is(sys.sendfile(a, file, null, 100), 0, 'the end of the file');
  t.is(sys.sendfile(a, file, 2n ** 40n, 100), 0);
  const bytes = Buffer.alloc(32);
  t.is(bytes.toString('latin1', 0, sys.recv(b, bytes, 0, 32, 0)), '34560123456789');
});

test('splice moves between a pipe and a socket or a file', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open);
  const [a, b] = unixPair(open);
  must(sys.write(writer, Buffer.from('spliced'), 0, 7));
  t.is(sys.splice(reader, null, a, null, 5, 0), 5);
  const bytes = Buffer.alloc(8);
  t.is(bytes.toString('latin1', 0, sys.recv(b, bytes, 0, 8, 0)), 'splic');
  const name = `${open.folder()}/file`;
  const file = open.own(openSync(name, 'w'));
  t.is(sys.splice(reader, null, file, 3n, 8, 0), 2);
  t.is(readFileSync(name, 'latin1'), '\0\0\0ed');
});

test('ioctl tells how much can be read and what waits to be sent', (t) => {
  using open = new Descriptors();
  const value = new Int32Array(1);
  const [reader, writer] = pipe(open);
  must(sys.write(writer, new Uint8Array(123), 0, 123));
  t.is(sys.ioctl(reader, FIONREAD, value), 0);
  t.is(value[0], 123);
  const [a, b] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
  for (const length of [5, 6]) must(sys.send(a, new Uint8Array(8), 0, length, 0));
  t.is(sys.ioctl(b, FIONREAD, value), 0);
  t.is(value[0], 5, 'the next datagram');
  t.is(sys.ioctl(a, SIOCOUTQ, value), 0);
  t.true((value[0] ?? 0) > 0);
  const { client } = tcpPair(open);
  t.is(sys.ioctl(client, SIOCOUTQ, value), 0);
  t.is(value[0], 0);
});

test('ioctl sets flags, and sends no other request to the kernel', (t) => {
  using open = new Descriptors();
  const [fd] = pipe(open);
  t.is(sys.ioctl(fd, FIONBIO, Int32Array.of(0)), 0);
  t.is(sys.fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  t.is(sys.ioctl(fd, FIONBIO, Int32Array.of(1)), 0);
  t.is(sys.fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  t.is(sys.ioctl(fd, FIONCLEX), 0);
  t.is(sys.fcntl(fd, F_GETFD), 0);
  t.is(sys.ioctl(fd, FIOCLEX), 0);
  t.is(sys.fcntl(fd, F_GETFD), FD_CLOEXEC);
  t.throws(() => sys.ioctl(fd, FIONREAD), { code: 'ERR_INVALID_ARG_TYPE' });
  // TCGETS would write 60 bytes.
  const argument = new Int32Array(1);
  for (const request of [0x5401, 0x5413, 0, -1, 2 ** 32 - 1]) {
    t.is(inWords(sys.ioctl(fd, request, argument)), 'EINVAL');
  }
  t.is(argument[0], 0);
});

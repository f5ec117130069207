/** Descriptors over Unix sockets: what comes, who owns it, and that none leaks. */
import { readlinkSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import {
  EventFd,
  Pipe,
  type ReceivedDescriptor,
  type ReceivedMessage,
  TcpStream,
  UdpSocket,
  UnixDatagram,
  UnixStream,
  WOULD_BLOCK,
} from '../../ts/index.js';
import { binding } from '../../ts/native.js';
import { F_GETFD, F_GETFL, FD_CLOEXEC, O_NONBLOCK } from '../../ts/sys/constants.js';
import { close, dup, fcntl, sendmsg } from '../../ts/sys/index.js';
import { fixture, runNode } from '../support/child.js';
import { countDescriptors } from '../support/descriptors.js';
import { needs } from '../support/emulator.js';
import { isOpen } from '../support/kernel-view.js';
import { closing, pipePair, tcpPair, unixPair } from '../support/pairs.js';

const testOfCuts = needs('cut control data', test.serial);
const MOST = 253;
const buffer = new Uint8Array(64);

/** What came, which the end of the test closes. */
function received(t: ExecutionContext, message: ReceivedMessage | -1): ReceivedMessage {
  if (message === WOULD_BLOCK) throw new Error('nothing came');
  for (const descriptor of message.descriptors) closing(t, descriptor);
  return message;
}

test.serial('a message carries 253 descriptors, owned and close-on-exec', (t) => {
  const [a, b] = unixPair(t);
  const { reader, writer } = pipePair(t);
  const before = countDescriptors();
  const owned = binding.owned.count();
  t.is(a.sendDescriptors(new Array<Pipe>(MOST).fill(writer), Buffer.from('hello')), 5);
  const { bytes, descriptors, descriptorsLost } = received(t, b.receive(buffer));
  t.is(bytes, 5);
  t.false(descriptorsLost);
  t.is(descriptors.length, MOST);
  t.is(countDescriptors(), before + MOST);
  t.is(binding.owned.count(), owned + MOST);
  for (const { fd } of descriptors) t.is(fcntl(fd, F_GETFD), FD_CLOEXEC);
  const last = Pipe.adopt(descriptors.at(-1) as ReceivedDescriptor);
  t.is(last.write(Buffer.from('through')), 7);
  t.is(reader.read(buffer), 7);
  last.close();
  for (const descriptor of descriptors) descriptor.close();
  t.is(countDescriptors(), before);
  t.is(binding.owned.count(), owned);
});

test.serial('one descriptor too many is EINVAL, one that is closed ERR_CLOSED or EBADF', (t) => {
  const [a, b] = unixPair(t);
  const closed = new EventFd();
  closed.close();
  const before = countDescriptors();
  t.throws(() => a.sendDescriptors(new Array<UnixStream>(MOST + 1).fill(a)), { code: 'EINVAL' });
  t.throws(() => a.sendDescriptors([a, closed]), { code: 'ERR_CLOSED' });
  t.throws(() => a.sendDescriptors([a.fd, -1]), { code: 'EBADF' });
  t.throws(() => a.sendDescriptors([0.5]), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => a.sendDescriptors(['1' as never]), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => a.sendDescriptors(a as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.is(b.receive(buffer), WOULD_BLOCK);
  t.is(countDescriptors(), before);
});

test('descriptors need a byte on a stream, and none in a datagram', (t) => {
  const [a] = unixPair(t);
  t.throws(() => a.sendDescriptors([a], new Uint8Array(0)), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => a.sendDescriptors([a], buffer, 64), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => a.sendDescriptors([a], buffer, 60, 5), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => a.sendDescriptors([a], buffer.buffer as never), { code: 'ERR_INVALID_ARG_TYPE' });
  const [c, d] = UnixDatagram.pair().map((socket) => closing(t, socket)) as [
    UnixDatagram,
    UnixDatagram,
  ];
  t.is(c.sendDescriptors([c]), 0);
  const { bytes, descriptors } = received(t, d.receiveDescriptors(buffer));
  t.is(bytes, 0);
  t.is(descriptors.length, 1);
});

testOfCuts('what finds no room is closed, and said', (t) => {
  const [a, b] = unixPair(t);
  const before = countDescriptors();
  for (const room of [0, 1, 2, 7, 252]) {
    t.is(a.sendDescriptors(new Array<UnixStream>(MOST).fill(a)), 1);
    const { descriptors, descriptorsLost } = received(t, b.receive(buffer, 0, 64, room));
    t.true(descriptorsLost);
    t.is(descriptors.length, room);
    for (const descriptor of descriptors) descriptor.close();
    t.is(countDescriptors(), before);
  }
  for (const room of [-1, 254, 0.5, Number.NaN]) {
    t.throws(() => b.receive(buffer, 0, 64, room), { code: 'ERR_OUT_OF_RANGE' });
  }
});

test.serial('descriptors that read meets are closed by the kernel', (t) => {
  const [a, b] = unixPair(t);
  const before = countDescriptors();
  for (let i = 0; i < 20; i++) a.sendDescriptors(new Array<UnixStream>(MOST).fill(a));
  let bytes = 0;
  for (;;) {
    const result = b.read(buffer);
    if (result === WOULD_BLOCK) break;
    bytes += result;
  }
  t.is(bytes, 20);
  t.is(countDescriptors(), before);
});

test('each receive takes the descriptors of one send, in its order', (t) => {
  const [a, b] = unixPair(t);
  const { reader, writer } = pipePair(t);
  a.sendDescriptors([reader, writer], Buffer.from('ab'));
  a.write(Buffer.from('cd'));
  a.sendDescriptors([writer], Buffer.from('ef'));
  const first = received(t, b.receive(buffer));
  const links = first.descriptors.map(({ fd }) => readlinkSync(`/proc/self/fd/${fd}`));
  t.deepEqual(
    links,
    [reader, writer].map(({ fd }) => readlinkSync(`/proc/self/fd/${fd}`)),
  );
  let rest = '';
  let more = 0;
  while (rest.length < 6 - first.bytes) {
    const { bytes, descriptors } = received(t, b.receive(buffer));
    rest += Buffer.from(buffer.subarray(0, bytes)).toString();
    more += descriptors.length;
  }
  t.true('abcdef'.endsWith(rest));
  t.is(more, 1);
});

test('the end of the stream is a message of no bytes', (t) => {
  const [a, b] = unixPair(t);
  a.close();
  t.deepEqual(b.receive(buffer), { bytes: 0, descriptors: [], descriptorsLost: false });
  t.throws(() => b.sendDescriptors([b]), { code: 'EPIPE' });
});

test('a stream without room takes no descriptor', (t) => {
  const [a, b] = unixPair(t);
  while (a.write(new Uint8Array(65_536)) !== WOULD_BLOCK);
  t.is(a.sendDescriptors([a], new Uint8Array(65_536)), WOULD_BLOCK);
  for (;;) {
    const message = b.receive(new Uint8Array(65_536));
    if (message === WOULD_BLOCK) break;
    t.deepEqual(message.descriptors, []);
  }
});

test('adopt takes a received descriptor over, and leaves one that does not fit', (t) => {
  const [a, b] = unixPair(t);
  const { client, server } = tcpPair(t);
  t.is(a.sendDescriptors([client]), 1);
  const [descriptor] = received(t, b.receive(buffer)).descriptors as [ReceivedDescriptor];
  const owned = binding.owned.count();
  for (const wrong of [UnixStream, UnixDatagram, UdpSocket]) {
    t.throws(() => wrong.adopt(descriptor), { code: 'ERR_INVALID_FD_TYPE' });
  }
  t.false(descriptor.closed);
  const { fd } = descriptor;
  const stream = closing(t, TcpStream.adopt(descriptor));
  t.true(descriptor.closed);
  t.is(stream.fd, fd);
  t.is(binding.owned.count(), owned);
  t.is(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  client.close();
  t.is(stream.write(Buffer.from('still there')), 11);
  t.is(server.read(buffer), 11);
  t.throws(() => TcpStream.adopt(descriptor), { code: 'ERR_CLOSED' });
});

testOfCuts(
  'a hostile peer leaks nothing: more than asked for, without bytes, never received',
  (t) => {
    const [a, b] = unixPair(t);
    const before = countDescriptors();
    const rights = new Int32Array(MOST).fill(a.fd);
    for (let i = 0; i < 30; i++) {
      sendmsg(a.fd, { iov: [new Uint8Array(1)], control: { rights } }, 0);
      sendmsg(a.fd, { iov: [], control: { rights } }, 0);
    }
    for (let i = 0; i < 10; i++) received(t, b.receive(buffer, 0, 1, 0));
    for (let i = 0; i < 10; i++) {
      for (const descriptor of received(t, b.receive(buffer, 0, 1, 3)).descriptors)
        descriptor.close();
    }
    t.is(countDescriptors(), before);
    b.close();
    t.is(countDescriptors(), before - 1);
  },
);

test.serial('a full descriptor table cuts what comes, and leaks nothing', async (t) => {
  const child = await runNode(fixture('descriptor-passing-full-table'));
  t.is(child.code, 0, child.stderr);
  t.deepEqual(JSON.parse(child.stdout), { free: 5, came: 5, lost: true, left: 0 });
});

test.serial(
  'a worker that is terminated in the middle of receiving leaves no descriptor',
  async (t) => {
    const [a, b] = unixPair(t);
    const before = countDescriptors();
    for (let round = 0; round < 12; round++) {
      const number = dup(b.fd);
      const worker = new Worker(new URL('../fixtures/descriptor-receiver.js', import.meta.url), {
        workerData: { fd: number },
      });
      const started = new Promise((resolve) => worker.once('message', resolve));
      await started;
      const feeding = new Array<UnixStream>(MOST).fill(a);
      for (let i = 0; i <= 7 * round; i++) {
        if (a.sendDescriptors(feeding) === WOULD_BLOCK) break;
      }
      await worker.terminate();
      t.false(isOpen(number), 'the worker owned its end');
      while (b.read(buffer) > 0); // what it did not come to
      t.is(countDescriptors(), before, `round ${round}`);
    }
  },
);

test('the number that a received descriptor releases is the caller’s', (t) => {
  const [a, b] = unixPair(t);
  a.sendDescriptors([a]);
  const [descriptor] = received(t, b.receive(buffer)).descriptors as [ReceivedDescriptor];
  const fd = descriptor.release();
  t.true(isOpen(fd));
  t.is(close(fd), 0);
});

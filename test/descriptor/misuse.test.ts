import test from 'ava';
import {
  BufferPool,
  DatagramBatch,
  Epoll,
  EpollEvents,
  EventFd,
  inotifyEvents,
  Loop,
  Pipe,
  Poller,
  TcpListener,
  TcpStream,
  TimerFd,
  UdpSocket,
  UnixDatagram,
  UnixListener,
  UnixStream,
  WOULD_BLOCK,
} from 'raw-epoll';
import { AF_UNIX } from 'raw-epoll/constants';
import { countDescriptors } from '../support/descriptors.js';

const poison = {
  toString(): string {
    throw new Error('code of the caller ran');
  },
};

/** Everything that takes options, with what is none. */
const withOptions: Readonly<Record<string, (options: never) => unknown>> = {
  Epoll: (options) => new Epoll(options),
  EventFd: (options) => new EventFd(options),
  TimerFd: (options) => new TimerFd(options),
  Poller: (options) => new Poller(options),
  Loop: (options) => new Loop(options),
  BufferPool: (options) => new BufferPool(options),
  'TcpListener.listen': (options) => TcpListener.listen(options),
  'TcpListener.adopt': (options) => TcpListener.adopt(0, options),
  'TcpStream.connect': (options) => TcpStream.connect(options),
  'UnixListener.listen': (options) => UnixListener.listen(options),
  'UnixListener.adopt': (options) => UnixListener.adopt(0, options),
  'UnixStream.connect': (options) => UnixStream.connect(options),
  'UdpSocket.bind': (options) => UdpSocket.bind(options),
  'UdpSocket.connect': (options) => UdpSocket.connect(options),
  'UnixDatagram.bind': (options) => UnixDatagram.bind(options),
  'UnixDatagram.connect': (options) => UnixDatagram.connect(options),
};

for (const [name, make] of Object.entries(withOptions)) {
  test.serial(`${name} refuses options that are no object, and leaves nothing open`, (t) => {
    const before = countDescriptors();
    for (const options of [null, 1, 'x', true, 8n, Symbol('options')]) {
      t.throws(() => make(options as never), { code: 'ERR_INVALID_ARG_TYPE' }, String(options));
    }
    t.is(countDescriptors(), before);
  });
}

/** What no typed caller would pass, and what it is refused with. */
const misuses: Readonly<Record<string, [(stream: UnixStream) => unknown, string]>> = {
  'flags of another type': [
    (stream) => stream.send(new Uint8Array(1), 0, 1, 'x' as never),
    'ERR_INVALID_ARG_TYPE',
  ],
  'flags with a fraction': [
    (stream) => stream.send(new Uint8Array(1), 0, 1, 1.5),
    'ERR_OUT_OF_RANGE',
  ],
  'a direction in an array': [
    (stream) => {
      stream.shutdown(['read'] as never);
    },
    'ERR_INVALID_ARG_TYPE',
  ],
  'a direction that becomes text': [
    (stream) => {
      stream.shutdown(poison as never);
    },
    'ERR_INVALID_ARG_TYPE',
  ],
  'a clock in an array': [
    () => new TimerFd({ clock: ['monotonic'] as never }),
    'ERR_INVALID_ARG_TYPE',
  ],
  'reading into nothing': [(stream) => stream.read(undefined as never), 'ERR_INVALID_ARG_TYPE'],
  'writing an ArrayBuffer': [
    (stream) => stream.write(new ArrayBuffer(4) as never),
    'ERR_INVALID_ARG_TYPE',
  ],
  'an offset behind the view': [(stream) => stream.read(new Uint8Array(4), 5), 'ERR_OUT_OF_RANGE'],
  'a number that becomes text': [() => UnixStream.adopt(poison as never), 'ERR_INVALID_ARG_TYPE'],
  'a pipe by its name': [() => Pipe.adopt('/dev/stdin' as never), 'ERR_INVALID_ARG_TYPE'],
  'a listener by a fraction': [() => TcpListener.adopt(0.5), 'ERR_OUT_OF_RANGE'],
  'what pretends to be a batch': [
    () => {
      using epoll = new Epoll();
      return epoll.wait(Object.create(EpollEvents.prototype) as EpollEvents, 0);
    },
    'ERR_INVALID_ARG_TYPE',
  ],
};

for (const [what, [misuse, code]] of Object.entries(misuses)) {
  test.serial(`${what} is ${code}, and opens and closes nothing`, (t) => {
    const [stream, peer] = UnixStream.pair();
    const before = countDescriptors();
    t.throws(() => misuse(stream), { code });
    t.is(countDescriptors(), before);
    t.false(stream.closed);
    stream.close();
    peer.close();
  });
}

test.serial('a detached view has no bytes, of whatever kind it is', (t) => {
  const [stream, peer] = UnixStream.pair();
  const [socket, other] = UnixDatagram.pair();
  for (const view of [new DataView(new ArrayBuffer(8)), new Uint8Array(8)]) {
    structuredClone(view.buffer, { transfer: [view.buffer] });
    t.is(stream.write(view), 0);
    t.throws(() => stream.sendDescriptors([stream], view), { code: 'ERR_OUT_OF_RANGE' });
    t.is(stream.receive(view), WOULD_BLOCK);
    t.is(socket.sendDescriptors([], view), 0);
    t.like(other.receiveDescriptors(view), { bytes: 0, descriptors: [] });
    t.deepEqual(inotifyEvents(view, 0), []);
    t.throws(() => inotifyEvents(view, 1), { code: 'ERR_OUT_OF_RANGE' });
    const batch = new DatagramBatch();
    t.true(batch.add(view));
    t.is(batch.bytes(0), 0);
  }
  for (const object of [stream, peer, socket, other]) object.close();
});

test.serial('a getter of an address that detaches the bytes of a datagram leaves it none', (t) => {
  const batch = new DatagramBatch();
  const bytes = new Uint8Array(8);
  const to = {
    family: AF_UNIX,
    get path() {
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      return '/nowhere';
    },
  };
  t.true(batch.add(bytes, to));
  t.is(batch.bytes(0), 0);
});

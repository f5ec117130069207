/** What every owned descriptor is from birth, as fcntl(2) and /proc tell it. */
import test from 'ava';
import {
  DatagramBatch,
  EventFd,
  Inotify,
  Pidfd,
  OwnedDescriptor,
  Pipe,
  type ReceivedDescriptor,
  TcpListener,
  TcpStream,
  TimerFd,
  UdpSocket,
  UnixDatagram,
  UnixListener,
  UnixStream,
  WOULD_BLOCK,
} from '../../ts/index.js';
import {
  AF_UNIX,
  F_GETFD,
  F_GETFL,
  FD_CLOEXEC,
  O_CLOEXEC,
  O_NONBLOCK,
  SO_TYPE,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../ts/sys/constants.js';
import { close, fcntl, getsockopt } from '../../ts/sys/index.js';
import { countDescriptors } from '../support/descriptors.js';
import { isOpen, openFlags } from '../support/kernel-view.js';
import {
  acceptOne,
  closing,
  newEpoll,
  portOf,
  tcpPair,
  unixPair,
  type Teardown,
} from '../support/pairs.js';

let names = 0;

/** A path that nobody has, without a trace in the file system. */
function abstractName(): string {
  return `\0raw-epoll-creation-${process.pid}-${names++}`;
}

function listeners(t: Teardown): { tcp: TcpListener; unix: UnixListener } {
  return {
    tcp: closing(t, TcpListener.listen()),
    unix: closing(t, UnixListener.listen({ path: abstractName() })),
  };
}

/** One of each kind, in every way that makes one. */
const kinds: Readonly<Record<string, (t: Teardown) => OwnedDescriptor>> = {
  'TcpListener.listen': (t) => listeners(t).tcp,
  'TcpStream.connect': (t) => {
    const { tcp } = listeners(t);
    return closing(t, TcpStream.connect({ port: portOf(tcp) }));
  },
  'TcpListener.accept': (t) => tcpPair(t).server,
  'UnixListener.listen': (t) => listeners(t).unix,
  'UnixStream.connect': (t) => {
    const path = abstractName();
    closing(t, UnixListener.listen({ path }));
    return closing(t, UnixStream.connect({ path }));
  },
  'UnixListener.accept': (t) => {
    const path = abstractName();
    const listener = closing(t, UnixListener.listen({ path }));
    closing(t, UnixStream.connect({ path }));
    return closing(t, acceptOne(listener));
  },
  'UnixStream.pair': (t) => unixPair(t)[1],
  'UdpSocket.bind': (t) => closing(t, UdpSocket.bind()),
  'UdpSocket.connect': (t) => closing(t, UdpSocket.connect({ port: 9 })),
  'UnixDatagram.bind': (t) => closing(t, UnixDatagram.bind({ path: abstractName() })),
  'UnixDatagram.connect': (t) => {
    const path = abstractName();
    closing(t, UnixDatagram.bind({ path }));
    return closing(t, UnixDatagram.connect({ path }));
  },
  'UnixDatagram.pair': (t) => datagramPair(t)[1],
  'UnixStream.receive': (t) => {
    const [a, b] = unixPair(t);
    a.sendDescriptors([a]);
    const message = b.receive(new Uint8Array(1));
    if (message === WOULD_BLOCK) throw new Error('nothing came');
    return closing(t, message.descriptors[0] as ReceivedDescriptor);
  },
  'Pipe.pair, reader': (t) => closingBoth(t).reader,
  'Pipe.pair, writer': (t) => closingBoth(t).writer,
  EventFd: (t) => closing(t, new EventFd()),
  'EventFd, semaphore': (t) => closing(t, new EventFd({ semaphore: true, initialValue: 3 })),
  TimerFd: (t) => closing(t, new TimerFd()),
  Inotify: (t) => closing(t, new Inotify()),
  Pidfd: (t) => closing(t, new Pidfd(process.pid)),
};

function datagramPair(t: Teardown): [UnixDatagram, UnixDatagram] {
  const [a, b] = UnixDatagram.pair();
  return [closing(t, a), closing(t, b)];
}

function closingBoth(t: Teardown): { reader: Pipe; writer: Pipe } {
  const { reader, writer } = Pipe.pair();
  return { reader: closing(t, reader), writer: closing(t, writer) };
}

for (const [kind, make] of Object.entries(kinds)) {
  test(`${kind} is non-blocking and close-on-exec`, (t) => {
    const { fd } = make(t);
    t.is(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    t.is(fcntl(fd, F_GETFD), FD_CLOEXEC);
    t.is(openFlags(fd) & (O_NONBLOCK | O_CLOEXEC), O_NONBLOCK | O_CLOEXEC);
  });

  test(`${kind} gives an object with an open number, closed by close`, (t) => {
    const object = make(t);
    const { fd } = object;
    t.true(isOpen(fd));
    t.false(object.closed);
    object.close();
    t.false(isOpen(fd));
    t.is(object.fd, -1);
    t.true(object.closed);
    object.close();
  });

  test(`${kind} leaves every set when it is closed`, (t) => {
    const sets = [newEpoll(t), newEpoll(t), newEpoll(t)];
    const object = make(t);
    for (const epoll of sets.slice(0, 2)) epoll.add(object, 0);
    object.close();
    t.deepEqual(
      sets.map(({ size }) => size),
      [0, 0, 0],
    );
  });

  test(`${kind} releases its number exactly once, open and out of every set`, (t) => {
    const epoll = newEpoll(t);
    const object = make(t);
    epoll.add(object, 0);
    const { fd } = object;
    t.is(object.release(), fd);
    t.is(epoll.size, 0);
    t.true(isOpen(fd));
    t.is(object.fd, -1);
    t.true(object.closed);
    t.throws(() => object.release(), { code: 'ERR_CLOSED' });
    object.close();
    t.true(isOpen(fd), 'a released number is not closed by its former owner');
    closing(t, Pipe.adopt(fd));
  });

  test(`${kind} is closed by using, and once closed stays so`, (t) => {
    let fd: number;
    {
      using object = make(t);
      fd = object.fd;
      t.true(isOpen(fd));
    }
    t.false(isOpen(fd));
  });
}

test('sockets are stream sockets', (t) => {
  const { tcp, unix } = listeners(t);
  for (const { fd } of [tcp, unix, unixPair(t)[0], tcpPair(t).client]) {
    const type = new Int32Array(1);
    t.is(getsockopt(fd, SOL_SOCKET, SO_TYPE, type), 4);
    t.is(type[0], SOCK_STREAM);
  }
});

test('nothing to take is a value and no exception', (t) => {
  const buffer = Buffer.alloc(10);
  const { tcp, unix } = listeners(t);
  t.is(WOULD_BLOCK, -1);
  t.is(tcp.accept(), null);
  t.is(unix.accept(), null);
  t.is(tcpPair(t).client.read(buffer), WOULD_BLOCK);
  t.is(unixPair(t)[0].read(buffer), WOULD_BLOCK);
  t.is(unixPair(t)[0].receive(buffer), WOULD_BLOCK);
  t.is(closing(t, UdpSocket.bind()).receive(buffer), WOULD_BLOCK);
  t.is(closing(t, UdpSocket.bind()).receiveBatch(new DatagramBatch()), WOULD_BLOCK);
  t.is(datagramPair(t)[0].receive(buffer), WOULD_BLOCK);
  t.is(datagramPair(t)[0].receiveDescriptors(buffer), WOULD_BLOCK);
  t.is(closingBoth(t).reader.read(buffer), WOULD_BLOCK);
  t.is(closing(t, new EventFd()).read(), WOULD_BLOCK);
  t.is(closing(t, new TimerFd()).read(), WOULD_BLOCK);
  t.is(closing(t, new Inotify()).read(), WOULD_BLOCK);
});

test('a closed object throws ERR_CLOSED with its class from every method', (t) => {
  const buffer = Buffer.alloc(1);
  const attempts: readonly (readonly [OwnedDescriptor, readonly (() => unknown)[]])[] = [
    streamAttempts(tcpPair(t).client, buffer),
    streamAttempts(unixPair(t)[0], buffer),
    datagramAttempts(closing(t, UdpSocket.bind()), buffer),
    datagramAttempts(datagramPair(t)[0], buffer),
    listenerAttempts(listeners(t).tcp),
    listenerAttempts(listeners(t).unix),
    pipeAttempts(closingBoth(t).reader, buffer),
    eventFdAttempts(closing(t, new EventFd())),
    timerAttempts(closing(t, new TimerFd())),
    inotifyAttempts(closing(t, new Inotify())),
  ];
  for (const [object, calls] of attempts) {
    object.close();
    for (const call of calls) {
      const error = t.throws(
        call,
        { code: 'ERR_CLOSED' },
        `${object.constructor.name} ${String(call)}`,
      );
      t.is(error.message, `${object.constructor.name} is closed`);
    }
  }
});

type Attempts = readonly [OwnedDescriptor, readonly (() => unknown)[]];

function streamAttempts(stream: TcpStream | UnixStream, buffer: Buffer): Attempts {
  const calls = [
    () => stream.read(buffer),
    () => stream.write(buffer),
    () => stream.recv(buffer, 0, 1, 0),
    () => stream.send(buffer, 0, 1, 0),
    () => {
      stream.shutdown('both');
    },
    () => stream.takeError(),
    () => stream.localAddress,
    () => stream.remoteAddress,
    () => stream.toNetSocket(),
    () => stream.release(),
  ];
  if (stream instanceof UnixStream) {
    const passing = [
      () => stream.sendDescriptors([]),
      () => stream.receive(buffer),
      () => stream.peerCredentials,
    ];
    return [stream, [...calls, ...passing]];
  }
  const setters = [
    () => {
      stream.setNoDelay();
    },
    () => {
      stream.setKeepAlive();
    },
    () => stream.info(),
  ];
  return [stream, [...calls, ...setters]];
}

function datagramAttempts(socket: UdpSocket | UnixDatagram, buffer: Buffer): Attempts {
  const batch = new DatagramBatch();
  batch.add(buffer);
  const calls = [
    () => socket.receive(buffer),
    () => socket.receive(buffer, 0, 1, {}),
    () => socket.send(buffer),
    () => socket.sendTo({ family: AF_UNIX, path: 'x' }, buffer),
    () => socket.sendBatch(batch),
    () => socket.receiveBatch(batch),
    () => {
      socket.disconnect();
    },
    () => socket.takeError(),
    () => socket.localAddress,
    () => socket.remoteAddress,
    () => socket.release(),
  ];
  const own =
    socket instanceof UdpSocket
      ? [
          () => {
            socket.connect({ port: 9 });
          },
          () => {
            socket.joinGroup('239.1.2.3');
          },
          () => {
            socket.leaveGroup('239.1.2.3');
          },
          () => {
            socket.setMulticastInterface(0);
          },
        ]
      : [
          () => {
            socket.connect({ path: 'x' });
          },
          () => socket.sendDescriptors([]),
          () => socket.receiveDescriptors(buffer),
        ];
  return [socket, [...calls, ...own]];
}

function listenerAttempts(listener: TcpListener | UnixListener): Attempts {
  return [listener, [() => listener.accept(), () => listener.address, () => listener.release()]];
}

function pipeAttempts(pipe: Pipe, buffer: Buffer): Attempts {
  return [pipe, [() => pipe.read(buffer), () => pipe.write(buffer), () => pipe.release()]];
}

function eventFdAttempts(eventFd: EventFd): Attempts {
  return [eventFd, [() => eventFd.read(), () => eventFd.write(), () => eventFd.release()]];
}

function inotifyAttempts(inotify: Inotify): Attempts {
  const remove = (): void => {
    inotify.remove(1);
  };
  return [
    inotify,
    [() => inotify.read(), () => inotify.add('/', 1), remove, () => inotify.release()],
  ];
}

function timerAttempts(timer: TimerFd): Attempts {
  const set = (): void => {
    timer.set({ valueNs: 1 });
  };
  return [timer, [() => timer.read(), () => timer.get(), set, () => timer.release()]];
}

test('a listener with a spare descriptor gives both back, by close and by release', (t) => {
  const before = countDescriptors();
  const closed = TcpListener.listen({ reserveDescriptor: true });
  const released = UnixListener.listen({ path: abstractName(), reserveDescriptor: true });
  t.is(countDescriptors(), before + 4);
  closed.close();
  t.is(countDescriptors(), before + 2);
  const fd = released.release();
  t.is(countDescriptors(), before + 1);
  t.is(close(fd), 0);
});

test('what cannot be made leaves no descriptor behind', (t) => {
  const { tcp } = listeners(t);
  const path = abstractName();
  const taken = abstractName(); // names of datagram sockets are a space of their own
  closing(t, UnixListener.listen({ path }));
  closing(t, UnixDatagram.bind({ path: taken }));
  const before = countDescriptors();
  const attempts: readonly (readonly [() => unknown, string])[] = [
    [() => TcpListener.listen({ port: portOf(tcp) }), 'EADDRINUSE'],
    [() => TcpListener.listen({ host: '192.0.2.1' }), 'EADDRNOTAVAIL'],
    [() => TcpListener.listen({ port: 65_536 }), 'ERR_OUT_OF_RANGE'],
    [() => TcpListener.listen({ backlog: Number.NaN }), 'ERR_OUT_OF_RANGE'],
    [() => TcpListener.listen({ host: 'localhost' }), 'ERR_OUT_OF_RANGE'],
    [() => TcpListener.listen({ host: 5 as never }), 'ERR_INVALID_ARG_TYPE'],
    [() => TcpListener.listen({ port: '80' as never }), 'ERR_INVALID_ARG_TYPE'],
    [() => TcpStream.connect({ port: portOf(tcp), localHost: '192.0.2.1' }), 'EADDRNOTAVAIL'],
    [() => TcpStream.connect({ port: -1 }), 'ERR_OUT_OF_RANGE'],
    [() => UnixListener.listen({ path }), 'EADDRINUSE'],
    [() => UnixListener.listen({ path: '/nowhere/at/all' }), 'ENOENT'],
    [() => UnixListener.listen({ path: 'p'.repeat(200) }), 'ERR_OUT_OF_RANGE'],
    [() => UnixStream.connect({ path: '/nowhere/at/all' }), 'ENOENT'],
    [() => UnixStream.connect({ path: abstractName() }), 'ECONNREFUSED'],
    [() => UnixStream.connect({ path: undefined as never }), 'ERR_INVALID_ARG_TYPE'],
    [() => UdpSocket.bind({ host: '192.0.2.1' }), 'EADDRNOTAVAIL'],
    [() => UdpSocket.bind({ port: 65_536 }), 'ERR_OUT_OF_RANGE'],
    [() => UdpSocket.bind({ host: 'localhost' }), 'ERR_OUT_OF_RANGE'],
    [() => UdpSocket.bind({ port: '80' as never }), 'ERR_INVALID_ARG_TYPE'],
    [() => UdpSocket.connect({ port: 9, localHost: '192.0.2.1' }), 'EADDRNOTAVAIL'],
    [() => UdpSocket.connect({ host: '255.255.255.255', port: 9 }), 'EACCES'],
    [() => UnixDatagram.bind({ path: taken }), 'EADDRINUSE'],
    [() => UnixDatagram.bind({ path: '/nowhere/at/all' }), 'ENOENT'],
    [() => UnixDatagram.bind({ path: 1 as never }), 'ERR_INVALID_ARG_TYPE'],
    [() => UnixDatagram.connect({ path: abstractName() }), 'ECONNREFUSED'],
    [() => new Pidfd(2 ** 31 - 1), 'ESRCH'],
    [() => new Pidfd('1' as never), 'ERR_INVALID_ARG_TYPE'],
    [() => new EventFd({ initialValue: -1 }), 'ERR_OUT_OF_RANGE'],
    [() => new EventFd({ initialValue: 2 ** 32 }), 'ERR_OUT_OF_RANGE'],
    [() => new EventFd({ initialValue: '1' as never }), 'ERR_INVALID_ARG_TYPE'],
    [() => new TimerFd({ clock: 'sundial' as never }), 'ERR_INVALID_ARG_TYPE'],
    [() => new TimerFd({ clock: 'toString' as never }), 'ERR_INVALID_ARG_TYPE'],
  ];
  for (const [attempt, code] of attempts) t.throws(attempt, { code }, String(attempt));
  t.is(countDescriptors(), before);
});

/** Who closes what: close behind the back, adopt, and numbers that come from elsewhere. */
import { closeSync, openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import {
  EventFd,
  Pipe,
  SystemError,
  TcpListener,
  TcpStream,
  UnixListener,
  UnixStream,
  type OwnedDescriptor,
} from '../../ts/index.js';
import {
  AF_INET,
  AF_UNIX,
  EPOLLIN,
  F_GETFD,
  F_GETFL,
  FD_CLOEXEC,
  O_CLOEXEC,
  O_NONBLOCK,
  SOCK_DGRAM,
  SOCK_STREAM,
} from '../../ts/sys/constants.js';
import {
  bind,
  close,
  dup,
  dup3,
  eventfd,
  fcntl,
  listen,
  pipe2,
  socket,
  socketpair,
} from '../../ts/sys/index.js';
import { fixture } from '../support/child.js';
import { countDescriptors } from '../support/descriptors.js';
import { isOpen } from '../support/kernel-view.js';
import { acceptOne, awaitReady, closing, newEpoll, portOf, tcpPair } from '../support/pairs.js';
import { lastWordOf } from '../support/workers.js';

test('close after somebody closed the number throws EBADF, once', (t) => {
  const eventFd = new EventFd();
  const { fd } = eventFd;
  closeSync(fd);
  const error = t.throws(
    () => {
      eventFd.close();
    },
    { code: 'EBADF', instanceOf: SystemError },
  );
  t.is(error.syscall, 'close');
  t.is(error.fd, fd);
  t.is(error.message, `EBADF: bad file descriptor, close fd ${fd}`);
  t.true(eventFd.closed);
  eventFd.close();
});

test('close after level 1 closed the number leaves whoever has the number by now alone', (t) => {
  const source = closing(t, new EventFd());
  const eventFd = new EventFd();
  const { fd } = eventFd;
  t.is(close(fd), 0);
  t.is(dup3(source.fd, fd, O_CLOEXEC), fd);
  t.throws(
    () => {
      eventFd.close();
    },
    { code: 'EBADF' },
  );
  t.true(isOpen(fd), 'the stranger is still there');
  t.is(close(fd), 0);
});

/** A bare number that nobody owns, closed at the end of the test. */
function bare(t: ExecutionContext, fd: number): number {
  t.true(fd >= 0);
  t.teardown(() => close(fd));
  return fd;
}

function barePair(t: ExecutionContext, domain: number, type: number): [number, number] {
  const sv = new Int32Array(2);
  t.is(socketpair(domain, type, 0, sv), 0);
  const [left, right] = [sv[0] as number, sv[1] as number];
  return [bare(t, left), bare(t, right)];
}

test('adopt makes a blocking descriptor non-blocking and close-on-exec, and owns it', (t) => {
  const fds = new Int32Array(2);
  t.is(pipe2(fds, 0), 0);
  const [readEnd, writeEnd] = [fds[0] as number, fds[1] as number];
  const unix = new Int32Array(2);
  t.is(socketpair(AF_UNIX, SOCK_STREAM, 0, unix), 0);
  const adopted: readonly OwnedDescriptor[] = [
    Pipe.adopt(readEnd),
    Pipe.adopt(writeEnd),
    UnixStream.adopt(unix[0] as number),
    UnixStream.adopt(unix[1] as number),
    TcpStream.adopt(socket(AF_INET, SOCK_STREAM, 0)),
  ];
  for (const object of adopted) {
    const { fd } = object;
    t.is(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    t.is(fcntl(fd, F_GETFD), FD_CLOEXEC);
    object.close();
    t.false(isOpen(fd));
  }
});

test('adopt goes on with a connection where its former owner left it', (t) => {
  const { client, server } = tcpPair(t);
  client.write(Buffer.from('before '));
  awaitReady(server, EPOLLIN);
  const adopted = closing(t, TcpStream.adopt(server.release()));
  client.write(Buffer.from('after'));
  client.shutdown('write');
  const buffer = Buffer.alloc(100);
  let text = '';
  for (let count = -1; count !== 0; count = adopted.read(buffer)) {
    if (count > 0) text += buffer.toString('latin1', 0, count);
    awaitReady(adopted, EPOLLIN);
  }
  t.is(text, 'before after');
});

test('adopt takes listeners over, with what waits in them', (t) => {
  const original = TcpListener.listen();
  const port = portOf(original);
  const client = closing(t, TcpStream.connect({ port }));
  const listener = closing(t, TcpListener.adopt(original.release(), { reserveDescriptor: true }));
  t.is(portOf(listener), port);
  t.deepEqual(closing(t, acceptOne(listener)).remoteAddress, client.localAddress);
});

test('adopt refuses the wrong kind, leaves the number open, and leaves it as it was', (t) => {
  const [stream] = barePair(t, AF_UNIX, SOCK_STREAM);
  const [datagram] = barePair(t, AF_UNIX, SOCK_DGRAM);
  const tcp = bare(t, socket(AF_INET, SOCK_STREAM, 0));
  const udp = bare(t, socket(AF_INET, SOCK_DGRAM, 0));
  const listening = bare(t, socket(AF_UNIX, SOCK_STREAM, 0));
  t.is(bind(listening, { family: AF_UNIX, path: `\0raw-epoll-adopt-${process.pid}` }), 0);
  t.is(listen(listening, 1), 0);
  const counter = bare(t, eventfd(0, 0));
  const rows: readonly (readonly [(fd: number) => OwnedDescriptor, number, string])[] = [
    [(fd) => TcpStream.adopt(fd), stream, 'ERR_INVALID_FD_TYPE'],
    [(fd) => TcpListener.adopt(fd), stream, 'ERR_INVALID_FD_TYPE'],
    [(fd) => UnixStream.adopt(fd), listening, 'ERR_INVALID_FD_TYPE'],
    [(fd) => UnixListener.adopt(fd), stream, 'ERR_INVALID_FD_TYPE'],
    [(fd) => TcpListener.adopt(fd), tcp, 'ERR_INVALID_FD_TYPE'],
    [(fd) => TcpStream.adopt(fd), udp, 'ERR_INVALID_FD_TYPE'],
    [(fd) => UnixStream.adopt(fd), tcp, 'ERR_INVALID_FD_TYPE'],
    [(fd) => UnixListener.adopt(fd), tcp, 'ERR_INVALID_FD_TYPE'],
    [(fd) => UnixStream.adopt(fd), datagram, 'ERR_INVALID_FD_TYPE'],
    [(fd) => TcpStream.adopt(fd), counter, 'ENOTSOCK'],
    [(fd) => UnixListener.adopt(fd), counter, 'ENOTSOCK'],
  ];
  for (const [adopt, fd, code] of rows) {
    const flags = fcntl(fd, F_GETFL);
    t.throws(() => adopt(fd), { code });
    t.true(isOpen(fd));
    t.is(fcntl(fd, F_GETFL), flags);
    t.is(fcntl(fd, F_GETFD), 0);
  }
});

const adopters: Readonly<Record<string, (fd: number) => OwnedDescriptor>> = {
  TcpStream: (fd) => TcpStream.adopt(fd),
  TcpListener: (fd) => TcpListener.adopt(fd),
  UnixStream: (fd) => UnixStream.adopt(fd),
  UnixListener: (fd) => UnixListener.adopt(fd),
  Pipe: (fd) => Pipe.adopt(fd),
};

for (const [name, adopt] of Object.entries(adopters)) {
  test(`${name}.adopt refuses a number that is closed or none`, (t) => {
    for (const fd of [-1, 1_000_000, 2 ** 31 - 1]) t.throws(() => adopt(fd), { code: 'EBADF' });
    for (const fd of [Number.NaN, 0.5, 2 ** 31]) {
      t.throws(() => adopt(fd), { code: 'ERR_OUT_OF_RANGE' });
    }
    for (const fd of [undefined, null, '5', {}]) {
      t.throws(() => adopt(fd as never), { code: 'ERR_INVALID_ARG_TYPE' });
    }
  });
}

test('adopt refuses a number that has an owner on this thread', (t) => {
  const { client, server } = tcpPair(t);
  t.throws(() => TcpStream.adopt(client.fd), { code: 'ERR_FD_OWNED' });
  const { reader } = Pipe.pair();
  closing(t, reader);
  t.throws(() => Pipe.adopt(reader.fd), { code: 'ERR_FD_OWNED' });
  t.is(client.write(Buffer.from('a')), 1);
  awaitReady(server, EPOLLIN);
});

test.serial('a number that a worker released is adopted, and outlives the worker', async (t) => {
  const before = countDescriptors();
  const worker = new Worker(fixture('descriptor-releasing-worker'));
  const posted = await lastWordOf<{ released: number; kept: number }>(worker);
  t.false(isOpen(posted.kept), 'what it kept was closed with it');
  const stream = UnixStream.adopt(posted.released);
  const buffer = Buffer.alloc(20);
  t.is(buffer.toString('latin1', 0, stream.read(buffer)), 'from the worker');
  t.is(stream.read(buffer), 0);
  stream.close();
  t.is(countDescriptors(), before);
});

test('a descriptor in two sets leaves both, and another number of the same file stays', (t) => {
  const [first, second] = [newEpoll<string>(t), newEpoll<string>(t)];
  const eventFd = new EventFd({ initialValue: 1 });
  const other = bare(t, dup(eventFd.fd));
  first.add(eventFd, EPOLLIN, 'first');
  second.add(eventFd, EPOLLIN, 'second');
  second.add(other, EPOLLIN, 'duplicate');
  eventFd.close();
  t.is(first.size, 0);
  t.deepEqual([...second.entries()], [{ fd: other, events: EPOLLIN, data: 'duplicate' }]);
  second.delete(other);
});

test('a regular file is refused by the set and not by the object', (t) => {
  const fd = openSync(import.meta.filename, 'r');
  t.teardown(() => {
    closeSync(fd);
  });
  t.throws(
    () => {
      newEpoll(t).add(fd, EPOLLIN);
    },
    { code: 'EPERM' },
  );
});

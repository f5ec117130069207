import test from 'ava';
import { Epoll, EventFd, Pipe, SystemError, TcpListener, UnixStream } from '../../ts/index.js';
import { EAGAIN, ECONNREFUSED, EEXIST, EPOLLIN } from '../../ts/sys/constants.js';
import { close, dup } from '../../ts/sys/index.js';
import { closing, newEpoll, newEventFd } from '../support/pairs.js';

test('a SystemError has the fields of an error of Node, and the descriptor', (t) => {
  const epoll = newEpoll(t);
  const eventFd = newEventFd(t);
  epoll.add(eventFd, EPOLLIN);
  const error = t.throws(
    () => {
      epoll.add(eventFd, EPOLLIN);
    },
    { instanceOf: SystemError },
  );
  t.true(error instanceof Error);
  t.is(error.name, 'SystemError');
  t.is(error.code, 'EEXIST');
  t.is(error.errno, -EEXIST);
  t.is(error.syscall, 'epoll_ctl');
  t.is(error.fd, eventFd.fd);
  t.is(error.message, `EEXIST: file exists, epoll_ctl ADD fd ${eventFd.fd} on epoll ${epoll.fd}`);
  t.regex(
    String(error.stack),
    /^SystemError: EEXIST: file exists, epoll_ctl ADD fd \d+ on epoll \d+\n/,
  );
});

test('messages name the operation, the descriptor and the set', (t) => {
  const epoll = newEpoll(t);
  const { fd } = newEventFd(t);
  const closed = dup(fd);
  close(closed);
  const set = `on epoll ${epoll.fd}`;
  const rows: readonly (readonly [() => void, string])[] = [
    [
      () => {
        epoll.modify(fd, EPOLLIN);
      },
      `ENOENT: no such file or directory, epoll_ctl MOD fd ${fd} ${set}`,
    ],
    [
      () => {
        epoll.delete(fd);
      },
      `ENOENT: no such file or directory, epoll_ctl DEL fd ${fd} ${set}`,
    ],
    [
      () => {
        epoll.add(closed, EPOLLIN);
      },
      `EBADF: bad file descriptor, epoll_ctl ADD fd ${closed} ${set}`,
    ],
    [
      () => {
        epoll.add(epoll, EPOLLIN);
      },
      `EINVAL: invalid argument, epoll_ctl ADD fd ${epoll.fd} ${set}`,
    ],
  ];
  for (const [attempt, message] of rows) t.throws(attempt, { message });
});

test('messages of sockets name the address, and those of streams the descriptor', (t) => {
  const listener = closing(t, TcpListener.listen());
  const { address } = listener;
  t.true('port' in address);
  const port = 'port' in address ? address.port : 0;
  t.throws(() => TcpListener.listen({ port }), {
    message: `EADDRINUSE: address already in use, bind 127.0.0.1:${port}`,
  });
  t.throws(() => TcpListener.listen({ host: '2001:db8::1' }), {
    message: /^E(ADDRNOTAVAIL|AFNOSUPPORT): .+, (bind \[2001:db8::1\]:0|socket)$/,
  });
  t.throws(() => UnixStream.connect({ path: '/nowhere/at all' }), {
    message: 'ENOENT: no such file or directory, connect "/nowhere/at all"',
  });
  const { reader, writer } = Pipe.pair();
  reader.close();
  t.throws(() => writer.write(Buffer.from('x')), {
    message: `EPIPE: broken pipe, write fd ${writer.fd}`,
  });
  writer.close();
});

test('a SystemError can be made from what level 1 answers', (t) => {
  const plain = new SystemError(-EAGAIN, 'read');
  t.is(plain.message, 'EAGAIN: resource temporarily unavailable, read');
  t.is(plain.errno, -EAGAIN);
  t.false(Object.hasOwn(plain, 'fd'));
  const positive = new SystemError(ECONNREFUSED, 'connect', { fd: 7, detail: '127.0.0.1:80' });
  t.is(positive.code, 'ECONNREFUSED');
  t.is(positive.errno, -ECONNREFUSED);
  t.is(positive.fd, 7);
  t.is(positive.message, 'ECONNREFUSED: connection refused, connect 127.0.0.1:80');
});

test('a SystemError of the library is told from errors of use by its class', (t) => {
  const epoll = new Epoll();
  const eventFd = new EventFd();
  epoll.close();
  eventFd.close();
  for (const attempt of [() => epoll.release(), () => eventFd.read()]) {
    const error = t.throws(attempt, { code: 'ERR_CLOSED' });
    t.false(error instanceof SystemError);
  }
});

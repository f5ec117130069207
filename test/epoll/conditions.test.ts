/** Which conditions a descriptor shows after what happened to it, asked for everything. */
import test from 'ava';
import { EventFd, TimerFd, type Pipe, type TcpStream, type UnixStream } from '../../ts/index.js';
import {
  AF_INET,
  AF_UNIX,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  MSG_OOB,
  SO_LINGER,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../ts/sys/constants.js';
import {
  bind,
  close,
  connect,
  getsockname,
  listen,
  setsockopt,
  socket,
  type SocketAddress,
  type SocketAddressOut,
} from '../../ts/sys/index.js';
import { closing, newEpoll, pipePair, tcpPair, unixPair, type Teardown } from '../support/pairs.js';
import { ALL_CONDITIONS, awaitConditions, conditionsOf } from '../support/readiness.js';

const bytes = Buffer.from('abc');

/** Sends what is too much for the buffers. */
function fill(stream: { write: (buffer: ArrayBufferView) => number }): void {
  const piece = Buffer.alloc(65_536);
  while (stream.write(piece) > 0);
}

/** Has the next close send a reset. */
function lingerZero(stream: TcpStream): void {
  setsockopt(stream.fd, SOL_SOCKET, SO_LINGER, Int32Array.of(1, 0));
}

interface Row<Ends> {
  /** What happened to the descriptor, or to its peer. */
  readonly after: string;
  readonly act: (ends: Ends) => void;
  readonly shows: string;
}

/** A test for each row: `own` is watched, and must come to show what the row says. */
function table<Ends>(
  kind: string,
  open: (t: Teardown) => Ends,
  own: (ends: Ends) => { readonly fd: number },
  rows: readonly Row<Ends>[],
): void {
  for (const { after, act, shows } of rows) {
    test(`${kind} after ${after} shows ${shows}`, (t) => {
      const epoll = newEpoll(t);
      const ends = open(t);
      epoll.add(own(ends), ALL_CONDITIONS);
      act(ends);
      t.is(awaitConditions(epoll, own(ends), shows), shows);
      t.is(conditionsOf(epoll, own(ends)), shows, 'level-triggered, it stays so');
    });
  }
}

interface Connection<S> {
  readonly own: S;
  readonly peer: S;
}

/** What happens to connections of both kinds, and what each then shows. */
const rows: readonly {
  readonly after: string;
  readonly act: (ends: Connection<TcpStream | UnixStream>) => void;
  readonly tcp: string;
  readonly unix: string;
}[] = [
  { after: 'nothing', act: () => undefined, tcp: 'OUT', unix: 'OUT' },
  { after: 'data', act: ({ peer }) => peer.write(bytes), tcp: 'IN|OUT', unix: 'IN|OUT' },
  {
    after: 'the half-close of the peer',
    act: ({ peer }) => {
      peer.shutdown('write');
    },
    ...{ tcp: 'IN|OUT|RDHUP', unix: 'IN|OUT|RDHUP' },
  },
  {
    after: 'its own half-close',
    act: ({ own }) => {
      own.shutdown('write');
    },
    ...{ tcp: 'OUT', unix: 'OUT' },
  },
  {
    after: 'the half-close of both',
    act: ({ own, peer }) => {
      own.shutdown('write');
      peer.shutdown('write');
    },
    ...{ tcp: 'IN|OUT|HUP|RDHUP', unix: 'IN|OUT|HUP|RDHUP' },
  },
  {
    after: 'its own end of reading',
    act: ({ own }) => {
      own.shutdown('read');
    },
    ...{ tcp: 'IN|OUT|RDHUP', unix: 'IN|OUT|RDHUP' },
  },
  {
    after: 'its own end of both directions',
    act: ({ own }) => {
      own.shutdown('both');
    },
    ...{ tcp: 'IN|OUT|HUP|RDHUP', unix: 'IN|OUT|HUP|RDHUP' },
  },
  {
    after: 'the close of the peer',
    act: ({ peer }) => {
      peer.close();
    },
    ...{ tcp: 'IN|OUT|RDHUP', unix: 'IN|OUT|HUP|RDHUP' },
  },
  {
    after: 'the close of a peer that has not read everything (over TCP a reset)',
    act: ({ own, peer }) => {
      own.write(bytes);
      peer.close();
    },
    ...{ tcp: 'IN|OUT|ERR|HUP|RDHUP', unix: 'IN|OUT|ERR|HUP|RDHUP' },
  },
];

const tcpRows: readonly Row<Connection<TcpStream>>[] = [
  ...rows.map(({ tcp, ...row }) => ({ ...row, shows: tcp })),
  {
    after: 'an urgent byte',
    act: ({ peer }) => peer.send(Buffer.from('!'), 0, 1, MSG_OOB),
    shows: 'PRI|OUT',
  },
  {
    after: 'a reset (SO_LINGER 0)',
    act: ({ peer }) => {
      lingerZero(peer);
      peer.close();
    },
    shows: 'IN|OUT|ERR|HUP|RDHUP',
  },
  {
    after: 'a half-close and then a reset',
    act: ({ peer }) => {
      peer.shutdown('write');
      lingerZero(peer);
      peer.close();
    },
    shows: 'IN|OUT|ERR|HUP|RDHUP',
  },
];

const unixRows: readonly Row<Connection<UnixStream>>[] = [
  ...rows.map(({ unix, ...row }) => ({ ...row, shows: unix })),
  {
    after: 'more written than fits',
    act: ({ own }) => {
      fill(own);
    },
    shows: '-',
  },
];

table(
  'a TCP connection',
  (t) => {
    const { client, server } = tcpPair(t);
    return { own: server, peer: client };
  },
  ({ own }) => own,
  tcpRows,
);

table(
  'a Unix connection',
  (t) => {
    const [own, peer] = unixPair(t);
    return { own, peer };
  },
  ({ own }) => own,
  unixRows,
);

interface PipeEnds {
  readonly reader: Pipe;
  readonly writer: Pipe;
}

const readerRows: readonly Row<PipeEnds>[] = [
  { after: 'nothing', act: () => undefined, shows: '-' },
  { after: 'data', act: ({ writer }) => writer.write(bytes), shows: 'IN' },
  {
    after: 'the close of the writer',
    act: ({ writer }) => {
      writer.close();
    },
    shows: 'HUP',
  },
  {
    after: 'data and the close of the writer',
    act: ({ writer }) => {
      writer.write(bytes);
      writer.close();
    },
    shows: 'IN|HUP',
  },
];

const writerRows: readonly Row<PipeEnds>[] = [
  { after: 'nothing', act: () => undefined, shows: 'OUT' },
  {
    after: 'more written than fits',
    act: ({ writer }) => {
      fill(writer);
    },
    shows: '-',
  },
  {
    after: 'the close of the reader',
    act: ({ reader }) => {
      reader.close();
    },
    shows: 'OUT|ERR',
  },
  {
    after: 'more written than fits and the close of the reader',
    act: ({ reader, writer }) => {
      fill(writer);
      reader.close();
    },
    shows: 'ERR',
  },
];

table('the reader of a pipe', pipePair, ({ reader }) => reader, readerRows);
table('the writer of a pipe', pipePair, ({ writer }) => writer, writerRows);

table(
  'an eventfd',
  (t) => closing(t, new EventFd()),
  (own) => own,
  [
    { after: 'nothing', act: () => undefined, shows: 'OUT' },
    { after: 'a write', act: (own) => own.write(1), shows: 'IN|OUT' },
    { after: 'a write of all that fits', act: (own) => own.write(2n ** 64n - 2n), shows: 'IN' },
  ],
);

table(
  'a timer',
  (t) => closing(t, new TimerFd()),
  (own) => own,
  [
    { after: 'nothing', act: () => undefined, shows: '-' },
    {
      after: 'it has fired',
      act: (own) => {
        own.set({ valueNs: 1 });
      },
      shows: 'IN',
    },
  ],
);

/** A bare socket, which level 2 does not hand out before it is of use. */
function bareSocket(t: Teardown, family: number): { readonly fd: number } {
  const fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  t.teardown(() => {
    close(fd);
  });
  return { fd };
}

/** An address of the loopback that nobody listens at, held by a bound socket. */
function deadAddress(t: Teardown): SocketAddress {
  const { fd } = bareSocket(t, AF_INET);
  bind(fd, { family: AF_INET, address: '127.0.0.1', port: 0 });
  const address: SocketAddressOut = {};
  getsockname(fd, address);
  return address as SocketAddress;
}

table(
  'a TCP socket',
  (t) => ({ own: bareSocket(t, AF_INET), dead: deadAddress(t) }),
  ({ own }) => own,
  [
    { after: 'nothing', act: () => undefined, shows: 'OUT|HUP' },
    {
      after: 'a refused connect',
      act: ({ own, dead }) => connect(own.fd, dead),
      shows: 'IN|OUT|ERR|HUP|RDHUP',
    },
    {
      after: 'listen',
      act: ({ own }) => listen(own.fd, 1),
      shows: '-',
    },
  ],
);

table(
  'a Unix socket',
  (t) => bareSocket(t, AF_UNIX),
  (own) => own,
  [
    { after: 'nothing', act: () => undefined, shows: 'OUT|HUP' },
    {
      after: 'a bind to a name and listen',
      act: ({ fd }) => {
        bindAbstract(fd);
      },
      shows: '-',
    },
  ],
);

function bindAbstract(fd: number): void {
  bind(fd, { family: AF_UNIX, path: `\0raw-epoll-conditions-${process.pid}` });
  listen(fd, 1);
}

for (const [asked, mask, shows] of [
  ['nothing', 0, 'HUP'],
  ['EPOLLIN', EPOLLIN, 'IN|HUP'],
  ['EPOLLOUT', EPOLLOUT, 'OUT|HUP'],
  ['EPOLLRDHUP', EPOLLRDHUP, 'HUP|RDHUP'],
] as const) {
  test(`a Unix connection that is watched for ${asked} shows ${shows} of a closed peer`, (t) => {
    const epoll = newEpoll(t);
    const [own, peer] = unixPair(t);
    epoll.add(own, mask);
    peer.close();
    t.is(conditionsOf(epoll, own), shows);
  });
}

test('takeError takes the error of a reset, and with it EPOLLERR', (t) => {
  const epoll = newEpoll(t);
  const { client, server } = tcpPair(t);
  epoll.add(server, ALL_CONDITIONS);
  lingerZero(client);
  client.close();
  t.is(awaitConditions(epoll, server, 'IN|OUT|ERR|HUP|RDHUP'), 'IN|OUT|ERR|HUP|RDHUP');
  t.is(server.takeError()?.code, 'ECONNRESET');
  t.is(server.takeError(), null);
  t.is(conditionsOf(epoll, server), 'IN|OUT|HUP|RDHUP');
});

test('data that came before the half-close is still there after RDHUP', (t) => {
  const epoll = newEpoll(t);
  const { client, server } = tcpPair(t);
  epoll.add(server, EPOLLIN | EPOLLRDHUP);
  client.write(bytes);
  client.shutdown('write');
  t.is(awaitConditions(epoll, server, 'IN|RDHUP'), 'IN|RDHUP');
  const buffer = Buffer.alloc(10);
  t.is(server.read(buffer), 3);
  t.is(conditionsOf(epoll, server), 'IN|RDHUP');
  t.is(server.read(buffer), 0);
  t.is(conditionsOf(epoll, server), 'IN|RDHUP', 'the end of the stream stays readable');
  t.is(server.write(bytes), 3, 'the other direction is open');
});

test('a listener shows IN while a connection waits', (t) => {
  const epoll = newEpoll(t);
  const { fd } = bareSocket(t, AF_UNIX);
  const client = bareSocket(t, AF_UNIX);
  const path = `\0raw-epoll-waiting-${process.pid}`;
  bind(fd, { family: AF_UNIX, path });
  listen(fd, 1);
  epoll.add(fd, ALL_CONDITIONS);
  t.is(conditionsOf(epoll, fd), '-');
  t.is(connect(client.fd, { family: AF_UNIX, path }), 0);
  t.is(conditionsOf(epoll, fd), 'IN');
});

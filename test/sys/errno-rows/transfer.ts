/** read, readv, recv, recvfrom; write, writev, send, sendto: errnos that they have in common. */
import { openSync } from 'node:fs';
import {
  AF_INET,
  AF_UNIX,
  EPOLL_CTL_ADD,
  EPOLLERR,
  IPPROTO_TCP,
  MSG_OOB,
  SHUT_WR,
  SO_LINGER,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_USER_TIMEOUT,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';
import {
  boundSocket,
  type Descriptors,
  fill,
  must,
  NOT_OPEN,
  pipe,
  regularFile,
  socket,
  tcpPair,
  unixPair,
} from '../support/kernel.js';
import { type ErrnoRow, row } from './row.js';

type Message = 'recvmsg' | 'sendmsg' | 'recvmmsg' | 'sendmmsg';

interface Transfer {
  readonly call:
    'read' | 'readv' | 'recv' | 'recvfrom' | 'write' | 'writev' | 'send' | 'sendto' | Message;
  /** Moves so many bytes; `flags` only where the call has them. */
  readonly move: (fd: number, length?: number, flags?: number) => number;
}

const bytes = new Uint8Array(1 << 17);

const fileReaders: readonly Transfer[] = [
  { call: 'read', move: (fd, length = 8) => sys.read(fd, bytes, 0, length) },
  { call: 'readv', move: (fd, length = 8) => sys.readv(fd, [bytes.subarray(0, length)]) },
];
const receivers: readonly Transfer[] = [
  { call: 'recv', move: (fd, length = 8, flags = 0) => sys.recv(fd, bytes, 0, length, flags) },
  {
    call: 'recvfrom',
    move: (fd, length = 8, flags = 0) => sys.recvfrom(fd, bytes, 0, length, flags, {}),
  },
  {
    call: 'recvmsg',
    move: (fd, length = 8, flags = 0) =>
      sys.recvmsg(fd, { iov: [bytes.subarray(0, length)], name: {} }, flags),
  },
  {
    call: 'recvmmsg',
    move: (fd, length = 8, flags = 0) =>
      sys.recvmmsg(fd, new sys.MmsgArray(2, length), 0, 2, flags, null),
  },
];
const fileWriters: readonly Transfer[] = [
  { call: 'write', move: (fd, length = 8) => sys.write(fd, bytes, 0, length) },
  { call: 'writev', move: (fd, length = 8) => sys.writev(fd, [bytes.subarray(0, length)]) },
];
const senders: readonly Transfer[] = [
  { call: 'send', move: (fd, length = 8, flags = 0) => sys.send(fd, bytes, 0, length, flags) },
  {
    call: 'sendto',
    move: (fd, length = 8, flags = 0) => sys.sendto(fd, bytes, 0, length, flags, null),
  },
  {
    call: 'sendmsg',
    move: (fd, length = 8, flags = 0) =>
      sys.sendmsg(fd, { iov: [bytes.subarray(0, length)] }, flags),
  },
  {
    call: 'sendmmsg',
    move: (fd, length = 8, flags = 0) => {
      const messages = new sys.MmsgArray(1, length);
      messages.setLength(0, length);
      return sys.sendmmsg(fd, messages, 0, 1, flags);
    },
  },
];

/** A connection whose peer has just reset it. */
function reset(open: Descriptors): number {
  const { client, server } = tcpPair(open);
  const linger = new Int32Array([1, 0]); // on, 0 seconds: close sends RST
  must(sys.setsockopt(server, SOL_SOCKET, SO_LINGER, linger));
  open.close(server);
  return client;
}

/** A UDP socket whose last datagram was refused. */
function refused(open: Descriptors): number {
  const { fd } = boundSocket(open);
  const gone = boundSocket(open);
  must(sys.connect(fd, { family: AF_INET, address: '127.0.0.1', port: gone.port }));
  open.close(gone.fd);
  must(sys.send(fd, bytes, 0, 1, 0));
  return fd;
}

/** A connection that the kernel gives up, because its peer has had no room for too long. */
function timedOut(open: Descriptors): number {
  const { client } = tcpPair(open);
  must(sys.setsockopt(client, IPPROTO_TCP, TCP_USER_TIMEOUT, 50));
  fill(client);
  const epfd = open.own(sys.epoll_create1(0));
  must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, client, EPOLLERR));
  must(sys.epoll_wait(epfd, new sys.EpollEventArray(1), 1, 20_000));
  return client;
}

const anyReaderRows: readonly ErrnoRow[] = [...fileReaders, ...receivers].flatMap(
  ({ call, move }) => [
    row(call, 'EAGAIN', 'nothing is there, on a socket', (open) => move(unixPair(open)[0])),
    row(call, 'EBADF', '`fd` is not open', () => move(NOT_OPEN)),
    row(call, 'EBADF', '`fd` is -1', () => move(-1)),
    row(call, 'ECONNRESET', 'the peer reset the connection', (open) => move(reset(open))),
    row(call, 'ECONNREFUSED', 'the peer refused an earlier datagram', (open) =>
      move(refused(open)),
    ),
    row(call, 'ENOTCONN', 'a TCP socket that is not connected', (open) =>
      move(socket(open, AF_INET, SOCK_STREAM)),
    ),
    row(call, 'EINVAL', 'a Unix stream that is not connected', (open) =>
      move(socket(open, AF_UNIX, SOCK_STREAM)),
    ),
    row(call, 'ETIMEDOUT', 'the connection died', (open) => move(timedOut(open))),
  ],
);

const fileReaderRows: readonly ErrnoRow[] = fileReaders.flatMap(({ call, move }) => [
  row(call, 'EAGAIN', 'nothing is there, in a pipe', (open) => move(pipe(open)[0])),
  row(call, 'EBADF', '`fd` is not open for reading', (open) => move(pipe(open)[1])),
  row(call, 'EINVAL', '`fd` cannot be read', (open) => move(open.own(sys.epoll_create1(0)))),
  row(call, 'EINVAL', 'too few bytes for an eventfd', (open) =>
    move(open.own(sys.eventfd(1, 0)), 7),
  ),
  row(call, 'EISDIR', 'a directory', (open) => move(open.own(openSync('/', 'r')))),
]);

const receiverRows: readonly ErrnoRow[] = receivers.flatMap(({ call, move }) => [
  row(call, 'ENOTSOCK', '`fd` is no socket', (open) => move(pipe(open)[0])),
  row(call, 'EINVAL', 'MSG_OOB where nothing is urgent', (open) =>
    move(tcpPair(open).client, 8, MSG_OOB),
  ),
  row(call, 'EOPNOTSUPP', 'MSG_OOB on a socket without urgent data', (open) =>
    move(unixPair(open, SOCK_DGRAM)[0], 8, MSG_OOB),
  ),
]);

const anyWriterRows: readonly ErrnoRow[] = [...fileWriters, ...senders].flatMap(
  ({ call, move }) => [
    row(call, 'EAGAIN', 'no room, on a socket', (open) => {
      const [a] = unixPair(open);
      fill(a);
      return move(a);
    }),
    row(call, 'EBADF', '`fd` is not open', () => move(NOT_OPEN)),
    row(call, 'EBADF', '`fd` is -1', () => move(-1)),
    row(call, 'ECONNRESET', 'the peer reset the connection', (open) => move(reset(open))),
    row(call, 'ECONNREFUSED', 'the peer refused an earlier datagram', (open) =>
      move(refused(open)),
    ),
    row(call, 'EDESTADDRREQ', 'a UDP socket without a peer', (open) =>
      move(socket(open, AF_INET, SOCK_DGRAM)),
    ),
    row(call, 'EMSGSIZE', 'a datagram that is too large', (open) => {
      const { fd, port } = boundSocket(open);
      must(sys.connect(fd, { family: AF_INET, address: '127.0.0.1', port }));
      return move(fd, 65_508);
    }),
    row(call, 'ENOTCONN', 'a Unix socket without a peer', (open) =>
      move(socket(open, AF_UNIX, SOCK_STREAM)),
    ),
    row(call, 'EPIPE', 'the peer is gone', (open) => {
      const [a, b] = unixPair(open);
      open.close(b);
      return move(a);
    }),
    row(call, 'EPIPE', 'the connection is shut down for sending', (open) => {
      const { client } = tcpPair(open);
      must(sys.shutdown(client, SHUT_WR));
      return move(client);
    }),
    row(call, 'EPIPE', 'a TCP socket that was never connected', (open) =>
      move(socket(open, AF_INET, SOCK_STREAM)),
    ),
  ],
);

const fileWriterRows: readonly ErrnoRow[] = fileWriters.flatMap(({ call, move }) => [
  row(call, 'EAGAIN', 'no room, in a pipe', (open) => {
    const [, writer] = pipe(open);
    fill(writer);
    return move(writer);
  }),
  row(call, 'EBADF', '`fd` is not open for writing', (open) => move(pipe(open)[0])),
  row(call, 'EBADF', 'a file that is open for reading', (open) => move(regularFile(open))),
  row(call, 'EINVAL', '`fd` cannot be written', (open) => move(open.own(sys.epoll_create1(0)))),
  row(call, 'EINVAL', 'too few bytes for an eventfd', (open) =>
    move(open.own(sys.eventfd(1, 0)), 7),
  ),
  row(call, 'ENOSPC', 'the device is full', (open) => move(open.own(openSync('/dev/full', 'w')))),
  row(call, 'EPIPE', 'no reader is left', (open) => {
    const [reader, writer] = pipe(open);
    open.close(reader);
    return move(writer);
  }),
]);

const senderRows: readonly ErrnoRow[] = senders.flatMap(({ call, move }) => [
  row(call, 'ENOTSOCK', '`fd` is no socket', (open) => move(pipe(open)[1])),
  row(call, 'EOPNOTSUPP', 'MSG_OOB on a socket without urgent data', (open) =>
    move(unixPair(open, SOCK_DGRAM)[0], 8, MSG_OOB),
  ),
]);

/** Errnos of moving bytes that a plain process gets. */
export const transferRows: readonly ErrnoRow[] = [
  ...anyReaderRows,
  ...fileReaderRows,
  ...receiverRows,
  ...anyWriterRows,
  ...fileWriterRows,
  ...senderRows,
];

/** `struct timeval` of a minute: a socket with a limit does not go on after a signal. */
const aMinute = new BigInt64Array([60n, 0n]);

/** While signals arrive. signal(7): a socket call with a timeout is never resumed. */
export const transferRowsOfSignals: readonly ErrnoRow[] = [
  ...[...fileReaders, ...receivers].map(({ call, move }) =>
    row(call, 'EINTR', 'a signal came first', (open) => {
      const [fd] = unixPair(open, SOCK_STREAM);
      must(sys.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, aMinute));
      return move(fd);
    }),
  ),
  ...[...fileWriters, ...senders].map(({ call, move }) =>
    row(call, 'EINTR', 'a signal came first', (open) => {
      const [fd] = unixPair(open, SOCK_STREAM);
      must(sys.setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, aMinute));
      const writtenInPart = (): number => move(fd, 1 << 17);
      let answer = writtenInPart();
      while (answer > 0) answer = writtenInPart();
      return answer;
    }),
  ),
];

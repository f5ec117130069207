import { Buffer } from 'node:buffer';
import { chmodSync } from 'node:fs';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  F_SETFL,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SHUT_RDWR,
  SO_BINDTODEVICE,
  SO_RCVBUFFORCE,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_SNDTIMEO,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_NODELAY,
  TCP_USER_TIMEOUT,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';
import {
  boundSocket,
  Descriptors,
  fillTable,
  listener,
  must,
  NOT_OPEN,
  pipe,
  refusingPort,
  socket,
  tcpPair,
  unixPair,
} from '../support/kernel.js';
import { type ErrnoRow, row } from './row.js';

/** The broadcast address of the loopback: nothing leaves the machine. */
const BROADCAST = { family: AF_INET, address: '127.255.255.255', port: 9 };
/** A network for documentation: no machine has this address. RFC 5737 */
const NOT_OURS = { family: AF_INET, address: '203.0.113.1', port: 0 };
/** A Unix path that is as long as the struct of any other family. */
const LONG_PATH = { family: AF_UNIX, path: '/nowhere/at/all/that/is/long/enough' };
const SO_COOKIE = 57;
const IP_LOCAL_PORT_RANGE = 51;

function loopback(port: number): sys.SocketAddressInet {
  return { family: AF_INET, address: '127.0.0.1', port };
}

function unix(file: string): sys.SocketAddressUnix {
  return { family: AF_UNIX, path: file };
}

/** Something connects to it no more: its queue is full. */
function fullListener(open: Descriptors): number {
  const { port } = listener(open, 0);
  must(sys.connect(open.own(sys.socket(AF_INET, SOCK_STREAM, 0)), loopback(port)));
  return port;
}

/** The same on a Unix socket. */
function fullUnixListener(open: Descriptors): string {
  const name = `${open.folder()}/full`;
  const fd = socket(open, AF_UNIX, SOCK_STREAM);
  must(sys.bind(fd, unix(name)));
  must(sys.listen(fd, 0));
  must(sys.connect(socket(open, AF_UNIX, SOCK_STREAM), unix(name)));
  return name;
}

/** The one port that a socket may take is taken. */
function withoutPorts(open: Descriptors, type: number): { fd: number; address: sys.SocketAddress } {
  const { port: taken } = boundSocket(open, type);
  const { port: peer } = type === SOCK_STREAM ? listener(open) : boundSocket(open);
  const fd = socket(open, AF_INET, type);
  must(sys.setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, (taken << 16) | taken));
  return { fd, address: loopback(peer) };
}

const portRange = {
  feature: 'IP_LOCAL_PORT_RANGE (Linux 6.3)',
  isThere: ((): boolean => {
    using open = new Descriptors();
    const fd = socket(open, AF_INET, SOCK_STREAM);
    return sys.setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, 0) === 0;
  })(),
};

const ipv6 = {
  feature: 'IPv6',
  isThere: ((): boolean => {
    using open = new Descriptors();
    const fd = sys.socket(AF_INET6, SOCK_STREAM, 0);
    if (fd < 0) return false;
    open.own(fd);
    return sys.bind(fd, { family: AF_INET6, address: '::1', port: 0 }) === 0;
  })(),
};

const creation: readonly ErrnoRow[] = [
  row('socket', 'EAFNOSUPPORT', 'unknown domain', () => sys.socket(999, SOCK_STREAM, 0)),
  row('socket', 'EINVAL', 'unknown type', () => sys.socket(AF_INET, 99, 0)),
  row('socket', 'EINVAL', 'unknown flags', () => sys.socket(AF_INET, SOCK_STREAM | 0x100, 0)),
  row('socket', 'EPROTONOSUPPORT', 'the domain has no such protocol', () =>
    sys.socket(AF_INET, SOCK_STREAM, IPPROTO_UDP),
  ),
  row('socket', 'ESOCKTNOSUPPORT', 'the domain has no such type', () =>
    sys.socket(AF_INET, SOCK_SEQPACKET, 0),
  ),
  row('socketpair', 'EAFNOSUPPORT', 'unknown domain', () => pairOf(999, SOCK_STREAM, 0)),
  row('socketpair', 'EINVAL', 'unknown flags', () => pairOf(AF_UNIX, SOCK_STREAM | 0x100, 0)),
  row('socketpair', 'EOPNOTSUPP', 'the domain has no pairs', () => pairOf(AF_INET, SOCK_STREAM, 0)),
  row('socketpair', 'EPROTONOSUPPORT', 'the domain has no such protocol', () =>
    pairOf(AF_UNIX, SOCK_STREAM, IPPROTO_TCP),
  ),
  row('socketpair', 'ESOCKTNOSUPPORT', 'the domain has no such type', () => pairOf(AF_UNIX, 4, 0)),
];

function pairOf(domain: number, type: number, protocol: number): number {
  return sys.socketpair(domain, type, protocol, new Int32Array(2));
}

const binding: readonly ErrnoRow[] = [
  row('bind', 'EADDRINUSE', 'somebody has the port', (open) =>
    sys.bind(socket(open, AF_INET, SOCK_STREAM), loopback(refusingPort(open))),
  ),
  row('bind', 'EADDRINUSE', 'the path exists', (open) => {
    const name = `${open.folder()}/taken`;
    must(sys.bind(socket(open, AF_UNIX, SOCK_STREAM), unix(name)));
    return sys.bind(socket(open, AF_UNIX, SOCK_STREAM), unix(name));
  }),
  row('bind', 'EADDRNOTAVAIL', 'not an address of this machine', (open) =>
    sys.bind(socket(open, AF_INET, SOCK_STREAM), NOT_OURS),
  ),
  row('bind', 'EAFNOSUPPORT', 'a family that does not fit the socket', (open) =>
    sys.bind(socket(open, AF_INET, SOCK_STREAM), LONG_PATH),
  ),
  row('bind', 'EAFNOSUPPORT', 'a family that has no form here', (open) =>
    sys.bind(socket(open, AF_INET, SOCK_STREAM), { ...loopback(0), family: 16 }),
  ),
  row('bind', 'EBADF', '`fd` is not open', () => sys.bind(NOT_OPEN, loopback(0))),
  row('bind', 'ENOTSOCK', '`fd` is no socket', (open) => sys.bind(pipe(open)[0], loopback(0))),
  row('bind', 'EINVAL', 'the socket has an address already', (open) =>
    sys.bind(boundSocket(open, SOCK_STREAM).fd, loopback(0)),
  ),
  row('bind', 'EINVAL', 'an address too short for the family of the socket', (open) =>
    sys.bind(socket(open, AF_INET, SOCK_STREAM), unix('short')),
  ),
  row('bind', 'EINVAL', 'an IP address for a Unix socket', (open) =>
    sys.bind(socket(open, AF_UNIX, SOCK_STREAM), loopback(0)),
  ),
  row('bind', 'ENOENT', 'the folder is not there', (open) =>
    sys.bind(socket(open, AF_UNIX, SOCK_STREAM), unix(`${open.folder()}/no/socket`)),
  ),
  row('bind', 'ENOTDIR', 'the folder is a file', (open) =>
    sys.bind(socket(open, AF_UNIX, SOCK_STREAM), unix('/proc/self/exe/socket')),
  ),
];

const listening: readonly ErrnoRow[] = [
  row('listen', 'EADDRINUSE', 'another socket listens at the shared port', (open) => {
    const fds = [socket(open, AF_INET, SOCK_STREAM), socket(open, AF_INET, SOCK_STREAM)] as const;
    for (const fd of fds) must(sys.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1));
    must(sys.bind(fds[0], loopback(0)));
    const address: sys.SocketAddressOut = {};
    must(sys.getsockname(fds[0], address));
    must(sys.bind(fds[1], loopback(address.port as number)));
    must(sys.listen(fds[0], 1));
    return sys.listen(fds[1], 1);
  }),
  row('listen', 'EBADF', '`fd` is not open', () => sys.listen(NOT_OPEN, 1)),
  row('listen', 'EINVAL', 'the socket is connected', (open) => sys.listen(tcpPair(open).client, 1)),
  row('listen', 'EINVAL', 'a Unix socket without a name', (open) =>
    sys.listen(socket(open, AF_UNIX, SOCK_STREAM), 1),
  ),
  row('listen', 'ENOTSOCK', '`fd` is no socket', (open) => sys.listen(pipe(open)[0], 1)),
  row('listen', 'EOPNOTSUPP', 'a datagram socket', (open) => sys.listen(boundSocket(open).fd, 1)),
  row('accept4', 'EAGAIN', 'no connection waits', (open) =>
    sys.accept4(listener(open).fd, null, 0),
  ),
  row('accept4', 'EAGAIN', 'no connection came within SO_RCVTIMEO', (open) => {
    const { fd } = listener(open);
    must(sys.fcntl(fd, F_SETFL, 0));
    must(sys.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, new BigInt64Array([0n, 1_000n])));
    return sys.accept4(fd, null, 0);
  }),
  row('accept4', 'EBADF', '`fd` is not open', () => sys.accept4(NOT_OPEN, null, 0)),
  row('accept4', 'ENOTSOCK', '`fd` is no socket', (open) => sys.accept4(pipe(open)[0], null, 0)),
  row('accept4', 'EINVAL', '`fd` does not listen', (open) =>
    sys.accept4(boundSocket(open, SOCK_STREAM).fd, {}, 0),
  ),
  row('accept4', 'EINVAL', 'unknown flags', (open) => sys.accept4(listener(open).fd, {}, 1)),
  row('accept4', 'EOPNOTSUPP', 'not a stream', (open) => sys.accept4(boundSocket(open).fd, {}, 0)),
];

const connecting: readonly ErrnoRow[] = [
  row('connect', 'EAFNOSUPPORT', 'a family that does not fit the socket', (open) =>
    sys.connect(socket(open, AF_INET, SOCK_STREAM), LONG_PATH),
  ),
  row('connect', 'EAFNOSUPPORT', 'a family that has no form here', (open) =>
    sys.connect(socket(open, AF_INET, SOCK_STREAM), { family: 16 }),
  ),
  row('connect', 'EACCES', 'a broadcast address without SO_BROADCAST', (open) =>
    sys.connect(socket(open, AF_INET, SOCK_DGRAM), BROADCAST),
  ),
  row('connect', 'EAGAIN', 'the queue of a Unix listener is full', (open) =>
    sys.connect(socket(open, AF_UNIX, SOCK_STREAM), unix(fullUnixListener(open))),
  ),
  row(
    'connect',
    'EAGAIN',
    'no port is left for a datagram socket',
    (open) => {
      const { fd, address } = withoutPorts(open, SOCK_DGRAM);
      return sys.connect(fd, address);
    },
    portRange,
  ),
  row(
    'connect',
    'EADDRNOTAVAIL',
    'no port is left for a stream socket',
    (open) => {
      const { fd, address } = withoutPorts(open, SOCK_STREAM);
      return sys.connect(fd, address);
    },
    portRange,
  ),
  row('connect', 'EALREADY', 'an attempt is under way', (open) => {
    const fd = socket(open, AF_INET, SOCK_STREAM);
    const address = loopback(fullListener(open));
    sys.connect(fd, address);
    return sys.connect(fd, address);
  }),
  row('connect', 'EBADF', '`fd` is not open', () => sys.connect(NOT_OPEN, loopback(1))),
  row('connect', 'ENOTSOCK', '`fd` is no socket', (open) =>
    sys.connect(pipe(open)[0], loopback(1)),
  ),
  row('connect', 'ECONNREFUSED', 'nobody listens at the port', (open) =>
    sys.connect(open.own(sys.socket(AF_INET, SOCK_STREAM, 0)), loopback(refusingPort(open))),
  ),
  row('connect', 'ECONNREFUSED', 'nobody listens at the path', (open) => {
    const name = `${open.folder()}/left`;
    must(sys.bind(socket(open, AF_UNIX, SOCK_STREAM), unix(name)));
    return sys.connect(socket(open, AF_UNIX, SOCK_STREAM), unix(name));
  }),
  row('connect', 'EINPROGRESS', 'begun', (open) =>
    sys.connect(socket(open, AF_INET, SOCK_STREAM), loopback(listener(open).port)),
  ),
  row('connect', 'EINVAL', 'an address too short for the family of the socket', (open) =>
    sys.connect(socket(open, AF_INET, SOCK_STREAM), unix('short')),
  ),
  row('connect', 'EINVAL', 'a Unix socket without a name', (open) =>
    sys.connect(socket(open, AF_UNIX, SOCK_STREAM), unix('')),
  ),
  row('connect', 'EISCONN', 'connected already', (open) => {
    const { client } = tcpPair(open);
    return sys.connect(client, loopback(refusingPort(open)));
  }),
  row('connect', 'ENETUNREACH', 'a broadcast address for a stream socket', (open) =>
    sys.connect(socket(open, AF_INET, SOCK_STREAM), BROADCAST),
  ),
  row('connect', 'ENOENT', 'no such path', (open) =>
    sys.connect(socket(open, AF_UNIX, SOCK_STREAM), unix(`${open.folder()}/nobody`)),
  ),
  row('connect', 'EPROTOTYPE', 'a Unix socket of another type', (open) => {
    const name = `${open.folder()}/datagrams`;
    must(sys.bind(socket(open, AF_UNIX, SOCK_DGRAM), unix(name)));
    return sys.connect(socket(open, AF_UNIX, SOCK_STREAM), unix(name));
  }),
  row('connect', 'ETIMEDOUT', 'nobody answered', (open) => {
    const fd = open.own(sys.socket(AF_INET, SOCK_STREAM, 0));
    must(sys.setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 50));
    return sys.connect(fd, loopback(fullListener(open)));
  }),
];

const naming: readonly ErrnoRow[] = [
  row('shutdown', 'EBADF', '`fd` is not open', () => sys.shutdown(NOT_OPEN, SHUT_RDWR)),
  row('shutdown', 'EINVAL', 'unknown `how`', (open) => sys.shutdown(tcpPair(open).client, 9)),
  row('shutdown', 'ENOTCONN', 'not connected', (open) =>
    sys.shutdown(socket(open, AF_INET, SOCK_STREAM), SHUT_RDWR),
  ),
  row('shutdown', 'ENOTSOCK', '`fd` is no socket', (open) => sys.shutdown(pipe(open)[0], 0)),
  row('getsockname', 'EBADF', '`fd` is not open', () => sys.getsockname(NOT_OPEN, {})),
  row('getsockname', 'ENOTSOCK', '`fd` is no socket', (open) => sys.getsockname(pipe(open)[0], {})),
  row('getpeername', 'EBADF', '`fd` is not open', () => sys.getpeername(NOT_OPEN, {})),
  row('getpeername', 'ENOTCONN', 'not connected', (open) =>
    sys.getpeername(socket(open, AF_INET, SOCK_STREAM), {}),
  ),
  row('getpeername', 'ENOTSOCK', '`fd` is no socket', (open) => sys.getpeername(pipe(open)[0], {})),
];

const int = new Int32Array(1);

const options: readonly ErrnoRow[] = [
  row('getsockopt', 'EBADF', '`fd` is not open', () =>
    sys.getsockopt(NOT_OPEN, SOL_SOCKET, SO_REUSEADDR, int),
  ),
  row('getsockopt', 'EINVAL', '`optval` is too small for an option that is not cut', (open) =>
    sys.getsockopt(socket(open, AF_INET, SOCK_STREAM), SOL_SOCKET, SO_COOKIE, int),
  ),
  row('getsockopt', 'ENOPROTOOPT', 'no such option', (open) =>
    sys.getsockopt(socket(open, AF_INET, SOCK_STREAM), SOL_SOCKET, 9_999, int),
  ),
  row('getsockopt', 'ENOTSOCK', '`fd` is no socket', (open) =>
    sys.getsockopt(pipe(open)[0], SOL_SOCKET, SO_REUSEADDR, int),
  ),
  row('getsockopt', 'EOPNOTSUPP', 'the socket has no such level', (open) =>
    sys.getsockopt(socket(open, AF_UNIX, SOCK_STREAM), IPPROTO_TCP, TCP_NODELAY, int),
  ),
  row('setsockopt', 'EBADF', '`fd` is not open', () =>
    sys.setsockopt(NOT_OPEN, SOL_SOCKET, SO_REUSEADDR, 1),
  ),
  row('setsockopt', 'EDOM', 'a time that is none', (open) =>
    sys.setsockopt(
      socket(open, AF_INET, SOCK_STREAM),
      SOL_SOCKET,
      SO_RCVTIMEO,
      new BigInt64Array([1n, 1_000_000n]),
    ),
  ),
  row('setsockopt', 'EINVAL', '`optval` is too small', (open) =>
    sys.setsockopt(socket(open, AF_INET, SOCK_STREAM), SOL_SOCKET, SO_REUSEADDR, new Uint8Array(3)),
  ),
  row('setsockopt', 'ENODEV', 'no such interface', (open) =>
    sys.setsockopt(
      socket(open, AF_INET, SOCK_STREAM),
      SOL_SOCKET,
      SO_BINDTODEVICE,
      Buffer.from('no-such-device\0'),
    ),
  ),
  row('setsockopt', 'ENOPROTOOPT', 'no such option', (open) =>
    sys.setsockopt(socket(open, AF_INET, SOCK_STREAM), SOL_SOCKET, 9_999, 1),
  ),
  row('setsockopt', 'ENOTSOCK', '`fd` is no socket', (open) =>
    sys.setsockopt(pipe(open)[0], SOL_SOCKET, SO_REUSEADDR, 1),
  ),
  row('setsockopt', 'EOPNOTSUPP', 'the socket has no such level', (open) =>
    sys.setsockopt(socket(open, AF_UNIX, SOCK_STREAM), IPPROTO_TCP, TCP_NODELAY, 1),
  ),
];

const byte = new Uint8Array(1);

/** The calls that send to an address, here one byte. */
const sendersTo: readonly {
  readonly call: 'sendto' | 'sendmsg' | 'sendmmsg';
  readonly to: (fd: number, address: sys.SocketAddress) => number;
}[] = [
  { call: 'sendto', to: (fd, address) => sys.sendto(fd, byte, 0, 1, 0, address) },
  { call: 'sendmsg', to: (fd, name) => sys.sendmsg(fd, { iov: [byte], name }, 0) },
  {
    call: 'sendmmsg',
    to: (fd, address) => {
      const messages = new sys.MmsgArray(1, 1);
      messages.setLength(0, 1);
      messages.setName(0, address);
      return sys.sendmmsg(fd, messages, 0, 1, 0);
    },
  },
];

const addressed: readonly ErrnoRow[] = sendersTo.flatMap(({ call, to }) => [
  row(call, 'EACCES', 'a broadcast address without SO_BROADCAST', (open) =>
    to(socket(open, AF_INET, SOCK_DGRAM), BROADCAST),
  ),
  row(call, 'EAFNOSUPPORT', 'a family that does not fit the socket', (open) =>
    to(socket(open, AF_INET, SOCK_DGRAM), LONG_PATH),
  ),
  row(call, 'EINVAL', 'an address too short for the family of the socket', (open) =>
    to(socket(open, AF_INET, SOCK_DGRAM), unix('short')),
  ),
  row(call, 'EISCONN', 'an address for a Unix stream', (open) =>
    to(unixPair(open)[0], unix('/somewhere')),
  ),
  row(
    call,
    'ENETUNREACH',
    'no way there: from the loopback device to a network outside',
    (open) => {
      const fd = socket(open, AF_INET6, SOCK_DGRAM);
      must(sys.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from('lo\0')));
      const outside = { family: AF_INET6, address: '2001:db8::1', port: 9 };
      return to(fd, outside);
    },
    ipv6,
  ),
  row(call, 'ENOENT', 'no such path', (open) =>
    to(socket(open, AF_UNIX, SOCK_DGRAM), unix(`${open.folder()}/nobody`)),
  ),
]);

const withControl: readonly ErrnoRow[] = [
  row('sendmsg', 'EBADF', 'one of `rights` is not open', (open) =>
    sys.sendmsg(unixPair(open)[0], { iov: [byte], control: { rights: Int32Array.of(-1) } }, 0),
  ),
  row('sendmsg', 'EINVAL', 'more than 253 `rights`', (open) => {
    const [fd] = unixPair(open);
    return sys.sendmsg(fd, { iov: [byte], control: { rights: new Int32Array(254).fill(fd) } }, 0);
  }),
];

const withoutForm: readonly ErrnoRow[] = sendersTo
  .filter(({ call }) => call !== 'sendmmsg') // MmsgArray has refused it before
  .map(({ call, to }) =>
    row(call, 'EAFNOSUPPORT', 'a family that has no form here', (open) =>
      to(socket(open, AF_INET, SOCK_DGRAM), { ...loopback(1), family: 16 }),
    ),
  );

/** Errnos of socket(7) that a plain process gets. */
export const socketRows: readonly ErrnoRow[] = [
  ...creation,
  ...binding,
  ...listening,
  ...connecting,
  ...naming,
  ...options,
  ...addressed,
  ...withControl,
  ...withoutForm,
];

/** In a process with a low limit of descriptors. */
export const socketRowsOfFullTable: readonly ErrnoRow[] = [
  row('socket', 'EMFILE', 'out of descriptors', (open) => {
    fillTable(open);
    return sys.socket(AF_INET, SOCK_STREAM, 0);
  }),
  row('socketpair', 'EMFILE', 'out of descriptors', (open) => {
    fillTable(open);
    return pairOf(AF_UNIX, SOCK_STREAM, 0);
  }),
  row('accept4', 'EMFILE', 'out of descriptors, and the connection goes on waiting', (open) => {
    const { fd, port } = listener(open);
    must(sys.connect(open.own(sys.socket(AF_INET, SOCK_STREAM, 0)), loopback(port)));
    const spare = open.own(sys.dup(0));
    fillTable(open);
    const answer = sys.accept4(fd, {}, 0);
    open.close(spare);
    open.own(sys.accept4(fd, {}, 0));
    return answer;
  }),
];

/** Uses a path in a folder that even its owner may not search. */
function inForbiddenFolder(open: Descriptors, use: (path: string) => number): number {
  const folder = open.folder();
  chmodSync(folder, 0);
  const answer = use(`${folder}/socket`);
  chmodSync(folder, 0o700);
  return answer;
}

/** In a process that is not root. */
export const socketRowsOfNobody: readonly ErrnoRow[] = [
  row('socket', 'EPERM', 'not allowed to make such a socket', () =>
    sys.socket(AF_INET, SOCK_RAW, 1),
  ),
  row('socketpair', 'EPERM', 'not allowed to make such a socket', () =>
    pairOf(AF_INET, SOCK_RAW, 1),
  ),
  row('bind', 'EACCES', 'a path that is not allowed', (open) =>
    inForbiddenFolder(open, (path) => sys.bind(socket(open, AF_UNIX, SOCK_STREAM), unix(path))),
  ),
  row('connect', 'EACCES', 'a path that is not allowed', (open) =>
    inForbiddenFolder(open, (path) => sys.connect(socket(open, AF_UNIX, SOCK_STREAM), unix(path))),
  ),
  row('sendmsg', 'EPERM', '`credentials` of somebody else', (open) =>
    sys.sendmsg(
      unixPair(open)[0],
      { iov: [byte], control: { credentials: { pid: 1, uid: 0, gid: 0 } } },
      0,
    ),
  ),
  row('setsockopt', 'EPERM', 'an option that needs a capability', (open) =>
    sys.setsockopt(socket(open, AF_INET, SOCK_STREAM), SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20),
  ),
];

const aMinute = new BigInt64Array([60n, 0n]);

/** While signals arrive. */
export const socketRowsOfSignals: readonly ErrnoRow[] = [
  row('accept4', 'EINTR', 'a signal came first', (open) => {
    const { fd } = listener(open);
    must(sys.fcntl(fd, F_SETFL, 0));
    must(sys.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, aMinute));
    return sys.accept4(fd, null, 0);
  }),
  row('connect', 'EINTR', 'a signal came first', (open) => {
    const fd = open.own(sys.socket(AF_UNIX, SOCK_STREAM, 0));
    must(sys.setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, aMinute));
    return sys.connect(fd, unix(fullUnixListener(open)));
  }),
];

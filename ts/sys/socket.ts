import { binding } from '../native.js';
import { answer, frame, incoming, isInt, lay, outgoing } from './call-frame.js';

// Taken out once: the optimizing compiler then knows the target of each call.
const {
  socket: nativeSocket,
  socketpair: nativeSocketpair,
  bind: nativeBind,
  listen: nativeListen,
  accept4: nativeAccept4,
  connect: nativeConnect,
  shutdown: nativeShutdown,
  getsockname: nativeGetsockname,
  getpeername: nativeGetpeername,
  getsockopt: nativeGetsockopt,
  setsockopt: nativeSetsockopt,
  recv: nativeRecv,
  send: nativeSend,
  recvfrom: nativeRecvfrom,
  sendto: nativeSendto,
} = binding.sys;
const { recv: framedRecv, send: framedSend } = frame;

/** `struct sockaddr_in`. */
export interface SocketAddressInet {
  /** `AF_INET`. */
  family: number;
  /** Dotted decimal: `'127.0.0.1'`. Names are not resolved here. */
  address: string;
  /** 0 … 65535, in the host's byte order; 0 lets `bind` choose. */
  port: number;
}

/** `struct sockaddr_in6`. */
export interface SocketAddressInet6 {
  /** `AF_INET6`. */
  family: number;
  /** `'::1'`, without a zone; the zone is `scopeId`. */
  address: string;
  /** 0 … 65535, in the host's byte order; 0 lets `bind` choose. */
  port: number;
  /** uint32; left out: 0. */
  flowinfo?: number;
  /** The index of the interface of a link-local address, uint32; left out: 0. */
  scopeId?: number;
}

/** `struct sockaddr_un`. */
export interface SocketAddressUnix {
  /** `AF_UNIX`. */
  family: number;
  /** A path of at most 107 bytes, or `'\0'` and an abstract name of at most 107; `''` is unnamed. */
  path: string;
}

/** An address as the calls take it; `{family: AF_UNSPEC}` is for `connect` alone. */
export type SocketAddress = SocketAddressInet | SocketAddressInet6 | SocketAddressUnix;

/**
 * An address as the calls fill it in: the properties of its family are set, others left alone. An
 * object that takes no property, such as a frozen one, stays as it is.
 */
export interface SocketAddressOut {
  /** `AF_INET`, `AF_INET6`, `AF_UNIX`; `AF_UNSPEC` if the kernel gave none. */
  family?: number;
  /** Set for `AF_INET` and `AF_INET6`. */
  address?: string;
  /** Set for `AF_INET` and `AF_INET6`. */
  port?: number;
  /** Set for `AF_INET6`. */
  flowinfo?: number;
  /** Set for `AF_INET6`. */
  scopeId?: number;
  /** Set for `AF_UNIX`. */
  path?: string;
}

/**
 * `socket(domain, type, protocol)`: opens a socket.
 *
 * @param domain    `AF_INET`, `AF_INET6`, `AF_UNIX` …
 * @param type      `SOCK_STREAM`, `SOCK_DGRAM` … `| SOCK_NONBLOCK | SOCK_CLOEXEC`
 * @param protocol  0, or `IPPROTO_TCP` …
 * @returns         The descriptor, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EACCES, EPERM | not allowed to make such a socket |
 * | EAFNOSUPPORT | unknown domain |
 * | EINVAL | unknown type or flags |
 * | EMFILE, ENFILE | out of descriptors |
 * | ENOBUFS, ENOMEM | the kernel is out of memory |
 * | EPROTONOSUPPORT | the domain has no such protocol |
 * | ESOCKTNOSUPPORT | the domain has no such type |
 *
 * @see socket(2)
 */
export function socket(domain: number, type: number, protocol: number): number {
  return nativeSocket(domain, type, protocol);
}

/**
 * `socketpair(domain, type, protocol, sv)`: opens two sockets that are connected to each other.
 *
 * @param sv  Elements 0 and 1 become the descriptors.
 * @returns   0, or a negated errno as {@link socket}, or `-EOPNOTSUPP`: the domain has no pairs.
 * @see socketpair(2)
 */
export function socketpair(domain: number, type: number, protocol: number, sv: Int32Array): number {
  return nativeSocketpair(domain, type, protocol, sv);
}

/**
 * `bind(fd, addr)`: gives a socket its address.
 *
 * @returns  0, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EACCES | a port or path that is not allowed |
 * | EADDRINUSE | somebody has it |
 * | EADDRNOTAVAIL | not an address of this machine |
 * | EAFNOSUPPORT | a family that does not fit the socket, or that has no form here |
 * | EBADF, ENOTSOCK | `fd` is no socket |
 * | EINVAL | the socket has an address already; `addr` is shorter than the addresses of its family |
 * | ENOENT, ENOTDIR, EROFS | the folder of the path |
 *
 * @see bind(2), unix(7)
 */
export function bind(fd: number, addr: SocketAddress): number {
  return nativeBind(fd, addr);
}

/**
 * `listen(fd, backlog)`: makes a socket accept connections.
 *
 * @param backlog  int32; cut to `/proc/sys/net/core/somaxconn`.
 * @returns        0, or `-EADDRINUSE`, `-EBADF`, `-EINVAL`, `-ENOTSOCK`, `-EOPNOTSUPP`.
 * @see listen(2)
 */
export function listen(fd: number, backlog: number): number {
  return nativeListen(fd, backlog);
}

/**
 * `accept4(fd, addr, flags)`: takes the next connection of a listening socket.
 *
 * @param addr   Filled in with the peer's address, or null. If a setter of it throws, the
 *               connection is closed.
 * @param flags  `SOCK_NONBLOCK | SOCK_CLOEXEC`; neither is inherited from `fd`.
 * @returns      The descriptor of the connection, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EAGAIN | no connection waits and `fd` does not block, or none came within `SO_RCVTIMEO` |
 * | EBADF, ENOTSOCK | `fd` is no socket |
 * | ECONNABORTED | the peer gave up before |
 * | EINTR  | a signal came first |
 * | EINVAL | `fd` does not listen; unknown flags |
 * | EMFILE, ENFILE | out of descriptors: the connection goes on waiting, and `fd` stays ready |
 * | ENOBUFS, ENOMEM | the kernel is out of memory |
 * | EOPNOTSUPP | not a stream |
 * | EPERM  | a firewall forbids it |
 *
 * Platform: on Linux, errors of the network that wait on the new connection are answered too
 * (ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH): ask again.
 * On macOS `flags` is 0.
 * @see accept4(2)
 */
export function accept4(fd: number, addr: SocketAddressOut | null, flags: number): number {
  return nativeAccept4(fd, addr, flags);
}

/**
 * `connect(fd, addr)`: connects a socket, or begins to.
 *
 * @returns  0, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EACCES | a path that is not allowed; a broadcast address without `SO_BROADCAST` |
 * | EADDRNOTAVAIL | streams: no local port is free |
 * | EAFNOSUPPORT | a family that does not fit the socket, or that has no form here |
 * | EAGAIN | Unix sockets: the listener's queue is full; datagrams: no local port is free |
 * | EALREADY | an attempt is under way |
 * | EBADF, ENOTSOCK | `fd` is no socket |
 * | ECONNREFUSED | nobody listens |
 * | EINPROGRESS | begun; wait for `EPOLLOUT`, then ask `SO_ERROR` |
 * | EINTR  | a signal came first; a TCP connection goes on being made |
 * | EINVAL | `addr` is shorter than the addresses of the socket's family; an unnamed Unix address |
 * | EISCONN | connected already |
 * | ENETUNREACH, EHOSTUNREACH | no way there |
 * | ENOENT | no such path |
 * | EPERM  | a firewall forbids it |
 * | EPROTOTYPE | Unix sockets: the other one is of another type |
 * | ETIMEDOUT | nobody answered |
 *
 * @see connect(2)
 */
export function connect(fd: number, addr: SocketAddress | { family: number }): number {
  return nativeConnect(fd, addr);
}

/**
 * `shutdown(fd, how)`: ends one or both directions of a connection, for all duplicates of it.
 *
 * @param how  `SHUT_RD`, `SHUT_WR`, `SHUT_RDWR`.
 * @returns    0, or `-EBADF`, `-EINVAL`, `-ENOTCONN`, `-ENOTSOCK`.
 * @see shutdown(2)
 */
export function shutdown(fd: number, how: number): number {
  return nativeShutdown(fd, how);
}

/**
 * `getsockname(fd, addr)`: the socket's own address.
 *
 * @param addr  Filled in.
 * @returns     0, or `-EBADF`, `-ENOTSOCK`.
 * @see getsockname(2)
 */
export function getsockname(fd: number, addr: SocketAddressOut): number {
  return nativeGetsockname(fd, addr);
}

/**
 * `getpeername(fd, addr)`: the address of the other end.
 *
 * @param addr  Filled in.
 * @returns     0, or `-EBADF`, `-ENOTCONN`, `-ENOTSOCK`.
 * @see getpeername(2)
 */
export function getpeername(fd: number, addr: SocketAddressOut): number {
  return nativeGetpeername(fd, addr);
}

/**
 * `getsockopt(fd, level, optname, optval)`: asks an option.
 *
 * @param optval  Filled in: an `Int32Array(1)` for most options, a larger view for structs.
 * @returns       How many bytes the kernel filled in, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EBADF, ENOTSOCK | `fd` is no socket |
 * | EINVAL | `optval` is too small for an option that the kernel does not cut short |
 * | EINVAL | an option that writes outside `optval`, as `SO_GET_FILTER`: the kernel is not asked |
 * | ENOPROTOOPT | no such option at this level |
 * | EOPNOTSUPP | the socket has no such level |
 *
 * @see getsockopt(2), socket(7), tcp(7), ip(7), ipv6(7)
 */
export function getsockopt(
  fd: number,
  level: number,
  optname: number,
  optval: ArrayBufferView,
): number {
  return nativeGetsockopt(fd, level, optname, optval);
}

/**
 * `setsockopt(fd, level, optname, optval)`: sets an option.
 *
 * @param optval  A number, passed as a C int, or the bytes of a struct. An option whose struct
 *                holds an address, as `SO_ATTACH_FILTER`, answers `-EINVAL`: the kernel is not asked.
 * @returns       0, or a negated errno as {@link getsockopt}, or `-EDOM`, `-ENODEV`, `-EPERM`.
 * @see setsockopt(2), socket(7), tcp(7), ip(7), ipv6(7)
 */
export function setsockopt(
  fd: number,
  level: number,
  optname: number,
  optval: number | ArrayBufferView,
): number {
  return nativeSetsockopt(fd, level, optname, optval);
}

/**
 * `recv(fd, buf, len, flags)`: receives into a slice of a buffer.
 *
 * @param buffer  Any ArrayBufferView.
 * @param offset  Bytes into the view.
 * @param length  Bytes at most; `offset + length` lies within the view, or RangeError.
 * @param flags   `MSG_DONTWAIT | MSG_PEEK | …`
 * @returns       Bytes received, 0 at the end of the stream, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EAGAIN | nothing there, and the call does not block |
 * | EBADF, ENOTSOCK | `fd` is no socket |
 * | ECONNREFUSED | UDP: the peer refused an earlier datagram |
 * | ECONNRESET | the peer reset the connection |
 * | EINTR  | a signal came first |
 * | EINVAL | a Unix stream that is not connected; `MSG_OOB` and nothing urgent is there |
 * | ENOTCONN | not connected |
 * | EOPNOTSUPP | flags that this kind of socket does not take |
 * | ETIMEDOUT | the connection died |
 *
 * On a worker a descriptor that blocks is waited for in slices; `MSG_WAITALL` may then answer
 * less than asked for, as it may after a signal.
 * Memory: as `read`.
 * @see recv(2)
 */
export function recv(
  fd: number,
  buffer: ArrayBufferView,
  offset: number,
  length: number,
  flags: number,
): number {
  if (isInt(fd) && isInt(offset) && isInt(length) && isInt(flags)) {
    if (incoming.holds(buffer, offset, length)) {
      lay(fd, offset, length, flags);
      framedRecv();
      return answer();
    }
  }
  return nativeRecv(fd, buffer, offset, length, flags);
}

/**
 * `send(fd, buf, len, flags)`: sends a slice of a buffer.
 *
 * @param buffer  Any ArrayBufferView.
 * @param offset  Bytes into the view.
 * @param length  Bytes; `offset + length` lies within the view, or RangeError.
 * @param flags   `MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE | …`
 * @returns       Bytes sent, perhaps fewer than asked, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EAGAIN | no room, and the call does not block |
 * | EBADF, ENOTSOCK | `fd` is no socket |
 * | ECONNREFUSED | datagrams: the peer refused an earlier one, or is gone |
 * | ECONNRESET | the peer reset the connection |
 * | EDESTADDRREQ, ENOTCONN | no peer |
 * | EINTR  | a signal came first |
 * | EMSGSIZE | a datagram that is too large |
 * | ENOBUFS, ENOMEM | the kernel is out of memory |
 * | EOPNOTSUPP | flags that this kind of socket does not take |
 * | EPIPE  | the connection is shut down for sending, or TCP and was never made |
 *
 * On a worker a descriptor that blocks is waited for in slices and may take less than asked for.
 * Memory: as `read`.
 * @see send(2)
 */
export function send(
  fd: number,
  buffer: ArrayBufferView,
  offset: number,
  length: number,
  flags: number,
): number {
  if (isInt(fd) && isInt(offset) && isInt(length) && isInt(flags)) {
    if (outgoing.holds(buffer, offset, length)) {
      lay(fd, offset, length, flags);
      framedSend();
      return answer();
    }
  }
  return nativeSend(fd, buffer, offset, length, flags);
}

/**
 * `recvfrom(fd, buf, len, flags, addr)`: {@link recv} that tells who sent it.
 *
 * @param addr  Filled in with the sender's address, or null.
 * @returns     As {@link recv}.
 * @see recvfrom(2)
 */
export function recvfrom(
  fd: number,
  buffer: ArrayBufferView,
  offset: number,
  length: number,
  flags: number,
  addr: SocketAddressOut | null,
): number {
  return nativeRecvfrom(fd, buffer, offset, length, flags, addr);
}

/**
 * `sendto(fd, buf, len, flags, addr)`: {@link send} to an address.
 *
 * @param addr  Where to; null for a connected socket.
 * @returns     As {@link send}, and `-EACCES`, `-EAFNOSUPPORT`, `-EINVAL` (as `bind`), `-EISCONN`,
 *              `-ENETUNREACH`, `-ENOENT`.
 * @see sendto(2)
 */
export function sendto(
  fd: number,
  buffer: ArrayBufferView,
  offset: number,
  length: number,
  flags: number,
  addr: SocketAddress | null,
): number {
  return nativeSendto(fd, buffer, offset, length, flags, addr);
}

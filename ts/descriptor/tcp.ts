import type net from 'node:net';
import { checkInteger, checkOptions } from '../errors.js';
import { AF_INET, AF_INET6, SOCK_STREAM, SOL_SOCKET } from '../sys/constants.js';
import { takeFromNetServer, takeFromNetSocket, type FromNetSocket } from './from-node.js';
import { toFd, type FdLike } from './fd-like.js';
import { LeakDetector } from './leak-detector.js';
import { Listener, type ListenerOptions } from './listener.js';
import type { OwnedDescriptor } from './owned-descriptor.js';
import { getStruct, OPTIONS, setStruct } from './socket-options.js';
import {
  adoptSocket,
  connectingInetSocket,
  duplicateSocket,
  inetAddress,
  listeningSocket,
} from './socket-setup.js';
import { Stream } from './stream.js';
import { tcpInfo, type TcpInfo } from './tcp-info.js';

const LINGER = [SOL_SOCKET, 'SO_LINGER'] as const;

const INET_FAMILIES = [AF_INET, AF_INET6] as const;
const TCP = { families: INET_FAMILIES, type: SOCK_STREAM };
const TCP_STREAM = { ...TCP, listening: false, kind: 'TcpStream' };
const TCP_LISTENER = { ...TCP, listening: true, kind: 'TcpListener' };

/** Where to connect to. */
export interface TcpConnectOptions {
  /** An IPv4 or IPv6 address, `fe80::1%2` with the index of the interface; no name. Default: `127.0.0.1`. */
  readonly host?: string;
  /** 1 … 65535. */
  readonly port: number;
  /** The address of this end. Default: the kernel chooses. */
  readonly localHost?: string;
  /** The port of this end. Default: the kernel chooses. */
  readonly localPort?: number;
}

/** How the kernel asks a silent peer whether it is still there. */
export interface KeepAliveOptions {
  /** Seconds of silence before the first question, 1 … 32767: `TCP_KEEPIDLE`. */
  readonly idleSeconds?: number;
  /** Seconds between questions, 1 … 32767: `TCP_KEEPINTVL`. */
  readonly intervalSeconds?: number;
  /** Questions without an answer before the connection is given up, 1 … 127: `TCP_KEEPCNT`. */
  readonly count?: number;
}

const streamLeaks = new LeakDetector('TcpStream');
const listenerLeaks = new LeakDetector('TcpListener');

/**
 * A TCP connection: non-blocking, close-on-exec, with one owner.
 *
 * @see tcp(7), socket(7)
 */
export class TcpStream extends Stream {
  /** Takes a descriptor that the environment owns already. @internal */
  static wrap(fd: number): TcpStream {
    return new TcpStream(fd);
  }

  // An inherited constructor would make an array of its arguments for each connection.
  /** @internal */
  private constructor(fd: number) {
    super(fd, streamLeaks);
  }

  /**
   * Begins to connect: socket(2), connect(2). The connection is there once the descriptor is
   * writable and `takeError()` answers `null`.
   *
   * @throws SystemError at once for what the kernel knows at once: `ECONNREFUSED` on the loopback,
   *         `ENETUNREACH`, `EADDRNOTAVAIL`, `EMFILE` …; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  static connect(options: TcpConnectOptions): TcpStream {
    return TcpStream.wrap(connectingInetSocket(options, SOCK_STREAM));
  }

  /**
   * Takes over a connected TCP socket by its number, from another thread or process, or from
   * another object. This object owns it from now on.
   *
   * @throws SystemError `EBADF`, `ENOTSOCK`; `ERR_INVALID_FD_TYPE`: another kind of socket;
   *         `ERR_FD_OWNED`: another object of this thread has it.
   */
  static adopt(from: number | OwnedDescriptor): TcpStream {
    return TcpStream.wrap(adoptSocket(from, TCP_STREAM));
  }

  /**
   * Takes a connection over from Node: a duplicate of its descriptor, and all that Node has read
   * and nobody has taken. The socket of Node is destroyed, which ends its number and not the
   * connection; it emits `'close'`, and neither what is given here nor `'end'`.
   *
   * Nobody else may be reading from it: of a server of `node:http` take the socket of `'upgrade'` or
   * `'connect'`, and put its `head` before `unread`; of a `net.Server` take any, best with
   * `pauseOnConnect`. To hand one back: `toNetSocket`.
   *
   * @returns  The connection, and the bytes that come before what it reads.
   * @throws `ERR_CLOSED`: the socket is destroyed; `ERR_INVALID_STATE`: it is of TLS, not connected
   *         yet, ended, has output pending or an encoding; `ERR_INVALID_FD_TYPE`: another kind of
   *         socket; `ERR_INVALID_ARG_TYPE`; `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`: this Node does not
   *         tell the number; SystemError `EMFILE`. The socket is as it was then.
   */
  static fromNetSocket(socket: net.Socket): FromNetSocket<TcpStream> {
    const { fd, unread } = takeFromNetSocket(socket, TCP_STREAM);
    return { stream: TcpStream.wrap(fd), unread };
  }

  /**
   * Sends small messages at once (`TCP_NODELAY`) or lets the kernel gather them.
   *
   * @throws `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`.
   */
  setNoDelay(on = true): void {
    OPTIONS.noDelay.set(this, on);
  }

  /**
   * Has the kernel ask a silent peer whether it is there: `SO_KEEPALIVE` and its times.
   *
   * @throws `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  setKeepAlive(on = true, options: KeepAliveOptions = {}): void {
    const { idleSeconds, intervalSeconds, count } = checkOptions(options);
    OPTIONS.keepAlive.set(this, on);
    if (idleSeconds !== undefined) OPTIONS.keepIdle.set(this, idleSeconds);
    if (intervalSeconds !== undefined) OPTIONS.keepInterval.set(this, intervalSeconds);
    if (count !== undefined) OPTIONS.keepCount.set(this, count);
  }

  /**
   * Holds partial segments back until it is turned off, for 200 ms at most: `TCP_CORK`. For a head
   * and a body that are written one after the other.
   *
   * Platform: Linux; elsewhere `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`, as for all that follow.
   *
   * @throws `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`.
   * @see tcp(7)
   */
  setCork(on = true): void {
    OPTIONS.cork.set(this, on);
  }

  /** Whether partial segments are held back. Asks the kernel each time, as all that follow. */
  get cork(): boolean {
    return OPTIONS.cork.get(this);
  }

  /**
   * Acknowledges at once (`TCP_QUICKACK`) or lets acknowledgements wait for data to go with. Does
   * not last: the kernel goes from one to the other by itself, so set it again after each read.
   *
   * @throws `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`.
   * @see tcp(7)
   */
  setQuickAck(on = true): void {
    OPTIONS.quickAck.set(this, on);
  }

  /** Whether the kernel acknowledges at once, now. */
  get quickAck(): boolean {
    return OPTIONS.quickAck.get(this);
  }

  /**
   * How long what was sent may stay without an answer before the connection is given up with
   * `ETIMEDOUT`: `TCP_USER_TIMEOUT`.
   *
   * @param milliseconds  0 … 2 ** 31 - 1; 0: as long as the kernel says.
   * @throws `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   * @see tcp(7)
   */
  setUserTimeout(milliseconds: number): void {
    OPTIONS.userTimeout.set(this, milliseconds);
  }

  /** The limit that `setUserTimeout` set, in ms; 0: the kernel's own. */
  get userTimeout(): number {
    return OPTIONS.userTimeout.get(this);
  }

  /**
   * From how many bytes on that were never sent the descriptor is no longer writable:
   * `TCP_NOTSENT_LOWAT`. Keeps what is old out of the send buffer.
   *
   * @param bytes  0 … 2 ** 32 - 1; 0: as `net.ipv4.tcp_notsent_lowat` says.
   * @throws `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   * @see tcp(7)
   */
  setNotSentLowat(bytes: number): void {
    OPTIONS.notSentLowat.set(this, bytes);
  }

  /** The limit that `setNotSentLowat` set, in bytes; 0: the system's. */
  get notSentLowat(): number {
    return OPTIONS.notSentLowat.get(this);
  }

  /**
   * What closing does with bytes that are not sent yet: `SO_LINGER`.
   *
   * Null: the kernel goes on sending them, as it does by default. 0: they are dropped, and the peer
   * reads `ECONNRESET` instead of the end of the stream. More would have close(2) block the whole
   * thread, whatever the descriptor's flags, so it is refused here; level 1 has it. To know that
   * the peer got everything, `shutdown('write')` and read until its end.
   *
   * @param seconds  0, or null.
   * @throws `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   * @see socket(7)
   */
  setLinger(seconds: 0 | null): void {
    const linger = seconds === null ? 0 : checkInteger(seconds, 'seconds', 0, 0);
    setStruct(this, LINGER, 'linger', { onoff: seconds === null ? 0 : 1, linger });
  }

  /** Seconds that closing may take; 0: it resets the connection; null: the kernel's own way. */
  get linger(): number | null {
    const { onoff = 0, linger = 0 } = getStruct(this, LINGER, 'linger', ['onoff', 'linger']);
    return onoff === 0 ? null : linger;
  }

  /**
   * How long a call that finds nothing asks the network device itself: `SO_BUSY_POLL`. Costs CPU
   * for a shorter wait, with devices whose driver can.
   *
   * @param microseconds  0 … 2 ** 31 - 1; 0: not at all.
   * @throws SystemError `EPERM`: more than before, without `CAP_NET_ADMIN`; `ENOPROTOOPT`: a kernel
   *         without busy polling; `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   * @see socket(7)
   */
  setBusyPoll(microseconds: number): void {
    OPTIONS.busyPoll.set(this, microseconds);
  }

  /** How long a call that finds nothing asks the network device, in µs. */
  get busyPoll(): number {
    return OPTIONS.busyPoll.get(this);
  }

  /**
   * What the kernel knows of the connection: its state, times, windows and counters (`TCP_INFO`).
   *
   * @returns  A new object for each call.
   * @throws `ERR_CLOSED`.
   * @see tcp(7)
   */
  info(): TcpInfo {
    return tcpInfo(this);
  }
}

/** Where and how to listen. */
export interface TcpListenOptions extends ListenerOptions {
  /** An IPv4 or IPv6 address; `'::'` takes IPv4 as well unless `ipv6Only`. Default: `127.0.0.1`. */
  readonly host?: string;
  /** 0 … 65535; 0 lets the kernel choose, see `address`. Default: 0. */
  readonly port?: number;
  /** Takes a port that still has connections in TIME_WAIT: `SO_REUSEADDR`. Default: on. */
  readonly reuseAddress?: boolean;
  /** Shares the port with other listeners; the kernel spreads connections: `SO_REUSEPORT`. Default: off. */
  readonly reusePort?: boolean;
  /** An IPv6 listener that leaves IPv4 alone: `IPV6_V6ONLY`. Default: off. */
  readonly ipv6Only?: boolean;
  /** See `setDeferAccept`. Default: 0. */
  readonly deferAccept?: number;
  /** See `setFastOpen`. Default: 0. */
  readonly fastOpen?: number;
}

/**
 * A listening TCP socket.
 *
 * @example
 * ```ts
 * using listener = TcpListener.listen({ port: 8080 });
 * epoll.add(listener, EPOLLIN, listener);
 * // when it is readable:
 * for (let stream; (stream = listener.accept()) !== null; ) epoll.add(stream, EPOLLIN, stream);
 * ```
 * @see tcp(7), listen(2)
 */
export class TcpListener extends Listener<TcpStream> {
  /**
   * Opens, binds and listens: socket(2), bind(2), listen(2).
   *
   * @throws SystemError `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `EMFILE` …;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  static listen(options: TcpListenOptions = {}): TcpListener {
    const { host = '127.0.0.1', port = 0 } = checkOptions(options);
    const address = inetAddress(host, port);
    const fd = listeningSocket(address, options, (socket) => {
      OPTIONS.reuseAddress.set(socket, options.reuseAddress ?? true);
      if (options.reusePort === true) OPTIONS.reusePort.set(socket, true);
      if (address.family === AF_INET6) OPTIONS.ipv6Only.set(socket, options.ipv6Only === true);
      if (options.deferAccept !== undefined) OPTIONS.deferAccept.set(socket, options.deferAccept);
      if (options.fastOpen !== undefined) OPTIONS.fastOpen.set(socket, options.fastOpen);
    });
    return new TcpListener(fd, listenerLeaks, options);
  }

  /**
   * Takes over a listening TCP socket by its number, or from another object. This object owns it
   * from now on.
   *
   * @throws SystemError `EBADF`, `ENOTSOCK`; `ERR_INVALID_FD_TYPE`: another kind of socket;
   *         `ERR_FD_OWNED`: another object of this thread has it.
   */
  static adopt(from: number | OwnedDescriptor, options: ListenerOptions = {}): TcpListener {
    checkOptions(options);
    const owned = adoptSocket(from, TCP_LISTENER);
    return new TcpListener(owned, listenerLeaks, options);
  }

  /**
   * Listens on what somebody else listens on, also on another thread: fcntl(2), `F_DUPFD_CLOEXEC`.
   * The number stays whose it is; who accepts first has the connection, and the port is open until
   * the last of them is closed. It must be open when this is called.
   *
   * @param fd  A listening TCP socket.
   * @throws SystemError `EBADF`, `ENOTSOCK`, `EMFILE`; `ERR_INVALID_FD_TYPE`: another kind of
   *         socket; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  static duplicate(fd: FdLike, options: ListenerOptions = {}): TcpListener {
    checkOptions(options);
    return new TcpListener(duplicateSocket(toFd(fd), TCP_LISTENER), listenerLeaks, options);
  }

  /**
   * Takes a listener over from Node: a duplicate of its descriptor. `server.close()` is called, so
   * that not both accept: who waits is accepted here, who was accepted stays with Node, and the
   * server emits `'close'` when those are gone. To hand one to Node:
   * `server.listen({ fd: listener.release() })`.
   *
   * There is no such call for Unix sockets: Node removes the path when it closes its number. Listen
   * with `UnixListener` and hand that to Node instead.
   *
   * @throws `ERR_INVALID_STATE`: it does not listen; `ERR_INVALID_FD_TYPE`: not TCP;
   *         `ERR_INVALID_ARG_TYPE`; `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`: this Node does not tell the
   *         number, as in a worker of `node:cluster`; SystemError `EMFILE`. The server is as it was
   *         then.
   */
  static fromNetServer(server: net.Server, options: ListenerOptions = {}): TcpListener {
    checkOptions(options);
    return new TcpListener(takeFromNetServer(server, TCP_LISTENER), listenerLeaks, options);
  }

  /**
   * Leaves a connection out of `accept`, and the listener unreadable, until its first data is there:
   * `TCP_DEFER_ACCEPT`. After the time, the next sign of the client brings it in all the same.
   *
   * @param seconds  0 … 2 ** 31 - 1, rounded up to when the kernel would ask the client again: 1, 3,
   *                 7, 15 …; 0: not at all.
   * @throws `ERR_CLOSED`; `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`: not Linux; `ERR_INVALID_ARG_TYPE`,
   *         `ERR_OUT_OF_RANGE`.
   * @see tcp(7)
   */
  setDeferAccept(seconds: number): void {
    OPTIONS.deferAccept.set(this, seconds);
  }

  /** How long a connection without data is left out, in seconds, as the kernel rounded it. */
  get deferAccept(): number {
    return OPTIONS.deferAccept.get(this);
  }

  /**
   * Takes data that comes with the very first packet of a client that was here before:
   * `TCP_FASTOPEN`. On Linux only if `net.ipv4.tcp_fastopen` has the bit 2.
   *
   * @param queueLength  How many such connections may be unconfirmed at a time, 0 … 2 ** 31 - 1; cut
   *                     to `net.core.somaxconn`; 0: none.
   * @throws `ERR_CLOSED`; `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`; `ERR_INVALID_ARG_TYPE`,
   *         `ERR_OUT_OF_RANGE`.
   * @see tcp(7)
   */
  setFastOpen(queueLength: number): void {
    OPTIONS.fastOpen.set(this, queueLength);
  }

  /** How many connections whose data came first may be unconfirmed. */
  get fastOpen(): number {
    return OPTIONS.fastOpen.get(this);
  }

  /** Whether other listeners may share the port. */
  get reusePort(): boolean {
    return OPTIONS.reusePort.get(this);
  }

  /** Whether an IPv6 listener leaves IPv4 alone. Throws `EOPNOTSUPP` for an IPv4 listener. */
  get ipv6Only(): boolean {
    return OPTIONS.ipv6Only.get(this);
  }

  /** @internal */
  protected override wrap(fd: number): TcpStream {
    return TcpStream.wrap(fd);
  }
}

import { checkInteger } from '../errors.js';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SO_KEEPALIVE,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from '../sys/constants.js';
import { setsockopt } from '../sys/index.js';
import { LeakDetector } from './leak-detector.js';
import { Listener, type ListenerOptions } from './listener.js';
import type { OwnedDescriptor } from './owned-descriptor.js';
import {
  adoptSocket,
  bindTo,
  connectingSocket,
  inetAddress,
  listeningSocket,
  setOption,
} from './socket-setup.js';
import { Stream } from './stream.js';

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
    return new TcpStream(fd, streamLeaks);
  }

  /**
   * Begins to connect: socket(2), connect(2). The connection is there once the descriptor is
   * writable and `takeError()` answers `null`.
   *
   * @throws SystemError at once for what the kernel knows at once: `ECONNREFUSED` on the loopback,
   *         `ENETUNREACH`, `EADDRNOTAVAIL`, `EMFILE` …; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  static connect(options: TcpConnectOptions): TcpStream {
    const { host = '127.0.0.1', port, localHost, localPort } = options;
    const remote = inetAddress(host, port);
    const wildcard = remote.family === AF_INET6 ? '::' : '0.0.0.0';
    const local =
      localHost === undefined && localPort === undefined
        ? undefined
        : inetAddress(localHost ?? wildcard, localPort ?? 0);
    const fd = connectingSocket(remote, (socket) => {
      if (local !== undefined) bindTo(socket, local);
    });
    return TcpStream.wrap(fd);
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

  /** Sends small messages at once (`TCP_NODELAY`) or lets the kernel gather them. */
  setNoDelay(on = true): void {
    this.#set(IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
  }

  /** Has the kernel ask a silent peer whether it is there: `SO_KEEPALIVE` and its times. */
  setKeepAlive(on = true, options: KeepAliveOptions = {}): void {
    const { idleSeconds, intervalSeconds, count } = options;
    this.#set(SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0);
    this.#setGiven(TCP_KEEPIDLE, 'idleSeconds', idleSeconds, 32767);
    this.#setGiven(TCP_KEEPINTVL, 'intervalSeconds', intervalSeconds, 32767);
    this.#setGiven(TCP_KEEPCNT, 'count', count, 127);
  }

  #setGiven(option: number, name: string, value: number | undefined, highest: number): void {
    if (value !== undefined) this.#set(IPPROTO_TCP, option, checkInteger(value, name, 1, highest));
  }

  #set(level: number, option: number, value: number): void {
    this.checked(setsockopt(this.fd, level, option, value), 'setsockopt');
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
    const { host = '127.0.0.1', port = 0 } = options;
    const address = inetAddress(host, port);
    const fd = listeningSocket(address, options, (socket) => {
      setOption(socket, SOL_SOCKET, SO_REUSEADDR, (options.reuseAddress ?? true) ? 1 : 0);
      if (options.reusePort === true) setOption(socket, SOL_SOCKET, SO_REUSEPORT, 1);
      if (address.family === AF_INET6) {
        setOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6Only === true ? 1 : 0);
      }
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
    const owned = adoptSocket(from, TCP_LISTENER);
    return new TcpListener(owned, listenerLeaks, options);
  }

  /** @internal */
  protected override wrap(fd: number): TcpStream {
    return TcpStream.wrap(fd);
  }
}

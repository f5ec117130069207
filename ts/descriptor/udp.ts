import { checkInteger, checkOptions } from '../errors.js';
import { binding } from '../native.js';
import { AF_INET, AF_INET6, SOCK_DGRAM } from '../sys/constants.js';
import { connect } from '../sys/index.js';
import { DatagramSocket } from './datagram-socket.js';
import { LeakDetector } from './leak-detector.js';
import type { OwnedDescriptor } from './owned-descriptor.js';
import { OPTIONS } from './socket-options.js';
import { adoptSocket, boundSocket, connectingInetSocket, inetAddress } from './socket-setup.js';

const UDP_SOCKET = {
  families: [AF_INET, AF_INET6],
  type: SOCK_DGRAM,
  listening: false,
  kind: 'UdpSocket',
};

const leaks = new LeakDetector('UdpSocket');

/** Where and how a {@link UdpSocket} receives. */
export interface UdpBindOptions {
  /** An IPv4 or IPv6 address; `'::'` takes IPv4 as well unless `ipv6Only`. Default: `127.0.0.1`. */
  readonly host?: string;
  /** 0 … 65535; 0 lets the kernel choose, see `localAddress`. Default: 0. */
  readonly port?: number;
  /** Others may bind the same port, each gets every multicast datagram: `SO_REUSEADDR`. Default: off. */
  readonly reuseAddress?: boolean;
  /** Shares the port with others; the kernel spreads datagrams: `SO_REUSEPORT`. Default: off. */
  readonly reusePort?: boolean;
  /** An IPv6 socket that leaves IPv4 alone: `IPV6_V6ONLY`. Default: off. */
  readonly ipv6Only?: boolean;
  /** May send to broadcast addresses: `SO_BROADCAST`. Default: off. */
  readonly broadcast?: boolean;
}

/** Whom a {@link UdpSocket} is connected to. */
export interface UdpConnectOptions {
  /** An IPv4 or IPv6 address, `fe80::1%2` with the index of the interface; no name. Default: `127.0.0.1`. */
  readonly host?: string;
  /** 1 … 65535. */
  readonly port: number;
}

/**
 * A UDP socket: non-blocking, close-on-exec, with one owner.
 *
 * @example
 * ```ts
 * const socket = UdpSocket.bind({ port: 9000 });
 * const buffer = new Uint8Array(2048);
 * const from: SocketAddressOut = {};
 * const length = socket.receive(buffer, 0, buffer.length, from);
 * if (length >= 0) socket.sendTo(from as SocketAddress, buffer, 0, Math.min(length, buffer.length));
 * ```
 * @see udp(7), ip(7), ipv6(7)
 */
export class UdpSocket extends DatagramSocket {
  /**
   * Opens and binds: socket(2), bind(2).
   *
   * @throws SystemError `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `EMFILE` …;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  static override bind(options: UdpBindOptions = {}): UdpSocket {
    const { host = '127.0.0.1', port = 0 } = checkOptions(options);
    const address = inetAddress(host, port);
    const fd = boundSocket(address, SOCK_DGRAM, (socket) => {
      if (options.reuseAddress === true) OPTIONS.reuseAddress.set(socket, true);
      if (options.reusePort === true) OPTIONS.reusePort.set(socket, true);
      if (options.broadcast === true) OPTIONS.broadcast.set(socket, true);
      if (address.family === AF_INET6) OPTIONS.ipv6Only.set(socket, options.ipv6Only === true);
    });
    return new UdpSocket(fd, leaks);
  }

  /**
   * Opens a socket that sends to one peer and receives from no other: socket(2), connect(2).
   *
   * @throws SystemError `ENETUNREACH`, `EACCES`, `EMFILE` …; `ERR_INVALID_ARG_TYPE`,
   *         `ERR_OUT_OF_RANGE`.
   */
  static connect(
    options: UdpConnectOptions & {
      /** The address of this end. Default: the kernel chooses. */
      readonly localHost?: string;
      /** The port of this end. Default: the kernel chooses. */
      readonly localPort?: number;
    },
  ): UdpSocket {
    return new UdpSocket(connectingInetSocket(options, SOCK_DGRAM), leaks);
  }

  /**
   * Takes over a UDP socket by its number, or from another object. This object owns it from now on.
   *
   * @throws SystemError `EBADF`, `ENOTSOCK`; `ERR_INVALID_FD_TYPE`: another kind of socket;
   *         `ERR_FD_OWNED`: another object of this thread has it.
   */
  static adopt(from: number | OwnedDescriptor): UdpSocket {
    return new UdpSocket(adoptSocket(from, UDP_SOCKET), leaks);
  }

  /**
   * Sends to this peer from now on, and receives from no other: connect(2).
   *
   * @throws SystemError `ENETUNREACH`, `EACCES` …; `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`,
   *         `ERR_OUT_OF_RANGE`.
   */
  connect(options: UdpConnectOptions): void {
    const { host = '127.0.0.1', port } = checkOptions(options);
    this.checked(connect(this.fd, inetAddress(host, port)), 'connect');
  }

  /**
   * Receives what is sent to a group: `MCAST_JOIN_GROUP`.
   *
   * @param group           A multicast address of the socket's family: `'239.1.2.3'`, `'ff02::1'`.
   * @param interfaceIndex  Where to listen. Default: 0, the kernel chooses.
   * @throws SystemError `EADDRINUSE`: is in it; `EINVAL`: no multicast address, or of the other
   *         family; `ENODEV`: no such interface; `ENOBUFS`: too many groups; `ERR_CLOSED`;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  joinGroup(group: string, interfaceIndex = 0): void {
    const address = inetAddress(group, 0);
    this.checked(binding.multicast.join(this.fd, address, interfaceIndex), 'setsockopt');
  }

  /** Leaves a group: `MCAST_LEAVE_GROUP`. Throws `EADDRNOTAVAIL` if the socket is not in it. */
  leaveGroup(group: string, interfaceIndex = 0): void {
    const address = inetAddress(group, 0);
    this.checked(binding.multicast.leave(this.fd, address, interfaceIndex), 'setsockopt');
  }

  /** By which interface datagrams to groups leave; 0: the kernel chooses. `ENODEV`, `ERR_CLOSED`. */
  setMulticastInterface(interfaceIndex: number): void {
    checkInteger(interfaceIndex, 'interfaceIndex', 0, 2 ** 31 - 1);
    const { family } = this.localAddress;
    this.checked(binding.multicast.sendFrom(this.fd, family, interfaceIndex), 'setsockopt');
  }

  /**
   * How long a call that finds nothing asks the network device itself: `SO_BUSY_POLL`. Costs CPU
   * for a shorter wait, with devices whose driver can.
   *
   * @param microseconds  0 … 2 ** 31 - 1; 0: not at all.
   * @throws SystemError `EPERM`: more than before, without `CAP_NET_ADMIN`; `ENOPROTOOPT`: a kernel
   *         without busy polling; `ERR_CLOSED`; `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`: not Linux;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   * @see socket(7)
   */
  setBusyPoll(microseconds: number): void {
    OPTIONS.busyPoll.set(this, microseconds);
  }

  /** How long a call that finds nothing asks the network device, in µs. Asks the kernel each time. */
  get busyPoll(): number {
    return OPTIONS.busyPoll.get(this);
  }
}

import { AF_UNIX, EAGAIN, MSG_TRUNC, SOCK_DGRAM } from '../sys/constants.js';
import { connect } from '../sys/index.js';
import { BoundFile } from './bound-file.js';
import { DatagramSocket } from './datagram-socket.js';
import {
  receiveWithDescriptors,
  sendWithDescriptors,
  type ReceivedMessage,
} from './descriptor-passing.js';
import type { FdLike } from './fd-like.js';
import { LeakDetector } from './leak-detector.js';
import { WOULD_BLOCK, type OwnedDescriptor } from './owned-descriptor.js';
import {
  adoptSocket,
  boundSocket,
  connectingSocket,
  unixAddress,
  unixSocketPair,
} from './socket-setup.js';
import { restOf } from './view.js';

const UNIX_DATAGRAM = {
  families: [AF_UNIX],
  type: SOCK_DGRAM,
  listening: false,
  kind: 'UnixDatagram',
};

const leaks = new LeakDetector('UnixDatagram');

/** Where a {@link UnixDatagram} receives. */
export interface UnixDatagramBindOptions {
  /** A path that does not exist yet, at most 107 bytes; or `'\0'` and an abstract name. */
  readonly path: string;
  /** Removes the path on `close()`, if it is still the same file. Default: on. */
  readonly unlinkOnClose?: boolean;
}

/**
 * A Unix datagram socket: non-blocking, close-on-exec, with one owner.
 *
 * Nothing is lost on the way: a receiver that is full makes the sender wait (`WOULD_BLOCK`).
 *
 * @see unix(7)
 */
export class UnixDatagram extends DatagramSocket {
  #boundFile: BoundFile | undefined;

  /**
   * Opens and binds: socket(2), bind(2).
   *
   * @throws SystemError `EADDRINUSE` (the path exists), `EACCES`, `ENOENT` …;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (the path is too long).
   */
  static override bind(options: UnixDatagramBindOptions): UnixDatagram {
    const fd = boundSocket(unixAddress(options), SOCK_DGRAM);
    const socket = new UnixDatagram(fd, leaks);
    if (options.unlinkOnClose ?? true) socket.#boundFile = BoundFile.of(options.path);
    return socket;
  }

  /**
   * Opens a socket without a name that sends to one peer: socket(2), connect(2).
   *
   * @throws SystemError `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE` …;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  static connect(options: { readonly path: string }): UnixDatagram {
    return new UnixDatagram(connectingSocket(unixAddress(options), SOCK_DGRAM), leaks);
  }

  /** Two sockets that are connected to each other: socketpair(2). */
  static pair(): [UnixDatagram, UnixDatagram] {
    const [left, right] = unixSocketPair(SOCK_DGRAM);
    return [new UnixDatagram(left, leaks), new UnixDatagram(right, leaks)];
  }

  /**
   * Takes over a Unix datagram socket by its number, or from another object. This object owns it
   * from now on; its path is left alone.
   *
   * @throws SystemError `EBADF`, `ENOTSOCK`; `ERR_INVALID_FD_TYPE`: another kind of socket;
   *         `ERR_FD_OWNED`: another object of this thread has it.
   */
  static adopt(from: number | OwnedDescriptor): UnixDatagram {
    return new UnixDatagram(adoptSocket(from, UNIX_DATAGRAM), leaks);
  }

  /**
   * Sends to this peer from now on, and receives from no other: connect(2).
   *
   * @throws SystemError `ENOENT`, `ECONNREFUSED`, `EACCES`, `EPROTOTYPE` …; `ERR_CLOSED`;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  connect(options: { readonly path: string }): void {
    this.checked(connect(this.fd, unixAddress(options)), 'connect');
  }

  /**
   * Sends descriptors with a datagram to the peer: sendmsg(2) with `SCM_RIGHTS`. As
   * {@link UnixStream.sendDescriptors}, but the datagram may be empty, the default.
   */
  sendDescriptors(
    descriptors: readonly FdLike[],
    buffer: ArrayBufferView = NOTHING,
    offset = 0,
    length: number = restOf(buffer, offset),
  ): number {
    const result = sendWithDescriptors(this.fd, descriptors, [buffer, offset, length], 0);
    return result >= 0 ? result : this.refused(result, 'sendmsg');
  }

  /** Receives a datagram and the descriptors with it. As {@link UnixStream.receive}. */
  receiveDescriptors(
    buffer: ArrayBufferView,
    offset = 0,
    length: number = restOf(buffer, offset),
    mostDescriptors?: number,
  ): ReceivedMessage | typeof WOULD_BLOCK {
    const slice = [buffer, offset, length] as const;
    const result = receiveWithDescriptors(this.fd, slice, MSG_TRUNC, mostDescriptors);
    if (typeof result !== 'number') return result;
    if (result === -EAGAIN) return WOULD_BLOCK;
    throw this.failure(result, 'recvmsg');
  }

  override close(): void {
    try {
      if (!this.closed) this.#boundFile?.remove();
    } finally {
      super.close();
    }
  }
}

const NOTHING = new Uint8Array(0);

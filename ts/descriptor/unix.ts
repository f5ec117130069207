import type net from 'node:net';
import { checkOptions } from '../errors.js';
import { AF_UNIX, EAGAIN, SOCK_STREAM, SOL_SOCKET } from '../sys/constants.js';
import type { Credentials } from '../sys/index.js';
import { BoundFile } from './bound-file.js';
import {
  receiveWithDescriptors,
  sendWithDescriptors,
  type ReceivedMessage,
} from './descriptor-passing.js';
import { toFd, type FdLike } from './fd-like.js';
import { takeFromNetSocket, type FromNetSocket } from './from-node.js';
import { LeakDetector } from './leak-detector.js';
import { Listener, type ListenerOptions } from './listener.js';
import { WOULD_BLOCK, type OwnedDescriptor } from './owned-descriptor.js';
import { getStruct } from './socket-options.js';
import {
  adoptSocket,
  connectingSocket,
  duplicateSocket,
  listeningSocket,
  unixAddress,
  unixSocketPair,
} from './socket-setup.js';
import { Stream } from './stream.js';
import { restOf } from './view.js';

const UNIX = { families: [AF_UNIX], type: SOCK_STREAM };
const UNIX_STREAM = { ...UNIX, listening: false, kind: 'UnixStream' };
const UNIX_LISTENER = { ...UNIX, listening: true, kind: 'UnixListener' };

/** Descriptors cannot go through a stream without a byte. */
const ONE_BYTE = new Uint8Array(1);

const streamLeaks = new LeakDetector('UnixStream');
const listenerLeaks = new LeakDetector('UnixListener');

/**
 * A Unix stream connection: non-blocking, close-on-exec, with one owner.
 *
 * @see unix(7)
 */
export class UnixStream extends Stream {
  /** Takes a descriptor that the environment owns already. @internal */
  static wrap(fd: number): UnixStream {
    return new UnixStream(fd);
  }

  // An inherited constructor would make an array of its arguments for each connection.
  /** @internal */
  private constructor(fd: number) {
    super(fd, streamLeaks);
  }

  /**
   * Connects: socket(2), connect(2). A Unix socket connects at once or not at all.
   *
   * @param options.path  A path, or `'\0'` and an abstract name.
   * @throws SystemError `ENOENT`, `ECONNREFUSED`, `EACCES`, `EAGAIN` (the listener's queue is
   *         full) …; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  static connect(options: { readonly path: string }): UnixStream {
    return UnixStream.wrap(connectingSocket(unixAddress(options), SOCK_STREAM));
  }

  /** Two streams that are connected to each other: socketpair(2). */
  static pair(): [UnixStream, UnixStream] {
    const [left, right] = unixSocketPair(SOCK_STREAM);
    return [UnixStream.wrap(left), UnixStream.wrap(right)];
  }

  /**
   * Takes over a connected Unix stream socket by its number, or from another object. This object
   * owns it from now on.
   *
   * @throws SystemError `EBADF`, `ENOTSOCK`; `ERR_INVALID_FD_TYPE`: another kind of socket;
   *         `ERR_FD_OWNED`: another object of this thread has it.
   */
  static adopt(from: number | OwnedDescriptor): UnixStream {
    return UnixStream.wrap(adoptSocket(from, UNIX_STREAM));
  }

  /**
   * Takes a connection over from Node: as `TcpStream.fromNetSocket`.
   *
   * @throws The same.
   */
  static fromNetSocket(socket: net.Socket): FromNetSocket<UnixStream> {
    const { fd, unread } = takeFromNetSocket(socket, UNIX_STREAM);
    return { stream: UnixStream.wrap(fd), unread };
  }

  /**
   * One more number for an end that somebody else owns, also on another thread: fcntl(2),
   * `F_DUPFD_CLOEXEC`. Both read the same bytes, each once; the peer sees the end of the stream
   * when both are closed. The number must be open when this is called.
   *
   * @param fd  A connected Unix stream socket.
   * @throws SystemError `EBADF`, `ENOTSOCK`, `EMFILE`; `ERR_INVALID_FD_TYPE`: another kind of
   *         socket; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  static duplicate(fd: FdLike): UnixStream {
    return UnixStream.wrap(duplicateSocket(toFd(fd), UNIX_STREAM));
  }

  /**
   * Sends descriptors to the peer, which gets duplicates of its own: sendmsg(2) with `SCM_RIGHTS`.
   * They go with the first of the bytes.
   *
   * @param descriptors  At most 253; they stay open here and with their owners.
   * @param buffer       What to send with them, a byte at least. Default: one zero byte.
   * @returns            Bytes taken, and then all descriptors are under way; `WOULD_BLOCK` (-1) if
   *                     there is no room, and then none is.
   * @throws SystemError `EINVAL`: more than 253; `EBADF`: one is not open; `ETOOMANYREFS`: too
   *         many are under way; `EPIPE` …; `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  sendDescriptors(
    descriptors: readonly FdLike[],
    buffer: ArrayBufferView = ONE_BYTE,
    offset = 0,
    length: number = restOf(buffer, offset),
  ): number {
    const result = sendWithDescriptors(this.fd, descriptors, [buffer, offset, length], 1);
    if (result >= 0) return result;
    if (result === -EAGAIN) return WOULD_BLOCK;
    throw this.failure(result, 'sendmsg');
  }

  /**
   * Receives bytes and the descriptors that came with them: recvmsg(2).
   *
   * The descriptors are close-on-exec and owned before JavaScript sees them. What `read` meets
   * instead, the kernel closes. One call takes the descriptors of one `sendDescriptors` at most.
   *
   * @param buffer           Any ArrayBufferView; looked up in this call, not kept.
   * @param offset           Bytes into the view. Default: 0.
   * @param length           Bytes at most. Default: the rest of the view.
   * @param mostDescriptors  Room for descriptors, 0 … 253; others are closed. Default: 253.
   * @returns                What came, 0 bytes at the end of the stream; `WOULD_BLOCK` (-1) if
   *                         nothing is there.
   * @throws SystemError `ECONNRESET`, `ENOTCONN` …; `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`,
   *         `ERR_OUT_OF_RANGE`.
   */
  receive(
    buffer: ArrayBufferView,
    offset = 0,
    length: number = restOf(buffer, offset),
    mostDescriptors?: number,
  ): ReceivedMessage | typeof WOULD_BLOCK {
    const result = receiveWithDescriptors(this.fd, [buffer, offset, length], 0, mostDescriptors);
    if (typeof result !== 'number') return result;
    if (result === -EAGAIN) return WOULD_BLOCK;
    throw this.failure(result, 'recvmsg');
  }

  /**
   * Who is at the other end (`SO_PEERCRED`): who called connect(2), listen(2) or socketpair(2) there,
   * and was what then. Nobody can pretend to be somebody else. Asks the kernel each time.
   *
   * Of a socket that is not connected: pid 0, uid and gid 2 ** 32 - 1. A process of another pid
   * namespace has pid 0.
   *
   * @throws `ERR_CLOSED`; `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`: not Linux.
   * @see unix(7)
   */
  get peerCredentials(): Credentials {
    const fields = ['pid', 'uid', 'gid'] as const;
    return getStruct(this, [SOL_SOCKET, 'SO_PEERCRED'], 'ucred', fields) as Credentials;
  }
}

/** Where and how to listen. */
export interface UnixListenOptions extends ListenerOptions {
  /** A path that does not exist yet, at most 107 bytes; or `'\0'` and an abstract name. */
  readonly path: string;
  /**
   * Removes the path on `close()`, if it is still the same file. What unlink(2) is refused with is
   * thrown once the socket is closed. Default: on.
   */
  readonly unlinkOnClose?: boolean;
}

/**
 * A listening Unix stream socket.
 *
 * @see unix(7), listen(2)
 */
export class UnixListener extends Listener<UnixStream> {
  #boundFile: BoundFile | undefined;

  /**
   * Opens, binds and listens: socket(2), bind(2), listen(2).
   *
   * @throws SystemError `EADDRINUSE` (the path exists), `EACCES`, `ENOENT` …;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (the path is too long).
   */
  static listen(options: UnixListenOptions): UnixListener {
    const fd = listeningSocket(unixAddress(options), options, () => undefined);
    const listener = new UnixListener(fd, listenerLeaks, options);
    if (options.unlinkOnClose ?? true) listener.#boundFile = BoundFile.of(options.path);
    return listener;
  }

  /**
   * Takes over a listening Unix stream socket by its number, or from another object. This object
   * owns it from now on; its path is left alone.
   *
   * @throws SystemError `EBADF`, `ENOTSOCK`; `ERR_INVALID_FD_TYPE`: another kind of socket;
   *         `ERR_FD_OWNED`: another object of this thread has it.
   */
  static adopt(from: number | OwnedDescriptor, options: ListenerOptions = {}): UnixListener {
    checkOptions(options);
    const owned = adoptSocket(from, UNIX_LISTENER);
    return new UnixListener(owned, listenerLeaks, options);
  }

  override close(): void {
    try {
      if (!this.closed) this.#boundFile?.remove();
    } finally {
      super.close();
    }
  }

  /** @internal */
  protected override wrap(fd: number): UnixStream {
    return UnixStream.wrap(fd);
  }
}

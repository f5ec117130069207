import net from 'node:net';
import {
  checkInteger,
  checkOptions,
  closedError,
  INT_MAX,
  INT_MIN,
  invalidArgType,
} from '../errors.js';
import { MSG_NOSIGNAL, SHUT_RD, SHUT_RDWR, SHUT_WR } from '../sys/constants.js';
import { recv, send, shutdown } from '../sys/index.js';
import { nameOf } from './fd-like.js';
import { Socket } from './socket.js';
import { bytesOf, restOf } from './view.js';

/** The directions of a connection that `shutdown` can end. */
export type ShutdownHow = 'read' | 'write' | 'both';

const SHUTDOWN_HOW: Readonly<Record<ShutdownHow, number>> = {
  read: SHUT_RD,
  write: SHUT_WR,
  both: SHUT_RDWR,
};

const NOTHING = Buffer.alloc(0);

/** How the connection goes on as a `net.Socket`. */
export interface ToNetSocketOptions {
  /** As in `net.Socket`: keep the writing side open when the peer ends its own. Default: false. */
  readonly allowHalfOpen?: boolean;
  /**
   * What was read from the stream already and is not for you: the socket gives it out first, before
   * anything that it reads itself. It is copied. Default: nothing.
   */
  readonly unread?: ArrayBufferView;
}

/**
 * A connected, or connecting, stream socket. Base of `TcpStream` and `UnixStream`.
 */
export abstract class Stream extends Socket {
  /**
   * Receives into a slice of a buffer: recv(2).
   *
   * @param buffer  Any ArrayBufferView; looked up in this call, not kept.
   * @param offset  Bytes into the view. Default: 0.
   * @param length  Bytes at most. Default: the rest of the view.
   * @returns       Bytes received; 0 at the end of the stream; `WOULD_BLOCK` (-1) if nothing is there.
   * @throws SystemError `ECONNRESET`, `ECONNREFUSED`, `ETIMEDOUT`, `ENOTCONN` …; `ERR_CLOSED`;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` for what is no slice of the buffer.
   *
   * Memory: allocates nothing.
   */
  read(buffer: ArrayBufferView, offset = 0, length: number = restOf(buffer, offset)): number {
    const result = recv(this.fd, buffer, offset, length, 0);
    return result >= 0 ? result : this.refused(result, 'recv');
  }

  /**
   * Sends a slice of a buffer: send(2) with `MSG_NOSIGNAL`.
   *
   * @param buffer  Any ArrayBufferView; looked up in this call, not kept.
   * @param offset  Bytes into the view. Default: 0.
   * @param length  Bytes. Default: the rest of the view.
   * @returns       Bytes taken, perhaps fewer than asked; `WOULD_BLOCK` (-1) if there is no room.
   * @throws SystemError `EPIPE`, `ECONNRESET`, `ENOTCONN` …; `ERR_CLOSED`;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` for what is no slice of the buffer.
   *
   * Memory: allocates nothing.
   */
  write(buffer: ArrayBufferView, offset = 0, length: number = restOf(buffer, offset)): number {
    const result = send(this.fd, buffer, offset, length, MSG_NOSIGNAL);
    return result >= 0 ? result : this.refused(result, 'send');
  }

  /** {@link read} with `flags`: `MSG_PEEK`, `MSG_OOB` … */
  recv(buffer: ArrayBufferView, offset: number, length: number, flags: number): number {
    const result = recv(this.fd, buffer, offset, length, flags);
    return result >= 0 ? result : this.refused(result, 'recv');
  }

  /** {@link write} with `flags`: `MSG_MORE`, `MSG_OOB` … `MSG_NOSIGNAL` is always added. */
  send(buffer: ArrayBufferView, offset: number, length: number, flags: number): number {
    checkInteger(flags, 'flags', INT_MIN, INT_MAX);
    const result = send(this.fd, buffer, offset, length, flags | MSG_NOSIGNAL);
    return result >= 0 ? result : this.refused(result, 'send');
  }

  /**
   * Ends one direction or both: shutdown(2). `'write'` is the half-close: the peer reads the end
   * of the stream and can still send.
   *
   * @throws SystemError `ENOTCONN`; `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`.
   */
  shutdown(how: ShutdownHow): void {
    if (typeof how !== 'string' || !Object.hasOwn(SHUTDOWN_HOW, how)) {
      throw invalidArgType('how', "'read', 'write' or 'both'", how);
    }
    this.checked(shutdown(this.fd, SHUTDOWN_HOW[how]), 'shutdown');
  }

  /**
   * Hands the connection to `node:net`: takes it out of every set of this thread, gives the
   * number away, and makes a `net.Socket` of it. This object is closed afterwards; Node closes
   * the descriptor. Whatever takes a `net.Socket` can have it: `new tls.TLSSocket(socket, …)`, or
   * `server.emit('connection', socket)` of `node:http`, `node:https` and `node:http2`.
   *
   * A stream that is still connecting goes on connecting; that it could not is an `'error'` of the
   * socket. The socket lives in Node’s own loop: while a loop of yours has the thread, it rests.
   *
   * @throws `ERR_CLOSED` after `close()` or `release()`; `ERR_INVALID_ARG_TYPE`; what Node refuses
   *         the descriptor with. This object keeps it then.
   */
  toNetSocket(options: ToNetSocketOptions = {}): net.Socket {
    if (this.closed) throw closedError(nameOf(this));
    const { allowHalfOpen = false, unread } = checkOptions(options);
    if (typeof allowHalfOpen !== 'boolean') {
      throw invalidArgType('options.allowHalfOpen', 'boolean', allowHalfOpen);
    }
    const first = unread === undefined ? NOTHING : Buffer.from(bytesOf(unread, 'unread'));
    const { fd } = this;
    const socket = new net.Socket({ fd, allowHalfOpen, readable: true, writable: true });
    this.release(); // Not before Node has taken it: a descriptor always has an owner.
    // The socket has not read yet: it does when Node's loop turns.
    if (first.length > 0) socket.unshift(first);
    return socket;
  }
}

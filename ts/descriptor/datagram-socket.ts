import { checkInteger } from '../errors.js';
import { AF_UNSPEC, MSG_NOSIGNAL, MSG_TRUNC } from '../sys/constants.js';
import {
  connect,
  recv,
  recvfrom,
  recvmmsg,
  send,
  sendmmsg,
  sendto,
  type SocketAddress,
  type SocketAddressOut,
} from '../sys/index.js';
import { DatagramBatch } from './datagram-batch.js';
import { Socket } from './socket.js';
import { restOf } from './view.js';

/**
 * A socket whose messages keep their boundaries. Base of `UdpSocket` and `UnixDatagram`.
 *
 * An error that an earlier datagram met, such as `ECONNREFUSED`, is thrown by the next call on a
 * connected socket, once.
 */
export abstract class DatagramSocket extends Socket {
  /**
   * Receives one datagram into a slice of a buffer: recvfrom(2).
   *
   * @param buffer  Any ArrayBufferView; looked up in this call, not kept.
   * @param offset  Bytes into the view. Default: 0.
   * @param length  Bytes at most. Default: the rest of the view.
   * @param from    Filled in with the sender's address. Default: not asked for.
   * @returns       How long the datagram was: more than `length` if it was cut, and then the rest
   *                is lost. 0 for an empty one; `WOULD_BLOCK` (-1) if none is there.
   * @throws SystemError `ECONNREFUSED` …; `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`,
   *         `ERR_OUT_OF_RANGE` for what is no slice of the buffer.
   */
  receive(
    buffer: ArrayBufferView,
    offset = 0,
    length: number = restOf(buffer, offset),
    from?: SocketAddressOut,
  ): number {
    const result =
      from === undefined
        ? recv(this.fd, buffer, offset, length, MSG_TRUNC)
        : recvfrom(this.fd, buffer, offset, length, MSG_TRUNC, from);
    return result >= 0 ? result : this.refused(result, 'recvfrom');
  }

  /**
   * Sends a slice of a buffer as one datagram to the peer of a connected socket: send(2).
   *
   * @returns  Bytes sent: all of them. `WOULD_BLOCK` (-1) if there is no room.
   * @throws SystemError `EDESTADDRREQ`, `ENOTCONN`: not connected; `EMSGSIZE`: too long;
   *         `ECONNREFUSED` …; `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  send(buffer: ArrayBufferView, offset = 0, length: number = restOf(buffer, offset)): number {
    const result = send(this.fd, buffer, offset, length, MSG_NOSIGNAL);
    return result >= 0 ? result : this.refused(result, 'send');
  }

  /**
   * {@link send} to an address.
   *
   * @throws SystemError `EACCES`, `EMSGSIZE`, `ENETUNREACH`, `ENOENT`, `ECONNREFUSED`, `EISCONN` …;
   *         `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  sendTo(
    to: SocketAddress,
    buffer: ArrayBufferView,
    offset = 0,
    length: number = restOf(buffer, offset),
  ): number {
    const result = sendto(this.fd, buffer, offset, length, MSG_NOSIGNAL, to);
    return result >= 0 ? result : this.refused(result, 'sendto');
  }

  /**
   * Receives as many datagrams as are there and fit: recvmmsg(2). What was in the batch is gone.
   *
   * @returns  How many, also `batch.length`; `WOULD_BLOCK` (-1) if none is there.
   * @throws SystemError as {@link receive}.
   *
   * Memory: allocates nothing.
   */
  receiveBatch(batch: DatagramBatch): number {
    const messages = DatagramBatch.messagesOf(batch);
    const result = recvmmsg(this.fd, messages, 0, messages.capacity, 0, null);
    batch.filled(Math.max(result, 0));
    return result >= 0 ? result : this.refused(result, 'recvmmsg');
  }

  /**
   * Sends the datagrams of a batch: sendmmsg(2).
   *
   * @param first  The first one to send. Default: 0.
   * @returns      How many went, perhaps fewer than there are: go on with `first` plus that.
   *               `WOULD_BLOCK` (-1) if there is no room for one.
   * @throws SystemError as {@link sendTo}, about the datagram at `first`.
   *
   * Memory: allocates nothing.
   */
  sendBatch(batch: DatagramBatch, first = 0): number {
    const messages = DatagramBatch.messagesOf(batch);
    checkInteger(first, 'first', 0, batch.length);
    const result = sendmmsg(this.fd, messages, first, batch.length - first, MSG_NOSIGNAL);
    return result >= 0 ? result : this.refused(result, 'sendmmsg');
  }

  /** Forgets the peer: connect(2) with `AF_UNSPEC`. Datagrams of everybody come in again. */
  disconnect(): void {
    this.checked(connect(this.fd, { family: AF_UNSPEC }), 'connect');
  }
}

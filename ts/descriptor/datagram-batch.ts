import { checkInteger, invalidArgType, outOfRange } from '../errors.js';
import { AF_UNSPEC, MSG_TRUNC } from '../sys/constants.js';
import { MmsgArray, type SocketAddress, type SocketAddressOut } from '../sys/index.js';
import { bytesOf } from './view.js';

const CAPACITY = 64;
/** More than an Ethernet frame carries. */
const SIZE = 2048;

/**
 * Datagrams that come or go with one call: {@link DatagramSocket.receiveBatch},
 * {@link DatagramSocket.sendBatch}.
 *
 * The memory is allocated once and used again: receiving and sending allocate nothing for each
 * datagram. `data` and `address` do, when they are asked for. What was received can be sent as it
 * is, back to where it came from.
 *
 * @example
 * ```ts
 * const batch = new DatagramBatch();
 * while (socket.receiveBatch(batch) > 0) socket.sendBatch(batch); // an echo server
 * ```
 */
export class DatagramBatch {
  readonly #messages: MmsgArray;
  #length = 0;

  /**
   * @param capacity  How many datagrams fit, 1 … 1,024. Default: 64.
   * @param size      Bytes of each, 1 … 1,048,576; a longer one is cut. Default: 2,048.
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  constructor(capacity: number = CAPACITY, size: number = SIZE) {
    this.#messages = new MmsgArray(capacity, size);
  }

  /** How many datagrams fit. */
  get capacity(): number {
    return this.#messages.capacity;
  }

  /** How many bytes of each datagram fit. */
  get size(): number {
    return this.#messages.size;
  }

  /** How many datagrams are in it: received, or added to be sent. */
  get length(): number {
    return this.#length;
  }

  /** The bytes of all datagrams: those of datagram `i` begin at `i * size`. */
  get buffer(): Uint8Array {
    return this.#messages.buffer;
  }

  /** How many bytes datagram `i` has in the buffer. */
  bytes(i: number): number {
    return this.#messages.getLength(this.#index(i));
  }

  /** Whether datagram `i` was longer than `size`: the rest of it is lost. */
  truncated(i: number): boolean {
    return (this.#messages.getFlags(this.#index(i)) & MSG_TRUNC) !== 0;
  }

  /** The bytes of datagram `i`: a view that the next receive or `add` fills anew. */
  data(i: number): Uint8Array {
    const from = this.#index(i) * this.size;
    return this.buffer.subarray(from, from + this.bytes(i));
  }

  /** Who sent datagram `i`, or where it goes; `null` if that has no address. */
  address(i: number): SocketAddress | null {
    const address: SocketAddressOut = {};
    this.#messages.getName(this.#index(i), address);
    return address.family === AF_UNSPEC ? null : (address as SocketAddress);
  }

  /**
   * Puts a datagram behind those that are in it.
   *
   * @param data  Its bytes, copied; at most `size`, or `ERR_OUT_OF_RANGE`.
   * @param to    Where it goes. Default: to the peer of a connected socket.
   * @returns     False if the batch is full.
   */
  add(data: ArrayBufferView, to: SocketAddress | null = null): boolean {
    const { length } = bytesOf(data, 'data');
    if (length > this.size) {
      throw outOfRange('data', `at most ${String(this.size)} bytes long`, length);
    }
    const i = this.#length;
    if (i === this.capacity) return false;
    this.#messages.setName(i, to);
    // Taken after the address: a getter of that may have detached them.
    const bytes = bytesOf(data, 'data');
    this.#messages.setLength(i, bytes.length);
    this.buffer.set(bytes, i * this.size);
    this.#length = i + 1;
    return true;
  }

  /** Empties it, for the next ones to be added. */
  clear(): void {
    this.#length = 0;
  }

  #index(i: number): number {
    return checkInteger(i, 'i', 0, this.#length - 1);
  }

  /** So many have just been received. @internal */
  filled(count: number): void {
    this.#length = count;
  }

  /** @internal */
  static messagesOf(batch: DatagramBatch): MmsgArray {
    if (typeof batch === 'object' && (batch as object | null) !== null && #messages in batch) {
      return batch.#messages;
    }
    throw invalidArgType('batch', 'DatagramBatch', batch);
  }
}

import { checkInteger, invalidArgType } from '../errors.js';
import { binding } from '../native.js';
import type { SocketAddress, SocketAddressOut } from './socket.js';

const words = binding.layout.mmsgSlotWords ?? 1;
const lengthWord = binding.layout.mmsgLength ?? 0;
const flagsWord = binding.layout.mmsgFlags ?? 0;

/** As many messages as the kernel moves in one call: `UIO_MAXIOV`. */
const CAPACITY_MAX = 1024;
/** More than any datagram has. */
const SIZE_MAX = 1 << 20;

/** @internal */
export interface MmsgMemory {
  readonly slots: Uint8Array;
  readonly buffer: Uint8Array;
  readonly size: number;
}

/**
 * Gives the memory of an array to the calls that fill it; undefined for what is none, whatever its
 * prototype says. Set by the class, which alone has the key.
 */
let memoryOf: (messages: unknown) => MmsgMemory | undefined;

/**
 * `struct mmsghdr msgvec[capacity]`: the messages of `recvmmsg` and `sendmmsg`.
 *
 * Each message has `size` bytes of one `buffer`, a length, flags, and an address in the kernel's
 * own form. All memory is allocated once and used again by every call.
 *
 * What was received can be sent as it is: lengths and addresses are where `sendmmsg` looks.
 *
 * @example
 * ```ts
 * const messages = new MmsgArray(64, 1500);
 * const n = recvmmsg(fd, messages, 0, messages.capacity, MSG_DONTWAIT, null);
 * if (n > 0) sendmmsg(fd, messages, 0, n, MSG_NOSIGNAL); // an echo server
 * ```
 * @see recvmmsg(2), sendmmsg(2)
 */
export class MmsgArray {
  /** How many messages fit. */
  readonly capacity: number;
  /** How many bytes of each. A longer datagram is cut, and its flags have `MSG_TRUNC`. */
  readonly size: number;
  /** The bytes of all messages: those of message `i` begin at `i * size`. */
  readonly buffer: Uint8Array;
  readonly #slots: Uint32Array;
  readonly #memory: MmsgMemory;

  static {
    memoryOf = (messages) =>
      typeof messages === 'object' && messages !== null && #memory in messages
        ? messages.#memory
        : undefined;
  }

  /**
   * @param capacity  How many messages fit: 1 … 1,024.
   * @param size      Bytes of each: 1 … 1,048,576.
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE`
   */
  constructor(capacity: number, size: number) {
    this.capacity = checkInteger(capacity, 'capacity', 1, CAPACITY_MAX);
    this.size = checkInteger(size, 'size', 1, SIZE_MAX);
    this.buffer = new Uint8Array(capacity * size);
    this.#slots = new Uint32Array(capacity * words);
    const slots = new Uint8Array(this.#slots.buffer);
    this.#memory = { slots, buffer: this.buffer, size };
  }

  /**
   * `msgvec[i].msg_len`: bytes that were received, or sent. With `MSG_TRUNC` among the flags of
   * `recvmmsg` that of a longer datagram is above `size`.
   *
   * @throws RangeError `ERR_OUT_OF_RANGE` unless 0 <= i < capacity
   */
  getLength(i: number): number {
    return this.#slots[this.#word(i, lengthWord)] as number;
  }

  /** How many bytes of message `i` to send, 0 … `size`: those from `i * size` of `buffer` on. */
  setLength(i: number, length: number): void {
    this.#slots[this.#word(i, lengthWord)] = checkInteger(length, 'length', 0, this.size);
  }

  /** `msgvec[i].msg_hdr.msg_flags`: `MSG_TRUNC` if the datagram was cut … */
  getFlags(i: number): number {
    return this.#slots[this.#word(i, flagsWord)] as number;
  }

  /** `msgvec[i].msg_hdr.msg_name`: fills in who sent message `i`, or where it goes. */
  getName(i: number, addr: SocketAddressOut): void {
    checkInteger(i, 'i', 0, this.capacity - 1);
    binding.mmsg.getName(this.#memory.slots, i, addr);
  }

  /** Where message `i` goes; null for a connected socket. */
  setName(i: number, addr: SocketAddress | null): void {
    checkInteger(i, 'i', 0, this.capacity - 1);
    binding.mmsg.setName(this.#memory.slots, i, addr);
  }

  #word(i: number, word: number): number {
    return checkInteger(i, 'i', 0, this.capacity - 1) * words + word;
  }
}

/** The memory behind an array. Refuses what is none, so that the addon only sees real memory. @internal */
export function mmsgMemory(messages: MmsgArray): MmsgMemory {
  const memory = memoryOf(messages);
  if (memory === undefined) throw invalidArgType('msgvec', 'MmsgArray', messages);
  return memory;
}

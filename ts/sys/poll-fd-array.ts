import { checkInteger, INT_MAX, INT_MIN, invalidArgType } from '../errors.js';

/** `struct pollfd`: the descriptor, then two shorts. The same on every system; the addon asserts it. */
const BYTES = 8;
const FD = 0; // in 32-bit words
const EVENTS = 2; // in 16-bit words
const REVENTS = 3;

const CAPACITY_MAX = Math.floor(INT_MAX / BYTES);

/** Set by the class, which alone has the key; undefined for what is no such array. */
let memoryOf: (fds: unknown) => Uint8Array | undefined;

/**
 * `struct pollfd fds[capacity]`: the array of `poll` and `ppoll`.
 *
 * Its memory has the kernel's own layout, is allocated once, and is read without a copy. A new
 * element has the descriptor -1, which the kernel passes over.
 *
 * @example
 * ```ts
 * const fds = new PollFdArray(2);
 * fds.set(0, listener, POLLIN);
 * fds.set(1, connection, POLLIN | POLLOUT);
 * poll(fds, 2, -1);
 * for (let i = 0; i < 2; i++) console.log(fds.getFd(i), fds.getRevents(i));
 * ```
 * @see poll(2)
 */
export class PollFdArray {
  /** How many descriptors fit. */
  readonly capacity: number;
  readonly #length: number;
  readonly #words: Int32Array;
  readonly #shorts: Uint16Array;
  // The same memory as bytes: the addon recognises a Uint8Array sooner than any other view.
  readonly #bytes: Uint8Array;

  static {
    memoryOf = (fds) =>
      typeof fds === 'object' && fds !== null && #bytes in fds ? fds.#bytes : undefined;
  }

  /**
   * @param capacity  How many descriptors fit: an integer, 1 … `INT_MAX / sizeof(struct pollfd)`.
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE`
   */
  constructor(capacity: number) {
    this.capacity = checkInteger(capacity, 'capacity', 1, CAPACITY_MAX);
    this.#length = capacity;
    this.#bytes = new Uint8Array(capacity * BYTES);
    this.#words = new Int32Array(this.#bytes.buffer);
    this.#shorts = new Uint16Array(this.#bytes.buffer);
    for (let i = 0; i < capacity; i++) this.#words[2 * i + FD] = -1;
  }

  /**
   * Writes `fds[i].fd` and `fds[i].events`, and clears `fds[i].revents`.
   *
   * @param i       0 … capacity - 1.
   * @param fd      The descriptor, int32. The kernel passes over what is negative.
   * @param events  `POLLIN | POLLOUT | …`, int16 or uint16.
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE`
   */
  set(i: number, fd: number, events: number): void {
    this.#checkIndex(i);
    checkInteger(fd, 'fd', INT_MIN, INT_MAX);
    checkInteger(events, 'events', -0x8000, 0xffff);
    this.#words[2 * i + FD] = fd;
    this.#shorts[4 * i + EVENTS] = events;
    this.#shorts[4 * i + REVENTS] = 0;
  }

  /**
   * `fds[i].fd`.
   *
   * @throws RangeError `ERR_OUT_OF_RANGE` unless 0 <= i < capacity
   */
  getFd(i: number): number {
    return this.#words[2 * this.#checkIndex(i) + FD] as number;
  }

  /** `fds[i].events`: what is asked for, as uint16. */
  getEvents(i: number): number {
    return this.#shorts[4 * this.#checkIndex(i) + EVENTS] as number;
  }

  /** `fds[i].revents`: which conditions held at the last call, as uint16. */
  getRevents(i: number): number {
    return this.#shorts[4 * this.#checkIndex(i) + REVENTS] as number;
  }

  #checkIndex(i: number): number {
    return checkInteger(i, 'i', 0, this.#length - 1);
  }
}

/** The memory behind an array. Refuses what is none, so that the addon only sees real memory. @internal */
export function pollFdMemory(fds: PollFdArray): Uint8Array {
  const memory = memoryOf(fds);
  if (memory === undefined) throw invalidArgType('fds', 'PollFdArray', fds);
  return memory;
}

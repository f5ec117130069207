import { checkInteger, invalidArgType } from '../errors.js';
import { binding } from '../native.js';

/** `struct epoll_event` in 32-bit words, as this machine's kernel lays it out. @internal */
export const epollEventLayout: { words: number; dataLow: number; dataHigh: number } = {
  words: binding.layout.epollEventWords ?? 4,
  dataLow: binding.layout.epollDataLow ?? 2,
  dataHigh: binding.layout.epollDataHigh ?? 3,
};

const { words, dataLow, dataHigh } = epollEventLayout;

/** As many as the kernel accepts: `INT_MAX / sizeof(struct epoll_event)`. */
const CAPACITY_MAX = Math.floor(0x7fffffff / (4 * words));

/**
 * Gives the memory of an array to the calls that fill it; undefined for what is none, whatever its
 * prototype says. Set by the class, which alone has the key.
 */
let memoryOf: (events: unknown) => Uint8Array | undefined;

/**
 * `struct epoll_event events[capacity]`: the array that `epoll_wait` fills.
 *
 * Its memory has the kernel's own layout (12 bytes an element on x86-64, 16 elsewhere), is
 * allocated once, and is read without a copy. Elements beyond the count of the last wait keep
 * what they held before.
 *
 * @example
 * ```ts
 * const events = new EpollEventArray(64);
 * const n = epoll_wait(epfd, events, events.capacity, -1);
 * for (let i = 0; i < n; i++) console.log(events.getDataLow(i), events.getEvents(i));
 * ```
 * @see epoll_wait(2), epoll_event(3type)
 */
export class EpollEventArray {
  /** How many events fit. */
  readonly capacity: number;
  readonly #words: Uint32Array;
  // The same memory as bytes: the addon recognises a Uint8Array sooner than any other view.
  readonly #bytes: Uint8Array;

  static {
    memoryOf = (events) =>
      typeof events === 'object' && events !== null && #bytes in events ? events.#bytes : undefined;
  }

  /**
   * @param capacity  How many events fit: an integer, 1 … `INT_MAX / sizeof(struct epoll_event)`.
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE`
   */
  constructor(capacity: number) {
    this.capacity = checkInteger(capacity, 'capacity', 1, CAPACITY_MAX);
    this.#words = new Uint32Array(capacity * words);
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  /**
   * `events[i].events`: which conditions hold, as uint32.
   *
   * @throws RangeError `ERR_OUT_OF_RANGE` unless 0 <= i < capacity
   */
  getEvents(i: number): number {
    return this.#word(i, 0);
  }

  /** `events[i].data.u64`: what was given to `epoll_ctl`, all 64 bits. Allocates the bigint. */
  getData(i: number): bigint {
    return (BigInt(this.#word(i, dataHigh)) << 32n) | BigInt(this.#word(i, dataLow));
  }

  /** The low 32 bits of `events[i].data.u64`, as uint32: the descriptor, if no data was given. */
  getDataLow(i: number): number {
    return this.#word(i, dataLow);
  }

  /** The high 32 bits of `events[i].data.u64`, as uint32. */
  getDataHigh(i: number): number {
    return this.#word(i, dataHigh);
  }

  #word(i: number, word: number): number {
    checkInteger(i, 'i', 0, this.capacity - 1);
    return this.#words[i * words + word] as number;
  }
}

/** The memory behind an array. Refuses what is none, so that the addon only sees real memory. @internal */
export function epollEventMemory(events: EpollEventArray): Uint8Array {
  const memory = memoryOf(events);
  if (memory === undefined) throw invalidArgType('events', 'EpollEventArray', events);
  return memory;
}

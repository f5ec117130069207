import { checkInteger } from '../errors.js';
import { EPOLLERR, EPOLLHUP } from '../sys/constants.js';
import { epollEventLayout } from '../sys/epoll-event-array.js';
import { MUTED_GENERATION, NO_GENERATION, RegistrationTable } from './registration-table.js';

const { words, dataLow, dataHigh } = epollEventLayout;
const CAPACITY_MAX = 65_536;
/** The kernel reports these whether they were asked for or not. */
const ALWAYS = (EPOLLERR | EPOLLHUP) >>> 0;

/** An event, as iteration gives it. */
export interface EpollEvent<T> {
  /** The descriptor. */
  readonly fd: number;
  /** Which conditions hold, as uint32. */
  readonly events: number;
  /** What was registered with the descriptor. */
  readonly data: T | undefined;
}

/**
 * The batch that `Epoll.wait` fills. Make one, use it for every wait.
 *
 * **A stale event never reaches its successor.** Each look at an event asks whether the
 * registration that it belongs to is still there. Once that was deleted, or its descriptor
 * closed, even if the number was given out and added again, `fd(i)` is `-1`, `events(i)` is `0`
 * and `data(i)` is `undefined`. After a `modify`, `events(i)` is cut to what is asked for now and
 * `data(i)` is the present data. So a handler may delete, close, add or modify anything while
 * the batch is worked off.
 *
 * @example
 * ```ts
 * const events = new EpollEvents<Connection>(256);
 * const n = epoll.wait(events);
 * for (let i = 0; i < n; i++) if (events.events(i) & EPOLLIN) events.data(i)?.readable();
 * ```
 */
export class EpollEvents<T = unknown> {
  /** How many events fit. */
  readonly capacity: number;
  readonly #words: Uint32Array;
  // The same memory as bytes: the addon recognises a Uint8Array sooner than any other view.
  readonly #bytes: Uint8Array;
  #table = new RegistrationTable<T>();
  #length = 0;

  /**
   * @param capacity  How many events one wait brings at most, 1 … 65,536. Default: 1,024.
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  constructor(capacity = 1024) {
    this.capacity = checkInteger(capacity, 'capacity', 1, CAPACITY_MAX);
    this.#words = new Uint32Array(capacity * words);
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  /** Whether a value is a batch, and no object that pretends to be one. @internal */
  static isBatch(value: unknown): value is EpollEvents {
    return typeof value === 'object' && value !== null && #words in value;
  }

  /** How many events the last wait brought, stale ones included. */
  get length(): number {
    return this.#length;
  }

  /**
   * The descriptor of event `i`; `-1` if the event is stale.
   *
   * @throws `ERR_OUT_OF_RANGE` unless 0 <= i < length
   */
  fd(i: number): number {
    const fd = this.#fdAt(i);
    return this.#isStale(i, fd) ? -1 : fd;
  }

  /**
   * The conditions of event `i` that are asked for now, and `EPOLLERR` and `EPOLLHUP`, as uint32;
   * `0` if the event is stale.
   *
   * @throws `ERR_OUT_OF_RANGE` unless 0 <= i < length
   */
  events(i: number): number {
    const fd = this.#fdAt(i);
    if (this.#isStale(i, fd)) return 0;
    const reported = this.#words[i * words] as number;
    return (reported & (this.#table.interest(fd) | ALWAYS)) >>> 0;
  }

  /**
   * What was registered with the descriptor of event `i`; `undefined` if the event is stale.
   *
   * @throws `ERR_OUT_OF_RANGE` unless 0 <= i < length
   */
  data(i: number): T | undefined {
    const fd = this.#fdAt(i);
    return this.#isStale(i, fd) ? undefined : this.#table.data(fd);
  }

  /**
   * The events that still say something: stale ones, and those of which a `modify` left nothing,
   * are skipped. Judged one by one, as the iteration comes to them. Allocates an object for each
   * event; `fd(i)`, `events(i)` and `data(i)` allocate nothing.
   */
  *[Symbol.iterator](): IterableIterator<EpollEvent<T>> {
    for (let i = 0; i < this.#length; i++) {
      const events = this.events(i);
      if (events !== 0) yield { fd: this.fd(i), events, data: this.data(i) };
    }
  }

  /** The memory that the kernel fills. @internal */
  get memory(): Uint8Array {
    return this.#bytes;
  }

  /**
   * Takes over what a wait has brought for the registrations of `table`. Leaves out events of
   * registrations that were gone before the wait, and of muted ones. @internal
   *
   * @returns  How many of those ghosts there were.
   */
  fill(table: RegistrationTable<T>, count: number): number {
    this.#table = table;
    let kept = 0;
    let ghosts = 0;
    for (let i = 0; i < count; i++) {
      if (this.#isStale(i, this.#words[i * words + dataLow] as number)) {
        if (this.#words[i * words + dataHigh] !== MUTED_GENERATION) ghosts++;
        continue;
      }
      if (kept !== i) this.#words.copyWithin(kept * words, i * words, (i + 1) * words);
      kept++;
    }
    this.#length = kept;
    return ghosts;
  }

  #fdAt(i: number): number {
    checkInteger(i, 'i', 0, this.#length - 1);
    return this.#words[i * words + dataLow] as number;
  }

  #isStale(i: number, fd: number): boolean {
    const generation = this.#words[i * words + dataHigh] as number;
    return generation === NO_GENERATION || generation !== this.#table.generation(fd);
  }
}

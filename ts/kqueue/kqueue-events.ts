import { checkInteger } from '../errors.js';
import { EV_ONESHOT } from '../sys/constants.js';
import { KeventArray } from '../sys/kevent-array.js';
import type { Knote, KnoteTable } from './knote-table.js';

const CAPACITY_MAX = 65_536;

/** An event, as iteration gives it. */
export interface KqueueEvent<T> {
  /** A descriptor, a process, a signal, or a number of your own. */
  readonly ident: number;
  /** `EVFILT_READ` … */
  readonly filter: number;
  /** The mode, and `EV_EOF`. */
  readonly flags: number;
  /** What the filter has to say; with `EV_EOF` the error of a socket. */
  readonly fflags: number;
  /** Bytes, connections, expirations … */
  readonly data: number;
  /** What came with the change that added the knote. */
  readonly udata: T | undefined;
}

/**
 * The batch that `Kqueue.wait` fills. Make one, use it for every wait.
 *
 * **A stale event never reaches its successor.** Each look at an event asks whether the knote that
 * it belongs to is still there. Once that was deleted or added anew, or its owned descriptor closed,
 * `ident(i)` is `-1`, `filter(i)`, `flags(i)`, `fflags(i)` and `data(i)` are `0`, and `udata(i)` is
 * `undefined`. The event of a one-shot, whose knote the kernel has removed, lives until the next
 * wait.
 *
 * @example
 * ```ts
 * const events = new KqueueEvents<Connection>(256);
 * const n = kqueue.wait(events);
 * for (let i = 0; i < n; i++) if (events.filter(i) === EVFILT_READ) events.udata(i)?.readable();
 * ```
 */
export class KqueueEvents<T = unknown> {
  /** How many events fit. */
  readonly capacity: number;
  readonly #events: KeventArray;
  /** By event. Kept from wait to wait, so that nothing is allocated. */
  readonly #knotes: (Knote<T> | undefined)[] = [];
  /** Where the events that are shown are in `#events`. */
  readonly #places: Uint32Array;
  #length = 0;

  /**
   * @param capacity  How many events one wait brings at most, 1 … 65,536. Default: 1,024.
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  constructor(capacity = 1024) {
    this.capacity = checkInteger(capacity, 'capacity', 1, CAPACITY_MAX);
    this.#events = new KeventArray(capacity);
    this.#places = new Uint32Array(capacity);
  }

  /** Whether a value is a batch, and no object that pretends to be one. @internal */
  static isBatch(value: unknown): value is KqueueEvents {
    return typeof value === 'object' && value !== null && #events in value;
  }

  /** How many events the last wait brought, stale ones included. */
  get length(): number {
    return this.#length;
  }

  /**
   * The ident of event `i`; `-1` if the event is stale.
   *
   * @throws `ERR_OUT_OF_RANGE` unless 0 <= i < length
   */
  ident(i: number): number {
    return this.#knote(i)?.ident ?? -1;
  }

  /** The filter of event `i`; `0` if the event is stale. */
  filter(i: number): number {
    return this.#knote(i)?.filter ?? 0;
  }

  /** The flags of event `i`, `EV_EOF` among them; `0` if the event is stale. */
  flags(i: number): number {
    return this.#knote(i) === undefined ? 0 : this.#events.getFlags(this.#place(i));
  }

  /** The flags of the filter; with `EV_EOF` the errno of a socket. `0` if the event is stale. */
  fflags(i: number): number {
    return this.#knote(i) === undefined ? 0 : this.#events.getFflags(this.#place(i));
  }

  /** The data of the filter: bytes, expirations … `0` if the event is stale. */
  data(i: number): number {
    return this.#knote(i) === undefined ? 0 : this.#events.getData(this.#place(i));
  }

  /** What came with the change that added the knote; `undefined` if the event is stale. */
  udata(i: number): T | undefined {
    return this.#knote(i)?.udata;
  }

  /**
   * The events that are not stale, judged one by one, as the iteration comes to them. Allocates an
   * object for each event; `ident(i)` and the others allocate nothing.
   */
  *[Symbol.iterator](): IterableIterator<KqueueEvent<T>> {
    for (let i = 0; i < this.#length; i++) {
      const knote = this.#knote(i);
      if (knote === undefined) continue;
      const { ident, filter, udata } = knote;
      const [flags, fflags, data] = [this.flags(i), this.fflags(i), this.data(i)];
      yield { ident, filter, flags, fflags, data, udata };
    }
  }

  /** What the kernel fills. @internal */
  get array(): KeventArray {
    return this.#events;
  }

  /** Takes over what a wait has brought. Leaves out what belongs to no knote. @internal */
  fill(table: KnoteTable<T>, count: number): void {
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const knote = table.get(this.#events.getFilter(i), this.#events.getIdent(i));
      if (knote?.generation !== this.#events.getUdataLow(i)) continue;
      if ((this.#events.getFlags(i) & EV_ONESHOT) !== 0) table.fire(knote);
      this.#knotes[kept] = knote;
      this.#places[kept++] = i;
    }
    // Holds nothing back that the set has let go.
    this.#knotes.fill(undefined, kept);
    this.#length = kept;
  }

  #place(i: number): number {
    return this.#places[i] as number;
  }

  #knote(i: number): Knote<T> | undefined {
    const knote = this.#knotes[checkInteger(i, 'i', 0, this.#length - 1)];
    return knote?.isCurrent === true ? knote : undefined;
  }
}

import { checkInteger } from '../errors.js';
import { POLLERR, POLLHUP } from '../sys/constants.js';
import { epollEventLayout } from '../sys/epoll-event-array.js';
import { MUTED_GENERATION, NO_GENERATION, RegistrationTable } from './registration-table.js';

const { words, dataLow, dataHigh } = epollEventLayout;
const CAPACITY_MAX = 65_536;
/** Kernels report these whether they were asked for or not; poll(2) and epoll(7) number them alike. */
const ALWAYS = POLLERR | POLLHUP;

/**
 * What the batches of `Epoll` and `Poller` have in common: the events of one wait, each judged
 * when it is looked at.
 */
export abstract class EventBatch<T> {
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
   * What was registered with the descriptor of event `i`; `undefined` if the event is stale.
   *
   * @throws `ERR_OUT_OF_RANGE` unless 0 <= i < length
   */
  data(i: number): T | undefined {
    const fd = this.#fdAt(i);
    return this.#isStale(i, fd) ? undefined : this.#table.data(fd);
  }

  /** What of event `i` is asked for now, or comes unasked, as uint32; 0 if it is stale. @internal */
  conditions(i: number): number {
    const fd = this.#fdAt(i);
    if (this.#isStale(i, fd)) return 0;
    const reported = this.#words[i * words] as number;
    return (reported & (this.#table.interest(fd) | ALWAYS)) >>> 0;
  }

  /** The memory that is filled. @internal */
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
    const memory = this.#words;
    this.#table = table;
    let kept = 0;
    let ghosts = 0;
    for (let i = 0; i < count; i++) {
      const from = i * words;
      const fd = memory[from + dataLow] as number;
      if (this.#isStale(i, fd)) {
        if (memory[from + dataHigh] !== MUTED_GENERATION) ghosts++;
        continue;
      }
      if (kept !== i) memory.copyWithin(kept * words, from, from + words);
      memory[kept * words] = this.implied(memory[from] as number, table.interest(fd));
      kept++;
    }
    this.#length = kept;
    return ghosts;
  }

  /** What reported conditions mean for who has asked for `interest`. @internal */
  protected abstract implied(conditions: number, interest: number): number;

  #fdAt(i: number): number {
    checkInteger(i, 'i', 0, this.#length - 1);
    return this.#words[i * words + dataLow] as number;
  }

  #isStale(i: number, fd: number): boolean {
    const generation = this.#words[i * words + dataHigh] as number;
    return generation === NO_GENERATION || generation !== this.#table.generation(fd);
  }
}

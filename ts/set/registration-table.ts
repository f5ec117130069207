/**
 * What a set watches: descriptor → generation, interest, data.
 *
 * The generation tells a registration from the one before it on the same number. The kernel
 * keeps generation and descriptor with each registration and gives both back with each event, so
 * an event of a registration that is gone is told from one of its successor.
 *
 * Arrays indexed by descriptor, because descriptors are small numbers, and because looking at an
 * event must cost nanoseconds. The table follows the kernel: it is changed after the kernel has
 * agreed, so that a refused call has nothing to undo.
 *
 * Free of epoll: every kind of set keeps its registrations in one of these.
 */

/** No registration: generations begin at 1. @internal */
export const NO_GENERATION = 0;

/**
 * What the kernel keeps with a registration that is to say nothing until it is changed: a
 * one-shot that had fired before its set was built anew. No registration has it in the table.
 * @internal
 */
export const MUTED_GENERATION = 0xffffffff;

const FIRST_CAPACITY = 64;
const GENERATION_MAX = 0xfffffffe;

/** A registration, as `get` and `entries` show it. */
export interface Registration<T> {
  /** The descriptor. */
  readonly fd: number;
  /** What is asked for, as uint32. */
  readonly events: number;
  /** What came with `add` or the last `modify`. */
  readonly data: T | undefined;
}

/** @internal */
export class RegistrationTable<T> {
  #generations = new Uint32Array(FIRST_CAPACITY);
  #interests = new Uint32Array(FIRST_CAPACITY);
  #data: (T | undefined)[] = [];
  #size = 0;
  #lastGeneration = NO_GENERATION;

  get size(): number {
    return this.#size;
  }

  /** By descriptor, for the addon. Another array once the table has grown. */
  get generations(): Uint32Array {
    return this.#generations;
  }

  /** By descriptor, for the addon. Another array once the table has grown. */
  get interests(): Uint32Array {
    return this.#interests;
  }

  /** The generation of the registration that a call is about to make. */
  nextGeneration(): number {
    return this.#lastGeneration === GENERATION_MAX ? 1 : this.#lastGeneration + 1;
  }

  /** 0 if the descriptor is not registered. */
  generation(fd: number): number {
    return this.#generations[fd] ?? NO_GENERATION;
  }

  interest(fd: number): number {
    return this.#interests[fd] ?? 0;
  }

  data(fd: number): T | undefined {
    return this.#data[fd];
  }

  has(fd: number): boolean {
    return this.generation(fd) !== NO_GENERATION;
  }

  /** Enters a registration that the kernel has accepted, in the place of the one before it. */
  enter(fd: number, generation: number, interest: number, data: T | undefined): void {
    this.#reserve(fd);
    if (this.#generations[fd] === NO_GENERATION) this.#size++;
    // A change keeps its generation, and must not set the count back to it.
    if (this.#generations[fd] !== generation) this.#lastGeneration = generation;
    this.#generations[fd] = generation;
    this.#interests[fd] = interest;
    this.#data[fd] = data;
  }

  /**
   * Gives a registration another generation, so that events of the present one become stale. Used
   * when the kernel has denied it: then its descriptor was closed, and what still comes is a ghost.
   */
  disown(fd: number): void {
    if (!this.has(fd)) return;
    this.#lastGeneration = this.nextGeneration();
    this.#generations[fd] = this.#lastGeneration;
  }

  /** Makes room for a descriptor. Throws if there is no memory for it. */
  #reserve(fd: number): void {
    if (fd < this.#generations.length) return;
    const capacity = Math.max(fd + 1, 2 * this.#generations.length);
    const generations = new Uint32Array(capacity);
    const interests = new Uint32Array(capacity);
    generations.set(this.#generations);
    interests.set(this.#interests);
    this.#generations = generations;
    this.#interests = interests;
    // Filled to the end: a sparse array would be slow to look at. Not by pushes, which leave arrays
    // of every size between behind, and room for more than the descriptors there are.
    const { length } = this.#data;
    this.#data.length = capacity;
    this.#data.fill(undefined, length);
  }

  remove(fd: number): void {
    if (!this.has(fd)) return;
    this.#generations[fd] = NO_GENERATION;
    this.#interests[fd] = 0;
    this.#data[fd] = undefined;
    this.#size--;
  }

  clear(): void {
    this.#generations.fill(NO_GENERATION);
    this.#interests.fill(0);
    this.#data = new Array<T | undefined>(this.#data.length).fill(undefined);
    this.#size = 0;
  }

  get(fd: number): Registration<T> | undefined {
    if (!this.has(fd)) return undefined;
    return { fd, events: this.interest(fd), data: this.data(fd) };
  }

  *entries(): IterableIterator<Registration<T>> {
    for (let fd = 0; fd < this.#generations.length; fd++) {
      const registration = this.get(fd);
      if (registration !== undefined) yield registration;
    }
  }
}

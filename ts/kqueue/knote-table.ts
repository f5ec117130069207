/**
 * What a kqueue watches: filter and ident → generation, and what was asked for.
 *
 * The kernel keeps the generation as `udata` and gives it back with each event: an event of a knote
 * that is gone is told from one of its successor. The table follows the kernel: it is changed after
 * the kernel has agreed.
 */

/** A knote, as `get` and `entries` show it. */
export interface KnoteRegistration<T> {
  /** A descriptor, a process, a signal, or a number of your own. */
  readonly ident: number;
  /** `EVFILT_READ` … */
  readonly filter: number;
  /** The mode that it was added with: `EV_CLEAR`, `EV_ONESHOT`, `EV_DISPATCH` … */
  readonly flags: number;
  /** What the filter was told. */
  readonly fflags: number;
  /** What the filter was told. */
  readonly data: number | bigint;
  /** What came with the change that added it, or with a later one. */
  readonly udata: T | undefined;
}

/** @internal */
export interface Knote<T> extends KnoteRegistration<T> {
  readonly generation: number;
  udata: T | undefined;
  /** Events of it may be shown. */
  isCurrent: boolean;
  /** The kernel has removed it, because it was to report once. */
  hasFired: boolean;
}

const GENERATION_MAX = 0xffffffff;

/** @internal */
export class KnoteTable<T> {
  readonly #byFilter = new Map<number, Map<number, Knote<T>>>();
  #fired: Knote<T>[] = [];
  #lastGeneration = 0;

  /** The generation of the knote that a call is about to make. Begins at 1: 0 is none. */
  nextGeneration(): number {
    this.#lastGeneration = this.#lastGeneration === GENERATION_MAX ? 1 : this.#lastGeneration + 1;
    return this.#lastGeneration;
  }

  /** The knote, also one that has fired and whose event is still being worked off. */
  find(filter: number, ident: number): Knote<T> | undefined {
    return this.#byFilter.get(filter)?.get(ident);
  }

  /** The knote that the kernel has. */
  get(filter: number, ident: number): Knote<T> | undefined {
    const knote = this.find(filter, ident);
    return knote?.hasFired === true ? undefined : knote;
  }

  /** Enters a knote in the place of the one before it, whose events become stale. */
  enter(knote: Knote<T>): void {
    this.remove(knote.filter, knote.ident);
    const knotes = this.#byFilter.get(knote.filter) ?? new Map<number, Knote<T>>();
    this.#byFilter.set(knote.filter, knotes.set(knote.ident, knote));
  }

  remove(filter: number, ident: number): void {
    const knotes = this.#byFilter.get(filter);
    const knote = knotes?.get(ident);
    if (knotes === undefined || knote === undefined) return;
    knote.isCurrent = false;
    knotes.delete(ident);
  }

  /** The kernel has reported a knote for the last time. Its event lives until the next wait. */
  fire(knote: Knote<T>): void {
    knote.hasFired = true;
    this.#fired.push(knote);
  }

  /** Forgets what has fired: the next wait begins. */
  endTurn(): void {
    if (this.#fired.length === 0) return;
    for (const knote of this.#fired) if (knote.isCurrent) this.remove(knote.filter, knote.ident);
    this.#fired = [];
  }

  clear(): void {
    for (const knotes of this.#byFilter.values()) {
      for (const knote of knotes.values()) knote.isCurrent = false;
    }
    this.#byFilter.clear();
    this.#fired = [];
  }

  *entries(): IterableIterator<Knote<T>> {
    for (const knotes of this.#byFilter.values()) {
      for (const knote of knotes.values()) if (!knote.hasFired) yield knote;
    }
  }
}

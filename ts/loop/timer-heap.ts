/**
 * A binary heap ordered by when its timers are due, and among equals by when they were armed. Each
 * timer knows its place, so that cancelling costs the logarithm of their number at most, as arming
 * does, and nothing is left behind. Why no wheel: docs/decisions/0029-heap-or-wheel.md.
 */

/** The place of a timer that is not armed. @internal */
export const NOWHERE = -1;

/** What the heap keeps of a timer. @internal */
export interface HeapItem {
  /** When it is due. */
  readonly due: number;
  /** Orders timers that are due at the same time. The heap's. */
  order: number;
  /** Where it is in the heap; {@link NOWHERE}. The heap's. */
  place: number;
}

/** @internal */
export class TimerHeap<T extends HeapItem> {
  readonly #timers: T[] = [];
  #order = 0;

  /** How many timers are armed. */
  get size(): number {
    return this.#timers.length;
  }

  /** When the next one is due; `Infinity` if there is none. */
  get nextDue(): number {
    return this.#timers[0]?.due ?? Number.POSITIVE_INFINITY;
  }

  insert(timer: T): void {
    timer.order = this.#order++;
    this.#timers.push(timer);
    this.#rise(timer, this.#timers.length - 1);
  }

  remove(timer: T): void {
    const { place } = timer;
    if (place === NOWHERE) return;
    timer.place = NOWHERE;
    const last = this.#timers.pop() as T;
    if (last === timer) return;
    // The last one takes the free place, and then belongs above it or below.
    this.#rise(last, place);
    this.#sink(last, last.place);
  }

  /**
   * Takes out the next timer that is due at `now` and was armed before `order`; `undefined` if
   * there is none.
   */
  takeDue(now: number, order: number): T | undefined {
    const first = this.#timers[0];
    if (first === undefined || first.due > now || first.order >= order) return undefined;
    this.remove(first);
    return first;
  }

  /** What every timer that is armed from now on has at least as its order. */
  get nextOrder(): number {
    return this.#order;
  }

  #rise(timer: T, from: number): void {
    const timers = this.#timers;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = timers[above] as T;
      if (!isBefore(timer, parent)) break;
      timers[place] = parent;
      parent.place = place;
      place = above;
    }
    timers[place] = timer;
    timer.place = place;
  }

  #sink(timer: T, from: number): void {
    const timers = this.#timers;
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= timers.length) break;
      if (below + 1 < timers.length && isBefore(timers[below + 1] as T, timers[below] as T)) {
        below++;
      }
      const child = timers[below] as T;
      if (!isBefore(child, timer)) break;
      timers[place] = child;
      child.place = place;
      place = below;
    }
    timers[place] = timer;
    timer.place = place;
  }
}

function isBefore(a: HeapItem, b: HeapItem): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

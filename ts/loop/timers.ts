/**
 * The timers of a loop: a binary heap ordered by when they are due, and among equals by when they
 * were armed. Each timer knows its place, so that cancelling costs the logarithm of their number,
 * as arming does, and nothing is left behind.
 */
import { outOfRange, invalidArgType } from '../errors.js';
import { KeepAlive, type MemberDescription } from './member.js';
import { checkText } from './owned.js';
import type { Scope } from './scope.js';

/** The place of a timer that is not armed. */
const NOWHERE = -1;

/** How a timer is armed. */
export interface TimerOptions {
  /** What it is called where open things are listed. */
  readonly label?: string;
  /** Whose it is. Default: the root of the loop. */
  readonly scope?: Scope;
}

/** What a loop runs once, or again and again, when its time has come. */
export class Timer extends KeepAlive implements Disposable {
  /** What it is called where open things are listed. */
  readonly label: string;
  /** When it is due, on the clock of `performance.now()`. @internal */
  due: number;
  /** Orders timers that are due at the same time. @internal */
  order = 0;
  /** Where it is in the heap. @internal */
  place: number = NOWHERE;
  readonly #heap: TimerHeap;
  readonly #intervalMs: number | undefined;
  readonly #callback: () => void;

  /** @internal */
  constructor(
    heap: TimerHeap,
    scope: Scope,
    delayMs: number,
    repeats: boolean,
    callback: () => void,
    { label = '' }: TimerOptions,
  ) {
    checkText('label', label);
    super(scope, scope.loop.track?.());
    this.label = label;
    this.#heap = heap;
    this.due = performance.now() + delayMs;
    this.#intervalMs = repeats ? delayMs : undefined;
    this.#callback = scope.inContext(callback);
    heap.insert(this);
    scope.adopt(this);
  }

  /** Whose it is. */
  get scope(): Scope {
    return this.owner as Scope;
  }

  /** Whether it is still to run. */
  get active(): boolean {
    return this.place !== NOWHERE;
  }

  /** Takes it back: it does not run any more, also when it is due in this very turn. */
  cancel(): void {
    this.#heap.remove(this);
    this.leave();
  }

  /** `cancel()`, for `using`. */
  [Symbol.dispose](): void {
    this.cancel();
  }

  /** @internal */
  end(): void {
    this.#heap.remove(this);
  }

  /** @internal */
  describe(): MemberDescription {
    return { kind: 'timer', label: this.label };
  }

  /** Runs it, out of the heap; an interval is armed again first. @internal */
  fire(now: number): void {
    if (this.#intervalMs === undefined) {
      this.leave();
    } else {
      // From when it was due, so that it does not drift; what was missed is not made up for.
      this.due = Math.max(this.due + this.#intervalMs, now);
      this.#heap.insert(this);
    }
    this.#callback();
  }
}

/** @internal */
export class TimerHeap {
  readonly #timers: Timer[] = [];
  #order = 0;

  /** How many timers are armed. */
  get size(): number {
    return this.#timers.length;
  }

  /** When the next one is due; `Infinity` if there is none. */
  get nextDue(): number {
    return this.#timers[0]?.due ?? Number.POSITIVE_INFINITY;
  }

  insert(timer: Timer): void {
    timer.order = this.#order++;
    this.#timers.push(timer);
    this.#rise(timer, this.#timers.length - 1);
  }

  remove(timer: Timer): void {
    const { place } = timer;
    if (place === NOWHERE) return;
    timer.place = NOWHERE;
    const last = this.#timers.pop() as Timer;
    if (last === timer) return;
    // The last one takes the free place, and then belongs above it or below.
    this.#rise(last, place);
    this.#sink(last, last.place);
  }

  /**
   * Takes out the next timer that is due at `now` and was armed before `order`; `undefined` if
   * there is none.
   */
  takeDue(now: number, order: number): Timer | undefined {
    const first = this.#timers[0];
    if (first === undefined || first.due > now || first.order >= order) return undefined;
    this.remove(first);
    return first;
  }

  /** What every timer that is armed from now on has at least as its order. */
  get nextOrder(): number {
    return this.#order;
  }

  #rise(timer: Timer, from: number): void {
    const timers = this.#timers;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = timers[above] as Timer;
      if (!isBefore(timer, parent)) break;
      timers[place] = parent;
      parent.place = place;
      place = above;
    }
    timers[place] = timer;
    timer.place = place;
  }

  #sink(timer: Timer, from: number): void {
    const timers = this.#timers;
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= timers.length) break;
      if (
        below + 1 < timers.length &&
        isBefore(timers[below + 1] as Timer, timers[below] as Timer)
      ) {
        below++;
      }
      const child = timers[below] as Timer;
      if (!isBefore(child, timer)) break;
      timers[place] = child;
      child.place = place;
      place = below;
    }
    timers[place] = timer;
    timer.place = place;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

/** @internal */
export function checkDelay(ms: unknown, name = 'ms'): number {
  if (typeof ms !== 'number') throw invalidArgType(name, 'number', ms);
  if (ms >= 0 && ms <= Number.MAX_SAFE_INTEGER) return ms;
  throw outOfRange(name, 'a number >= 0 and <= 2 ** 53 - 1', ms);
}

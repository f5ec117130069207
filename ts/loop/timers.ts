/** The timers of a loop, as its user has them in hand. */
import { performance } from 'node:perf_hooks';
import { outOfRange, invalidArgType } from '../errors.js';
import { KeepAlive, type MemberDescription } from './member.js';
import { checkText } from './owned.js';
import type { Scope } from './scope.js';
import { NOWHERE, type TimerHeap } from './timer-heap.js';

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
  readonly #heap: TimerHeap<Timer>;
  readonly #intervalMs: number | undefined;
  readonly #callback: () => void;

  /** @internal */
  constructor(
    heap: TimerHeap<Timer>,
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
export function checkDelay(ms: unknown, name = 'ms'): number {
  if (typeof ms !== 'number') throw invalidArgType(name, 'number', ms);
  if (ms >= 0 && ms <= Number.MAX_SAFE_INTEGER) return ms;
  throw outOfRange(name, 'a number >= 0 and <= 2 ** 53 - 1', ms);
}

import { AsyncLocalStorage } from 'node:async_hooks';
import { HostWatch } from '../epoll/host-watch.js';
import type { LiveWatcher, LiveWatchers } from '../epoll/live-watchers.js';

/** What is driven: a loop that can be visited, and says when it wants to be visited next. @internal */
export interface Driven {
  /** The descriptor of its set. */
  readonly fd: number;
  /** Who has to know when the set is replaced or closed. */
  readonly watchers: LiveWatchers;
  /** Runs what is ready, without waiting. */
  visit(): void;
  /** False once the run is over. */
  goesOn(): boolean;
  /** In how many milliseconds there is something to do that no descriptor tells of. */
  patience(): number;
}

/** The longest that a timer of Node waits: it is armed again then. */
const NODE_TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * Drives a loop from Node's: visits it when its set is readable, when its next timer is due, and
 * in the next phase of Node's loop when it says that there is more to do.
 * @internal
 */
export class HostDrive implements LiveWatcher {
  readonly #driven: Driven;
  #watch: HostWatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerDue = Number.POSITIVE_INFINITY;
  #immediate: NodeJS.Immediate | undefined;
  #visiting = false;
  /** The same from an immediate or a timer, which would bring the context of whoever has armed them. */
  readonly #visitInContext: () => void;
  #settle: { resolve: () => void; reject: (reason: Error) => void } | undefined;

  constructor(driven: Driven) {
    this.#driven = driven;
    this.#visitInContext = AsyncLocalStorage.bind(() => {
      this.#visit();
    });
  }

  /** Until it goes on no more, or throws. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      try {
        this.#watch = new HostWatch(this.#driven.fd, this.#visit);
        this.#driven.watchers.add(this);
        this.arm();
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /** Something has changed of which no descriptor tells: the next visit may be due at another time. */
  arm(): void {
    if (this.#settle === undefined || this.#visiting) return;
    if (!this.#driven.goesOn()) {
      this.lookAgain();
      return;
    }
    this.#arm();
  }

  #arm(): void {
    const patience = this.#driven.patience();
    if (patience <= 0) {
      this.#immediate ??= setImmediate(this.#visitInContext);
      return;
    }
    this.#watch?.start();
    this.#armTimer(patience);
  }

  /**
   * Something was taken out. If it was the last, the run is over, but not before the caller has
   * finished: he may put something else in.
   */
  lookAgain(): void {
    if (this.#settle === undefined || this.#visiting || this.#driven.goesOn()) return;
    this.#immediate ??= setImmediate(this.#visitInContext);
  }

  /** The set is closed. In a visit, how that ends decides how the run ends. */
  end(): void {
    const settle = this.#settle;
    this.#finish();
    if (!this.#visiting) settle?.resolve();
  }

  /** The set was replaced under its number. */
  move(): void {
    this.#watch?.move(this.#driven.fd);
  }

  readonly #visit = (): void => {
    const settle = this.#settle;
    if (settle === undefined) return;
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#visiting = true;
    try {
      this.#driven.visit();
    } catch (error) {
      this.#finish();
      settle.reject(error as Error);
    } finally {
      this.#visiting = false;
    }
    if (this.#settle === undefined) settle.resolve();
    else if (this.#driven.goesOn()) this.#arm();
    else this.end();
  };

  /** A timer that is armed for the same moment already stays: most visits change none. */
  #armTimer(patience: number): void {
    if (patience === Number.POSITIVE_INFINITY && this.#timer === undefined) return;
    const due = performance.now() + patience;
    if (this.#timer !== undefined && Math.abs(due - this.#timerDue) < 0.5) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerDue = due;
    if (patience === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#visitInContext();
      },
      Math.min(Math.ceil(patience), NODE_TIMER_MAX_MS),
    );
  }

  #fail(error: unknown): void {
    const settle = this.#settle;
    this.#finish();
    settle?.reject(error as Error);
  }

  #finish(): void {
    this.#settle = undefined;
    this.#watch?.close();
    this.#watch = undefined;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#driven.watchers.delete(this);
  }
}

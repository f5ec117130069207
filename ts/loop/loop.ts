import type { FdLike } from '../descriptor/fd-like.js';
import type { Stream } from '../descriptor/stream.js';
import { checkTimeout } from '../epoll/timeout.js';
import type { Waker } from '../epoll/waker.js';
import {
  checkOptions,
  closedError,
  invalidArgType,
  stateError,
  unavailableError,
} from '../errors.js';
import { Poller, type BackendName } from '../poller/poller.js';
import { PollerEvents } from '../poller/poller-events.js';
import { AgainLine } from './again.js';
import type { BufferPool, BufferPoolOptions } from './buffer-pool.js';
import { Connection, type ConnectionHandlers, type ConnectionOptions } from './connection.js';
import { ConnectionBuffers } from './connection-buffers.js';
import { HostDrive } from './host-drive.js';
import {
  LoopRegistration,
  Ready,
  type LoopRegisterOptions,
  type ReadyHandler,
} from './registration.js';
import { checkDelay, Timer, TimerHeap } from './timers.js';

/** How a loop is opened. */
export interface LoopOptions {
  /** The backend of its poller. Default: `auto`. */
  readonly backend?: BackendName;
  /** How many events a turn takes at most, 1 … 65,536. Default: 1,024. */
  readonly maxEvents?: number;
  /** The pool for the pending output of its connections. */
  readonly buffers?: BufferPoolOptions;
}

/** How a loop runs beside Node's own. */
export interface RunAsyncOptions {
  /** Ends the run, as `stop()` does. */
  readonly signal?: AbortSignal;
}

/** So often `runAsync` turns before Node's loop goes on, if there is always something ready. */
const TURNS_PER_VISIT = 8;
/** And no longer than this, if the handlers take their time. */
const VISIT_MS = 4;

/**
 * Handlers for descriptors, timers and deferred calls: the loop itself is yours.
 *
 * `turn()` waits once and runs what is ready, in this order: the handlers of the descriptors that
 * are ready, the timers that are due, the calls that were deferred. A handler may register,
 * modify, deregister or close anything, itself included. One that throws keeps no other from
 * running: the turn ends as ever, and throws then.
 *
 * @example
 * ```ts
 * using loop = new Loop();
 * loop.register(listener, READABLE, () => {
 *   for (let stream; (stream = listener.accept()) !== null; ) serve(loop, stream);
 * });
 * loop.setTimeout(60_000, () => loop.stop());
 * loop.run();
 * ```
 */
export class Loop implements Disposable {
  readonly #poller: Poller<LoopRegistration>;
  readonly #events: PollerEvents<LoopRegistration>;
  readonly #ready: Ready;
  readonly #again = new AgainLine();
  readonly #connections: ConnectionBuffers;
  readonly #timers = new TimerHeap();
  #deferred: (() => void)[] = [];
  #turning = false;
  #running = false;
  #stopped = false;
  #errors: unknown[] = [];
  #drive: HostDrive | undefined;

  /** @throws As `Poller`, `PollerEvents` and `BufferPool`. */
  constructor(options: LoopOptions = {}) {
    this.#events = new PollerEvents(checkOptions(options).maxEvents);
    this.#connections = new ConnectionBuffers(options.buffers);
    this.#poller = new Poller(options.backend === undefined ? {} : { backend: options.backend });
    this.#ready = new Ready(this.#events);
  }

  /** The name of the backend. */
  get backend(): string {
    return this.#poller.backend;
  }

  /** True once closed. */
  get closed(): boolean {
    return this.#poller.closed;
  }

  /** The buffers that its connections keep their pending output in. */
  get buffers(): BufferPool {
    return this.#connections.pool;
  }

  /** How many things keep it running: registrations, timers, deferred calls. */
  get size(): number {
    return this.#poller.size + this.#timers.size + this.#deferred.length;
  }

  /**
   * Has a handler run whenever a descriptor is ready.
   *
   * @param interest  `READABLE | WRITABLE | PRIORITY`
   * @throws As `Poller.add`.
   */
  register(
    fd: FdLike,
    interest: number,
    handler: ReadyHandler,
    options: LoopRegisterOptions = {},
  ): LoopRegistration {
    checkFunction(handler, 'handler');
    const registration = new LoopRegistration(
      this.#poller,
      this.#again,
      fd,
      interest,
      handler,
      options,
    );
    this.#drive?.arm();
    return registration;
  }

  /**
   * Takes a stream over, and has handlers run for what comes; see {@link Connection}.
   *
   * @param stream  Connected, or connecting. If this throws, it stays the caller's.
   * @throws As `register`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  connection(
    stream: Stream,
    handlers: ConnectionHandlers,
    options: ConnectionOptions = {},
  ): Connection {
    const connection = new Connection(this, this.#connections, stream, handlers, options);
    this.#connections.connections.add(connection);
    return connection;
  }

  /**
   * Has a function run once.
   *
   * @param ms  Milliseconds from now, fractions allowed. Never early; 0 runs in the next turn.
   * @throws `ERR_OUT_OF_RANGE` (NaN, negative, above 2 ** 53 - 1), `ERR_INVALID_ARG_TYPE`,
   *         `ERR_CLOSED`.
   */
  setTimeout(ms: number, callback: () => void): Timer {
    return this.#arm(checkDelay(ms), undefined, callback);
  }

  /**
   * Has a function run again and again. It does not drift; what was missed, because a turn took
   * too long, is not made up for.
   *
   * @throws As `setTimeout`.
   */
  setInterval(ms: number, callback: () => void): Timer {
    return this.#arm(checkDelay(ms), ms, callback);
  }

  /**
   * Has a function run at the end of this turn, or else of the next one, which does not wait then.
   * What a deferred function defers runs at the end of the turn after.
   *
   * @throws `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`
   */
  defer(callback: () => void): void {
    checkFunction(callback, 'callback');
    this.#checkOpen();
    this.#deferred.push(callback);
    this.#drive?.arm();
  }

  /** Ends the wait of a turn, from any thread; see {@link Waker}. Throws `ERR_CLOSED`. */
  waker(): Waker {
    return this.#poller.waker();
  }

  /**
   * Waits once, and runs what is ready then.
   *
   * @param timeoutMs  How long to wait for something at most, in milliseconds. Left out or
   *                   `Infinity`: until something is ready, due, or wakes it.
   * @returns          How many functions have run.
   * @throws What a function has thrown, at the end of the turn; of several, an `AggregateError`.
   *         `ERR_INVALID_STATE` in a turn of the same loop; and `ERR_CLOSED`,
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, and as `Poller.wait`.
   */
  turn(timeoutMs: number = Number.POSITIVE_INFINITY): number {
    checkTimeout(timeoutMs);
    this.#checkOpen();
    if (this.#turning) throw stateError('the loop is in a turn already');
    this.#turning = true;
    try {
      const events = this.#poller.wait(this.#events, this.#patience(timeoutMs));
      const again = this.#again.call();
      const count =
        this.#runReady(events) + this.#runAgain(again) + this.#runDue() + this.#runDeferred();
      this.#throwErrors();
      return count;
    } finally {
      this.#turning = false;
    }
  }

  /**
   * Turns until `stop()`, `close()`, or until nothing is left that could happen.
   *
   * @throws As `turn`; the loop can go on after that. `ERR_INVALID_STATE` if it runs already.
   *
   * Thread: blocks this one. No promise, timer or signal handler of Node runs meanwhile.
   */
  run(): void {
    this.#begin();
    try {
      while (this.#goesOn()) this.turn();
    } finally {
      this.#running = false;
    }
  }

  /**
   * The same beside Node's own loop: promises, timers, sockets and signal handlers of Node go on
   * between the turns. A loop that always has something ready lets Node's loop pass after a few
   * turns.
   *
   * @returns  Resolves when the run has ended, also when the signal ended it. Rejects with what a
   *           function has thrown.
   * @throws `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`: Node's loop cannot watch the backend (poll and
   *         select); `ERR_INVALID_STATE`: it runs already; `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`;
   *         SystemError as `Epoll.turns`. All of them as rejections.
   */
  async runAsync(options: RunAsyncOptions = {}): Promise<void> {
    const { signal } = checkOptions(options);
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw invalidArgType('options.signal', 'AbortSignal', signal);
    }
    this.#checkOpen();
    if (!this.#poller.supports.nested) {
      throw unavailableError(`runAsync() of backend ${this.backend}`);
    }
    this.#begin();
    const stop = (): void => {
      this.stop();
    };
    signal?.addEventListener('abort', stop);
    if (signal?.aborted === true) stop();
    this.#drive = new HostDrive({
      ...{ fd: this.#poller.fd, watchers: this.#poller.watchers },
      visit: () => {
        this.#visit();
      },
      goesOn: () => this.#goesOn(),
      patience: () => this.#patience(Number.POSITIVE_INFINITY),
    });
    try {
      await this.#drive.run();
    } finally {
      this.#drive = undefined;
      this.#running = false;
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Ends `run()` or `runAsync()` after this turn. Without one, nothing happens. */
  stop(): void {
    this.#stopped = true;
    this.#drive?.arm();
  }

  /**
   * Deregisters everything, cancels the timers, forgets what was deferred and closes the set. Then
   * closes its connections; other descriptors stay open. In a turn: nothing more of it runs. Again:
   * does nothing.
   *
   * @throws What `close` handlers of connections have thrown, once all have run; in a turn, at its
   *         end.
   */
  close(): void {
    if (this.closed) return;
    this.#poller.close();
    this.#timers.clear();
    this.#again.clear();
    this.#deferred = [];
    for (const connection of this.#connections.connections) {
      this.#attempt(() => {
        connection.endWithLoop();
      });
    }
    if (!this.#turning) this.#throwErrors();
  }

  /** `close()`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.closed) throw closedError('Loop');
  }

  #arm(ms: number, intervalMs: number | undefined, callback: () => void): Timer {
    checkFunction(callback, 'callback');
    this.#checkOpen();
    const timer = new Timer(this.#timers, performance.now() + ms, intervalMs, callback);
    this.#timers.insert(timer);
    this.#drive?.arm();
    return timer;
  }

  #begin(): void {
    this.#checkOpen();
    if (this.#running || this.#turning) throw stateError('the loop runs already');
    this.#running = true;
    this.#stopped = false;
  }

  #goesOn(): boolean {
    return !this.#stopped && !this.closed && this.size > 0;
  }

  /** How long a wait may take. */
  #patience(timeoutMs: number): number {
    if (this.#deferred.length > 0 || this.#again.size > 0) return 0;
    if (this.#timers.size === 0) return timeoutMs;
    return Math.min(timeoutMs, Math.max(0, this.#timers.nextDue - performance.now()));
  }

  #runReady(events: number): number {
    let count = 0;
    for (let i = 0; i < events && !this.closed; i++) {
      try {
        if (this.#ready.dispatch(i)) count++;
      } catch (error) {
        this.#errors.push(error);
        count++;
      }
    }
    return count;
  }

  #runAgain(registrations: readonly LoopRegistration[]): number {
    if (registrations.length === 0) return 0;
    let count = 0;
    for (const registration of registrations) {
      if (this.closed) break;
      if (!this.#again.awaits(registration)) continue;
      try {
        if (this.#ready.dispatchAgain(registration)) count++;
      } catch (error) {
        this.#errors.push(error);
        count++;
      }
    }
    this.#again.dismiss();
    return count;
  }

  /** What is armed by those that run now waits for the next turn, and so nobody starves. */
  #runDue(): number {
    if (this.#timers.size === 0) return 0;
    const now = performance.now();
    const order = this.#timers.nextOrder;
    let count = 0;
    for (let timer; (timer = this.#timers.takeDue(now, order)) !== undefined;) {
      const due = timer;
      this.#attempt(() => {
        due.fire(now);
      });
      count++;
    }
    return count;
  }

  #runDeferred(): number {
    if (this.#deferred.length === 0) return 0;
    const deferred = this.#deferred;
    this.#deferred = [];
    let count = 0;
    for (const callback of deferred) {
      if (this.closed) break;
      this.#attempt(callback);
      count++;
    }
    return count;
  }

  #attempt(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#errors.push(error);
    }
  }

  #throwErrors(): void {
    if (this.#errors.length === 0) return;
    const errors = this.#errors;
    this.#errors = [];
    if (errors.length === 1) throw errors[0];
    throw new AggregateError(errors, `${String(errors.length)} functions of a turn have thrown`);
  }

  /** Some turns without waiting. */
  #visit(): void {
    const until = performance.now() + VISIT_MS;
    for (let i = 0; i < TURNS_PER_VISIT && this.#goesOn(); i++) {
      if (this.turn(0) === 0 || performance.now() > until) return;
    }
  }
}

function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw invalidArgType(name, 'function', value);
}

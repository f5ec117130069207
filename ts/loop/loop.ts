import { performance } from 'node:perf_hooks';
import type { FdLike } from '../descriptor/fd-like.js';
import type { Stream } from '../descriptor/stream.js';
import type { SpinOptions } from '../epoll/spin.js';
import { checkTimeout } from '../epoll/timeout.js';
import type { Waker } from '../epoll/waker.js';
import {
  checkOptions,
  closedError,
  invalidArgType,
  NO_OPTIONS,
  stateError,
  unavailableError,
} from '../errors.js';
import { onAbort } from '../on-abort.js';
import { binding } from '../native.js';
import type { PollerSupports } from '../poller/backend.js';
import { Poller, whenForgotten, type BackendName } from '../poller/poller.js';
import { READABLE } from '../poller/conditions.js';
import { PollerEvents } from '../poller/poller-events.js';
import { AgainLine, NO_TURN } from './again.js';
import type { BufferPool, BufferPoolOptions } from './buffer-pool.js';
import { Connection, type ConnectionHandlers, type ConnectionOptions } from './connection.js';
import { ConnectionBuffers } from './connection-buffers.js';
import { isTracking } from '../descriptor/leak-detector.js';
import { stackOfCaller } from '../descriptor/made-at.js';
import type { LoopEntry } from './entries.js';
import { HostDrive } from './host-drive.js';
import {
  LoopRegistration,
  Ready,
  type LoopRegisterOptions,
  type ReadyHandler,
} from './registration.js';
import { Scope, throwAll, type ScopeOptions } from './scope.js';
import { checkGrace, Shutdown, type ShutdownOptions } from './shutdown.js';
import {
  LoopSignals,
  SignalWatch,
  type Listen,
  type SignalHandler,
  type SignalOptions,
} from './signals.js';
import { TimerHeap } from './timer-heap.js';
import { checkDelay, Timer, type TimerOptions } from './timers.js';

/** How a loop is opened. */
export interface LoopOptions extends SpinOptions {
  /** The backend of its poller. Default: `auto`. */
  readonly backend?: BackendName;
  /** How many events a turn takes at most, 1 … 65,536. Default: 1,024. */
  readonly maxEvents?: number;
  /** The pool for the pending output of its connections. */
  readonly buffers?: BufferPoolOptions;
  /**
   * Remembers the line that makes each thing, for `entries()`. It costs some microseconds for
   * each. Default: as {@link trackDescriptors} says.
   */
  readonly track?: boolean;
}

/** How a function is deferred. */
export interface DeferOptions {
  /** Whose it is: it does not run if this is closed by then. Default: the root of the loop. */
  readonly scope?: Scope;
}

/** How a loop runs beside Node's own. */
export interface RunAsyncOptions {
  /** Ends the run, as `stop()` does. */
  readonly signal?: AbortSignal;
}

const { ticks } = binding.host;

/** So often `runAsync` turns before Node's loop goes on, if there is always something ready. */
const TURNS_PER_VISIT = 8;
/** And no longer than this, if the handlers take their time. Microseconds. */
const VISIT_US = 4000;
/** `ticks()` begins again at this. */
const TICKS_MASK = 2 ** 31 - 1;

/**
 * Handlers for descriptors, timers and deferred calls: the loop itself is yours.
 *
 * `turn()` waits once and runs what is ready, in this order: the handlers of the descriptors that
 * are ready, the timers that are due, the calls that were deferred. A handler may register,
 * modify, deregister or close anything, itself included. One that throws keeps no other from
 * running: its error goes to its {@link Scope}, and if none handles it the turn ends as ever, and
 * throws then.
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
  /** Owns what no other scope owns, and the scopes themselves. Closed with the loop. */
  readonly root: Scope;
  /** Tells the line that makes something. @internal */
  readonly track: (() => string) | undefined;
  /** @internal */
  readonly poller: Poller<LoopRegistration>;
  readonly #events: PollerEvents<LoopRegistration>;
  readonly #ready: Ready;
  readonly #again = new AgainLine();
  readonly #connections: ConnectionBuffers;
  readonly #timers = new TimerHeap<Timer>();
  readonly #signals: LoopSignals;
  #deferred: (() => void)[] = [];
  #deferredBy: Scope[] = [];
  #unreferenced = 0;
  #shutdown: Shutdown | undefined;
  #turning = false;
  #running = false;
  #stopped = false;
  #errors: unknown[] = [];
  #drive: HostDrive | undefined;

  /** @throws As `Poller`, `PollerEvents` and `BufferPool`. */
  constructor(options: LoopOptions = {}) {
    const { backend, maxEvents, buffers, spinUs, track = isTracking() } = checkOptions(options);
    if (typeof track !== 'boolean') throw invalidArgType('options.track', 'boolean', track);
    this.#events = new PollerEvents(maxEvents);
    this.#connections = new ConnectionBuffers(buffers);
    this.poller = new Poller({
      ...(backend !== undefined && { backend }),
      ...(spinUs !== undefined && { spinUs }),
    });
    whenForgotten(this.poller, (registration) => {
      (registration as LoopRegistration).leave();
    });
    this.#ready = new Ready(this.#events);
    this.track = track ? stackOfCaller : undefined;
    this.root = new Scope(this, undefined, 'root');
    this.#signals = new LoopSignals(this.#listenUnseen(new Scope(this, undefined, 'signals')));
  }

  /** The name of the backend. */
  get backend(): string {
    return this.poller.backend;
  }

  /** What the backend can do. */
  get supports(): PollerSupports {
    return this.poller.supports;
  }

  /** True once closed. */
  get closed(): boolean {
    return this.root.closed;
  }

  /** The buffers that its connections keep their pending output in. */
  get buffers(): BufferPool {
    return this.#connections.pool;
  }

  /**
   * How many things keep it running: registrations and timers that are not `unref()`ed, and
   * deferred calls. Signals do not.
   */
  get size(): number {
    return this.poller.size + this.#timers.size - this.#unreferenced + this.#deferred.length;
  }

  /** `run()` has the thread: nothing of Node's own loop happens until it ends. @internal */
  get ownsThread(): boolean {
    return this.#running && this.#drive === undefined;
  }

  /** True from the beginning of a shutdown to its end. */
  get draining(): boolean {
    return this.#shutdown?.done === false;
  }

  /** Opens a scope under the root; see {@link Scope}. Throws as `Scope.scope`. */
  scope(name: string, options: ScopeOptions = {}): Scope {
    return this.root.scope(name, options);
  }

  /**
   * Has a handler run whenever a descriptor is ready.
   *
   * @param interest  `READABLE | WRITABLE | PRIORITY`
   * @throws As `Poller.add`, so `EOPNOTSUPP` where `supports.exclusive` is false and `exclusive` is
   *         asked for; and `ERR_CLOSED`: the scope is closed.
   */
  register(
    fd: FdLike,
    interest: number,
    handler: ReadyHandler,
    options: LoopRegisterOptions = NO_OPTIONS,
  ): LoopRegistration {
    checkFunction(handler, 'handler');
    const scope = this.#ownerOf(options);
    const registration = new LoopRegistration(scope, fd, interest, handler, options);
    this.#drive?.arm();
    return registration;
  }

  /**
   * Takes a stream over, and has handlers run for what comes; see {@link Connection}.
   *
   * @param stream  Connected, or connecting. If this throws, it stays the caller's; if not, a scope
   *                that owned it has lost it to the connection.
   * @throws As `register`; `ERR_INVALID_STATE`: another connection has it; `ERR_INVALID_ARG_TYPE`,
   *         `ERR_OUT_OF_RANGE`
   */
  connection(
    stream: Stream,
    handlers: ConnectionHandlers,
    options: ConnectionOptions = {},
  ): Connection {
    return new Connection(this.#ownerOf(options), this.#connections, stream, handlers, options);
  }

  /**
   * Has a function run once.
   *
   * @param ms  Milliseconds from now, fractions allowed. Never early; 0 runs in the next turn.
   * @throws `ERR_OUT_OF_RANGE` (NaN, negative, above 2 ** 53 - 1), `ERR_INVALID_ARG_TYPE`,
   *         `ERR_CLOSED`.
   */
  setTimeout(ms: number, callback: () => void, options: TimerOptions = {}): Timer {
    return this.#arm(ms, false, callback, options);
  }

  /**
   * Has a function run again and again. It does not drift; what was missed, because a turn took
   * too long, is not made up for.
   *
   * @throws As `setTimeout`.
   */
  setInterval(ms: number, callback: () => void, options: TimerOptions = {}): Timer {
    return this.#arm(ms, true, callback, options);
  }

  /**
   * Has a function run at the end of this turn, or else of the next one, which does not wait then.
   * What a deferred function defers runs at the end of the turn after.
   *
   * @throws `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`
   */
  defer(callback: () => void, options: DeferOptions = {}): void {
    checkFunction(callback, 'callback');
    const scope = this.#scopeOf(options);
    this.#deferred.push(scope.inContext(callback));
    this.#deferredBy.push(scope);
    this.#drive?.arm();
  }

  /**
   * Has a function run in a turn of this loop whenever a signal has come to the process, instead of
   * what the signal does otherwise. A watch does not keep the loop running: `run()` and
   * `runAsync()` end when nothing else is left.
   *
   * Every loop that watches a signal is told of it, on every thread. Signals of one name that come
   * before a turn are one; none is lost. While nobody turns the loop, nothing happens, and Ctrl-C
   * does nothing. `process.on` may be used beside it. docs/guides/signals.md has all of it.
   *
   * @param signal  As Node names them: `'SIGINT'`.
   * @throws SystemError
   * | code   | when |
   * | ------ | --- |
   * | EINVAL | `SIGKILL` and `SIGSTOP` cannot be caught |
   * | EMFILE, ENFILE | there is no descriptor left for the pipe that the first watch opens |
   *
   * and `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`; `ERR_OUT_OF_RANGE`: there is no signal of that name
   * here, or it is a fault of the program itself (`SIGBUS`, `SIGFPE`, `SIGILL`, `SIGSEGV`,
   * `SIGSYS`, `SIGTRAP`), which a turn of a loop is too late for.
   *
   * See also: sigaction(2) <https://man7.org/linux/man-pages/man2/sigaction.2.html>
   */
  onSignal(
    signal: NodeJS.Signals,
    handler: SignalHandler,
    options: SignalOptions = {},
  ): SignalWatch {
    checkFunction(handler, 'handler');
    return new SignalWatch(this.#signals, this.#ownerOf(options), signal, handler, options);
  }

  /** What is open in it, in the order of its making, scope by scope. */
  *entries(): IterableIterator<LoopEntry> {
    yield* this.root.entries();
  }

  /** `root.assertEmpty()`: for tests. Throws `ERR_ASSERTION`. */
  assertEmpty(): void {
    this.root.assertEmpty();
  }

  /** The registration of a descriptor. @internal */
  registrationOf(fd: number): LoopRegistration | undefined {
    return this.poller.dataOf(fd);
  }

  /** Ends the wait of a turn, from any thread; see {@link Waker}. Throws `ERR_CLOSED`. */
  waker(): Waker {
    return this.poller.waker();
  }

  /**
   * Waits once, and runs what is ready then.
   *
   * @param timeoutMs  How long to wait for something at most, in milliseconds. Left out or
   *                   `Infinity`: until something is ready, due, or wakes it.
   * @returns          How many functions have run; those of signals count as one.
   * @throws What a function has thrown and no scope has handled, at the end of the turn; of
   *         several, an `AggregateError`.
   *         `ERR_INVALID_STATE` in a turn of the same loop; and `ERR_CLOSED`,
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`, and as `Poller.wait`.
   */
  turn(timeoutMs: number = Number.POSITIVE_INFINITY): number {
    checkTimeout(timeoutMs);
    this.#checkOpen();
    if (this.#turning) throw stateError('the loop is in a turn already');
    this.#turning = true;
    try {
      const events = this.poller.wait(this.#events, this.#patience(timeoutMs));
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
      this.#throwErrors();
    } finally {
      this.#running = false;
    }
  }

  /**
   * The same beside Node's own loop: promises, timers, sockets and signal handlers of Node go on
   * between the turns. A loop that always has something ready lets Node's loop pass after a few
   * turns. What is `unref()`ed does not keep the run going, as in `run()`; the run itself keeps Node
   * alive until it ends.
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
    if (!this.poller.supports.nested) {
      throw unavailableError(`runAsync() of backend ${this.backend}`);
    }
    this.#begin();
    const stop = (): void => {
      this.stop();
    };
    const cut = signal && onAbort(signal, stop);
    if (signal?.aborted === true) stop();
    this.#drive = new HostDrive({
      ...{ fd: this.poller.fd, watchers: this.poller.watchers },
      visit: () => {
        this.#visit();
      },
      goesOn: () => this.#goesOn(),
      patience: () => this.#patience(Number.POSITIVE_INFINITY),
    });
    try {
      await this.#drive.run();
      this.#throwErrors();
    } finally {
      this.#drive = undefined;
      this.#running = false;
      cut?.();
    }
  }

  /** Ends `run()` or `runAsync()` after this turn. Without one, nothing happens. */
  stop(): void {
    this.#stopped = true;
    this.#drive?.arm();
  }

  /**
   * Ends the loop's work with grace: listeners are closed, then what is idle, then, as it is done
   * or when the time has come, the rest; see {@link Shutdown}. `run()` or `runAsync()` returns
   * when all is closed. Again: the earlier deadline counts, so `graceMs: 0` forces at once. A loop
   * that is used again after that can be shut down again.
   *
   * The loop has to turn meanwhile.
   *
   * @throws `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  shutdown(options: ShutdownOptions): Shutdown {
    const graceMs = checkGrace(options);
    this.#checkOpen();
    const earlier = this.#shutdown;
    if (earlier !== undefined && (!earlier.done || this.root.members().length === 0)) {
      earlier.hurry(graceMs);
      return earlier;
    }
    this.#shutdown = new Shutdown(this);
    this.#shutdown.begin(graceMs);
    return this.#shutdown;
  }

  /**
   * Has signals shut it down: the first one begins, with this grace, and one that comes while a
   * shutdown is going on forces it at once. Once all is closed they do what they did before.
   *
   * @param signals  `['SIGINT', 'SIGTERM']`
   * @throws As `onSignal` and `shutdown`; none of the signals is watched then.
   */
  shutdownOn(signals: readonly NodeJS.Signals[], options: ShutdownOptions): void {
    if (!Array.isArray(signals)) throw invalidArgType('signals', 'Array', signals);
    const graceMs = checkGrace(options);
    const watches: SignalWatch[] = [];
    try {
      for (const signal of signals as readonly NodeJS.Signals[]) {
        const end = (): void => {
          this.shutdown({ graceMs: this.draining ? 0 : graceMs });
        };
        watches.push(this.onSignal(signal, end));
      }
    } catch (error) {
      for (const watch of watches) watch.close();
      throw error;
    }
  }

  /**
   * Closes the scopes and all they own, deregisters everything, cancels the timers, forgets what
   * was deferred and closes the set. Descriptors that no scope owns stay open. In a turn: nothing
   * more of it runs. Again: does nothing.
   *
   * @throws As `Scope.close`, when all is closed.
   */
  close(): void {
    if (this.root.closed) return;
    const errors: unknown[] = [];
    this.root.end(undefined, errors);
    this.poller.close();
    this.#again.clear();
    this.#deferred = [];
    this.#deferredBy = [];
    this.#shutdown?.finish();
    this.#errors.push(...errors);
    // In a turn or a run they leave at its end.
    if (!this.#turning && !this.#running) this.#throwErrors();
  }

  /** `close()`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Takes an error that no scope has handled. @internal */
  report(error: unknown): void {
    this.#errors.push(error);
    this.#drive?.arm();
  }

  /** @internal */
  countUnreferenced(change: number): void {
    this.#unreferenced += change;
    this.#drive?.lookAgain();
  }

  /** Something has left it, which may have been the last. @internal */
  hasLost(): void {
    this.#drive?.lookAgain();
  }

  /** A handler is to run without an event. @internal */
  callAgain(registration: LoopRegistration): void {
    this.#again.add(registration);
    this.#drive?.arm();
  }

  /** The last work of a scope is done. @internal */
  workEnded(): void {
    this.#shutdown?.workEnded();
  }

  /** Ends all that the root owns, and the run. @internal */
  endMembers(): void {
    const errors: unknown[] = [];
    this.root.clearForGood(errors);
    for (const error of errors) this.report(error);
    this.stop();
  }

  #checkOpen(): void {
    if (this.closed) throw closedError('Loop');
  }

  /** Whose a thing is to be. */
  #scopeOf(options: { readonly scope?: Scope }): Scope {
    const { scope = this.root } = checkOptions(options);
    if (!(scope instanceof Scope) || scope.loop !== this) {
      throw invalidArgType('options.scope', 'Scope of this loop', scope);
    }
    this.#checkOpen();
    scope.checkOpen();
    return scope;
  }

  /** The same, of what is to be there until it is ended. */
  #ownerOf(options: { readonly scope?: Scope }): Scope {
    const scope = this.#scopeOf(options);
    scope.checkTakes();
    return scope;
  }

  /** Has a descriptor watched that keeps nothing running, and is no entry of what is open. */
  #listenUnseen(scope: Scope): Listen {
    return (fd, handler) => new LoopRegistration(scope, fd, READABLE, handler, NO_OPTIONS).unref();
  }

  #arm(ms: number, repeats: boolean, callback: () => void, options: TimerOptions): Timer {
    checkDelay(ms);
    checkFunction(callback, 'callback');
    const scope = this.#ownerOf(options);
    const timer = new Timer(this.#timers, scope, ms, repeats, callback, options);
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
    return !this.#stopped && !this.closed && (this.size > 0 || this.#errors.length > 0);
  }

  /** How long a wait may take. */
  #patience(timeoutMs: number): number {
    if (this.#deferred.length > 0 || this.#again.size > 0 || this.#errors.length > 0) return 0;
    if (this.#timers.size === 0) return timeoutMs;
    return Math.min(timeoutMs, Math.max(0, this.#timers.nextDue - performance.now()));
  }

  #runReady(events: number): number {
    let count = 0;
    for (let i = 0; i < events && !this.closed; i++) {
      const registration = this.#ready.turnTo(i);
      if (registration === undefined) continue;
      this.#run(registration);
      count++;
    }
    return count;
  }

  #runAgain(registrations: readonly LoopRegistration[]): number {
    if (registrations.length === 0) return 0;
    let count = 0;
    for (const registration of registrations) {
      if (this.closed) break;
      if (!this.#again.awaits(registration)) continue;
      if (!this.#ready.turnToAgain(registration)) continue;
      this.#run(registration);
      count++;
    }
    this.#again.dismiss();
    return count;
  }

  #run(registration: LoopRegistration): void {
    registration.askedAgainIn = NO_TURN;
    try {
      registration.handler(this.#ready);
    } catch (error) {
      registration.scope.fail(error);
    }
  }

  /** What is armed by those that run now waits for the next turn, and so nobody starves. */
  #runDue(): number {
    if (this.#timers.size === 0) return 0;
    const now = performance.now();
    const order = this.#timers.nextOrder;
    let count = 0;
    for (let timer; (timer = this.#timers.takeDue(now, order)) !== undefined;) {
      count++;
      try {
        timer.fire(now);
      } catch (error) {
        timer.scope.fail(error);
      }
    }
    return count;
  }

  #runDeferred(): number {
    if (this.#deferred.length === 0) return 0;
    const [deferred, scopes] = [this.#deferred, this.#deferredBy];
    [this.#deferred, this.#deferredBy] = [[], []];
    let count = 0;
    for (const [i, callback] of deferred.entries()) {
      const scope = scopes[i] as Scope;
      if (scope.closed) continue;
      count++;
      try {
        callback();
      } catch (error) {
        scope.fail(error);
      }
    }
    return count;
  }

  #throwErrors(): void {
    if (this.#errors.length === 0) return;
    const errors = this.#errors;
    this.#errors = [];
    throwAll(errors, 'functions of a turn have thrown');
  }

  /** Some turns without waiting. Allocates nothing, which the clocks of JavaScript do. */
  #visit(): void {
    const start = ticks();
    for (let i = 0; i < TURNS_PER_VISIT && this.#goesOn(); i++) {
      if (this.turn(0) === 0 || ((ticks() - start) & TICKS_MASK) > VISIT_US) return;
    }
  }
}

function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw invalidArgType(name, 'function', value);
}

import { AsyncLocalStorage } from 'node:async_hooks';
import type { FdLike } from '../descriptor/fd-like.js';
import type { Stream } from '../descriptor/stream.js';
import {
  checkOptions,
  closedError,
  invalidArgType,
  stateError,
  type CodedError,
} from '../errors.js';
import { onAbort } from '../on-abort.js';
import type { Connection, ConnectionHandlers, ConnectionOptions } from './connection.js';
import { describeMembers, refuseEntries, type LoopEntry } from './entries.js';
import type { Loop } from './loop.js';
import { Member, MemberList } from './member.js';
import { checkOwnOptions, Owned, type OwnOptions } from './owned.js';
import type { LoopRegisterOptions, LoopRegistration, ReadyHandler } from './registration.js';
import type { SignalHandler, SignalOptions, SignalWatch } from './signals.js';
import { checkDelay, type Timer, type TimerOptions } from './timers.js';

/** How a scope is opened. */
export interface ScopeOptions {
  /**
   * Closes it after so many milliseconds, with a `TimeoutError` (a `DOMException`, as
   * `AbortSignal.timeout` has it) as the reason. It is closed then, not failed: nothing rises.
   */
  readonly timeoutMs?: number;
  /** Closes it when this is aborted, with its reason. */
  readonly signal?: AbortSignal;
  /**
   * What runs in this scope, and in those under it, sees the values of `AsyncLocalStorage` that
   * are current where the scope is made. Off, it sees those of whoever turns the loop. Each call
   * of a handler costs more then, so it is asked for: docs/decisions/0028.
   */
  readonly inheritContext?: boolean;
}

/** Keeps a shutdown waiting. @see Scope.hold */
export class Hold implements Disposable {
  #scope: Scope | undefined;

  /** @internal */
  constructor(scope: Scope) {
    this.#scope = scope;
    scope.beginWork();
  }

  /** The work is done. Again: does nothing. */
  release(): void {
    const scope = this.#scope;
    this.#scope = undefined;
    scope?.endWork();
  }

  /** `release()`, for `using`. */
  [Symbol.dispose](): void {
    this.release();
  }
}

type Handler<A extends unknown[]> = (...args: A) => void;
type Snapshot = ReturnType<typeof AsyncLocalStorage.snapshot>;

/**
 * An owner: of registrations, timers, signals, descriptors, and of scopes under it. What it owns
 * ends when it is closed, in reverse order of its coming, and nothing is left behind.
 *
 * What a handler of the scope throws goes to `onError`. Without one the scope is closed with the
 * error as its reason, so that the siblings of what failed end too, and the error rises to the
 * scope above, which does the same. What rises to the root, and is not handled there, leaves
 * through `turn()`, `run()` or `runAsync()`; the root stays open.
 *
 * @example
 * ```ts
 * const server = loop.scope('server');
 * const listener = server.own(TcpListener.listen({ port: 8080 }));
 * server.register(listener, READABLE, () => {
 *   for (let stream; (stream = listener.accept()) !== null; ) {
 *     const connection = server.scope('connection', { timeoutMs: 30_000 });
 *     connection.onError = (error) => log(error), connection.close(error);
 *     serve(connection, connection.own(stream));
 *   }
 * });
 * ```
 */
export class Scope extends Member implements Disposable {
  /** Whose scope it is. */
  readonly loop: Loop;
  /** What it is called. */
  readonly name: string;
  /**
   * Called with what is thrown in this scope, or has risen to it, and with the scope where that
   * was. It is handled then; the scope stays open unless you close it. What `onError` throws
   * itself is not handled.
   */
  onError: ((error: unknown, from: Scope) => void) | undefined;
  /** Called once when a shutdown of the loop begins; see {@link draining}. */
  onDrain: (() => void) | undefined;
  readonly #members = new MemberList();
  readonly #context: Snapshot | undefined;
  readonly #cut: (() => void) | undefined;
  #abort: AbortController | undefined;
  #closed = false;
  /** All it owns is ending, though it stays open itself: it takes nothing new until that is over. */
  #clearing = false;
  #reason: unknown;
  /** Work in progress here, and here or anywhere below. */
  #work = 0;
  #workInAll = 0;

  /** @internal */
  constructor(loop: Loop, parent: Scope | undefined, name: string, options: ScopeOptions = {}) {
    const { timeoutMs, signal, inheritContext = false } = checkScopeOptions(name, options);
    super(parent, loop.track?.());
    this.loop = loop;
    this.name = name;
    this.#context = inheritContext ? AsyncLocalStorage.snapshot() : parent?.context;
    parent?.adopt(this);
    if (timeoutMs !== undefined) this.#closeAfter(timeoutMs);
    this.#cut = signal && this.#closeOn(signal);
  }

  /** The scope that it is in; `undefined` of the root. */
  get parent(): Scope | undefined {
    return this.owner;
  }

  /** The names from the root to here: `root/server/connection`. */
  get path(): string {
    return this.owner === undefined ? this.name : `${this.owner.path}/${this.name}`;
  }

  /** True once closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Why it was closed: what `close()` got, the error, or the reason of the scope above. */
  get reason(): unknown {
    return this.#reason;
  }

  /** True from the beginning of a shutdown of the loop: finish what you have, begin nothing. */
  get draining(): boolean {
    return this.loop.draining;
  }

  /**
   * For `fetch`, `node:timers/promises` and all else that takes a signal: aborted with the reason
   * when the scope is closed, before what it owns ends. Made when first asked for.
   */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#closed) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  /**
   * Opens a scope in this one.
   *
   * @param name  Any text; names need not differ.
   * @throws `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (`timeoutMs`).
   */
  scope(name: string, options: ScopeOptions = {}): Scope {
    this.checkTakes();
    return new Scope(this.loop, this, name, options);
  }

  /**
   * Takes over something that is to be closed with this scope: a descriptor of this library, or
   * whatever can be disposed of. A descriptor that is closed or released before leaves the scope
   * by itself; anything else, use {@link disown}. What another scope of the thread owns moves
   * here; not a registration, a timer or a connection, which stay where they were made.
   *
   * @returns  The same.
   * @throws `ERR_CLOSED`: the scope is closed; the resource is disposed of then, so that it is not
   *         lost. `ERR_INVALID_STATE`: what does not move. `ERR_INVALID_ARG_TYPE`.
   */
  own<T extends Disposable>(resource: T, options: OwnOptions = {}): T {
    checkResource(resource);
    checkOwnOptions(options);
    if (this.#closed || this.#clearing) {
      resource[Symbol.dispose]();
      this.checkTakes();
    }
    const earlier = Owned.holderOf(resource);
    if (earlier?.movable === false) throw belongsAlready();
    earlier?.leave();
    this.adopt(new Owned(this, resource, options));
    return resource;
  }

  /**
   * Gives up something that this scope owns, without disposing of it.
   *
   * @returns  Whether it owned it.
   */
  disown(resource: Disposable): boolean {
    const holder = Owned.holderOf(resource);
    if (!(holder instanceof Owned) || holder.owner !== this || !holder.movable) return false;
    holder.leave();
    return true;
  }

  /** `Loop.register`, owned by this scope. */
  register(
    fd: FdLike,
    interest: number,
    handler: ReadyHandler,
    options: Omit<LoopRegisterOptions, 'scope'> = {},
  ): LoopRegistration {
    return this.loop.register(fd, interest, handler, this.#mine(options));
  }

  /** `Loop.connection`, owned by this scope. */
  connection(
    stream: Stream,
    handlers: ConnectionHandlers,
    options: Omit<ConnectionOptions, 'scope'> = {},
  ): Connection {
    return this.loop.connection(stream, handlers, this.#mine(options));
  }

  /** `Loop.setTimeout`, owned by this scope. */
  setTimeout(ms: number, callback: () => void, options: Omit<TimerOptions, 'scope'> = {}): Timer {
    return this.loop.setTimeout(ms, callback, this.#mine(options));
  }

  /** `Loop.setInterval`, owned by this scope. */
  setInterval(ms: number, callback: () => void, options: Omit<TimerOptions, 'scope'> = {}): Timer {
    return this.loop.setInterval(ms, callback, this.#mine(options));
  }

  /** `Loop.onSignal`, owned by this scope. */
  onSignal(
    signal: NodeJS.Signals,
    handler: SignalHandler,
    options: Omit<SignalOptions, 'scope'> = {},
  ): SignalWatch {
    return this.loop.onSignal(signal, handler, this.#mine(options));
  }

  /** `Loop.defer`; does not run if the scope is closed by then. */
  defer(callback: () => void): void {
    this.loop.defer(callback, { scope: this });
  }

  /**
   * Says that work is in progress: a shutdown leaves this scope, all that it is in and all that is
   * in it open until the work is done, or its deadline has passed.
   *
   * ```ts
   * const work = scope.hold();
   * answer(request, () => work.release());
   * ```
   *
   * @throws `ERR_CLOSED`
   */
  hold(): Hold {
    this.checkOpen();
    return new Hold(this);
  }

  /**
   * Treats an error as if a handler of this scope had thrown it: the way for what runs elsewhere,
   * `promise.catch((error) => scope.fail(error))`. What reaches the root is thrown by the turn
   * that goes on, or by the next one. In a closed scope it begins with the one above.
   */
  fail(error: unknown): void {
    this.#rise(error, this);
  }

  /** What it and the scopes under it own, in the order of coming. */
  *entries(): IterableIterator<LoopEntry> {
    yield* describeMembers(this);
  }

  /**
   * For tests: nothing is open here.
   *
   * @throws `ERR_ASSERTION`, with a line for each thing that is.
   */
  assertEmpty(): void {
    refuseEntries(this);
  }

  /**
   * Closes it: `signal` is aborted, then everything it owns ends, the last first. Again: does
   * nothing. The root closes the loop.
   *
   * @throws What disposing has thrown, when all has ended; of several, an `AggregateError`.
   */
  close(reason?: unknown): void {
    if (this.owner === undefined) {
      this.loop.close();
      return;
    }
    throwAll(this.#close(reason), 'of what a scope owned could not be disposed of');
  }

  /** `close()`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  get context(): Snapshot | undefined {
    return this.#context;
  }

  /** @internal */
  checkOpen(): void {
    if (this.#closed) throw closedError(this.owner === undefined ? 'Loop' : 'Scope');
  }

  /** @internal */
  checkTakes(): void {
    this.checkOpen();
    if (this.#clearing) throw closedError('Loop');
  }

  /** Whether what is deferred here now can still run: while its loop closes, nothing turns. @internal */
  get hasTurns(): boolean {
    return !this.#closed && !this.loop.closed;
  }

  /** What a function runs as that belongs to this scope. @internal */
  inContext<A extends unknown[]>(callback: Handler<A>): Handler<A> {
    return this.#context === undefined ? callback : bind(this.#context, callback);
  }

  /** @internal */
  adopt(member: Member): void {
    this.#members.add(member);
  }

  /** It has ended by itself, or belongs to another scope now. @internal */
  lose(member: Member): void {
    this.#members.remove(member);
    this.loop.hasLost();
  }

  /** @internal */
  members(): Member[] {
    return this.#members.all();
  }

  /** @internal */
  beginWork(): void {
    this.#work++;
    this.#count(1);
  }

  /** @internal */
  endWork(): void {
    if (this.#closed) return;
    this.#work--;
    this.#count(-1);
    if (this.#work === 0) this.loop.workEnded();
  }

  /** Whether there is work here itself. @internal */
  get works(): boolean {
    return this.#work > 0;
  }

  /** Whether there is work here or below. @internal */
  get worksInAll(): boolean {
    return this.#workInAll > 0;
  }

  /** @internal */
  end(reason: unknown, errors: unknown[]): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reason = reason;
    this.#cut?.();
    this.#abort?.abort(reason);
    this.#clear(reason, errors);
    if (this.#work === 0) return;
    this.#count(-this.#work);
    this.loop.workEnded();
  }

  /** Ends all that the root owns; it stays open itself, for whoever uses the loop again. @internal */
  clearForGood(errors: unknown[]): void {
    this.#clearing = true;
    try {
      this.#clear(undefined, errors);
    } finally {
      this.#clearing = false;
    }
  }

  /** The options of a thing of this scope. */
  #mine<O extends object>(options: O): O & { scope: Scope } {
    // The key first: behind what is spread it would cost a hidden class for each call.
    const mine = { scope: this, ...checkOptions(options) };
    mine.scope = this;
    return mine;
  }

  #clear(reason: unknown, errors: unknown[]): void {
    for (let last; (last = this.#members.last) !== undefined;) {
      last.leave();
      last.end(reason, errors);
    }
    this.loop.hasLost();
  }

  /** Scopes are not listed, what they own is. @internal */
  describe(): undefined {
    return undefined;
  }

  #close(reason: unknown): unknown[] {
    const errors: unknown[] = [];
    this.leave();
    this.end(reason, errors);
    return errors;
  }

  #count(work: number): void {
    this.#workInAll += work;
    if (this.owner !== undefined) this.owner.#count(work);
  }

  /** Handles an error here, or closes this scope and goes to the one above. */
  #rise(error: unknown, from: Scope): void {
    let rising = error;
    if (!this.#closed && this.onError !== undefined) {
      try {
        this.inContext(this.onError.bind(this))(error, from);
        return;
      } catch (thrown) {
        rising = thrown;
      }
    }
    if (this.owner === undefined) {
      this.loop.report(rising);
      return;
    }
    for (const other of this.#close(rising)) this.loop.report(other);
    this.owner.#rise(rising, from);
  }

  #closeAfter(ms: number): void {
    const late = (): void => {
      this.close(
        new DOMException(`scope ${this.path}: ${String(ms)} ms have passed`, 'TimeoutError'),
      );
    };
    this.setTimeout(ms, late, { label: 'deadline' }).unref();
  }

  #closeOn(signal: AbortSignal): (() => void) | undefined {
    const close = (): void => {
      // What it throws would not reach the one who aborts, but end the process.
      const errors = this.#close(signal.reason);
      for (const error of errors) this.fail(error);
    };
    if (signal.aborted) {
      close();
      return undefined;
    }
    return onAbort(signal, close);
  }
}

/** In a function of its own: a function that makes another allocates for it whether it does or not. */
function bind<A extends unknown[]>(context: Snapshot, callback: Handler<A>): Handler<A> {
  return (...args) => {
    context(callback, ...args);
  };
}

/** @internal */
export function throwAll(errors: readonly unknown[], what: string): void {
  if (errors.length === 0) return;
  if (errors.length === 1) throw errors[0];
  throw new AggregateError(errors, `${String(errors.length)} ${what}`);
}

function checkScopeOptions(name: unknown, options: ScopeOptions): ScopeOptions {
  if (typeof name !== 'string') throw invalidArgType('name', 'string', name);
  const { timeoutMs, signal, inheritContext } = checkOptions(options);
  if (timeoutMs !== undefined) checkDelay(timeoutMs, 'timeoutMs');
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'AbortSignal', signal);
  }
  if (inheritContext !== undefined && typeof inheritContext !== 'boolean') {
    throw invalidArgType('options.inheritContext', 'boolean', inheritContext);
  }
  return options;
}

function checkResource(resource: unknown): void {
  if (resource instanceof Member) throw belongsAlready();
  if (typeof (resource as Partial<Disposable> | undefined)?.[Symbol.dispose] === 'function') return;
  throw invalidArgType('resource', 'Disposable', resource);
}

function belongsAlready(): CodedError {
  return stateError('it belongs to a scope already');
}

import process from 'node:process';
import { toFd, type FdLike } from '../descriptor/fd-like.js';
import { LeakDetector } from '../descriptor/leak-detector.js';
import { leaveSets, listSet, type OpenSet } from '../descriptor/open-sets.js';
import { LiveWatchers } from '../epoll/live-watchers.js';
import { isDenial, warnOfGhosts } from '../epoll/rebuild.js';
import { RegistrationTable } from '../set/registration-table.js';
import { checkSpin, type SpinOptions } from '../epoll/spin.js';
import { checkTimeout } from '../epoll/timeout.js';
import { readTurnsOptions, takeTurns, type TurnsOptions } from '../epoll/turns.js';
import type { Waker } from '../epoll/waker.js';
import {
  checkInteger,
  checkOptions,
  closedError,
  INT_MAX,
  INT_MIN,
  invalidArgType,
  NO_OPTIONS,
  outOfRange,
  SystemError,
  unavailableError,
} from '../errors.js';
import { EOPNOTSUPP } from '../sys/constants.js';
import type { Backend, BackendKind, PollerSupports } from './backend.js';
import { backendKinds } from './backends/index.js';
import {
  EXCLUSIVE,
  INTEREST_ALL,
  isMode,
  modeOf,
  MODES,
  type PollerMode,
  PRIORITY,
  toMask,
} from './conditions.js';
import { PollerEvents } from './poller-events.js';

/** The name of a backend, or `auto`: the first one that can be opened here. */
export type BackendName = 'auto' | 'epoll' | 'kqueue' | 'poll' | 'select';

/** How a poller is opened. */
export interface PollerOptions extends SpinOptions {
  /**
   * Which backend. `auto`, the default, takes the one that the environment variable
   * `RAW_EPOLL_BACKEND` names, or else tries epoll, kqueue, poll and select.
   */
  readonly backend?: BackendName;
}

/** How a descriptor is registered. */
export interface PollerRegisterOptions<T> {
  /**
   * - `level`: reported by every wait for as long as the condition holds
   * - `edge`: reported once for each arrival
   * - `oneshot`: reported once; then silent until `modify`
   * - `edgeOneshot`: both
   *
   * `add`: default `level`. `modify`: left out, the mode stays.
   */
  readonly mode?: PollerMode;
  /** Comes back with each event. `modify`: left out or `undefined`, the data stays. */
  readonly data?: T;
  /** Of several sets that watch one listener, not all are woken. `add` only, where supported. */
  readonly exclusive?: boolean;
}

/** A registration, as `get` and `entries` show it. */
export interface PollerRegistration<T> {
  /** The descriptor. */
  readonly fd: number;
  /** `READABLE | WRITABLE | PRIORITY`. */
  readonly interest: number;
  /** How it reports. */
  readonly mode: PollerMode;
  /** Whether it was added as exclusive. */
  readonly exclusive: boolean;
  /** What came with `add` or the last `modify`. */
  readonly data: T | undefined;
}

const leaks = new LeakDetector('Poller');

/** Who is told of a registration whose descriptor its owner closes. Set by the class. */
let tellForgotten: (poller: Poller, tell: (data: unknown) => void) => void;

/**
 * Has a function told of each registration, by its data, whose descriptor its owner closes. No method,
 * which anybody could call: what it throws would keep descriptors from being closed.
 * @internal
 */
export function whenForgotten(poller: Poller, tell: (data: unknown) => void): void {
  tellForgotten(poller, tell);
}

/**
 * One readiness interface over epoll, kqueue, poll and select: the same calls, errors, wake-ups
 * and timeouts on each. What a backend cannot do is refused, never approximated; see `supports`.
 *
 * A poller and its descriptors belong to the thread that made them. Delete a descriptor before you
 * close it; owned ones do that by themselves. What it knows follows the kernel: a call that is
 * refused leaves it as it was.
 *
 * @example
 * ```ts
 * using poller = new Poller<TcpStream>();
 * const events = new PollerEvents<TcpStream>();
 * poller.add(stream, READABLE, { data: stream });
 * const n = poller.wait(events);
 * for (let i = 0; i < n; i++) if (events.readable(i)) serve(events.data(i));
 * ```
 */
export class Poller<T = unknown> implements Disposable {
  /** The name of the backend: `epoll`. */
  readonly backend: string;
  readonly #table = new RegistrationTable<T>();
  readonly #set: Backend;
  // Held here, because the list of open sets holds it weakly.
  readonly #openSet: OpenSet = {
    forget: (fd) => {
      this.#forget(fd);
    },
    lift: (fd) => this.#set.lift(fd),
  };
  readonly #unlist: () => void;
  readonly #watchers = new LiveWatchers();
  #tellForgotten: ((data: unknown) => void) | undefined;
  readonly #spinUs: number;
  #closed = false;
  #warned = false;

  static {
    tellForgotten = (poller, tell) => {
      poller.#tellForgotten = tell;
    };
  }

  /**
   * Opens a set.
   *
   * @throws SystemError `EMFILE`, `ENFILE`, `ENOMEM`; `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`: this
   *         system does not have the backend; `ERR_OUT_OF_RANGE`: there is no backend of that
   *         name, also when `RAW_EPOLL_BACKEND` names it; `ERR_INVALID_ARG_TYPE`.
   */
  constructor(options: PollerOptions = {}) {
    const { backend } = checkOptions(options);
    this.#spinUs = checkSpin(options);
    const { kind, set } = openBackend(backend, this.#table);
    this.backend = kind.name;
    this.#set = set;
    this.#unlist = listSet(this.#openSet);
    leaks.watch(this, set.fd, set.closeAll);
  }

  /**
   * The names of the backends that run here, best first: those of which a set could be opened
   * just now, so none when the process is out of descriptors. Opens and closes one of each.
   */
  static backends(): string[] {
    return backendKinds.filter(isHere).map(({ name }) => name);
  }

  /** What the backend can do. */
  get supports(): PollerSupports {
    return this.#set.supports;
  }

  /**
   * The descriptor of the set, which another set may watch for reading: it is readable while a
   * wait would return at once. `-1` where `supports.nested` is false, and once closed.
   */
  get fd(): number {
    return this.#closed ? -1 : this.#set.fd;
  }

  /** Who watches the set from Node's loop. @internal */
  get watchers(): LiveWatchers {
    return this.#watchers;
  }

  /** True once closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How many descriptors are registered. */
  get size(): number {
    return this.#table.size;
  }

  /**
   * Registers a descriptor.
   *
   * @param fd        A descriptor, or an object that has one.
   * @param interest  `READABLE | WRITABLE | PRIORITY`, or 0.
   * @param options   Mode and data.
   * @throws SystemError
   * | code       | when |
   * | ---------- | --- |
   * | EBADF      | the descriptor is not open |
   * | EEXIST     | it is registered already |
   * | EOPNOTSUPP | the backend has no such mode or interest; see `supports` |
   * | EPERM      | files and directories, which are always ready |
   * | EINVAL, ELOOP | epoll: a set in itself; sets in sets, a cycle, or nested more than five deep |
   * | ENOMEM, ENOSPC | the kernel has no room |
   *
   * and `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`; the last one also on select, for
   * a descriptor of `FD_SETSIZE` or above.
   */
  add(fd: FdLike, interest: number, options: PollerRegisterOptions<T> = NO_OPTIONS): void {
    const { mode = 'level', exclusive = false, data } = checkOptions(options);
    this.enter(fd, interest, mode, exclusive, data);
  }

  /** `add` without an object for its options. @internal */
  enter(
    fd: FdLike,
    interest: number,
    mode: PollerMode,
    exclusive: boolean,
    data: T | undefined,
  ): void {
    const number = toNumber(fd);
    checkRegistration(interest, mode, exclusive);
    this.#checkOpen();
    this.#checkSupported('add', number, interest, mode, exclusive);
    const mask = toMask(interest, mode, exclusive);
    const generation = this.#table.nextGeneration();
    this.#checked(this.#set.add(number, mask, generation), 'add', number);
    try {
      this.#table.enter(number, generation, mask, data);
    } catch (error) {
      this.#set.forget(number); // no memory for the table
      throw error;
    }
  }

  /**
   * Changes what a descriptor is watched for. Enables a one-shot registration that has fired, and
   * reports an edge anew if the condition holds.
   *
   * @param options  Mode and data; what is left out stays.
   * @throws SystemError `ENOENT`: it is not registered; `EBADF`, `EPERM`, `EOPNOTSUPP` as `add`;
   *         `EINVAL`: it is, or is to be, exclusive; and `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`,
   *         `ERR_OUT_OF_RANGE`.
   */
  modify(fd: FdLike, interest: number, options: PollerRegisterOptions<T> = NO_OPTIONS): void {
    const number = toNumber(fd);
    const { mode: asked, exclusive = false, data } = checkOptions(options);
    checkRegistration(interest, asked, exclusive);
    this.#checkOpen();
    const table = this.#table;
    const mode = asked ?? modeOf(table.interest(number));
    this.#checkSupported('modify', number, interest, mode, exclusive);
    const mask = toMask(interest, mode, exclusive);
    const generation = table.has(number) ? table.generation(number) : table.nextGeneration();
    this.#checked(this.#set.modify(number, mask, generation), 'modify', number);
    table.enter(number, generation, mask, data === undefined ? table.data(number) : data);
  }

  /**
   * Takes a descriptor out. Events of it that are still in a batch become stale.
   *
   * @throws SystemError `ENOENT`: it is not registered; `EBADF`, `EPERM` as `add`; and
   *         `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  delete(fd: FdLike): void {
    const number = toNumber(fd);
    this.#checkOpen();
    this.#checked(this.#set.delete(number), 'delete', number);
    this.#table.remove(number);
  }

  /** The registration of a descriptor, or `undefined`. Throws `ERR_CLOSED`. */
  get(fd: FdLike): PollerRegistration<T> | undefined {
    const number = toNumber(fd);
    this.#checkOpen();
    return this.#table.has(number) ? this.#describe(number) : undefined;
  }

  /** What came with a registration, looked up at once. @internal */
  dataOf(fd: number): T | undefined {
    return this.#table.data(fd);
  }

  /** What a descriptor is registered for; 0 if it is not. @internal */
  interestOf(fd: number): number {
    return this.#table.interest(fd) & INTEREST_ALL;
  }

  /** Takes a descriptor out, if it is in, whatever has become of it. @internal */
  drop(fd: number): void {
    if (!this.#table.has(fd)) return;
    this.#set.forget(fd);
    this.#table.remove(fd);
  }

  /** Whether a descriptor is registered. Throws `ERR_CLOSED`. */
  has(fd: FdLike): boolean {
    const number = toNumber(fd);
    this.#checkOpen();
    return this.#table.has(number);
  }

  /**
   * All registrations, in the order of their numbers. The set may be changed or closed meanwhile.
   * Throws `ERR_CLOSED`.
   */
  entries(): IterableIterator<PollerRegistration<T>> {
    this.#checkOpen();
    return this.#walk();
  }

  /**
   * Waits until something is ready.
   *
   * Returns as soon as one event is there, with as many as there are and fit. What does not fit
   * comes with the next calls, in turn. Signals do not end the wait early.
   *
   * @param events     Filled from event 0.
   * @param timeoutMs  Milliseconds, fractions allowed, rounded up; 0 asks without waiting. Left
   *                   out or `Infinity`: waits without end. Never early. The finest step is the
   *                   backend's: docs/backends.md.
   * @returns          How many events, `events.length`. 0: the time has passed, or `wake()` ended
   *                   the wait.
   * @throws SystemError `EBADF`: a descriptor of the set itself was closed behind its back; and
   *         `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (NaN, negative).
   *
   * Thread: blocks this one. No promise, timer or signal handler of Node runs meanwhile; a worker
   * that waits can be terminated, and never keeps the process from its end.
   * Memory: allocates nothing.
   */
  wait(events: PollerEvents<T>, timeoutMs: number = Number.POSITIVE_INFINITY): number {
    if (!PollerEvents.isBatch(events)) throw invalidArgType('events', 'PollerEvents', events);
    checkTimeout(timeoutMs);
    this.#checkOpen();
    const count = this.#set.wait(events.memory, events.capacity, timeoutMs, this.#spinUs);
    // Undefined: the thread is being terminated, and at most the rest of a loop of it runs.
    if (count === undefined) return 0;
    if (count < 0) throw this.#waitFailure(count);
    if (events.fill(this.#table, count) > 0) this.#removeGhosts();
    return events.length;
  }

  /**
   * The set driven by Node's own loop: each turn is the batch of what is ready, and between the
   * turns promises, timers, sockets and signal handlers of Node go on as ever. All of it as
   * `Epoll.turns` has it.
   *
   * @throws `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM` where `supports.nested` is false: there is no
   *         descriptor to watch; `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`. The
   *         iteration rejects as that of `Epoll.turns`.
   */
  turns(options: TurnsOptions = {}): AsyncIterableIterator<PollerEvents<T>, undefined> {
    this.#checkOpen();
    if (!this.supports.nested) throw unavailableError(`turns() of backend ${this.backend}`);
    const read = readTurnsOptions(options);
    return takeTurns(this, new PollerEvents<T>(read.maxEvents), read);
  }

  /**
   * Ends the wait that is going on in another thread's sight, or else the next one. Wakes
   * coalesce. From another thread, use the handle of {@link waker}.
   *
   * @throws `ERR_CLOSED`.
   */
  wake(): void {
    this.waker().wake();
  }

  /**
   * A handle that can be posted to any thread and wakes this set from there; see {@link Waker}.
   *
   * @throws `ERR_CLOSED`.
   */
  waker(): Waker {
    this.#checkOpen();
    return this.#set.waker;
  }

  /**
   * Closes the set and forgets its registrations; the descriptors stay open. Again: does nothing.
   */
  close(): void {
    if (this.#closed) return;
    if (this.#set.fd >= 0) leaveSets(this.#set.fd);
    this.#watchers.end();
    this.#closed = true;
    this.#unlist();
    leaks.forget(this);
    this.#table.clear();
    this.#set.closeAll();
  }

  /** `close()`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw closedError('Poller');
  }

  #checkSupported(
    operation: string,
    fd: number,
    interest: number,
    mode: PollerMode,
    exclusive: boolean,
  ): void {
    const { supports } = this.#set;
    if (mode !== 'level' && !supports[mode]) this.#refuse(operation, fd, `in mode ${mode}`);
    if (interest & PRIORITY && !supports.priority) this.#refuse(operation, fd, 'for PRIORITY');
    if (exclusive && !supports.exclusive) this.#refuse(operation, fd, 'as exclusive');
  }

  #refuse(operation: string, fd: number, what: string): never {
    const detail = `${operation} fd ${String(fd)} ${what}, backend ${this.backend}`;
    throw new SystemError(-EOPNOTSUPP, this.#set.syscall, { fd, detail });
  }

  #checked(result: number, operation: string, fd: number): void {
    if (result >= 0) return;
    if (isDenial(result)) this.#table.disown(fd); // What it may still report is a ghost.
    const detail = this.#about(`${operation} fd ${String(fd)}`);
    throw new SystemError(result, this.#set.syscall, { fd, detail });
  }

  #waitFailure(result: number): SystemError {
    const { syscall, waitSyscall = syscall } = this.#set;
    return new SystemError(result, waitSyscall, { detail: this.#about('wait') });
  }

  #about(operation: string): string {
    return `${operation}, backend ${this.backend}`;
  }

  #describe(fd: number): PollerRegistration<T> {
    const mask = this.#table.interest(fd);
    return {
      ...{ fd, interest: mask & INTEREST_ALL, mode: modeOf(mask) },
      ...{ exclusive: (mask & EXCLUSIVE) !== 0, data: this.#table.data(fd) },
    };
  }

  *#walk(): IterableIterator<PollerRegistration<T>> {
    for (const { fd } of this.#table.entries()) yield this.#describe(fd);
  }

  #forget(fd: number): void {
    const data = this.#table.data(fd);
    this.drop(fd);
    if (data !== undefined) this.#tellForgotten?.(data);
  }

  #removeGhosts(): void {
    if (!this.#set.removeGhosts()) return;
    this.#watchers.move();
    if (this.#warned) return;
    this.#warned = true;
    warnOfGhosts(this.#set.fd);
  }
}

function toNumber(fd: FdLike): number {
  return checkInteger(toFd(fd), 'fd', INT_MIN, INT_MAX);
}

function checkRegistration(interest: number, mode: unknown, exclusive: unknown): void {
  checkInteger(interest, 'interest', 0, INTEREST_ALL);
  if (mode !== undefined && !isMode(mode)) throw refuseName('mode', MODES, mode);
  if (typeof exclusive !== 'boolean') throw invalidArgType('exclusive', 'boolean', exclusive);
}

function refuseName(name: string, names: readonly string[], received: unknown): Error {
  if (typeof received !== 'string') return invalidArgType(name, 'string', received);
  return outOfRange(name, `one of ${names.join(', ')}`, `"${received}"`);
}

interface Opened {
  readonly kind: BackendKind;
  readonly set: Backend;
}

function openBackend(asked: unknown, table: RegistrationTable<unknown>): Opened {
  const name = asked === undefined || asked === 'auto' ? fromEnvironment() : asked;
  if (name === 'auto') return openFirst(table);
  const kind = backendKinds.find((candidate) => candidate.name === name);
  if (kind === undefined) {
    throw refuseName('backend', ['auto', ...backendKinds.map((known) => known.name)], name);
  }
  try {
    return { kind, set: kind.open(table) };
  } catch (error) {
    throw isAbsence(error) ? unavailableError(`Poller backend ${kind.name}`) : error;
  }
}

function fromEnvironment(): string {
  const name = process.env['RAW_EPOLL_BACKEND'];
  return name === undefined || name === '' ? 'auto' : name;
}

/** The best that this system has, found out by trying. */
function openFirst(table: RegistrationTable<unknown>): Opened {
  for (const kind of backendKinds) {
    try {
      return { kind, set: kind.open(table) };
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
  }
  throw unavailableError('Poller');
}

function isHere(kind: BackendKind): boolean {
  try {
    kind.open(new RegistrationTable()).closeAll();
    return true;
  } catch (error) {
    // Also where a program has so many descriptors that select(2) could not be woken.
    if (error instanceof SystemError || isAbsence(error)) return false;
    throw error;
  }
}

/** Whether a set could not be opened because the system has none: EPERM is a filter's way to say so. */
function isAbsence(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === 'ENOSYS' || code === 'EPERM' || code === 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM';
}

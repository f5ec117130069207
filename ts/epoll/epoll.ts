import { toFd, type FdLike } from '../descriptor/fd-like.js';
import { LeakDetector } from '../descriptor/leak-detector.js';
import { listSet, type OpenSet } from '../descriptor/open-sets.js';
import { OwnedDescriptor } from '../descriptor/owned-descriptor.js';
import { checkInteger, checkOptions, closedError, invalidArgType, SystemError } from '../errors.js';
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD } from '../sys/constants.js';
import { EpollEvents } from './epoll-events.js';
import { LiveWatchers } from './live-watchers.js';
import { openEpoll } from './open-set.js';
import { isDenial, lift, rebuild, warnOfGhosts } from './rebuild.js';
import { NO_GENERATION, type Registration, RegistrationTable } from '../set/registration-table.js';
import { setCtl, setWait } from '../set/set-calls.js';
import { checkSpin, type SpinOptions } from './spin.js';
import { checkTimeout } from './timeout.js';
import { readTurnsOptions, takeTurns, type TurnsOptions } from './turns.js';
import type { WakeDescriptor } from './wake-descriptor.js';
import type { Waker } from './waker.js';

/** How a set is opened. */
export interface EpollOptions extends SpinOptions {
  /** Flags of epoll_create1(2); `EPOLL_CLOEXEC` is always added. Default: 0. */
  readonly flags?: number;
}

const OPERATIONS: ReadonlyMap<number, string> = new Map([
  [EPOLL_CTL_ADD, 'ADD'],
  [EPOLL_CTL_MOD, 'MOD'],
  [EPOLL_CTL_DEL, 'DEL'],
]);

const leaks = new LeakDetector('Epoll');

/**
 * An epoll set: what to watch, with data of your own beside each descriptor, and the wait.
 *
 * The set and its descriptors belong to the thread that made them. What it knows follows the
 * kernel: a call that is refused leaves it as it was. Register and remove through this object
 * only; what level 1 adds to `fd` behind its back counts as a ghost and is removed.
 *
 * @example
 * ```ts
 * using epoll = new Epoll<TcpStream>();
 * const events = new EpollEvents<TcpStream>();
 * epoll.add(stream, EPOLLIN, stream);
 * const n = epoll.wait(events);
 * for (let i = 0; i < n; i++) serve(events.data(i));
 * ```
 * @see epoll(7)
 */
export class Epoll<T = unknown> extends OwnedDescriptor {
  readonly #table = new RegistrationTable<T>();
  readonly #wake: WakeDescriptor;
  // Held here, because the list of open sets holds it weakly.
  readonly #openSet: OpenSet = {
    forget: (fd) => {
      this.#forget(fd);
    },
    lift: (fd) => lift(this.fd, fd, this.#table),
  };
  readonly #unlist: () => void;
  readonly #watchers = new LiveWatchers();
  readonly #spinUs: number;
  #warned = false;

  /**
   * Opens a set: epoll_create1(2), and an eventfd for `wake()`.
   *
   * @throws SystemError `EMFILE`, `ENFILE`, `ENOMEM`, `EINVAL` (unknown flags), `ENOSYS` (not on
   *         this system); `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  constructor(options: EpollOptions = {}) {
    const { flags = 0 } = checkOptions(options);
    const asked = checkInteger(flags, 'flags', -0x8000_0000, 0x7fff_ffff);
    const spinUs = checkSpin(options);
    const { fd, wake } = openEpoll(asked);
    super(fd, leaks, () => {
      wake.close();
    });
    this.#wake = wake;
    this.#spinUs = spinUs;
    this.#unlist = listSet(this.#openSet);
  }

  /** Who watches the set from Node's loop. @internal */
  get watchers(): LiveWatchers {
    return this.#watchers;
  }

  /** How many descriptors are registered. */
  get size(): number {
    return this.#table.size;
  }

  /**
   * Registers a descriptor: `EPOLL_CTL_ADD`.
   *
   * @param fd      A descriptor, or an object that has one.
   * @param events  `EPOLLIN | EPOLLOUT | EPOLLET …`, int32 or uint32.
   * @param data    Comes back with each event. Held by the set until the descriptor leaves it.
   * @throws SystemError
   * | code   | when |
   * | ------ | --- |
   * | EBADF  | the descriptor is not open |
   * | EEXIST | it is registered already |
   * | EINVAL | it is this set; `EPOLLEXCLUSIVE` with flags that it does not take |
   * | ELOOP  | sets inside sets: a cycle, or nested more than five deep |
   * | ENOSPC | above `/proc/sys/fs/epoll/max_user_watches` |
   * | EPERM  | the file cannot be watched: regular files and directories |
   *
   * and `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  add(fd: FdLike, events: number, data?: T): void {
    const number = toFd(fd);
    const generation = this.#table.nextGeneration();
    this.#control(EPOLL_CTL_ADD, number, events, generation);
    try {
      this.#table.enter(number, generation, events >>> 0, data);
    } catch (error) {
      this.#control(EPOLL_CTL_DEL, number, 0, NO_GENERATION); // no memory for the table
      throw error;
    }
  }

  /**
   * Changes what a descriptor is watched for: `EPOLL_CTL_MOD`. Enables a one-shot registration
   * that has fired, and reports an edge anew if the condition holds.
   *
   * @param data  Left out or `undefined`: the data stays.
   * @throws SystemError `ENOENT`: it is not registered; `EBADF`; `EINVAL`: it is, or is to be,
   *         `EPOLLEXCLUSIVE`; and `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  modify(fd: FdLike, events: number, data?: T): void {
    const number = toFd(fd);
    const table = this.#table;
    const generation = table.has(number) ? table.generation(number) : table.nextGeneration();
    this.#control(EPOLL_CTL_MOD, number, events, generation);
    table.enter(number, generation, events >>> 0, data === undefined ? table.data(number) : data);
  }

  /**
   * Takes a descriptor out: `EPOLL_CTL_DEL`. Events of it that are still in a batch become stale.
   *
   * @throws SystemError `ENOENT`: it is not registered; `EBADF`: it is not open; and `ERR_CLOSED`,
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  delete(fd: FdLike): void {
    const number = toFd(fd);
    this.#control(EPOLL_CTL_DEL, number, 0, NO_GENERATION);
    this.#table.remove(number);
  }

  /** The registration of a descriptor, or `undefined`. Throws `ERR_CLOSED`. */
  get(fd: FdLike): Registration<T> | undefined {
    this.#checkOpen();
    return this.#table.get(toFd(fd));
  }

  /** Whether a descriptor is registered. Throws `ERR_CLOSED`. */
  has(fd: FdLike): boolean {
    this.#checkOpen();
    return this.#table.has(toFd(fd));
  }

  /**
   * All registrations, in the order of their numbers. The set may be changed or closed meanwhile.
   * Throws `ERR_CLOSED`.
   */
  entries(): IterableIterator<Registration<T>> {
    this.#checkOpen();
    return this.#table.entries();
  }

  /**
   * Waits until something is ready: epoll_wait(2), or epoll_pwait2(2) for fractions.
   *
   * Returns as soon as one event is there, with as many as there are and fit. What does not fit
   * comes with the next call. Signals do not end the wait early, nor does the profiler.
   *
   * @param events     Filled from event 0.
   * @param timeoutMs  Milliseconds, fractions allowed, rounded up; 0 asks without waiting. Left
   *                   out or `Infinity`: waits without end. Never early. Before Linux 5.11
   *                   fractions are rounded up to whole milliseconds.
   * @returns          How many events, `events.length`. 0: the time has passed, or `wake()` ended
   *                   the wait, or all that came belonged to descriptors closed behind a duplicate.
   * @throws SystemError `EBADF`: the set's descriptor was closed behind its back; and
   *         `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (NaN, negative).
   *
   * Thread: blocks this one. No promise, timer or signal handler of Node runs meanwhile; a worker
   * that waits can be terminated, and never keeps the process from its end.
   * Memory: allocates nothing.
   */
  wait(events: EpollEvents<T>, timeoutMs: number = Number.POSITIVE_INFINITY): number {
    if (!EpollEvents.isBatch(events)) throw invalidArgType('events', 'EpollEvents', events);
    checkTimeout(timeoutMs);
    const count = setWait(
      this.fd,
      this.#wake.fd,
      events.memory,
      events.capacity,
      timeoutMs,
      this.#spinUs,
    );
    // Undefined: the thread is being terminated, and at most the rest of a loop of it runs.
    if (count === undefined) return 0;
    if (count < 0) throw this.failure(count, 'epoll_wait');
    if (events.fill(this.#table, count) > 0) this.#removeGhosts();
    return events.length;
  }

  /**
   * The set driven by Node's own loop: each turn is the batch of what is ready, and between the
   * turns promises, timers, sockets and signal handlers of Node go on as ever.
   *
   * The batch is the same object each time, good until the next turn is asked for. A turn may be
   * empty: after `wake()`, or when somebody else was faster. The iteration is over when the set is
   * closed, and when the caller leaves it.
   *
   * @example
   * ```ts
   * for await (const events of epoll.turns({ signal })) {
   *   for (const { data } of events) data.readable();
   * }
   * ```
   * @returns  An iterator; nothing happens before its first `next()`. Of several at once, each
   *           event comes to one.
   * @throws `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (`maxEvents`: 1 … 65,536).
   *         The iteration rejects with the reason of the signal; with SystemError `EMFILE`,
   *         `ENFILE`, `ELOOP` (sets nested too deeply for another around them), `EBADF`; and with
   *         `ERR_INVALID_STATE` when `next()` is called twice without awaiting.
   *
   * Platform: libuv watches the set, with a duplicate of its descriptor and a second set around
   * it; in Bun and Deno a thread polls it. `RAW_EPOLL_HOST_WATCH=uv|thread` chooses.
   */
  turns(options: TurnsOptions = {}): AsyncIterableIterator<EpollEvents<T>, undefined> {
    this.#checkOpen();
    const read = readTurnsOptions(options);
    return takeTurns(this, new EpollEvents<T>(read.maxEvents), read);
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
    return this.#wake.waker;
  }

  /**
   * Closes the set and forgets its registrations; the descriptors stay open. Again: does nothing.
   */
  override close(): void {
    if (this.closed) return;
    this.#leave();
    super.close();
  }

  /** Gives the set's number away, without `wake()`, whose descriptor is closed. */
  override release(): number {
    if (!this.closed) {
      setCtl(this.fd, EPOLL_CTL_DEL, this.#wake.fd, 0, NO_GENERATION);
      this.#leave();
    }
    return super.release();
  }

  #checkOpen(): void {
    if (this.closed) throw closedError('Epoll');
  }

  #leave(): void {
    this.#watchers.end();
    this.#unlist();
    this.#wake.close();
    this.#table.clear();
  }

  #control(operation: number, fd: number, events: number, generation: number): void {
    const result = setCtl(this.fd, operation, fd, events, generation);
    if (result >= 0) return;
    this.#checkOpen();
    if (isDenial(result)) this.#table.disown(fd); // What it may still report is a ghost.
    const name = OPERATIONS.get(operation) ?? '';
    const detail = `${name} fd ${String(fd)} on epoll ${String(this.fd)}`;
    throw new SystemError(result, 'epoll_ctl', { fd, detail });
  }

  #forget(fd: number): void {
    if (!this.#table.has(fd)) return;
    // Refused: somebody closed it before, and then there is nothing to take out.
    setCtl(this.fd, EPOLL_CTL_DEL, fd, 0, NO_GENERATION);
    this.#table.remove(fd);
  }

  #removeGhosts(): void {
    const rebuilt = rebuild(this.fd, this.#wake.fd, this.#table);
    if (!rebuilt) return;
    this.#watchers.move();
    if (this.#warned) return;
    this.#warned = true;
    warnOfGhosts(this.fd);
  }
}

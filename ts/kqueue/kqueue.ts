import { type FdLike, toFd } from '../descriptor/fd-like.js';
import { LeakDetector } from '../descriptor/leak-detector.js';
import { listSet, type OpenSet } from '../descriptor/open-sets.js';
import { OwnedDescriptor } from '../descriptor/owned-descriptor.js';
import { checkTimeout } from '../epoll/timeout.js';
import type { Waker } from '../epoll/waker.js';
import { checkInteger, closedError, invalidArgType, SystemError } from '../errors.js';
import { binding } from '../native.js';
import * as constants from '../sys/constants.js';
import { kevent } from '../sys/index.js';
import { KeventArray, keventMemory } from '../sys/kevent-array.js';
import { type Knote, type KnoteRegistration, KnoteTable } from './knote-table.js';
import { KqueueEvents } from './kqueue-events.js';
import { type OpenedKqueue, openKqueue, unwatchWake } from './open-kqueue.js';

const { EV_ADD, EV_DELETE, EV_RECEIPT, EV_CLEAR, EV_ONESHOT, EV_DISPATCH } = constants;
const { EVFILT_READ, EVFILT_WRITE, EVFILT_VNODE, EVFILT_EXCEPT, EVFILT_EMPTY } = constants;

/** Filters whose ident is a descriptor, and what a knote keeps of the flags that add it. */
const OF_DESCRIPTORS = [EVFILT_READ, EVFILT_WRITE, EVFILT_VNODE, EVFILT_EXCEPT, EVFILT_EMPTY];
const MODE = EV_CLEAR | EV_ONESHOT | EV_DISPATCH;

/** `struct kevent` as a change: the fields of `EV_SET`, with data of your own as `udata`. */
export interface KqueueChange<T> {
  /** A descriptor or an object that has one; for other filters their number, a safe integer. */
  readonly ident: FdLike;
  /** `EVFILT_READ` … */
  readonly filter: number;
  /** `EV_ADD | EV_CLEAR`, `EV_DELETE` … `EV_RECEIPT` is always added. */
  readonly flags: number;
  /** `NOTE_…`; left out: 0. */
  readonly fflags?: number;
  /** What the filter takes; left out: 0. */
  readonly data?: number | bigint;
  /** Comes back with each event. Left out: that of the knote stays. */
  readonly udata?: T;
}

const leaks = new LeakDetector('Kqueue');

/**
 * A kqueue: the kernel's own vocabulary, with data of your own beside each knote, and the wait.
 *
 * The set belongs to the thread that made it. What it knows follows the kernel: a change that is
 * refused leaves it as it was. Change and wait through this object only.
 *
 * @example
 * ```ts
 * using kqueue = new Kqueue<TcpStream>();
 * const events = new KqueueEvents<TcpStream>();
 * kqueue.change({ ident: stream, filter: EVFILT_READ, flags: EV_ADD, udata: stream });
 * const n = kqueue.wait(events);
 * for (let i = 0; i < n; i++) serve(events.udata(i), events.data(i));
 * ```
 * @see kqueue(2)
 */
export class Kqueue<T = unknown> extends OwnedDescriptor {
  readonly #table = new KnoteTable<T>();
  readonly #opened: OpenedKqueue;
  // Held here, because the list of open sets holds it weakly.
  readonly #openSet: OpenSet = {
    forget: (fd) => {
      this.#take(fd);
    },
    lift: (fd) => this.#lift(fd),
  };
  readonly #unlist: () => void;
  #batch = new KeventArray(8);

  /**
   * Opens a kqueue, close-on-exec.
   *
   * @throws `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`: this system has no kqueue; SystemError `EMFILE`,
   *         `ENFILE`, `ENOMEM`.
   */
  constructor() {
    const opened = openKqueue();
    super(opened.fd, leaks, opened.closeWake);
    this.#opened = opened;
    this.#unlist = listSet(this.#openSet);
  }

  /**
   * Makes changes, in their order: kevent(2) with `EV_RECEIPT`, without a wait.
   *
   * Every change is made, whether one before it was refused or not; then the first that was refused
   * is thrown. `EV_ADD` of what is there begins a knote anew for this library: events of it that
   * are still in a batch become stale, and the kernel looks again. The mode of a knote (`EV_CLEAR`,
   * `EV_ONESHOT`, `EV_DISPATCH`) stays as it is when added again: delete it first.
   *
   * @param changes  One change, or several.
   * @throws SystemError
   * | code   | when |
   * | ------ | --- |
   * | EBADF  | the descriptor is not open |
   * | EINVAL | a filter that this system does not know, or not for this file |
   * | ENOENT | a change of what is not there |
   *
   * and what else the filter has, `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`. Misuse
   * throws before any change is made.
   */
  change(changes: KqueueChange<T> | readonly KqueueChange<T>[]): void {
    this.#checkOpen();
    const list: readonly unknown[] = Array.isArray(changes) ? changes : [changes];
    const asked = list.map((change) => this.#read(change));
    this.#checkOpen(); // A getter may have closed it.
    let refused: SystemError | undefined;
    for (const [i, result] of this.#submit(asked).entries()) {
      const change = asked[i] as Asked<T>;
      if (result === 0) this.#follow(change);
      else refused ??= this.#refusal(result, change);
    }
    if (refused !== undefined) throw refused;
  }

  /** The knote of a filter and an ident, or `undefined`. Throws `ERR_CLOSED`. */
  get(ident: FdLike, filter: number): KnoteRegistration<T> | undefined {
    this.#checkOpen();
    const knote = this.#table.get(filter, toFd(ident));
    return knote === undefined ? undefined : show(knote);
  }

  /** All knotes, by filter. The set may be changed or closed meanwhile. Throws `ERR_CLOSED`. */
  *entries(): IterableIterator<KnoteRegistration<T>> {
    this.#checkOpen();
    for (const knote of this.#table.entries()) yield show(knote);
  }

  /**
   * Waits until something has happened: kevent(2).
   *
   * Returns as soon as one event is there, with as many as there are and fit. What does not fit
   * comes with the next call. Signals do not end the wait early.
   *
   * @param events     Filled from event 0.
   * @param timeoutMs  Milliseconds, fractions allowed, rounded up; 0 asks without waiting. Left
   *                   out or `Infinity`: waits without end. Never early.
   * @returns          How many events, `events.length`. 0: the time has passed, or `wake()` ended
   *                   the wait.
   * @throws SystemError `EBADF`: the set's descriptor was closed behind its back; and
   *         `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (NaN, negative).
   *
   * Thread: blocks this one. No promise, timer or signal handler of Node runs meanwhile; a worker
   * that waits can be terminated, and never keeps the process from its end.
   */
  wait(events: KqueueEvents<T>, timeoutMs: number = Number.POSITIVE_INFINITY): number {
    if (!KqueueEvents.isBatch(events)) throw invalidArgType('events', 'KqueueEvents', events);
    checkTimeout(timeoutMs);
    this.#checkOpen();
    this.#table.endTurn();
    const { fd, wakeFd } = this.#opened;
    const memory = keventMemory(events.array, 'events') as Uint8Array;
    const count = binding.kqueue.wait(fd, wakeFd, memory, events.capacity, timeoutMs, 0);
    // Undefined: the thread is being terminated, and at most the rest of a loop of it runs.
    if (count === undefined) return 0;
    if (count < 0) throw this.failure(count, 'kevent');
    events.fill(this.#table, count);
    return events.length;
  }

  /**
   * Ends the wait that is going on, or else the next one. From another thread use {@link waker}.
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
    return this.#opened.waker;
  }

  /** Closes the set and forgets its knotes; the descriptors stay open. Again: does nothing. */
  override close(): void {
    if (!this.closed) this.#leave();
    super.close();
  }

  /** Gives the set's number away, without `wake()`. */
  override release(): number {
    if (!this.closed) {
      unwatchWake(this.#opened);
      this.#leave();
    }
    return super.release();
  }

  #checkOpen(): void {
    if (this.closed) throw closedError('Kqueue');
  }

  #leave(): void {
    this.#unlist();
    this.#opened.closeWake();
    this.#table.clear();
  }

  /** Reads a change, and checks it: may run code of the user. */
  #read(change: unknown): Asked<T> {
    if (typeof change !== 'object' || change === null) {
      throw invalidArgType('changes', 'KqueueChange', change);
    }
    const { ident, filter, flags, fflags = 0, data = 0, udata } = change as KqueueChange<T>;
    const number = checkInteger(toFd(ident), 'ident', 0, Number.MAX_SAFE_INTEGER);
    this.#batch.set(0, number, filter, flags, fflags, data); // checks the others
    return { ident: number, filter, flags, fflags, data, udata, generation: 0 };
  }

  /** Hands changes to the kernel. Answers 0 or a negated errno for each. */
  #submit(changes: Asked<T>[]): number[] {
    if (changes.length === 0) return [];
    if (changes.length > this.#batch.capacity) this.#batch = new KeventArray(changes.length);
    const batch = this.#batch;
    for (const [i, change] of changes.entries()) {
      change.generation = this.#generationFor(change);
      const { ident, filter, flags, fflags, data, generation } = change;
      batch.set(i, ident, filter, flags | EV_RECEIPT, fflags, data, generation);
    }
    // Room for a receipt for each: then none of the answers is lost, and nothing is waited for.
    const count = kevent(this.fd, batch, changes.length, batch, changes.length, 0);
    if (count < 0) throw this.failure(count, 'kevent');
    return changes.map((_, i) => 0 - batch.getData(i));
  }

  #generationFor({ ident, filter, flags }: Asked<T>): number {
    if ((flags & EV_ADD) !== 0) return this.#table.nextGeneration();
    return this.#table.get(filter, ident)?.generation ?? 0;
  }

  /** The kernel has made a change. */
  #follow({ ident, filter, flags, fflags, data, udata, generation }: Asked<T>): void {
    const before = this.#table.get(filter, ident);
    if ((flags & EV_DELETE) !== 0) {
      this.#table.remove(filter, ident);
    } else if ((flags & EV_ADD) !== 0) {
      this.#table.enter({
        ...{ ident, filter, fflags, data, generation },
        flags: before?.flags ?? flags & MODE,
        udata: udata === undefined ? before?.udata : udata,
        ...{ isCurrent: true, hasFired: false },
      });
    } else if (before !== undefined && udata !== undefined) {
      before.udata = udata;
    }
  }

  #refusal(result: number, { ident, filter }: Asked<T>): SystemError {
    const detail = `filter ${String(filter)} ident ${String(ident)} on kqueue ${String(this.fd)}`;
    return new SystemError(result, 'kevent', { fd: ident, detail });
  }

  /** Takes all knotes of a descriptor out, whatever the kernel says to that. */
  #take(fd: number): Knote<T>[] {
    const knotes = OF_DESCRIPTORS.flatMap((filter) => this.#table.find(filter, fd) ?? []);
    const present = knotes.filter((knote) => !knote.hasFired);
    this.#submit(present.map((knote) => ({ ...knote, flags: EV_DELETE })));
    for (const knote of knotes) this.#table.remove(knote.filter, fd);
    return present;
  }

  #lift(fd: number): () => void {
    const lifted = this.#take(fd).map((knote) => ({ ...knote, flags: knote.flags | EV_ADD }));
    return () => {
      for (const [i, result] of this.#submit(lifted).entries()) {
        if (result === 0) this.#follow(lifted[i] as Asked<T>);
      }
    };
  }
}

/** A change that has been checked. */
interface Asked<T> {
  readonly ident: number;
  readonly filter: number;
  readonly flags: number;
  readonly fflags: number;
  readonly data: number | bigint;
  readonly udata: T | undefined;
  generation: number;
}

function show<T>({ ident, filter, flags, fflags, data, udata }: Knote<T>): KnoteRegistration<T> {
  return { ident, filter, flags, fflags, data, udata };
}

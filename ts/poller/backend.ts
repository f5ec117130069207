/**
 * The whole contract of a backend.
 *
 * A backend is one way to ask a kernel what is ready. It knows descriptors, masks and generations;
 * data, arguments and stale events are Poller's business, and so is the registration table, which
 * it may read and does not write. Answers are those of level 1: >= 0, or the negated errno. They
 * are the same on every backend, because programs are written against them:
 *
 * | call     | answers, in this order of precedence |
 * | -------- | --- |
 * | `add`    | `-EBADF` not open; `-EPERM` a file or directory; `-EEXIST` registered; 0 |
 * | `modify` | `-EBADF`, `-EPERM` as before; `-ENOENT` not registered; 0 |
 * | `delete` | as `modify` |
 *
 * A refused call changes nothing. Poller enters a registration into the table after `add` or
 * `modify` has answered 0, and removes it after `delete` or `forget`.
 *
 * How to add one: docs/adding-a-backend.md. What judges it: test/conformance/.
 */
import type { RegistrationTable } from '../set/registration-table.js';
import type { Waker } from '../epoll/waker.js';

/** What a backend can do. What it cannot is refused with `EOPNOTSUPP`, or never reported. */
export interface PollerSupports {
  /** Mode `edge`. */
  readonly edge: boolean;
  /** Mode `oneshot`. */
  readonly oneshot: boolean;
  /** Mode `edgeOneshot`. */
  readonly edgeOneshot: boolean;
  /** Option `exclusive`: of several sets that watch one listener, not all are woken. */
  readonly exclusive: boolean;
  /** Interest `PRIORITY`. */
  readonly priority: boolean;
  /** `error` and `hangup` are told apart; elsewhere they show as readable or writable. */
  readonly hangup: boolean;
  /** `error` and `hangup` come whatever is asked for, and if nothing is. */
  readonly unasked: boolean;
  /** `readClosed` is told; elsewhere only a read says so. */
  readonly readClosed: boolean;
  /** A set can watch another one. */
  readonly nested: boolean;
  /** The kernel keeps the registrations: it tells a number from the same number opened anew. */
  readonly remembers: boolean;
  /** The highest descriptor that can be registered. */
  readonly descriptorMax: number;
}

/** An open set of one kind. @internal */
export interface Backend {
  /** The system call that answers, for messages. */
  readonly syscall: string;
  /** The one that waits, where it is another. */
  readonly waitSyscall?: string;
  readonly supports: PollerSupports;
  /** The descriptor of the set; `-1` where the kernel keeps none. */
  readonly fd: number;
  /** Ends a wait, from any thread. */
  readonly waker: Waker;
  /** Closes every descriptor of the set. Must hold nothing but numbers: the collector keeps it. */
  readonly closeAll: () => void;

  /** Registers a descriptor; `mask` is of `conditions.ts`. */
  add(fd: number, mask: number, generation: number): number;
  /** Changes a registration, and enables it if it was a one-shot that had fired. */
  modify(fd: number, mask: number, generation: number): number;
  /** Takes a registration out. */
  delete(fd: number): number;
  /**
   * Waits, and writes what is ready to `events`, `capacity` records in the form of `struct
   * epoll_event` with `generation << 32 | fd` as data. Never early, retries `EINTR` against a
   * deadline, consumes a wake and never shows it; a descriptor that somebody closed neither ends
   * the wait nor fails it. Asks without blocking for `spinUs` first, if there is a time to wait.
   * Undefined once the thread is being terminated.
   */
  wait(events: Uint8Array, capacity: number, timeoutMs: number, spinUs: number): number | undefined;
  /** The owner of a registered descriptor is about to close it: takes it out, whatever happens. */
  forget(fd: number): void;
  /** Another file is about to be behind a registered number. The answer registers it again. */
  lift(fd: number): () => void;
  /** A wait brought events that no registration stands for. True if the set was built anew. */
  removeGhosts(): boolean;
}

/** What `lift` answers where there is nothing to put back. @internal */
export const nothing = (): void => undefined;

/** A kind of backend. @internal */
export interface BackendKind {
  readonly name: string;
  /**
   * Opens a set over the registrations of `table`.
   *
   * @throws SystemError `ENOSYS` or `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`: this system has no such
   *         thing; `EMFILE`, `ENFILE`, `ENOMEM`
   */
  readonly open: (table: RegistrationTable<unknown>) => Backend;
}

import {
  check,
  closedError,
  SystemError,
  type CodedError,
  checkInteger,
  INT_MAX,
  INT_MIN,
} from '../errors.js';
import { binding } from '../native.js';
import {
  EAGAIN,
  EBADF,
  EBUSY,
  F_GETFD,
  F_GETFL,
  F_SETFD,
  F_SETFL,
  FD_CLOEXEC,
  O_NONBLOCK,
} from '../sys/constants.js';
import { fcntl } from '../sys/index.js';
import { nameOf } from './fd-like.js';
import type { LeakDetector } from './leak-detector.js';
import { leaveSets } from './open-sets.js';

/**
 * Would block: nothing to read, no room to write, nothing to accept now. A value and not an
 * exception, because it is the normal end of every turn; wait for readiness and try again.
 */
export const WOULD_BLOCK = -1;

/** The descriptor of an object that has none any more. */
const NONE = -1;

/** Takes the number out of its object while the environment goes on owning it. Set by the class. */
let handOver: (object: OwnedDescriptor) => number;

/** Who has to know when a descriptor is closed or released. @internal */
export interface Holder {
  /** Whether somebody else may hold it instead. */
  readonly movable: boolean;
  leave(): void;
}

/**
 * A descriptor with one owner.
 *
 * Non-blocking and close-on-exec from birth. It belongs to the thread that made it and is closed
 * at the end of that thread. `close()` takes it out of every epoll set of the thread first.
 *
 * There is one for each connection. Private methods, of any class of it, would be 8 bytes of each:
 * docs/decisions/0045.
 */
export abstract class OwnedDescriptor implements Disposable {
  /** Who is to know when it is closed or released. @internal */
  holder: Holder | undefined;
  #fd: number;
  readonly #leaks: LeakDetector;

  // No method: a private one costs memory, and any other lets a user lose the descriptor.
  static {
    handOver = (object) => {
      const fd = object.#fd;
      object.beforeLeaving?.();
      leaveSets(fd);
      object.#fd = NONE;
      object.#leaks.forget(object);
      object.holder?.leave();
      return fd;
    };
  }

  /** Takes a descriptor that the environment owns already. @internal */
  protected constructor(fd: number, leaks: LeakDetector, alsoClose?: () => void) {
    this.#fd = fd;
    this.#leaks = leaks;
    leaks.watch(this, fd, alsoClose);
  }

  /** The number; `-1` once closed or released. */
  get fd(): number {
    return this.#fd;
  }

  /** True once closed or released. */
  get closed(): boolean {
    return this.#fd === NONE;
  }

  /**
   * Takes the descriptor out of every set of this thread and closes it. Again: does nothing.
   *
   * @throws SystemError `EBADF`: somebody else closed the number behind this object's back. The
   *         object is closed all the same.
   */
  close(): void {
    if (this.closed) return;
    const fd = handOver(this);
    const result = binding.owned.close(fd);
    // EINTR, EIO: the number is free all the same, see close(2). EBADF is somebody's mistake.
    if (result === -EBADF) {
      throw new SystemError(result, 'close', { fd, detail: `fd ${String(fd)}` });
    }
  }

  /**
   * Gives the number away: takes it out of every set of this thread and forgets it. From now on
   * the caller closes it.
   *
   * @returns  The number, exactly once.
   * @throws   `ERR_CLOSED` after `close()` or `release()`.
   */
  release(): number {
    if (this.closed) throw closedError(nameOf(this));
    const fd = handOver(this);
    binding.owned.disown(fd);
    return fd;
  }

  /** `close()`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Ends what goes with the descriptor, before that is closed, released or adopted. @internal */
  protected beforeLeaving?(): void;

  /** Turns what a call was refused with into the error to throw. @internal */
  protected failure(result: number, syscall: string): Error {
    if (this.closed) return closedError(nameOf(this));
    return new SystemError(result, syscall, { fd: this.#fd, detail: `fd ${String(this.#fd)}` });
  }

  /** What a call answers that was refused: `WOULD_BLOCK`, or it throws. @internal */
  protected refused(result: number, syscall: string): number {
    if (result === -EAGAIN) return WOULD_BLOCK;
    throw this.failure(result, syscall);
  }

  /** The answer of a call that must not fail. @internal */
  protected checked(result: number, syscall: string): number {
    if (result < 0) throw this.failure(result, syscall);
    return result;
  }
}

/**
 * Takes over a number from outside, or the descriptor of another object, which is closed then:
 * checks that it is open, makes it non-blocking.
 * @internal
 */
export function adopt(from: number | OwnedDescriptor): number {
  const object = from instanceof OwnedDescriptor ? from : undefined;
  if (object?.closed === true) throw closedError(nameOf(object));
  const fd = checkInteger(object === undefined ? from : object.fd, 'fd', INT_MIN, INT_MAX);
  const details = { fd, detail: `fd ${String(fd)}` };
  const flags = check(fcntl(fd, F_GETFL), 'fcntl', details);
  const descriptorFlags = check(fcntl(fd, F_GETFD), 'fcntl', details);
  check(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 'fcntl', details);
  check(fcntl(fd, F_SETFD, descriptorFlags | FD_CLOEXEC), 'fcntl', details);
  if (object !== undefined) return handOver(object);
  const result = binding.owned.own(fd);
  if (result === -EBUSY) throw ownedAlready(fd);
  check(result, 'fcntl', details);
  return fd;
}

/** Two objects with one number would both close it, the second somebody else's by then. */
function ownedAlready(fd: number): CodedError {
  return Object.assign(new Error(`fd ${String(fd)} has an owner on this thread; release() it`), {
    code: 'ERR_FD_OWNED',
  });
}

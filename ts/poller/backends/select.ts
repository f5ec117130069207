/**
 * select(2). The kernel keeps nothing: three sets of bits say what is wanted, with every wait anew.
 * They are kept as the kernel wants them and changed in place. A fourth set holds the descriptors
 * that were found closed. Descriptors end at `FD_SETSIZE`.
 */
import { openWake } from '../../epoll/open-set.js';
import type { RegistrationTable } from '../../epoll/registration-table.js';
import type { Waker } from '../../epoll/waker.js';
import { outOfRange, SystemError } from '../../errors.js';
import { binding } from '../../native.js';
import { EEXIST, EMFILE, ENOENT, FD_SETSIZE, POLLNVAL } from '../../sys/constants.js';
import { type Backend, type BackendKind, nothing, type PollerSupports } from '../backend.js';
import { INTEREST_ALL, READABLE } from '../conditions.js';

/** What a descriptor that was found closed waits for. */
const BURIED = POLLNVAL;
const NOTHING = 0;

const supports: PollerSupports = {
  ...{ edge: false, oneshot: true, edgeOneshot: false, exclusive: false, priority: true },
  ...{ hangup: false, unasked: false, readClosed: false, nested: false, remembers: false },
  descriptorMax: FD_SETSIZE - 1,
};

/** Three sets for select(2), and that of the descriptors that were found closed. */
const SETS = 4;

class SelectBackend implements Backend {
  readonly syscall = 'select';
  readonly supports: PollerSupports = supports;
  readonly fd: number = -1;
  readonly waker: Waker;
  readonly closeAll: () => void;
  readonly #wakeFd: number;
  readonly #table: RegistrationTable<unknown>;
  readonly #sets: Uint8Array;
  /** The descriptor that wakes, nfds, and where the next report begins. */
  readonly #numbers: Int32Array;
  /** By descriptor: 1 if registered. */
  readonly #registered: Uint8Array;

  constructor(table: RegistrationTable<unknown>) {
    const wake = openWake();
    this.waker = wake.waker;
    this.closeAll = () => {
      wake.close();
    };
    this.#wakeFd = wake.fd;
    this.#table = table;
    this.#sets = new Uint8Array(SETS * (binding.layout.fdSetBytes ?? 0));
    this.#numbers = Int32Array.of(wake.fd, 0, 0);
    this.#registered = new Uint8Array(FD_SETSIZE);
    if (wake.fd < FD_SETSIZE) {
      this.#put(wake.fd, READABLE);
      return;
    }
    wake.close();
    const detail = `needs a descriptor below FD_SETSIZE (${String(FD_SETSIZE)}) to be woken by`;
    throw new SystemError(-EMFILE, 'select', { detail });
  }

  add(fd: number, mask: number): number {
    const refused = binding.poller.inspect(fd);
    if (refused < 0) return refused;
    if (fd > this.supports.descriptorMax) throw aboveLimit(fd);
    if (this.#isRegistered(fd) || fd === this.#wakeFd) return -EEXIST;
    this.#registered[fd] = 1;
    this.#put(fd, mask);
    return 0;
  }

  modify(fd: number, mask: number): number {
    const refused = binding.poller.inspect(fd);
    if (refused < 0) return this.#refuse(fd, refused);
    if (!this.#isRegistered(fd)) return -ENOENT;
    this.#put(fd, mask);
    return 0;
  }

  delete(fd: number): number {
    const refused = binding.poller.inspect(fd);
    if (refused < 0) return this.#refuse(fd, refused);
    if (!this.#isRegistered(fd)) return -ENOENT;
    this.forget(fd);
    return 0;
  }

  wait(events: Uint8Array, capacity: number, timeoutMs: number): number | undefined {
    const { generations, interests } = this.#table;
    return binding.poller.select(
      this.#sets,
      this.#numbers,
      generations,
      interests,
      events,
      capacity,
      timeoutMs,
    );
  }

  forget(fd: number): void {
    if (this.#registered[fd] !== 1) return;
    this.#registered[fd] = 0;
    this.#put(fd, NOTHING);
  }

  lift(): () => void {
    return nothing; // The kernel knows numbers alone.
  }

  removeGhosts(): boolean {
    return false; // It keeps nothing that could outlive its descriptor.
  }

  #isRegistered(fd: number): boolean {
    return this.#registered[fd] === 1 && binding.poller.select_buried(this.#sets, fd) === 0;
  }

  /** The number is closed, or a stranger's: it is not asked for any more. */
  #refuse(fd: number, refusal: number): number {
    if (this.#registered[fd] === 1) this.#put(fd, BURIED);
    return refusal;
  }

  #put(fd: number, mask: number): void {
    binding.poller.select_put(this.#sets, fd, mask & (INTEREST_ALL | BURIED));
    const nfds = this.#numbers[1] as number;
    if (fd >= nfds) this.#numbers[1] = fd + 1;
    else if (fd === nfds - 1 && mask === NOTHING) this.#numbers[1] = this.#highest() + 1;
  }

  /** The highest descriptor to wait for: select(2) takes time for all below it. */
  #highest(): number {
    return Math.max(this.#registered.lastIndexOf(1), this.#wakeFd);
  }
}

function aboveLimit(fd: number): Error {
  return outOfRange('fd', `< ${String(FD_SETSIZE)}, the FD_SETSIZE of backend select`, fd);
}

/** @internal */
export const select: BackendKind = {
  name: 'select',
  open: (table) => new SelectBackend(table),
};

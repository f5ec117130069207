/**
 * select(2). The kernel keeps nothing: three sets of bits say what is wanted, with every wait anew.
 * They are kept as the kernel wants them and changed in place. A fourth set holds the descriptors
 * that were found closed. Descriptors end at `FD_SETSIZE`.
 */
import { outOfRange, SystemError } from '../../errors.js';
import { binding } from '../../native.js';
import type { RegistrationTable } from '../../set/registration-table.js';
import { EMFILE, FD_SETSIZE, POLLNVAL } from '../../sys/constants.js';
import type { BackendKind, PollerSupports } from '../backend.js';
import { INTEREST_ALL, READABLE } from '../conditions.js';
import { NumberBackend } from './number-backend.js';

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

class SelectBackend extends NumberBackend {
  readonly syscall = 'select';
  readonly supports: PollerSupports = supports;
  readonly #sets = new Uint8Array(SETS * (binding.layout.fdSetBytes ?? 0));
  /** The descriptor that wakes, nfds, and where the next report begins. */
  readonly #numbers = Int32Array.of(this.wakeFd, 0, 0);
  /** By descriptor: 1 if registered. */
  readonly #registered = new Uint8Array(FD_SETSIZE);

  constructor(table: RegistrationTable<unknown>) {
    super(table);
    if (this.wakeFd < FD_SETSIZE) {
      this.#ask(this.wakeFd, READABLE);
      return;
    }
    this.closeAll();
    const detail = `needs a descriptor below FD_SETSIZE (${String(FD_SETSIZE)}) to be woken by`;
    throw new SystemError(-EMFILE, 'select', { detail });
  }

  wait(
    events: Uint8Array,
    capacity: number,
    timeoutMs: number,
    spinUs: number,
  ): number | undefined {
    const { generations, interests } = this.table;
    return binding.poller.select(
      this.#sets,
      this.#numbers,
      generations,
      interests,
      events,
      capacity,
      timeoutMs,
      spinUs,
    );
  }

  forget(fd: number): void {
    if (this.#registered[fd] !== 1) return;
    this.#registered[fd] = 0;
    this.#ask(fd, NOTHING);
  }

  protected isRegistered(fd: number): boolean {
    return this.#registered[fd] === 1 && binding.poller.select_buried(this.#sets, fd) === 0;
  }

  protected put(fd: number, mask: number): void {
    if (fd > this.supports.descriptorMax) throw aboveLimit(fd);
    this.#registered[fd] = 1;
    this.#ask(fd, mask);
  }

  protected bury(fd: number): void {
    if (this.#registered[fd] === 1) this.#ask(fd, BURIED);
  }

  #ask(fd: number, mask: number): void {
    binding.poller.select_put(this.#sets, fd, mask & (INTEREST_ALL | BURIED));
    const nfds = this.#numbers[1] as number;
    if (fd >= nfds) this.#numbers[1] = fd + 1;
    else if (fd === nfds - 1 && mask === NOTHING) this.#numbers[1] = this.#highest() + 1;
  }

  /** The highest descriptor to wait for: select(2) takes time for all below it. */
  #highest(): number {
    return Math.max(this.#registered.lastIndexOf(1), this.wakeFd);
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

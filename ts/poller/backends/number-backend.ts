import { openWake } from '../../epoll/open-set.js';
import type { Waker } from '../../epoll/waker.js';
import { binding } from '../../native.js';
import type { RegistrationTable } from '../../set/registration-table.js';
import { EEXIST, ENOENT } from '../../sys/constants.js';
import { type Backend, nothing, type PollerSupports } from '../backend.js';

/**
 * A backend over a call for which the kernel keeps nothing: what is wanted is said anew with every
 * wait, by number. So what epoll's kernel would answer is answered here, and a descriptor that is
 * found closed is buried: it stays known, is not asked for any more, and makes room for whoever
 * gets its number.
 */
export abstract class NumberBackend implements Backend {
  abstract readonly syscall: string;
  abstract readonly supports: PollerSupports;
  readonly fd: number = -1;
  readonly waker: Waker;
  readonly closeAll: () => void;
  protected readonly wakeFd: number;
  protected readonly table: RegistrationTable<unknown>;

  constructor(table: RegistrationTable<unknown>) {
    const wake = openWake();
    this.waker = wake.waker;
    this.closeAll = () => {
      wake.close();
    };
    this.wakeFd = wake.fd;
    this.table = table;
  }

  add(fd: number, mask: number): number {
    const refused = binding.poller.inspect(fd);
    if (refused < 0) return refused;
    if (this.isRegistered(fd) || fd === this.wakeFd) return -EEXIST;
    this.put(fd, mask);
    return 0;
  }

  modify(fd: number, mask: number): number {
    const refused = this.#inspect(fd);
    if (refused < 0) return refused;
    this.put(fd, mask);
    return 0;
  }

  delete(fd: number): number {
    const refused = this.#inspect(fd);
    if (refused < 0) return refused;
    this.forget(fd);
    return 0;
  }

  abstract wait(
    events: Uint8Array,
    capacity: number,
    timeoutMs: number,
    spinUs: number,
  ): number | undefined;

  /** Takes a descriptor out, buried or not, if it is known. */
  abstract forget(fd: number): void;

  lift(): () => void {
    return nothing; // The kernel knows numbers alone.
  }

  removeGhosts(): boolean {
    return false; // It keeps nothing that could outlive its descriptor.
  }

  /** Whether a descriptor is known and not buried. */
  protected abstract isRegistered(fd: number): boolean;

  /** Asks for a descriptor, known or not. */
  protected abstract put(fd: number, mask: number): void;

  /** Asks for a descriptor no more, if it is known. */
  protected abstract bury(fd: number): void;

  /** Whether a registered descriptor can be changed. */
  #inspect(fd: number): number {
    const refused = binding.poller.inspect(fd);
    if (refused < 0)
      this.bury(fd); // The number is closed, or a stranger's.
    else if (!this.isRegistered(fd)) return -ENOENT;
    return refused;
  }
}

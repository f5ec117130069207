/** epoll(7). The kernel keeps registrations and reports what is ready: the model of the others. */
import { openEpoll } from '../../epoll/open-set.js';
import { lift, rebuild } from '../../epoll/rebuild.js';
import { NO_GENERATION, type RegistrationTable } from '../../set/registration-table.js';
import { setCtl, setWait } from '../../set/set-calls.js';
import type { WakeDescriptor } from '../../epoll/wake-descriptor.js';
import type { Waker } from '../../epoll/waker.js';
import { INT_MAX } from '../../errors.js';
import { binding } from '../../native.js';
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD } from '../../sys/constants.js';
import type { Backend, BackendKind, PollerSupports } from '../backend.js';

const supports: PollerSupports = {
  ...{ edge: true, oneshot: true, edgeOneshot: true, exclusive: true, priority: true },
  ...{ hangup: true, unasked: true, readClosed: true, nested: true, remembers: true },
  descriptorMax: INT_MAX,
};

class EpollBackend implements Backend {
  readonly syscall = 'epoll_ctl';
  readonly waitSyscall = 'epoll_wait';
  readonly supports: PollerSupports = supports;
  readonly fd: number;
  readonly waker: Waker;
  readonly closeAll: () => void;
  readonly #wake: WakeDescriptor;
  readonly #table: RegistrationTable<unknown>;

  constructor(table: RegistrationTable<unknown>) {
    const { fd, wake } = openEpoll(0);
    this.fd = fd;
    this.waker = wake.waker;
    this.closeAll = () => {
      wake.close();
      binding.owned.close(fd);
    };
    this.#wake = wake;
    this.#table = table;
  }

  add(fd: number, mask: number, generation: number): number {
    return setCtl(this.fd, EPOLL_CTL_ADD, fd, mask, generation);
  }

  modify(fd: number, mask: number, generation: number): number {
    return setCtl(this.fd, EPOLL_CTL_MOD, fd, mask, generation);
  }

  delete(fd: number): number {
    return setCtl(this.fd, EPOLL_CTL_DEL, fd, 0, NO_GENERATION);
  }

  wait(
    events: Uint8Array,
    capacity: number,
    timeoutMs: number,
    spinUs: number,
  ): number | undefined {
    return setWait(this.fd, this.#wake.fd, events, capacity, timeoutMs, spinUs);
  }

  forget(fd: number): void {
    this.delete(fd); // Refused: somebody closed it before, and there is nothing to take out.
  }

  lift(fd: number): () => void {
    return lift(this.fd, fd, this.#table);
  }

  removeGhosts(): boolean {
    return rebuild(this.fd, this.#wake.fd, this.#table);
  }
}

/** @internal */
export const epoll: BackendKind = {
  name: 'epoll',
  open: (table) => new EpollBackend(table),
};

/**
 * kqueue(2). The kernel keeps a knote for each direction of a descriptor. Adding one twice
 * succeeds, and deleting one that went with its descriptor does not: so the table says what is
 * registered, and the kernel whether it still is.
 */
import { NO_GENERATION, type RegistrationTable } from '../../set/registration-table.js';
import type { Waker } from '../../epoll/waker.js';
import { INT_MAX } from '../../errors.js';
import { openKqueue } from '../../kqueue/open-kqueue.js';
import { binding } from '../../native.js';
import { EEXIST, ENOENT } from '../../sys/constants.js';
import type { Backend, BackendKind, PollerSupports } from '../backend.js';

const supports: PollerSupports = {
  ...{ edge: true, oneshot: true, edgeOneshot: true, exclusive: false, priority: false },
  ...{ hangup: true, unasked: false, readClosed: true, nested: true, remembers: true },
  descriptorMax: INT_MAX,
};

const NOTHING = 0;

class KqueueBackend implements Backend {
  readonly syscall = 'kevent';
  readonly supports: PollerSupports = supports;
  readonly fd: number;
  readonly waker: Waker;
  readonly closeAll: () => void;
  readonly #wakeFd: number;
  readonly #table: RegistrationTable<unknown>;
  /** The set, and the descriptor that wakes or -1. */
  readonly #numbers: Int32Array;
  /** Room for what the kernel reports, and where in a batch a descriptor was last. */
  #kevents = new Uint8Array(0);
  #positions = new Uint32Array(0);

  constructor(table: RegistrationTable<unknown>) {
    const { fd, wakeFd, waker, closeWake } = openKqueue();
    this.fd = fd;
    this.waker = waker;
    this.closeAll = () => {
      closeWake();
      binding.owned.close(fd);
    };
    this.#wakeFd = wakeFd;
    this.#table = table;
    this.#numbers = Int32Array.of(fd, wakeFd);
  }

  add(fd: number, mask: number, generation: number): number {
    const refused = binding.poller.inspect(fd);
    if (refused < 0) return refused;
    if (this.#isRegistered(fd) || fd === this.#wakeFd) return -EEXIST;
    return binding.poller.kqueue_put(this.fd, fd, mask, generation);
  }

  modify(fd: number, mask: number, generation: number): number {
    const refused = binding.poller.inspect(fd);
    if (refused < 0) return refused;
    if (!this.#isRegistered(fd)) return -ENOENT;
    const result = binding.poller.kqueue_put(this.fd, fd, mask, generation);
    if (result < 0) this.#restore(fd);
    return result;
  }

  delete(fd: number): number {
    const refused = binding.poller.inspect(fd);
    if (refused < 0) return refused;
    if (!this.#isRegistered(fd)) return -ENOENT;
    this.forget(fd);
    return 0;
  }

  wait(
    events: Uint8Array,
    capacity: number,
    timeoutMs: number,
    spinUs: number,
  ): number | undefined {
    const { interests } = this.#table;
    this.#reserve(capacity, interests.length);
    return binding.poller.kqueue(
      this.#numbers,
      this.#kevents,
      this.#positions,
      interests,
      events,
      capacity,
      timeoutMs,
      spinUs,
    );
  }

  forget(fd: number): void {
    binding.poller.kqueue_put(this.fd, fd, NOTHING, NO_GENERATION);
  }

  lift(fd: number): () => void {
    if (!this.#table.has(fd)) return () => undefined;
    this.forget(fd);
    return () => {
      this.#restore(fd);
    };
  }

  removeGhosts(): boolean {
    return false; // A knote goes with its descriptor.
  }

  #isRegistered(fd: number): boolean {
    const table = this.#table;
    if (!table.has(fd)) return false;
    const { fd: kq } = this;
    return binding.poller.kqueue_has(kq, fd, table.interest(fd), table.generation(fd)) === 1;
  }

  #restore(fd: number): void {
    const table = this.#table;
    binding.poller.kqueue_put(this.fd, fd, table.interest(fd), table.generation(fd));
  }

  #reserve(capacity: number, descriptors: number): void {
    const bytes = capacity * (binding.layout['kevent_bytes'] ?? 0);
    if (this.#kevents.length < bytes) this.#kevents = new Uint8Array(bytes);
    if (this.#positions.length < descriptors) this.#positions = new Uint32Array(descriptors);
  }
}

/** @internal */
export const kqueue: BackendKind = {
  name: 'kqueue',
  open: (table) => new KqueueBackend(table),
};

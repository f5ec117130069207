/**
 * A backend that nobody needs: poll(2), and each batch from its end to its beginning. It shows
 * that a backend is one file, a line that registers it, and no test of its own.
 */
import type { RegistrationTable } from '../../ts/set/registration-table.js';
import type { Waker } from '../../ts/index.js';
import type { Backend, BackendKind, PollerSupports } from '../../ts/poller/backend.js';
import { backendKinds } from '../../ts/poller/backends/index.js';
import { poll } from '../../ts/poller/backends/poll.js';
import { epollEventLayout } from '../../ts/sys/epoll-event-array.js';

const RECORD_BYTES = 4 * epollEventLayout.words;

class ToyBackend implements Backend {
  readonly syscall = 'toy';
  readonly supports: PollerSupports;
  readonly fd: number = -1;
  readonly waker: Waker;
  readonly closeAll: () => void;
  readonly #inner: Backend;

  constructor(table: RegistrationTable<unknown>) {
    this.#inner = poll.open(table);
    this.supports = this.#inner.supports;
    this.waker = this.#inner.waker;
    this.closeAll = this.#inner.closeAll;
  }

  add(fd: number, mask: number, generation: number): number {
    return this.#inner.add(fd, mask, generation);
  }

  modify(fd: number, mask: number, generation: number): number {
    return this.#inner.modify(fd, mask, generation);
  }

  delete(fd: number): number {
    return this.#inner.delete(fd);
  }

  wait(
    events: Uint8Array,
    capacity: number,
    timeoutMs: number,
    spinUs: number,
  ): number | undefined {
    const count = this.#inner.wait(events, capacity, timeoutMs, spinUs);
    if (count !== undefined && count > 1) reverse(events.subarray(0, count * RECORD_BYTES));
    return count;
  }

  forget(fd: number): void {
    this.#inner.forget(fd);
  }

  lift(fd: number): () => void {
    return this.#inner.lift(fd);
  }

  removeGhosts(): boolean {
    return this.#inner.removeGhosts();
  }
}

function reverse(records: Uint8Array): void {
  const before = records.slice();
  for (let from = 0; from < before.length; from += RECORD_BYTES) {
    const to = before.length - RECORD_BYTES - from;
    records.set(before.subarray(from, from + RECORD_BYTES), to);
  }
}

const toy: BackendKind = {
  name: 'toy',
  open: (table) => new ToyBackend(table),
};

backendKinds.push(toy); // The one line that registers it, on every thread that imports this.

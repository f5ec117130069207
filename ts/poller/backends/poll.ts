/**
 * poll(2). The kernel keeps nothing: an array of `struct pollfd` says what is wanted, with every
 * wait anew. The array is kept as the kernel wants it and changed in place; slot 0 wakes, and the
 * last slot moves to where one is taken out. A slot that is not to report holds `~fd`, a negative
 * number, which poll(2) passes over.
 */
import { INT_MAX } from '../../errors.js';
import { binding } from '../../native.js';
import type { RegistrationTable } from '../../set/registration-table.js';
import { POLLNVAL, POLLRDHUP } from '../../sys/constants.js';
import type { BackendKind, PollerSupports } from '../backend.js';
import { INTEREST_ALL, READABLE } from '../conditions.js';
import { NumberBackend } from './number-backend.js';

/** poll(2) tells the peer's end on Linux alone. */
const tellsReadClosed = (POLLRDHUP as number | undefined) !== undefined;
/** What `events` of a slot may hold. */
const ASKABLE = INTEREST_ALL | (tellsReadClosed ? POLLRDHUP : 0);

const supports: PollerSupports = {
  ...{ edge: false, oneshot: true, edgeOneshot: false, exclusive: false, priority: true },
  ...{ hangup: true, unasked: true, readClosed: tellsReadClosed, nested: false },
  ...{ remembers: false, descriptorMax: INT_MAX },
};

/** `struct pollfd` is `{int fd; short events; short revents;}` on every system. */
const SLOT_BYTES = 8;
const FIRST_CAPACITY = 64;
/** No slot: slot 0 wakes, and has no registration. */
const NONE = 0;
/** `events` of a slot whose descriptor was found closed. */
const BURIED = POLLNVAL;

class PollBackend extends NumberBackend {
  readonly syscall = 'poll';
  readonly supports: PollerSupports = supports;
  /** The slots, and the same memory as descriptors and as halves of which two are `events`. */
  #slots = new Uint8Array(FIRST_CAPACITY * SLOT_BYTES);
  #fds = new Int32Array(this.#slots.buffer);
  #halves = new Int16Array(this.#slots.buffer);
  /** How many slots, and where the next report begins. */
  readonly #numbers = Int32Array.of(0, 1);
  /** Descriptor → slot. */
  #slotOf = new Int32Array(FIRST_CAPACITY);

  constructor(table: RegistrationTable<unknown>) {
    super(table);
    this.put(this.wakeFd, READABLE);
  }

  wait(
    events: Uint8Array,
    capacity: number,
    timeoutMs: number,
    spinUs: number,
  ): number | undefined {
    const { generations, interests } = this.table;
    return binding.poller.poll(
      this.#slots,
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
    const slot = this.#slot(fd);
    if (slot === NONE) return;
    const last = --this.#numbers[0]!;
    const moved = this.#fds[2 * last] as number;
    this.#slots.copyWithin(slot * SLOT_BYTES, last * SLOT_BYTES, (last + 1) * SLOT_BYTES);
    this.#slotOf[moved < 0 ? ~moved : moved] = slot;
    this.#slotOf[fd] = NONE;
  }

  protected isRegistered(fd: number): boolean {
    const slot = this.#slot(fd);
    return slot !== NONE && this.#halves[4 * slot + 2] !== BURIED;
  }

  protected put(fd: number, mask: number): void {
    const known = this.#slot(fd);
    const slot = known === NONE ? this.#append(fd) : known;
    this.#write(slot, fd, mask & ASKABLE);
  }

  protected bury(fd: number): void {
    const slot = this.#slot(fd);
    if (slot !== NONE) this.#write(slot, ~fd, BURIED);
  }

  #slot(fd: number): number {
    return this.#slotOf[fd] ?? NONE;
  }

  #append(fd: number): number {
    const slot = this.#numbers[0] as number;
    this.#reserve(slot, fd);
    this.#slotOf[fd] = slot;
    this.#numbers[0] = slot + 1;
    return slot;
  }

  #write(slot: number, fd: number, events: number): void {
    this.#fds[2 * slot] = fd;
    this.#halves[4 * slot + 2] = events;
    this.#halves[4 * slot + 3] = 0;
  }

  #reserve(slot: number, fd: number): void {
    if (fd >= this.#slotOf.length) {
      const slotOf = new Int32Array(Math.max(fd + 1, 2 * this.#slotOf.length));
      slotOf.set(this.#slotOf);
      this.#slotOf = slotOf;
    }
    if (slot * SLOT_BYTES < this.#slots.length) return;
    const slots = new Uint8Array(2 * this.#slots.length);
    slots.set(this.#slots);
    this.#slots = slots;
    this.#fds = new Int32Array(slots.buffer);
    this.#halves = new Int16Array(slots.buffer);
  }
}

/** @internal */
export const poll: BackendKind = {
  name: 'poll',
  open: (table) => new PollBackend(table),
};

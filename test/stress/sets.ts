/** Epoll sets as a plain model: what the kernel keeps, and what the library must say of it. */
import {
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLWAKEUP,
} from '../../ts/sys/constants.js';
import { Description, type Readiness } from './descriptions.js';

/** The kernel reports these whether they were asked for or not. */
export const ALWAYS: number = EPOLLERR | EPOLLHUP;
const EXCLUSIVE_TAKES =
  EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE;

/** Whether a one-shot will fire. What becomes of one in a ghost's place cannot always be told. */
type Armed = 'yes' | 'no' | 'unknown';

/**
 * A registration as the kernel keeps it: for a number and a description together. It becomes a
 * ghost when the number is closed and the description lives on.
 */
export class Item {
  readonly fd: number;
  readonly description: Description;
  /** Tells it from the others of its number, as the generation of the library does. */
  token: number;
  mask: number;
  armed: Armed = 'yes';
  /** Edge-triggered: something happened since it was last reported. */
  may = true;
  /** Edge-triggered: conditions that came true since it was last reported. */
  owed = 0;

  constructor(fd: number, description: Description, token: number, mask: number) {
    this.fd = fd;
    this.description = description;
    this.token = token;
    this.mask = mask;
    this.enable(mask);
  }

  get isEdge(): boolean {
    return (this.mask & EPOLLET) !== 0;
  }

  get isOneShot(): boolean {
    return (this.mask & EPOLLONESHOT) !== 0;
  }

  /** Conditions that are reported if they hold. */
  get wanted(): number {
    return this.mask | ALWAYS;
  }

  edge(owed: number): void {
    this.may = true;
    this.owed |= owed;
  }

  /** Added or modified: the kernel looks at once whether it is ready. */
  enable(mask: number): void {
    this.mask = mask;
    this.armed = 'yes';
    this.may = true;
    this.owed = this.description.readiness().sure;
  }

  reported(): void {
    this.may = false;
    this.owed = 0;
    if (this.isOneShot) this.armed = 'no';
  }

  /** A wait had room for it and did not show it. */
  passedOver({ possible }: Readiness): void {
    this.owed &= possible;
  }

  /** Whether a wait that has room must show it. */
  mustShow({ sure }: Readiness): boolean {
    if (this.armed !== 'yes' || (this.isEdge && !this.description.tellsEdges)) return false;
    return (sure & this.wanted & (this.isEdge ? this.owed : -1)) !== 0;
  }

  /** Whether a wait may show it. */
  mayShow({ possible }: Readiness): boolean {
    if (this.armed === 'no' || (possible & this.wanted) === 0) return false;
    return this.may || !this.isEdge || !this.description.tellsEdges;
  }
}

/** What the library knows of a registration. */
export interface Entry {
  token: number;
  events: number;
  data: number | undefined;
}

/** A refusal, by the name of its errno; undefined: the call succeeds. */
export type Refusal = 'EBADF' | 'EEXIST' | 'EINVAL' | 'ENOENT' | undefined;

/** A set is a description as well: it can be in another set. */
export class SetModel extends Description {
  readonly kind = 'set';
  /** Of what happens in an inner set only the outcome is known. */
  override readonly tellsEdges: boolean = false;
  /** What the library says. */
  readonly table: Map<number, Entry> = new Map<number, Entry>();
  /** What the kernel keeps, ghosts included. */
  readonly kept: Set<Item> = new Set<Item>();
  /** A wake that no wait has consumed; unknown after a wait that had no room for it. */
  wake: 'no' | 'yes' | 'unknown' = 'no';
  /** It was opened once, and is closed. */
  closed = false;
  #tokens = 0;

  /** Readable while a wait would show something, its wake or a ghost included. */
  readiness(): Readiness {
    let possible = this.wake === 'no' ? 0 : EPOLLIN;
    let sure = this.wake === 'yes' ? EPOLLIN : 0;
    for (const item of this.kept) {
      const readiness = item.description.readiness();
      if (item.mustShow(readiness)) sure = EPOLLIN;
      // One that has fired may be kept as one whose hang-up is thrown away.
      if (item.mayShow(readiness) || item.armed === 'no') possible = EPOLLIN;
    }
    return { sure, possible: possible | sure };
  }

  end(): void {
    for (const item of this.kept) item.description.items.delete(item);
    this.kept.clear();
    this.table.clear();
    this.closed = true;
  }

  find(fd: number, description: Description | undefined): Item | undefined {
    for (const item of this.kept) {
      if (item.fd === fd && item.description === description) return item;
    }
    return undefined;
  }

  /** Registrations that no entry of the library stands for. */
  ghosts(): Item[] {
    return [...this.kept].filter(({ fd, token }) => this.table.get(fd)?.token !== token);
  }

  add(fd: number, at: Description | undefined, mask: number, data: number): Refusal {
    if (at === undefined) return this.#deny(fd, 'EBADF');
    if (mask & EPOLLEXCLUSIVE && (mask & ~EXCLUSIVE_TAKES || at instanceof SetModel))
      return 'EINVAL';
    if (this.find(fd, at)) return 'EEXIST';
    const token = ++this.#tokens;
    const item = new Item(fd, at, token, mask);
    this.kept.add(item);
    at.items.add(item);
    this.table.set(fd, { token, events: mask >>> 0, data });
    return undefined;
  }

  modify(fd: number, at: Description | undefined, mask: number, data: number | undefined): Refusal {
    if (at === undefined) return this.#deny(fd, 'EBADF');
    if (mask & EPOLLEXCLUSIVE) return 'EINVAL';
    const item = this.find(fd, at);
    if (!item) return this.#deny(fd, 'ENOENT');
    if (item.mask & EPOLLEXCLUSIVE) return 'EINVAL';
    const before = this.table.get(fd);
    const token = before?.token ?? ++this.#tokens;
    item.token = token;
    item.enable(mask);
    this.table.set(fd, { token, events: mask >>> 0, data: data ?? before?.data });
    return undefined;
  }

  delete(fd: number, at: Description | undefined): Refusal {
    if (at === undefined) return this.#deny(fd, 'EBADF');
    const item = this.find(fd, at);
    if (!item) return this.#deny(fd, 'ENOENT');
    this.drop(item);
    this.table.delete(fd);
    return undefined;
  }

  /** The kernel knows nothing of it: what it still reports under this number is a ghost. */
  #deny(fd: number, refusal: Refusal): Refusal {
    const entry = this.table.get(fd);
    if (entry) entry.token = ++this.#tokens;
    return refusal;
  }

  /** The owner of a number is about to close it. */
  forget(fd: number, at: Description | undefined): void {
    if (!this.table.delete(fd)) return;
    const item = this.find(fd, at);
    if (item) this.drop(item);
  }

  drop(item: Item): void {
    this.kept.delete(item);
    item.description.items.delete(item);
  }

  /** It met a ghost and was built anew from what the kernel still knew by its number. */
  rebuilt(at: (fd: number) => Description | undefined): void {
    for (const [fd, entry] of this.table) {
      const item = this.find(fd, at(fd));
      if (!item) {
        this.table.delete(fd);
        continue;
      }
      const { armed } = item;
      const revived = item.token !== entry.token;
      item.token = entry.token;
      item.enable(entry.events);
      if (!item.isOneShot) continue;
      item.armed = revived ? 'unknown' : armed;
    }
    for (const item of this.ghosts()) this.drop(item);
    for (const item of this.kept) if (at(item.fd) !== item.description) this.drop(item);
  }
}

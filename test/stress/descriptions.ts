/**
 * Open file descriptions as a plain model: what the kernel must say of each, and what it may.
 *
 * Written from the man pages and the kernel's behaviour alone. Nothing here asks the library.
 */
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from '../../ts/sys/constants.js';
import type { Item } from './sets.js';

/** Conditions that hold for sure, and those that may hold: `sure` is part of `possible`. */
export interface Readiness {
  readonly sure: number;
  readonly possible: number;
}

/** Whether more can be written. Between full and empty the kernel's book-keeping decides. */
type Room = 'yes' | 'no' | 'maybe';

/** What stands behind one or more descriptor numbers. */
export abstract class Description {
  /** How many numbers it has. */
  references = 0;
  /** Its registrations in all sets: they end with the description and not before. */
  readonly items: Set<Item> = new Set<Item>();

  abstract readonly kind: string;
  /** Whether `edge` is told of every edge. */
  readonly tellsEdges: boolean = true;
  abstract readiness(): Readiness;

  /** The last number was closed. */
  abstract end(): void;

  /**
   * Something happened that may be an edge: a wake-up of the kernel. `owed` are the conditions
   * that came true by it, and must be reported if they were asked for and last until the wait.
   */
  edge(owed: number): void {
    for (const item of this.items) item.edge(owed);
  }
}

function known(sure: number): Readiness {
  return { sure, possible: sure };
}

function withRoom(sure: number, room: Room): Readiness {
  if (room === 'no') return known(sure);
  return { sure: room === 'yes' ? sure | EPOLLOUT : sure, possible: sure | EPOLLOUT };
}

/** So many small writes fit for sure, whatever the kernel adds to each. */
const SMALL_WRITES = 12;

/** One end of a pair of Unix stream sockets. */
export class SocketEnd extends Description {
  readonly kind = 'socket';
  peer!: SocketEnd;
  /** Bytes that wait to be read here. */
  inbox = 0;
  /** Writes of the peer since the inbox was empty. */
  writes = 0;
  room: Room = 'yes';
  receives = true;
  sends = true;
  /** The peer closed with data unread: ECONNRESET. */
  error = false;

  static pair(): [SocketEnd, SocketEnd] {
    const [left, right] = [new SocketEnd(), new SocketEnd()];
    left.peer = right;
    right.peer = left;
    return [left, right];
  }

  readiness(): Readiness {
    let sure = 0;
    if (this.inbox > 0 || !this.receives) sure |= EPOLLIN;
    if (!this.receives) sure |= EPOLLRDHUP;
    if (!this.receives && !this.sends) sure |= EPOLLHUP;
    if (this.error) sure |= EPOLLERR;
    return withRoom(sure, this.room);
  }

  /** `count` bytes were taken, with as much as fits already written if `full`. */
  wrote(count: number, full: boolean): void {
    const { peer } = this;
    if (count > 0) {
      peer.inbox += count;
      peer.writes++;
      peer.edge(EPOLLIN);
    }
    if (full) this.room = 'no';
    else if (this.room === 'yes' && peer.writes > SMALL_WRITES) this.room = 'maybe';
  }

  /** `count` bytes were read. */
  got(count: number): void {
    this.inbox -= count;
    this.peer.makeRoom(this.inbox === 0);
    if (this.inbox === 0) this.writes = 0;
  }

  makeRoom(all: boolean): void {
    const owed = this.room === 'no' ? EPOLLOUT : 0;
    if (all) this.room = 'yes';
    else if (this.room === 'no') this.room = 'maybe';
    this.edge(owed);
  }

  shut(reading: boolean, writing: boolean): void {
    if (reading) this.receives = this.peer.sends = false;
    if (writing) this.sends = this.peer.receives = false;
    for (const end of [this, this.peer]) end.edge(end.readiness().sure & ~EPOLLOUT);
  }

  end(): void {
    const { peer } = this;
    peer.receives = peer.sends = false;
    if (this.inbox > 0) peer.error = true;
    this.inbox = 0;
    peer.makeRoom(true);
    peer.edge(peer.readiness().sure & ~EPOLLOUT);
  }
}

/** So many bytes fit into a pipe for sure, though every write may waste the rest of a page. */
const SMALL_PIPE = 16_384;

/** What the two ends of a pipe share. */
class PipeBuffer {
  bytes = 0;
  room: Room = 'yes';
  reader: PipeReader | null = null;
  writer: PipeWriter | null = null;
}

export class PipeReader extends Description {
  readonly kind = 'reader';
  readonly buffer: PipeBuffer;

  constructor(buffer: PipeBuffer) {
    super();
    this.buffer = buffer;
  }

  readiness(): Readiness {
    const { bytes, writer } = this.buffer;
    return known((bytes > 0 ? EPOLLIN : 0) | (writer === null ? EPOLLHUP : 0));
  }

  got(count: number): void {
    const { buffer } = this;
    buffer.bytes -= count;
    const owed = buffer.room === 'no' ? EPOLLOUT : 0;
    if (buffer.bytes === 0) buffer.room = 'yes';
    else if (buffer.room === 'no') buffer.room = 'maybe';
    buffer.writer?.edge(owed);
  }

  end(): void {
    this.buffer.reader = null;
    this.buffer.writer?.edge(EPOLLERR);
  }
}

export class PipeWriter extends Description {
  readonly kind = 'writer';
  readonly buffer: PipeBuffer;

  constructor(buffer: PipeBuffer) {
    super();
    this.buffer = buffer;
  }

  static pair(): [PipeReader, PipeWriter] {
    const buffer = new PipeBuffer();
    buffer.reader = new PipeReader(buffer);
    buffer.writer = new PipeWriter(buffer);
    return [buffer.reader, buffer.writer];
  }

  readiness(): Readiness {
    const { reader, room } = this.buffer;
    return withRoom(reader === null ? EPOLLERR : 0, room);
  }

  wrote(count: number, full: boolean): void {
    const { buffer } = this;
    buffer.bytes += count;
    // A write that finds no room wakes as well, since Linux 5.15.
    buffer.reader?.edge(count > 0 ? EPOLLIN : 0);
    if (full) buffer.room = 'no';
    else if (buffer.room === 'yes' && buffer.bytes > SMALL_PIPE) buffer.room = 'maybe';
  }

  end(): void {
    this.buffer.writer = null;
    this.buffer.reader?.edge(EPOLLHUP);
  }
}

export const COUNTER_MAX: bigint = 2n ** 64n - 2n;

export class Counter extends Description {
  readonly kind = 'counter';
  readonly semaphore: boolean;
  count: bigint;

  constructor(count: bigint, semaphore: boolean) {
    super();
    this.count = count;
    this.semaphore = semaphore;
  }

  readiness(): Readiness {
    return known((this.count > 0n ? EPOLLIN : 0) | (this.count < COUNTER_MAX ? EPOLLOUT : 0));
  }

  added(value: bigint): void {
    this.count += value;
    this.edge(this.count > 0n ? EPOLLIN : 0);
  }

  /** What a read answers, if there is something to read. */
  take(): bigint {
    const wasFull = this.count === COUNTER_MAX;
    const taken = this.semaphore ? 1n : this.count;
    this.count -= taken;
    this.edge(wasFull ? EPOLLOUT : 0);
    return taken;
  }

  end(): void {
    // Nobody else knows of it.
  }
}

export class Timer extends Description {
  readonly kind = 'timer';
  fired = false;

  readiness(): Readiness {
    return known(this.fired ? EPOLLIN : 0);
  }

  /** It was set: to a time that has passed, or to one that will not come. */
  armed(fired: boolean): void {
    this.fired = fired;
    this.edge(fired ? EPOLLIN : 0);
  }

  end(): void {
    // Nobody else knows of it.
  }
}

/** Descriptors of three kinds, what they must show, and a poller that is judged by it. */
import { Poller, PollerEvents, READABLE, WRITABLE, type BackendName } from '../../ts/index.js';
import type { PollerMode, SystemError } from '../../ts/index.js';
import {
  AF_UNIX,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  O_CLOEXEC,
  O_NONBLOCK,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from '../../ts/sys/constants.js';
import { close, eventfd, pipe2, read, socketpair, write } from '../../ts/sys/index.js';

/** What goes through a descriptor at most, so that there is always room. */
const BYTES_MAX = 4096;
const bytes = new Uint8Array(64);
const one = new Uint8Array(new BigUint64Array([1n]).buffer);
const pairOfFds = new Int32Array(2);

/** What a registration must come to. */
export interface Registered {
  readonly token: number;
  interest: number;
  mode: PollerMode;
  armed: boolean;
  /** Edge: something happened since it was last shown, and what of it must be shown. */
  may: boolean;
  owed: number;
}

/** One open descriptor. */
export class End {
  readonly fd: number;
  readonly kind: 'socket' | 'reader' | 'writer' | 'counter';
  peer: End | undefined;
  waiting = 0;
  peerClosed = false;
  registered: Registered | undefined;

  constructor(fd: number, kind: End['kind']) {
    this.fd = fd;
    this.kind = kind;
  }

  /** What may be asked of it. */
  get askable(): number {
    if (this.kind === 'reader') return READABLE;
    return this.kind === 'writer' ? WRITABLE : READABLE | WRITABLE;
  }

  /** What a wait would show if it were asked for. */
  get ready(): number {
    const readable = this.waiting > 0 || this.peerClosed ? READABLE : 0;
    if (this.kind === 'reader') return readable;
    return this.kind === 'writer' ? WRITABLE : readable | WRITABLE;
  }

  happened(owed: number): void {
    const { registered } = this;
    if (registered === undefined) return;
    registered.may = true;
    registered.owed |= owed;
  }
}

export function fail(message: string): never {
  throw new Error(message);
}

export class PollerWorld {
  readonly backend: BackendName;
  readonly ends: Map<number, End> = new Map<number, End>();
  /** Registered numbers that were closed behind the back. */
  readonly dead: Map<number, number> = new Map<number, number>();
  /** Whether the kernel reports the two directions of a descriptor one by one. */
  readonly apart: boolean;
  poller: Poller<number>;
  tokens = 0;

  constructor(backend: BackendName) {
    this.backend = backend;
    this.apart = backend === 'kqueue';
    this.poller = new Poller<number>({ backend });
  }

  renew(): void {
    this.poller.close();
    this.poller = new Poller<number>({ backend: this.backend });
    this.dead.clear();
    for (const end of this.ends.values()) end.registered = undefined;
  }

  openPair(kind: 'socket' | 'pipe'): void {
    const result =
      kind === 'socket'
        ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pairOfFds)
        : pipe2(pairOfFds, O_NONBLOCK | O_CLOEXEC);
    if (result < 0) fail(`open answered ${result}`);
    const [first, second] = pairOfFds as unknown as [number, number];
    const left = new End(first, kind === 'socket' ? 'socket' : 'reader');
    const right = new End(second, kind === 'socket' ? 'socket' : 'writer');
    [left.peer, right.peer] = [right, left];
    this.ends.set(first, left).set(second, right);
  }

  openCounter(): void {
    const fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    this.ends.set(fd, new End(fd, 'counter'));
  }

  write(end: End): void {
    const target = end.kind === 'counter' ? end : end.peer;
    if (end.kind === 'reader' || target === undefined || target.waiting > BYTES_MAX) return;
    const data = end.kind === 'counter' ? one : bytes;
    const result = write(end.fd, data, 0, data.length);
    if (result !== data.length) fail(`write to fd ${end.fd} answered ${result}`);
    target.waiting += result;
    target.happened(READABLE);
    end.happened(0);
  }

  /** Reads all that waits, or a part. */
  read(end: End, all: boolean): void {
    if (end.kind === 'writer') return;
    do {
      const result = read(end.fd, bytes, 0, end.kind === 'counter' || all ? 64 : 10);
      if (result <= 0) break;
      end.waiting = end.kind === 'counter' ? 0 : end.waiting - result;
      bytes.fill(1);
    } while (all);
    if (all && end.waiting !== 0) fail(`fd ${end.fd} has ${end.waiting} bytes too few`);
    end.peer?.happened(0);
    end.happened(0);
  }

  /** As a portable program does: out of the poller first. */
  closeProperly(end: End): void {
    if (end.registered !== undefined) this.poller.delete(end.fd);
    this.#close(end);
  }

  /** Behind the poller's back. Somebody has to look before the number is given out again. */
  closeBare(end: End): void {
    const { fd, registered } = end;
    if (registered !== undefined) this.dead.set(fd, registered.token);
    this.#close(end);
    // No wait asks about a one-shot that has fired: only a call sees that it is closed.
    if (registered?.armed !== false) return;
    this.expect('EBADF', `delete of the closed fd ${fd}`, () => {
      this.poller.delete(fd);
    });
  }

  #close(end: End): void {
    if (close(end.fd) !== 0) fail(`close of fd ${end.fd}`);
    this.ends.delete(end.fd);
    const { peer } = end;
    if (peer === undefined) return;
    peer.peerClosed = true;
    peer.peer = undefined;
    peer.happened(peer.kind === 'writer' ? WRITABLE : READABLE);
  }

  /** The call is refused with that code, or not at all. */
  expect(code: string | undefined, what: string, call: () => void): void {
    let got: string | undefined;
    try {
      call();
    } catch (error) {
      got = (error as SystemError).code;
    }
    if (got !== code) fail(`${what}: ${String(got)} instead of ${String(code)}`);
  }

  add(end: End, interest: number, mode: PollerMode): void {
    const token = ++this.tokens;
    const code = end.registered === undefined ? undefined : 'EEXIST';
    this.expect(code, `add fd ${end.fd}`, () => {
      this.poller.add(end.fd, interest, { mode, data: token });
    });
    // Asked whether it still has it, kqueue may report an edge again.
    if (code !== undefined && this.apart) end.happened(0);
    if (code !== undefined) return;
    this.dead.delete(end.fd);
    const owed = end.ready & interest;
    end.registered = { token, interest, mode, armed: true, may: true, owed };
  }

  modify(end: End, interest: number, mode: PollerMode): void {
    const { registered } = end;
    this.expect(registered ? undefined : 'ENOENT', `modify fd ${end.fd}`, () => {
      this.poller.modify(end.fd, interest, { mode });
    });
    if (registered === undefined) return;
    Object.assign(registered, { interest, mode, armed: true, may: true });
    registered.owed = end.ready & interest;
  }

  delete(end: End): void {
    this.expect(end.registered ? undefined : 'ENOENT', `delete fd ${end.fd}`, () => {
      this.poller.delete(end.fd);
    });
    end.registered = undefined;
  }
}

/** What a wait brought. */
interface Fetched {
  readonly fd: number;
  readonly token: number;
  readonly shown: number;
}

/** A batch, and what the model knows of it. */
export class PollerBatch {
  readonly events: PollerEvents<number>;
  readonly world: PollerWorld;
  fetched: Fetched[] = [];
  /** How many events there were, and how many looks found a stale one. */
  static shown = 0;
  static stale = 0;

  constructor(world: PollerWorld, capacity: number) {
    this.events = new PollerEvents<number>(capacity);
    this.world = world;
  }

  /** Waits without waiting, and judges what came and what did not. */
  wait(timeoutMs = 0): void {
    const { events, world } = this;
    const count = world.poller.wait(events, timeoutMs);
    const seen = new Set<number>();
    this.fetched = [];
    for (let i = 0; i < count; i++) {
      const fd = events.fd(i);
      if (seen.has(fd)) fail(`fd ${fd} is shown twice`);
      seen.add(fd);
      this.fetched.push(this.#judge(i, fd));
    }
    PollerBatch.shown += count;
    if (!this.#isFull) this.#judgeMissing(seen);
  }

  /** Whether something may have found no room. Two directions, reported apart, become one event. */
  get #isFull(): boolean {
    const { length, capacity } = this.events;
    return (this.world.apart ? 2 * length : length) >= capacity;
  }

  #judge(i: number, fd: number): Fetched {
    const { events, world } = this;
    const end = world.ends.get(fd);
    const registered = end?.registered;
    if (end === undefined || registered === undefined) fail(`fd ${fd} is not registered`);
    if (events.data(i) !== registered.token) fail(`fd ${fd} has the data of another`);
    if (!registered.armed) fail(`fd ${fd} has fired`);
    const shown = (events.readable(i) ? READABLE : 0) | (events.writable(i) ? WRITABLE : 0);
    const ready = end.ready & registered.interest;
    const isEdge = registered.mode.startsWith('edge');
    // kqueue reports each direction for itself: the other one may have found no room.
    const isPart = world.apart && this.#isFull;
    const must = isPart ? 0 : isEdge ? registered.owed & ready : ready;
    if (shown === 0 || (shown & ~ready) !== 0 || (must & ~shown) !== 0) {
      fail(`fd ${fd} (${end.kind}) shows ${shown}, and must show ${must} of ${ready}`);
    }
    if (isEdge && !registered.may) fail(`fd ${fd} shows an edge that it has shown`);
    registered.owed &= ~shown;
    // The direction that found no room comes later, although the end of the peer, told by the one
    // that did, has shown both.
    if (isEdge) registered.may = isPart && (end.peerClosed || (ready & ~shown) !== 0);
    if (registered.mode === 'oneshot' || registered.mode === 'edgeOneshot')
      registered.armed = false;
    return { fd, token: registered.token, shown };
  }

  #judgeMissing(seen: ReadonlySet<number>): void {
    for (const { fd, ready, registered } of this.world.ends.values()) {
      if (!registered?.armed || seen.has(fd)) continue;
      const must = ready & registered.interest;
      const owed = registered.mode.startsWith('edge') ? must & registered.owed : must;
      if (owed !== 0) fail(`fd ${fd} has ${owed} and is not shown`);
      registered.owed = 0;
    }
  }

  /** Looks at an event of the last wait: it says what is true now, or that it is stale. */
  look(i: number): void {
    const { events, world } = this;
    const { fd, token, shown } = this.fetched[i] as Fetched;
    const registered = world.ends.get(fd)?.registered;
    const present = registered?.token ?? world.dead.get(fd);
    if (present !== token) {
      PollerBatch.stale++;
      if (events.fd(i) !== -1 || events.data(i) !== undefined) fail(`fd ${fd} is not stale`);
      if (events.readable(i) || events.writable(i))
        fail(`the stale event of fd ${fd} says something`);
      return;
    }
    if (registered === undefined) return; // Closed behind the back: said no more, and not wrong.
    if (events.fd(i) !== fd || events.data(i) !== token) fail(`the event of fd ${fd} is lost`);
    const now = (events.readable(i) ? READABLE : 0) | (events.writable(i) ? WRITABLE : 0);
    if (now !== (shown & registered.interest)) fail(`fd ${fd} shows ${now}, had shown ${shown}`);
  }
}

/**
 * The real descriptors and sets beside their model. Every operation is done to both, and what the
 * library answers is compared with what the model says.
 */
import { closeSync } from 'node:fs';
import {
  Epoll,
  EventFd,
  Pipe,
  SystemError,
  TimerFd,
  UnixStream,
  WOULD_BLOCK,
  type OwnedDescriptor,
} from '../../ts/index.js';
import {
  EAGAIN,
  EBADF,
  ECONNRESET,
  EPIPE,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLLIN,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  MSG_NOSIGNAL,
  O_CLOEXEC,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_ERROR,
  SOL_SOCKET,
  TFD_TIMER_ABSTIME,
} from '../../ts/sys/constants.js';
import {
  close,
  dup3,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  EpollEventArray,
  eventfd_read,
  eventfd_write,
  fcntl,
  getsockopt,
  read,
  send,
  shutdown,
  timerfd_settime,
  write,
} from '../../ts/sys/index.js';
import type { Random } from '../support/random.js';
import {
  Counter,
  COUNTER_MAX,
  PipeReader,
  PipeWriter,
  SocketEnd,
  Timer,
  type Description,
} from './descriptions.js';
import { SetModel, type Refusal } from './sets.js';

/** A number that is open. */
export interface Opened {
  readonly description: Description;
  /** The object of the library that will close it; null: nobody but this test. */
  owner: OwnedDescriptor | null;
}

/** A real set and its model. */
export interface WatchedSet {
  readonly epoll: Epoll<number>;
  readonly model: SetModel;
}

const bytes = Buffer.alloc(262_144, 'x');
const counterValue = new BigUint64Array(1);

/** Throws with what was expected, what came, and where. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (Object.is(actual, expected)) return;
  throw new Error(`${what}: ${String(actual)}, and ${String(expected)} was expected`);
}

export class World {
  readonly random: Random;
  readonly sets: WatchedSet[] = [];
  /** Every open number of the test but those of the sets. */
  readonly open: Map<number, Opened> = new Map<number, Opened>();
  /** Numbers that were open once. */
  readonly closed: Set<number> = new Set<number>([-1]);
  /** Objects whose number somebody has closed behind their back. */
  readonly #robbed: { object: OwnedDescriptor; fd: number; byNode: boolean }[] = [];
  /** Tells when a timer has fired, independently of the library. */
  readonly #clock: number = epoll_create1(0);
  readonly #clockEvents = new EpollEventArray(1);

  constructor(random: Random, sets: number) {
    this.random = random;
    for (let i = 0; i < sets; i++) this.sets.push(this.#newSet());
  }

  #newSet(): WatchedSet {
    const epoll = new Epoll<number>();
    const model = new SetModel();
    model.references = 1;
    return { epoll, model };
  }

  pick<T>(items: readonly T[]): T {
    return items[this.random.integer(0, items.length)] as T;
  }

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  numbers(): number[] {
    return [...this.open.keys()];
  }

  /** A number that was open once, and that nobody has now. */
  freeNumber(): number {
    for (const fd of this.closed) {
      if (!this.chance(0.3)) continue;
      if (fcntl(fd, F_GETFD) === -EBADF) return fd;
      this.closed.delete(fd); // One of the sets has it.
    }
    return -1;
  }

  /** What is behind a number now. */
  readonly at = (fd: number): Description | undefined => {
    const opened = this.open.get(fd);
    if (opened) return opened.description;
    return this.sets.find(({ epoll }) => epoll.fd === fd)?.model;
  };

  // --- Opening and closing --------------------------------------------------------------------

  enter(fd: number, description: Description, owner: OwnedDescriptor | null): void {
    expectEqual(this.open.has(fd), false, `fd ${fd} is given out while it is open`);
    description.references++;
    this.open.set(fd, { description, owner });
    this.closed.delete(fd);
  }

  openSomething(): void {
    this.settleRobberies();
    switch (this.random.integer(0, 4)) {
      case 0: {
        const real = UnixStream.pair();
        for (const [i, end] of SocketEnd.pair().entries()) this.enterObject(real[i]!, end);
        return;
      }
      case 1: {
        const { reader, writer } = Pipe.pair();
        const [readEnd, writeEnd] = PipeWriter.pair();
        this.enterObject(reader, readEnd);
        this.enterObject(writer, writeEnd);
        return;
      }
      case 2: {
        const semaphore = this.chance(0.3);
        const initialValue = this.random.integer(0, 3);
        const eventFd = new EventFd({ semaphore, initialValue });
        this.enterObject(eventFd, new Counter(BigInt(initialValue), semaphore));
        return;
      }
      default:
        this.enterObject(new TimerFd(), new Timer());
    }
  }

  enterObject(object: OwnedDescriptor, description: Description): void {
    this.enter(object.fd, description, object);
    if (this.chance(0.3)) this.release(object.fd);
  }

  /** Gives a number away: it leaves every set, and nobody owns it. */
  release(fd: number): void {
    const opened = this.open.get(fd);
    if (!opened?.owner) return;
    this.#forget(fd);
    expectEqual(opened.owner.release(), fd, 'release');
    opened.owner = null;
  }

  /** Takes a number over that nobody owns. */
  adopt(fd: number): void {
    const opened = this.open.get(fd);
    if (!opened || opened.owner) return;
    this.settleRobberies();
    if (opened.description instanceof SocketEnd) opened.owner = UnixStream.adopt(fd);
    else opened.owner = Pipe.adopt(fd);
  }

  /** Closes a number as it should be: by its owner, out of every set first. */
  closeProperly(fd: number): void {
    const opened = this.open.get(fd);
    if (!opened?.owner) {
      for (const { epoll } of this.sets) if (epoll.has(fd)) this.tryDelete(epoll, fd);
      this.closeBare(fd);
      return;
    }
    this.#forget(fd);
    opened.owner.close();
    this.#left(fd);
  }

  tryDelete(epoll: Epoll<number>, fd: number): void {
    const set = this.sets.find((candidate) => candidate.epoll === epoll);
    const expected = set?.model.delete(fd, this.at(fd));
    this.#compare(expected, `delete fd ${fd}`, () => {
      epoll.delete(fd);
    });
  }

  /** Closes a number without a word to the sets. */
  closeBare(fd: number): void {
    const opened = this.open.get(fd);
    if (!opened) return;
    const byNode = opened.owner !== null && this.chance(0.5);
    if (byNode) closeSync(fd);
    else expectEqual(close(fd), 0, `close fd ${fd}`);
    this.#left(fd);
    if (opened.owner) this.#robbed.push({ object: opened.owner, fd, byNode });
  }

  /** Closes the objects whose number somebody else has closed: they forget it, and say EBADF. */
  settleRobberies(): void {
    for (const { object, fd } of this.#robbed.splice(0)) this.#settle(object, fd);
  }

  /**
   * The same before a number is given out that nobody owns: level 1 knows what it has closed, and
   * does not close it for its former owner when it is somebody else's by then.
   */
  #settleWhatNodeClosed(): void {
    const later = this.#robbed.splice(0).filter(({ object, fd, byNode }) => {
      if (byNode) this.#settle(object, fd);
      return !byNode;
    });
    this.#robbed.push(...later);
  }

  #settle(object: OwnedDescriptor, fd: number): void {
    this.#forget(fd);
    this.#compare('EBADF', `close of a robbed fd ${fd}`, () => {
      object.close();
    });
    expectEqual(object.closed, true, 'closed after EBADF');
  }

  #forget(fd: number): void {
    for (const { model } of this.sets) model.forget(fd, this.at(fd));
  }

  #left(fd: number): void {
    const opened = this.open.get(fd);
    if (!opened) return;
    const { description } = opened;
    this.open.delete(fd);
    this.closed.add(fd);
    description.references--;
    if (description.references > 0) return;
    description.end();
    this.#unregister(description);
  }

  /** The kernel drops every registration of a description that has ended. */
  #unregister(description: Description): void {
    for (const { model } of this.sets) {
      for (const item of [...description.items]) if (model.kept.has(item)) model.drop(item);
    }
  }

  duplicate(fd: number): void {
    const opened = this.open.get(fd);
    if (!opened) return;
    this.#settleWhatNodeClosed();
    const lowest = this.chance(0.1) ? this.random.integer(100, 2000) : 0;
    const duplicate = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
    if (duplicate < 0) throw new Error(`dup of fd ${fd} answers ${duplicate}`);
    if (wouldRaiseGhost(opened.description, duplicate)) {
      close(duplicate);
      return;
    }
    this.enter(duplicate, opened.description, null);
  }

  /** Puts the description of one number behind another that is open, or was. */
  duplicateOver(fd: number, target: number): void {
    const opened = this.open.get(fd);
    if (!opened || target < 0 || fd === target) return;
    if (wouldRaiseGhost(opened.description, target)) return;
    this.#settleWhatNodeClosed();
    const before = this.open.get(target);
    expectEqual(dup3(fd, target, O_CLOEXEC), target, `dup3 ${fd} over ${target}`);
    // The new one first: closing the old one must not end what both have.
    opened.description.references++;
    this.#left(target);
    opened.description.references--;
    this.enter(target, opened.description, before?.owner ?? null);
  }

  renewSet(index: number): void {
    this.settleRobberies();
    const set = this.sets[index] as WatchedSet;
    const { fd } = set.epoll;
    for (const other of this.sets) other.model.forget(fd, set.model);
    set.epoll.close();
    set.model.references = 0;
    set.model.end();
    this.#unregister(set.model);
    this.sets[index] = this.#newSet();
  }

  closeAll(): void {
    this.settleRobberies();
    for (const fd of this.numbers()) this.closeProperly(fd);
    for (const { epoll } of this.sets) epoll.close();
    close(this.#clock);
  }

  // --- What happens on the descriptors --------------------------------------------------------

  write(fd: number): void {
    const description = this.at(fd);
    if (description instanceof SocketEnd) {
      const broken = !description.sends;
      const result = send(fd, bytes, 0, this.random.integer(1, 9), MSG_NOSIGNAL);
      if (broken) expectEqual(result, -EPIPE, `send on fd ${fd}`);
      else this.#wrote(description, result, false);
    } else if (description instanceof PipeWriter) {
      const result = write(fd, bytes, 0, this.random.integer(1, 65));
      if (description.buffer.reader === null) expectEqual(result, -EPIPE, `write on fd ${fd}`);
      else this.#wrote(description, result, false);
    } else if (description instanceof Counter) {
      this.#writeCounter(fd, description);
    }
  }

  #wrote(description: SocketEnd | PipeWriter, result: number, full: boolean): void {
    const { room } = description instanceof SocketEnd ? description : description.buffer;
    if (result === -EAGAIN && room !== 'yes') {
      description.wrote(0, false);
      return;
    }
    // A full pipe takes a little into its last page all the same, and is no more writable for it.
    const mustRefuse = room === 'no' && description instanceof SocketEnd;
    if (result <= 0 || mustRefuse) throw new Error(`a write answers ${result}, room: ${room}`);
    description.wrote(result, full);
  }

  #writeCounter(fd: number, counter: Counter): void {
    const value = this.chance(0.1)
      ? COUNTER_MAX - counter.count
      : BigInt(this.random.integer(0, 5));
    const fits = counter.count + value <= COUNTER_MAX;
    expectEqual(eventfd_write(fd, value), fits ? 0 : -EAGAIN, `eventfd_write on fd ${fd}`);
    if (fits) counter.added(value);
  }

  /** Writes until there is no room. */
  fill(fd: number): void {
    const description = this.at(fd);
    if (!(description instanceof SocketEnd) && !(description instanceof PipeWriter)) return;
    if (description instanceof SocketEnd ? !description.sends : !description.buffer.reader) return;
    let result: number;
    do {
      result =
        description instanceof SocketEnd
          ? send(fd, bytes, 0, bytes.length, MSG_NOSIGNAL)
          : write(fd, bytes, 0, bytes.length);
      if (result > 0) description.wrote(result, false);
    } while (result > 0);
    expectEqual(result, -EAGAIN, `fill of fd ${fd}`);
    description.wrote(0, true);
  }

  read(fd: number, length: number): void {
    const description = this.at(fd);
    if (description instanceof SocketEnd) this.#readSocket(fd, description, length);
    else if (description instanceof PipeReader) this.#readPipe(fd, description, length);
    else if (description instanceof Counter) this.#readCounter(fd, description);
    else if (description instanceof Timer) this.#readTimer(fd, description);
  }

  /** Reads until nothing is left. */
  drain(fd: number): void {
    this.read(fd, bytes.length);
    this.read(fd, bytes.length);
    this.read(fd, bytes.length);
  }

  #readSocket(fd: number, end: SocketEnd, length: number): void {
    const result = read(fd, bytes, 0, length);
    if (end.inbox > 0) {
      expectEqual(result, Math.min(length, end.inbox), `read of fd ${fd}`);
      end.got(result);
    } else if (end.error) {
      expectEqual(result, -ECONNRESET, `read of fd ${fd}`);
      end.error = false;
    } else {
      expectEqual(result, end.receives ? -EAGAIN : 0, `read of fd ${fd}`);
    }
  }

  #readPipe(fd: number, end: PipeReader, length: number): void {
    const result = read(fd, bytes, 0, length);
    const { bytes: waiting, writer } = end.buffer;
    if (waiting > 0) {
      expectEqual(result, Math.min(length, waiting), `read of fd ${fd}`);
      end.got(result);
    } else {
      expectEqual(result, writer === null ? 0 : -EAGAIN, `read of fd ${fd}`);
    }
  }

  #readCounter(fd: number, counter: Counter): void {
    const { owner } = this.open.get(fd) as Opened;
    const empty = counter.count === 0n;
    if (owner instanceof EventFd) {
      const result = owner.read();
      expectEqual(result, empty ? WOULD_BLOCK : counter.take(), `read of fd ${fd}`);
      return;
    }
    expectEqual(eventfd_read(fd, counterValue), empty ? -EAGAIN : 0, `eventfd_read of fd ${fd}`);
    if (!empty) expectEqual(counterValue[0], counter.take(), `what fd ${fd} counted`);
  }

  #readTimer(fd: number, timer: Timer): void {
    expectEqual(read(fd, bytes, 0, 8), timer.fired ? 8 : -EAGAIN, `read of timer ${fd}`);
    timer.fired = false;
    bytes.fill('x', 0, 8);
  }

  /** Has a timer fire now, or puts it off for an hour. */
  setTimer(fd: number): void {
    const timer = this.at(fd);
    if (!(timer instanceof Timer)) return;
    const fires = this.chance(0.7);
    const flags = fires ? TFD_TIMER_ABSTIME : 0;
    const valueNs = fires ? 1n : 3_600_000_000_000n;
    expectEqual(timerfd_settime(fd, flags, { valueNs }), 0, `timerfd_settime of fd ${fd}`);
    if (fires) this.#awaitTimer(fd);
    timer.armed(fires);
  }

  #awaitTimer(fd: number): void {
    expectEqual(epoll_ctl(this.#clock, EPOLL_CTL_ADD, fd, EPOLLIN), 0, 'clock');
    expectEqual(epoll_wait(this.#clock, this.#clockEvents, 1, 10_000), 1, 'clock');
    expectEqual(epoll_ctl(this.#clock, EPOLL_CTL_DEL, fd), 0, 'clock');
  }

  shut(fd: number): void {
    const description = this.at(fd);
    if (!(description instanceof SocketEnd)) return;
    const how = this.pick([SHUT_RD, SHUT_WR, SHUT_RDWR]);
    expectEqual(shutdown(fd, how), 0, `shutdown of fd ${fd}`);
    description.shut(how !== SHUT_WR, how !== SHUT_RD);
  }

  takeError(fd: number): void {
    const description = this.at(fd);
    if (!(description instanceof SocketEnd)) return;
    const { owner } = this.open.get(fd) as Opened;
    const expected = description.error ? ECONNRESET : 0;
    if (owner instanceof UnixStream) {
      expectEqual(-(owner.takeError()?.errno ?? -0), expected, `takeError of fd ${fd}`);
    } else {
      const value = new Int32Array(1);
      getsockopt(fd, SOL_SOCKET, SO_ERROR, value);
      expectEqual(value[0], expected, `SO_ERROR of fd ${fd}`);
    }
    description.error = false;
  }

  // --- What is done to the sets ---------------------------------------------------------------

  add(set: WatchedSet, fd: number, mask: number, data: number): Refusal {
    const expected = set.model.add(fd, this.at(fd), mask, data);
    return this.#compare(expected, `add fd ${fd}`, () => {
      set.epoll.add(fd, mask, data);
    });
  }

  modify(set: WatchedSet, fd: number, mask: number, data: number | undefined): Refusal {
    const expected = set.model.modify(fd, this.at(fd), mask, data);
    return this.#compare(expected, `modify fd ${fd}`, () => {
      set.epoll.modify(fd, mask, data);
    });
  }

  delete(set: WatchedSet, fd: number): Refusal {
    const expected = set.model.delete(fd, this.at(fd));
    return this.#compare(expected, `delete fd ${fd}`, () => {
      set.epoll.delete(fd);
    });
  }

  /** The call must be refused with that code, or not at all. */
  #compare(expected: Refusal, what: string, call: () => void): Refusal {
    let code: string | undefined;
    try {
      call();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      ({ code } = error);
    }
    expectEqual(code, expected, what);
    return expected;
  }
}

/**
 * Whether a number that becomes this description was registered as it before, and may still be.
 * `modify` of the number would then change the ghost, and two registrations of the kernel would
 * have one generation: docs/decisions/0004-ghosts.md, what is left.
 */
function wouldRaiseGhost(description: Description, fd: number): boolean {
  return [...description.items].some((item) => item.fd === fd);
}

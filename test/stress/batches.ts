/** Waits, and the batches they bring, judged by the model. */
import { EpollEvents } from '../../ts/index.js';
import { kernelData, kernelRegistrations } from '../support/kernel-view.js';
import { showMask } from '../support/readiness.js';
import { ALWAYS, type Item, type SetModel } from './sets.js';
import { expectEqual, type WatchedSet, type World } from './world.js';

/** What a wait brought, as it was then. */
interface Fetched {
  readonly fd: number;
  readonly events: number;
  /** The registration that it belongs to. */
  readonly token: number;
}

/** How often the interesting things happened: a run without them would prove nothing. */
export interface Tally {
  waits: number;
  events: number;
  edges: number;
  oneShots: number;
  looks: number;
  stale: number;
  rebuilt: number;
  wakes: number;
}

/** Longer than any wait takes that something is bound to end. */
const LONG_MS = 20_000;

/** A batch of the library, and what the model knows of it. */
export class Batch {
  readonly events: EpollEvents<number>;
  #fetched: Fetched[] = [];
  #set: WatchedSet | undefined;
  readonly #world: World;
  readonly #tally: Tally;

  constructor(world: World, tally: Tally, capacity: number) {
    this.events = new EpollEvents<number>(capacity);
    this.#world = world;
    this.#tally = tally;
  }

  /** The set that it was last filled by, unless that is closed. */
  get set(): WatchedSet | undefined {
    return this.#set?.model.closed === true ? undefined : this.#set;
  }

  get length(): number {
    return this.#fetched.length;
  }

  /** Waits, and judges every event that came and every one that did not. */
  wait(set: WatchedSet): void {
    const { epoll, model } = set;
    const { events } = this;
    const before = model.ghosts().length > 0 ? kernelData(epoll.fd) : undefined;
    const disturbing = this.#countDisturbing(model);
    const timeoutMs = this.#timeout(model);
    const started = performance.now();
    const count = epoll.wait(events, timeoutMs);
    if (performance.now() - started >= LONG_MS) throw new Error('a wait that had to end did not');
    expectEqual(count, events.length, 'what wait answers and the length of the batch');
    this.#tally.waits++;
    this.#set = set;
    const hadRoom = count + disturbing < events.capacity;
    // The kernel tells whether the set was built anew: then its ghosts are gone, or made anew.
    const rebuilt = before !== undefined && kernelData(epoll.fd) !== before;
    const shown = this.#judgeShown(model, rebuilt);
    if (hadRoom) this.#judgeMissing(model, shown, rebuilt);
    for (const item of shown) item.reported();
    this.#settleWake(model, hadRoom);
    if (!rebuilt) return;
    this.#tally.rebuilt++;
    model.rebuilt(this.#world.at);
  }

  /** Without waiting as a rule. Something that must come ends any wait, and nothing ends none. */
  #timeout(model: SetModel): number {
    if (!this.#world.chance(0.02)) return 0;
    const { sure, possible } = model.readiness();
    if (sure !== 0 && model.ghosts().length === 0) return LONG_MS;
    return possible === 0 ? 0.01 : 0;
  }

  /** What may take room in the batch of the kernel and is not shown. */
  #countDisturbing(model: SetModel): number {
    let count = model.wake === 'no' ? 0 : 1;
    for (const item of model.kept) {
      const isGhost = model.table.get(item.fd)?.token !== item.token;
      if (isGhost || item.armed !== 'yes') count++;
    }
    return count;
  }

  #judgeShown(model: SetModel, rebuilt: boolean): Set<Item> {
    const { events } = this;
    const shown = new Set<Item>();
    this.#fetched = [];
    for (let i = 0; i < events.length; i++) {
      const fd = events.fd(i);
      const entry = model.table.get(fd);
      if (fd === -1) {
        if (!rebuilt) throw new Error('a stale event in a fresh batch');
        this.#fetched.push({ fd, events: 0, token: 0 });
        continue;
      }
      if (!entry) throw new Error(`fd ${fd} is shown, and is not registered`);
      expectEqual(events.data(i), entry.data, `data of fd ${fd}`);
      const item = this.#itemOf(model, fd, entry.token);
      if (shown.has(item)) throw new Error(`fd ${fd} is shown twice`);
      shown.add(item);
      this.#judgeEvent(item, events.events(i));
      this.#fetched.push({ fd, events: events.events(i), token: entry.token });
    }
    return shown;
  }

  #itemOf(model: SetModel, fd: number, token: number): Item {
    for (const item of model.kept) if (item.fd === fd && item.token === token) return item;
    throw new Error(`fd ${fd} is shown, and the kernel cannot know it`);
  }

  #judgeEvent(item: Item, reported: number): void {
    const readiness = item.description.readiness();
    const sure = readiness.sure & item.wanted;
    const possible = readiness.possible & item.wanted;
    const what = `fd ${item.fd} (${item.description.kind}) shows ${showMask(reported)}`;
    if (reported === 0 || (sure & ~reported) !== 0 || (reported & ~possible) !== 0) {
      throw new Error(`${what}, and must show ${showMask(sure)} of ${showMask(possible)}`);
    }
    if (!item.mayShow(readiness)) {
      throw new Error(`${what}, and has reported that before (armed: ${item.armed})`);
    }
    this.#tally.events++;
    if (item.isEdge) this.#tally.edges++;
    if (item.isOneShot) this.#tally.oneShots++;
  }

  /** What had room and did not come must have nothing to say. */
  #judgeMissing(model: SetModel, shown: ReadonlySet<Item>, rebuilt: boolean): void {
    for (const item of model.kept) {
      if (shown.has(item)) continue;
      const readiness = item.description.readiness();
      const { fd, description } = item;
      const what = `fd ${fd} (${description.kind}) has ${showMask(readiness.sure & item.wanted)}`;
      if (model.table.get(fd)?.token !== item.token) {
        if (!rebuilt && item.mustShow(readiness)) throw new Error(`${what}: a ghost that stays`);
      } else if (rebuilt && this.#world.at(fd) !== description) {
        continue; // Closed behind the back: it has left with the ghosts.
      } else if (item.mustShow(readiness)) {
        throw new Error(`${what} and is not shown`);
      }
      item.passedOver(readiness);
    }
  }

  #settleWake(model: SetModel, hadRoom: boolean): void {
    if (model.wake === 'no') return;
    if (hadRoom) this.#tally.wakes++;
    model.wake = hadRoom ? 'no' : 'unknown';
  }

  /** Looks at an event of the last wait: it says what is true now, or that it is stale. */
  look(i: number): void {
    const { events } = this;
    const { fd, events: reported, token } = this.#fetched[i] as Fetched;
    const entry = this.#set?.model.table.get(fd);
    this.#tally.looks++;
    if (entry?.token !== token) {
      this.#tally.stale++;
      expectEqual(events.fd(i), -1, `the stale event of fd ${fd}`);
      expectEqual(events.events(i), 0, `conditions of the stale event of fd ${fd}`);
      expectEqual(events.data(i), undefined, `data of the stale event of fd ${fd}`);
      return;
    }
    expectEqual(events.fd(i), fd, `the event of fd ${fd}`);
    const cut = (reported & (entry.events | ALWAYS)) >>> 0;
    expectEqual(events.events(i), cut, `conditions of fd ${fd}`);
    expectEqual(events.data(i), entry.data, `data of fd ${fd}`);
  }

  /** What iteration gives is what single looks give, without what says nothing. */
  iterate(): void {
    const { events } = this;
    const wanted: number[] = [];
    for (let i = 0; i < events.length; i++) if (events.events(i) !== 0) wanted.push(events.fd(i));
    expectEqual([...events].map(({ fd }) => fd).join(), wanted.join(), 'iteration');
  }
}

/** What a set says of itself is what the model says, and the kernel keeps just that. */
export function judgeBooks({ epoll, model }: WatchedSet): void {
  expectEqual(epoll.size, model.table.size, 'size');
  let entries = 0;
  for (const { fd, events, data } of epoll.entries()) {
    entries++;
    const entry = model.table.get(fd);
    if (!entry) throw new Error(`entries shows fd ${fd}, which is not registered`);
    expectEqual(events, entry.events, `mask of fd ${fd}`);
    expectEqual(data, entry.data, `data of fd ${fd}`);
    expectEqual(epoll.has(fd), true, `has fd ${fd}`);
    expectEqual(epoll.get(fd)?.data, data, `get fd ${fd}`);
  }
  expectEqual(entries, model.table.size, 'entries');
  const kept = [...model.kept].map(({ fd }) => fd).sort((a, b) => a - b);
  const inKernel = kernelRegistrations(epoll.fd).map(({ fd }) => fd);
  expectEqual(inKernel.join(), kept.join(), 'what the kernel keeps');
}

/**
 * What the heap of the loop is compared with: a hierarchical timing wheel, as kernels have it. It
 * does what the loop needs: never early, the order of times, cancelling at once, the next time to
 * wait for.
 *
 * Six wheels of 64 slots. A slot of the first is a tick, a slot of each other is a whole turn of
 * the one before. What comes up in a higher wheel is distributed over the lower ones. Occupied
 * slots are bits, so that empty ones are skipped.
 */

const SLOTS = 64;
const LEVELS = 6;
/** About as long as a thread takes to wake up. */
const TICK_MS = 1 / 16;
/** How many ticks a slot is long, for each level. */
const widths: readonly number[] = Array.from({ length: LEVELS }, (_, level) => SLOTS ** level);
/** What is further away waits in the last slot of the last wheel, and is looked at again there. */
const FURTHEST = SLOTS ** LEVELS - 1;

const NOWHERE = -1;
/** Out of the wheels, to be taken next. */
const READY = -2;

/** What the wheel keeps of a timer. */
export class WheelItem {
  due: number;
  order = 0;
  slot: number = NOWHERE;
  previous: WheelItem | undefined = undefined;
  next: WheelItem | undefined = undefined;

  constructor(due: number) {
    this.due = due;
  }
}

export class TimingWheel {
  readonly #heads = new Array<WheelItem | undefined>(SLOTS * LEVELS).fill(undefined);
  /** Two words for each level. */
  readonly #occupied = new Uint32Array(2 * LEVELS);
  /** The last tick that was looked at. */
  #tick: number;
  #order = 0;
  #ready: WheelItem[] = [];
  #readyFrom = 0;

  constructor(now: number) {
    this.#tick = Math.floor(now / TICK_MS);
  }

  /** When to look again: for what is due, or to distribute. */
  get nextDue(): number {
    if (this.#readyFrom < this.#ready.length) return 0;
    return this.#nextTick() * TICK_MS;
  }

  get nextOrder(): number {
    return this.#order;
  }

  insert(item: WheelItem): void {
    item.order = this.#order++;
    this.#place(item);
  }

  remove(item: WheelItem): void {
    if (item.slot >= 0) this.#unlink(item);
    item.slot = NOWHERE;
  }

  takeDue(now: number, order: number): WheelItem | undefined {
    for (;;) {
      if (this.#readyFrom === this.#ready.length && !this.#advance(now)) return undefined;
      const item = this.#ready[this.#readyFrom] as WheelItem;
      if (item.slot === READY) {
        if (item.order >= order) return undefined;
        this.#readyFrom++;
        item.slot = NOWHERE;
        return item;
      }
      this.#readyFrom++; // It was cancelled.
    }
  }

  #place(item: WheelItem): void {
    // The end of the tick that it is due in; at least the next one, as this one is over.
    const tick = Math.max(Math.ceil(item.due / TICK_MS), this.#tick + 1);
    const away = Math.min(tick - this.#tick, FURTHEST);
    let level = 0;
    while (level < LEVELS - 1 && away >= (widths[level + 1] as number)) level++;
    const inLevel = Math.floor((this.#tick + away) / (widths[level] as number)) % SLOTS;
    this.#link(item, level * SLOTS + inLevel);
  }

  #link(item: WheelItem, slot: number): void {
    const head = this.#heads[slot];
    item.slot = slot;
    item.previous = undefined;
    item.next = head;
    if (head === undefined) this.#occupied[slot >>> 5] = this.#wordOf(slot) | (1 << (slot & 31));
    else head.previous = item;
    this.#heads[slot] = item;
  }

  #unlink(item: WheelItem): void {
    const { slot, previous, next } = item;
    if (next !== undefined) next.previous = previous;
    if (previous !== undefined) previous.next = next;
    else this.#heads[slot] = next;
    if (this.#heads[slot] === undefined) this.#empty(slot);
  }

  #empty(slot: number): void {
    this.#heads[slot] = undefined;
    this.#occupied[slot >>> 5] = this.#wordOf(slot) & ~(1 << (slot & 31));
  }

  #wordOf(slot: number): number {
    return this.#occupied[slot >>> 5] as number;
  }

  /** The next tick at which some slot comes up; `Infinity` if there is none. */
  #nextTick(): number {
    let next = Number.POSITIVE_INFINITY;
    for (let level = 0; level < LEVELS; level++) {
      if (this.#occupied[2 * level] === 0 && this.#occupied[2 * level + 1] === 0) continue;
      const width = widths[level] as number;
      const present = Math.floor(this.#tick / width);
      next = Math.min(next, (present + this.#distance(level, present % SLOTS)) * width);
    }
    return next;
  }

  /** How many slots on, 1 … 64, the next occupied one of a level is. */
  #distance(level: number, from: number): number {
    for (let away = 1; away <= SLOTS;) {
      const slot = (from + away) % SLOTS;
      const rest = this.#wordOf(level * SLOTS + slot) >>> (slot & 31);
      if (rest !== 0) return away + 31 - Math.clz32(rest & -rest);
      away += 32 - (slot & 31);
    }
    return SLOTS;
  }

  /** Goes on until something is ready, or all that is due at `now` was looked at. */
  #advance(now: number): boolean {
    this.#ready = [];
    this.#readyFrom = 0;
    const last = Math.floor(now / TICK_MS);
    while (this.#ready.length === 0) {
      const tick = this.#nextTick();
      if (tick > last) {
        this.#tick = Math.max(this.#tick, last);
        return false;
      }
      this.#distribute(tick);
      this.#collect(tick);
    }
    return true;
  }

  /** What comes up in the higher levels goes to lower ones. */
  #distribute(tick: number): void {
    this.#tick = tick - 1;
    for (let level = LEVELS - 1; level > 0; level--) {
      const width = widths[level] as number;
      if (tick % width !== 0) continue;
      const slot = level * SLOTS + ((tick / width) % SLOTS);
      let item = this.#heads[slot];
      this.#empty(slot);
      while (item !== undefined) {
        const { next } = item;
        this.#place(item);
        item = next;
      }
    }
    this.#tick = tick;
  }

  #collect(tick: number): void {
    const slot = tick % SLOTS;
    for (let item = this.#heads[slot]; item !== undefined; item = item.next) {
      item.slot = READY;
      this.#ready.push(item);
    }
    this.#empty(slot);
    if (this.#ready.length > 1) this.#ready.sort((a, b) => a.due - b.due || a.order - b.order);
  }
}

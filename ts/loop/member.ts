/** What a scope owns, in the order in which it came. */
import type { ByteCount } from './entries.js';
import type { Scope } from './scope.js';

/**
 * Something that belongs to a scope and ends with it: a link of the scope's list, so that coming
 * and going cost the same however much the scope owns.
 */
export abstract class Member {
  /** Whose it is, also after its end. Only the root of a loop has no owner. @internal */
  readonly owner: Scope | undefined;
  /** When it came, in whole milliseconds of `performance.now()`. @internal */
  readonly since: number;
  /** The line that made it, where the loop tracks that. @internal */
  readonly madeAt: string | undefined;
  /** @internal */
  previous: Member | undefined;
  /** @internal */
  next: Member | undefined;
  /** @internal */
  listed = false;

  /** @internal */
  protected constructor(owner: Scope | undefined, madeAt: string | undefined) {
    this.owner = owner;
    this.madeAt = madeAt;
    this.since = Math.round(performance.now());
  }

  /** Ends it, off the list already. Errors are added to `errors`, and not thrown. @internal */
  abstract end(reason: unknown, errors: unknown[]): void;

  /** How it is listed; `undefined`: not at all. @internal */
  abstract describe(): MemberDescription | undefined;

  /** It has ended by itself, or goes elsewhere: its owner has nothing more to end. @internal */
  leave(): void {
    if (!this.listed) return;
    this.owner?.lose(this);
    this.left();
  }

  /** Called when it is off the list. @internal */
  protected left(): void {
    // Most have nothing to do then.
  }
}

/** What a member says of itself. @internal */
export interface MemberDescription {
  readonly fd?: number;
  readonly kind: string;
  readonly label: string;
  readonly interest?: number;
  readonly pending?: number;
  readonly bytes?: ByteCount | undefined;
}

/** A member that keeps `run()` going, unless it is told not to. */
export abstract class KeepAlive extends Member {
  #keeps = true;

  /** Whether it keeps `run()` and `runAsync()` going as long as it is there. */
  hasRef(): boolean {
    return this.#keeps;
  }

  /** Has it keep `run()` going again, as it does from the beginning. */
  ref(): this {
    return this.#keep(true);
  }

  /** Lets `run()` end although it is there, as `unref()` of Node's own timers and handles does. */
  unref(): this {
    return this.#keep(false);
  }

  /** @internal */
  protected override left(): void {
    if (!this.#keeps) this.owner?.loop.countUnreferenced(-1);
  }

  #keep(keeps: boolean): this {
    if (keeps !== this.#keeps && this.listed) this.owner?.loop.countUnreferenced(keeps ? -1 : 1);
    this.#keeps = keeps;
    return this;
  }
}

/** @internal */
export class MemberList {
  #first: Member | undefined;
  #last: Member | undefined;

  get last(): Member | undefined {
    return this.#last;
  }

  add(member: Member): void {
    member.previous = this.#last;
    if (this.#last === undefined) this.#first = member;
    else this.#last.next = member;
    this.#last = member;
    member.listed = true;
  }

  remove(member: Member): void {
    if (!member.listed) return;
    const { previous, next } = member;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    member.previous = undefined;
    member.next = undefined;
    member.listed = false;
  }

  /** As it is now: the list may change while the answer is walked through. */
  all(): Member[] {
    const members: Member[] = [];
    for (let member = this.#first; member !== undefined; member = member.next) members.push(member);
    return members;
  }
}

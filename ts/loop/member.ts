/** What a scope owns, in the order in which it came. */
import type { ByteCount } from './entries.js';
import type { Scope } from './scope.js';

/** The lines that made members, of loops that track them. Few do, and all have members. */
const linesOfMaking = new WeakMap<Member, string>();

/**
 * Something that belongs to a scope and ends with it: a link of the scope's list, so that coming
 * and going cost the same however much the scope owns.
 *
 * There is one for each connection, and a field is 8 bytes of each. So are private methods, however
 * many, in each class that has some: docs/decisions/0045.
 */
export abstract class Member {
  /** Whose it is, also after its end. Only the root of a loop has no owner. @internal */
  readonly owner: Scope | undefined;
  /** When it came, in whole milliseconds of `performance.now()`. @internal */
  readonly since: number;
  /** @internal */
  previous: Link | undefined;
  /** @internal */
  next: Link | undefined;

  /** @internal */
  protected constructor(owner: Scope | undefined, madeAt: string | undefined) {
    this.owner = owner;
    this.since = Math.round(performance.now());
    if (madeAt !== undefined) linesOfMaking.set(this, madeAt);
  }

  /** Whether its owner has it. @internal */
  get listed(): boolean {
    return this.next !== undefined;
  }

  /** The line that made it, where the loop tracks that. @internal */
  get madeAt(): string | undefined {
    return linesOfMaking.get(this);
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
    return this.keep(true);
  }

  /** Lets `run()` end although it is there, as `unref()` of Node's own timers and handles does. */
  unref(): this {
    return this.keep(false);
  }

  /** @internal */
  protected override left(): void {
    if (!this.#keeps) this.owner?.loop.countUnreferenced(-1);
  }

  /** @internal */
  protected keep(keeps: boolean): this {
    if (keeps !== this.#keeps && this.listed) this.owner?.loop.countUnreferenced(keeps ? -1 : 1);
    this.#keeps = keeps;
    return this;
  }
}

/** A member in a list, or the list itself, which joins the two ends: no link lacks a neighbour. */
type Link = Member | MemberList;

/** @internal */
export class MemberList {
  previous: Link = this;
  next: Link = this;

  get last(): Member | undefined {
    return this.previous instanceof Member ? this.previous : undefined;
  }

  add(member: Member): void {
    const { previous } = this;
    member.previous = previous;
    member.next = this;
    previous.next = member;
    this.previous = member;
  }

  remove(member: Member): void {
    const { previous, next } = member;
    if (previous === undefined || next === undefined) return;
    previous.next = next;
    next.previous = previous;
    member.previous = undefined;
    member.next = undefined;
  }

  /** As it is now: the list may change while the answer is walked through. */
  all(): Member[] {
    const members: Member[] = [];
    for (let link = this.next; link instanceof Member; link = link.next as Link) members.push(link);
    return members;
  }
}

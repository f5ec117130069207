/** An address family, as `node:dns` numbers it. */
export type Family = 4 | 6;

/**
 * The addresses that are still to be tried, families in turn, IPv6 first: RFC 8305, section 4, with
 * a "First Address Family Count" of 1. Within a family the order is the resolver's, who has sorted
 * them (RFC 6724). Those of a family may come while the other's are being tried.
 * @internal
 */
export class Candidates {
  readonly #waiting: Readonly<Record<Family, string[]>> = { 4: [], 6: [] };
  #next: Family = 6;

  /** How many wait. */
  get size(): number {
    return this.#waiting[4].length + this.#waiting[6].length;
  }

  add(family: Family, addresses: readonly string[]): void {
    this.#waiting[family].push(...addresses);
  }

  /** Whose turn it is; of the other family if there is none of this one. */
  take(): string | undefined {
    const family = this.#waiting[this.#next].length > 0 ? this.#next : otherThan(this.#next);
    this.#next = otherThan(family);
    return this.#waiting[family].shift();
  }
}

function otherThan(family: Family): Family {
  return family === 6 ? 4 : 6;
}

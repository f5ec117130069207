import type { Limits } from './limits.js';
import type { Llhttp } from './llhttp.js';
import { RequestParser } from './request-parser.js';

/** So many wait for the next request: more are seldom in use at the same time. */
const KEPT = 64;

/**
 * The parsers of a server. A connection borrows one while a request of it is under way, and has none
 * while it is idle. So there are few, and the one that was used last, which the processor still has
 * at hand, is the next to be used: one of its own would be in no cache with a thousand connections.
 */
export class Parsers {
  readonly #llhttp: Llhttp;
  readonly #limits: Limits;
  readonly #atHome: RequestParser[] = [];

  constructor(llhttp: Llhttp, limits: Limits) {
    this.#llhttp = llhttp;
    this.#limits = limits;
  }

  lend(): RequestParser {
    return this.#atHome.pop() ?? new RequestParser(this.#llhttp, this.#limits);
  }

  /** Takes one back, wherever in a message it is. */
  giveBack(parser: RequestParser): void {
    if (this.#atHome.length === KEPT) {
      parser.free();
      return;
    }
    parser.reset();
    this.#atHome.push(parser);
  }
}

import type { Head } from './head.js';
import type { Reply } from './reply.js';

/** Who answers a request. @see Request.answer */
export interface Answerer {
  answer(request: Request, reply: Reply): void;
}

const NO_BODY = Buffer.alloc(0);

/**
 * A request, whole: with its body. Once it is answered, or its client has gone and its handler has
 * returned, it has no fields any more.
 */
export class Request {
  readonly method: string;
  /** Without the query. Escapes are as they came. */
  readonly path: string;
  /** What is behind the first `?`; empty if there is none. */
  readonly query: string;
  /** `1.0` or `1.1`. */
  readonly version: '1.0' | '1.1';
  readonly body: Buffer;
  /** Whether the client wants to go on with this connection. */
  readonly keepAlive: boolean;
  #head: Head | undefined;
  readonly #answerer: Answerer;

  constructor(head: Head, body: Buffer | undefined, answerer: Answerer) {
    this.method = head.method;
    this.version = head.version === 10 ? '1.0' : '1.1';
    this.keepAlive = head.keepAlive;
    this.body = body ?? NO_BODY;
    this.#head = head;
    this.#answerer = answerer;
    this.path = head.target.path;
    this.query = head.target.query;
  }

  /** The value of a field; of several, with commas between; `undefined` if there is none. */
  field(name: string): string | undefined {
    const head = this.#head;
    if (head === undefined) return undefined;
    const wanted = name.toLowerCase();
    let value: string | undefined;
    for (let at = -1; (at = head.find(wanted, at + 1)) >= 0;) {
      value = value === undefined ? head.value(at) : `${value}, ${head.value(at)}`;
    }
    return value;
  }

  /** Its head is used for the next request, which may be somebody else's. */
  letGo(): void {
    this.#head = undefined;
  }

  /** Answers it, once, after its handler has returned `LATER`. Does nothing if the client is gone. */
  answer(reply: Reply): void {
    this.#answerer.answer(this, reply);
  }
}

import type { Head } from './head.js';
import type { Reply } from './reply.js';

/** Who answers a request. @see Request.answer */
export interface Answerer {
  answer(request: Request, reply: Reply): void;
}

const NO_BODY = Buffer.alloc(0);

/** A request, whole: with its body. Good until it is answered. */
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
  readonly #head: Head;
  readonly #answerer: Answerer;

  constructor(head: Head, body: Buffer | undefined, answerer: Answerer) {
    this.method = head.method;
    this.version = head.version === 10 ? '1.0' : '1.1';
    this.keepAlive = head.keepAlive;
    this.body = body ?? NO_BODY;
    this.#head = head;
    this.#answerer = answerer;
    const target = pathOf(head);
    const mark = target.indexOf('?');
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.query = mark < 0 ? '' : target.slice(mark + 1);
  }

  /** The value of a field; of several, with commas between; `undefined` if there is none. */
  field(name: string): string | undefined {
    const wanted = name.toLowerCase();
    let value: string | undefined;
    for (let at = -1; (at = this.#head.find(wanted, at + 1)) >= 0;) {
      value = value === undefined ? this.#head.value(at) : `${value}, ${this.#head.value(at)}`;
    }
    return value;
  }

  /** Answers it, once, after its handler has returned `LATER`. Does nothing if the client is gone. */
  answer(reply: Reply): void {
    this.#answerer.answer(this, reply);
  }
}

/** The target of a request without what is before its path: `http://host/path` is the long form. */
export function pathOf(head: Head): string {
  const { target } = head;
  if (target.startsWith('/') || target === '*') return target;
  const rest = target.replace(/^http:\/\/[^/?]+/i, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

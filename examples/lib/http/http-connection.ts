import type { Clock } from './clock.js';
import type { Limits } from './limits.js';
import { LATER, type Handler, type Mux } from './mux.js';
import type { Output } from './output.js';
import type { Parsers } from './parsers.js';
import { CLOSE, KEEP_ALIVE, PERSIST, Reply } from './reply.js';
import { Request, type Answerer } from './request.js';
import { COMPLETE, REFUSED, type RequestParser } from './request-parser.js';

/** What of a connection of the loop is needed here. */
export interface Transport {
  readonly pending: number;
  readonly closed: boolean;
  write(bytes: Uint8Array | string): boolean;
  end(): void;
  pause(): void;
  resume(): void;
  destroy(): void;
}

/** What the connections of a server share. */
export interface Host {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly parsers: Parsers;
  readonly mux: Mux;
  readonly output: Output;
  /** The server goes: no connection is kept. */
  readonly draining: boolean;
  /** Runs a function when no connection is at work. */
  defer(callback: () => void): void;
  /** Work has begun that a shutdown has to wait for. */
  hold(): Disposable;
  /** A handler has thrown. */
  failed(error: unknown, request: Request): void;
  closed(connection: HttpConnection): void;
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** The answers that no handler gives. */
const REFUSALS: ReadonlyMap<number, Reply> = new Map(
  Object.entries({
    400: 'bad request\n',
    408: 'request timeout\n',
    413: 'content too large\n',
    414: 'target too long\n',
    417: 'expectation failed\n',
    431: 'head too large\n',
    500: 'internal server error\n',
    501: 'not implemented\n',
    505: 'HTTP version not supported\n',
  }).map(([status, text]) => [Number(status), new Reply(Number(status), text)]),
);

const FAILED = REFUSALS.get(500) as Reply;

/** What a connection waits for: the next request, */
const IDLE = 0;
/** the rest of a head, */
const HEAD = 1;
/** the rest of a body, */
const BODY = 2;
/** the answer of a handler, */
const OPEN = 3;
/** the client, to take what it was sent, */
const CHOKED = 4;
/** the client, to close after its last answer. */
const LEAVING = 5;

/** How long it does so, in milliseconds. A handler has all the time that it wants. */
function patienceFor(phase: number, limits: Limits): number {
  switch (phase) {
    case IDLE:
      return limits.idleMs;
    case HEAD:
      return limits.headMs;
    case BODY:
      return limits.bodyMs;
    case CHOKED:
      return limits.writeMs;
    case LEAVING:
      return limits.lingerMs;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

/**
 * One client. Its requests are served one at a time, in the order of their coming, and so are
 * answered in that order. While a handler takes its time, or the client does not take what it is
 * sent, nothing is read: what waits here is at most what one read has brought.
 */
export class HttpConnection implements Answerer {
  /** When its patience ends, on the clock of the server. */
  due: number;
  #transport!: Transport;
  readonly #host: Host;
  /** While a request is under way. */
  #parser: RequestParser | undefined;
  #phase: number = IDLE;
  /** The request that waits for its answer. */
  #open: Request | undefined;
  /** What was read and not looked at, while nothing is read. */
  #rest: Buffer | undefined;
  #work: Disposable | undefined;
  /** The requests that one read has brought are being served. */
  #serving = false;
  /** One of them has been. */
  #served = false;
  #choked = false;
  /** The last answer was given: whatever comes now is read and dropped. */
  #leaving = false;
  /** The client sends nothing more: it has said so, or has half-closed. */
  #lastRequest = false;
  #closed = false;
  #heardEnd = false;

  constructor(host: Host) {
    this.#host = host;
    this.due = host.clock.now + host.limits.idleMs;
  }

  /** To be called once, before anything else. */
  attach(transport: Transport): void {
    this.#transport = transport;
  }

  /** Bytes have come. */
  data(chunk: Buffer): void {
    if (this.#leaving) return;
    this.#load(chunk);
    this.#serve();
  }

  /** The client has half-closed. */
  end(): void {
    this.#heardEnd = true;
    this.#settle();
  }

  /** The client has taken what it was sent. */
  drain(): void {
    this.#choked = false;
    this.#goOn();
  }

  /** The connection is closed. */
  close(): void {
    this.#leaving = true;
    this.#closed = true;
    this.#rest = undefined;
    // A handler that has closed its own connection may still look at its request.
    if (!this.#serving) this.#abandon();
    this.#host.closed(this);
  }

  /** @see Request.answer */
  answer(request: Request, reply: Reply): void {
    if (this.#open !== request) return;
    this.#open = undefined;
    request.letGo();
    if (this.#serving) {
      if (!this.#gather(request, reply)) this.#choked = true;
      return;
    }
    if (!this.#sendAlone(request, reply)) this.#choked = true;
    this.#host.defer(() => {
      this.#goOn();
    });
  }

  /** Its patience is over. */
  expire(): void {
    if (this.#phase === CHOKED || this.#phase === LEAVING) {
      this.#transport.destroy();
      return;
    }
    if (this.#phase === IDLE) this.#leaving = true;
    else this.#refuse(REFUSALS.get(408) as Reply);
    this.#settle();
  }

  /**
   * The server goes. Who has a request under way goes after its answer, the others at once, or when
   * there is no time left for a request.
   */
  leaveIfIdle(): void {
    if (this.#phase !== IDLE || this.#serving) return;
    const { partingMs } = this.#host.limits;
    if (partingMs > 0) {
      this.#work ??= this.#host.hold();
      this.due = this.#host.clock.now + partingMs;
      return;
    }
    this.#leaving = true;
    this.#settle();
  }

  #goOn(): void {
    if (this.#transport.closed) return;
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) this.#load(rest);
    this.#transport.resume();
    this.#serve();
  }

  #load(chunk: Buffer): void {
    this.#parser ??= this.#host.parsers.lend();
    this.#parser.load(chunk);
  }

  #serve(): void {
    this.#serving = true;
    try {
      if (this.#parser !== undefined) this.#read(this.#parser);
    } finally {
      this.#serving = false;
      this.#settle();
      if (this.#closed) this.#abandon();
    }
  }

  #read(parser: RequestParser): void {
    while (this.#open === undefined && !this.#choked && !this.#leaving) {
      const step = parser.next();
      if (step === COMPLETE) {
        this.#hand(parser);
        continue;
      }
      if (step === REFUSED) this.#refuse(REFUSALS.get(parser.refusal) as Reply);
      else if (parser.takeExpectation()) this.#invite(parser);
      return;
    }
  }

  /** Has a request handled. */
  #hand(parser: RequestParser): void {
    const request = new Request(parser.head, parser.takeBody(), this);
    this.#served = true;
    this.#open = request;
    const found = this.#host.mux.find(request.method, request.path);
    let reply: Reply | typeof LATER = FAILED; // also if nobody wants to hear of what was thrown
    try {
      reply = found instanceof Reply ? found : this.#call(found, request);
    } finally {
      if (reply !== LATER) this.answer(request, reply);
      else if (this.#open === request) parser.keepHead();
    }
  }

  #call(handler: Handler, request: Request): Reply | typeof LATER {
    try {
      return handler(request);
    } catch (error) {
      this.#host.failed(error, request);
      return FAILED;
    }
  }

  /** The client waits with its body: tells it to send it, or why it need not. */
  #invite({ head }: RequestParser): void {
    const found = this.#host.mux.find(head.method, head.target.path);
    if (found instanceof Reply) this.#refuse(found);
    else this.#host.output.add(this.#transport, CONTINUE);
  }

  /** The last answer: where a next request would begin, nobody knows. */
  #refuse(reply: Reply): void {
    this.#host.output.add(this.#transport, reply.begin(this.#host.clock.date, CLOSE));
    this.#leaving = true;
  }

  #gather(request: Request, reply: Reply): boolean {
    const { output } = this.#host;
    const goesOn = output.add(this.#transport, this.#begin(request, reply));
    const rest = restOf(request, reply);
    return rest === undefined ? goesOn : output.add(this.#transport, rest) && goesOn;
  }

  /** We may be in a handler of another connection, which uses the output. */
  #sendAlone(request: Request, reply: Reply): boolean {
    const begin = this.#begin(request, reply);
    const rest = restOf(request, reply);
    if (rest === undefined) return this.#transport.write(begin);
    return this.#transport.write(Buffer.concat([Buffer.from(begin), rest]));
  }

  /** What comes before a body of bytes, or all. Sees whether there will be another request. */
  #begin(request: Request, reply: Reply): string | Uint8Array {
    const keeps = request.keepAlive && !this.#host.draining;
    if (!keeps) this.#leaving = true;
    if (!request.keepAlive) this.#lastRequest = true;
    const persist = request.version === '1.0' ? KEEP_ALIVE : PERSIST;
    const connection = keeps ? persist : CLOSE;
    const { date } = this.#host.clock;
    return request.method === 'HEAD' ? reply.head(date, connection) : reply.begin(date, connection);
  }

  /** After all that one read has brought: sends the answers, and sees what to wait for now. */
  #settle(): void {
    if (this.#heardEnd) this.#considerEnd();
    if (!this.#host.output.flush(this.#transport)) this.#choked = true;
    if (this.#transport.closed) return;
    const phase = this.#phaseNow();
    if (phase === OPEN || phase === CHOKED) this.#stopReading();
    if (phase === this.#phase && !this.#served) return; // more bytes win no time
    this.#served = false;
    this.#phase = phase;
    this.due = this.#host.clock.now + patienceFor(phase, this.#host.limits);
    if (phase === LEAVING) this.#leave();
    if (phase === IDLE || phase === LEAVING) this.#release();
    else this.#work ??= this.#host.hold();
  }

  #phaseNow(): number {
    if (this.#leaving) return LEAVING;
    if (this.#open !== undefined) return OPEN;
    if (this.#choked) return CHOKED;
    if (this.#parser?.inBody === true) return BODY;
    return this.#parser?.inMessage === true ? HEAD : IDLE;
  }

  /** A client that has half-closed gets its answers; half a request has none to get but this. */
  #considerEnd(): void {
    this.#lastRequest = true;
    if (this.#leaving || this.#open !== undefined || this.#choked) return;
    if (this.#parser?.inMessage === true) this.#refuse(REFUSALS.get(400) as Reply);
    this.#leaving = true;
  }

  #stopReading(): void {
    if (this.#parser?.hasRest === true) this.#rest = Buffer.from(this.#parser.rest);
    this.#transport.pause();
  }

  /**
   * A client that may be sending still is told that we do not, and its bytes are read until it
   * ends: closed with bytes unread, it would be reset, and might lose its last answer. RFC 9112, 9.6
   */
  #leave(): void {
    const { pending } = this.#transport;
    if (this.#lastRequest && pending === 0 && this.#parser?.hasRest !== true) {
      this.#transport.destroy();
      return;
    }
    if (pending > 0) this.due = this.#host.clock.now + this.#host.limits.writeMs;
    this.#transport.end();
    this.#transport.resume();
  }

  /** Nobody gets an answer any more. */
  #abandon(): void {
    this.#open?.letGo();
    this.#open = undefined;
    this.#release();
  }

  /** No request is under way. */
  #release(): void {
    if (this.#parser !== undefined) this.#host.parsers.giveBack(this.#parser);
    this.#parser = undefined;
    this.#work?.[Symbol.dispose]();
    this.#work = undefined;
  }
}

/** A body of bytes. A text has gone with the head. */
function restOf(request: Request, { body }: Reply): Uint8Array | undefined {
  return typeof body === 'string' || request.method === 'HEAD' ? undefined : body;
}

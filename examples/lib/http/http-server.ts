import { READABLE, TcpStream, type Listener, type Scope, type Stream, type Timer } from 'raw-epoll';
import { Clock } from './clock.js';
import { HttpConnection, type Host } from './http-connection.js';
import { DEFAULT_LIMITS, type Limits } from './limits.js';
import { Llhttp } from './llhttp.js';
import type { Mux } from './mux.js';
import { Output } from './output.js';
import { Parsers } from './parsers.js';
import type { Request } from './request.js';

/** How often it is seen who is late, and what time it is. */
const TICK_MS = 250;

/** What is beside the routes. */
export interface HttpServerOptions {
  /** Those that are to differ from the usual ones. */
  readonly limits?: Partial<Limits>;
  /** Told of what a handler has thrown; its client gets a 500. Default: it is written to stderr. */
  readonly onError?: (error: unknown, request: Request) => void;
  /** Told of each client that comes. */
  readonly onClient?: () => void;
}

/** How a listener is watched. */
export interface ServeOptions {
  /** Other threads watch it, too, and not all of them are to be woken for each client. */
  readonly exclusive?: boolean;
  /** How many clients are let in at a time. Default: all that wait. */
  readonly clientsPerTurn?: number;
}

/**
 * HTTP/1.1 and 1.0 on a listener, in a scope: its connections and its timer belong to the scope,
 * and end with it. A shutdown waits for the requests under way.
 */
export class HttpServer implements Host {
  readonly clock: Clock = new Clock();
  readonly limits: Limits;
  readonly parsers: Parsers;
  readonly mux: Mux;
  readonly output: Output = new Output();
  readonly #scope: Scope;
  readonly #onError: (error: unknown, request: Request) => void;
  readonly #onClient: () => void;
  readonly #connections = new Set<HttpConnection>();
  #ticks: Timer | undefined;

  constructor(scope: Scope, mux: Mux, options: HttpServerOptions = {}) {
    this.#scope = scope;
    this.mux = mux;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.parsers = new Parsers(new Llhttp(), this.limits);
    this.#onError = options.onError ?? console.error;
    this.#onClient = options.onClient ?? (() => undefined);
    scope.onDrain = () => {
      this.clock.look();
      for (const connection of this.#connections) connection.leaveIfIdle();
    };
  }

  /** Serves who comes to a listener, which belongs to the scope from now on. */
  serve(listener: Listener<Stream>, options: ServeOptions = {}): void {
    const { exclusive = false, clientsPerTurn = Infinity } = options;
    this.#scope.own(listener, { label: 'listener' });
    const letIn = (): void => {
      for (let count = 0; count < clientsPerTurn; count++) {
        const stream = listener.accept();
        if (stream === null) return;
        this.welcome(stream);
      }
    };
    this.#scope.register(listener, READABLE, letIn, { exclusive });
  }

  /** How many clients there are. */
  get connections(): number {
    return this.#connections.size;
  }

  get draining(): boolean {
    return this.#scope.draining;
  }

  defer(callback: () => void): void {
    this.#scope.defer(callback);
  }

  hold(): Disposable {
    return this.#scope.hold();
  }

  failed(error: unknown, request: Request): void {
    this.#onError(error, request);
  }

  closed(connection: HttpConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#ticks?.cancel();
    this.#ticks = undefined;
  }

  /** Serves a client that somebody has accepted. */
  welcome(stream: Stream): void {
    this.#onClient();
    if (stream.fd > this.#scope.loop.supports.descriptorMax) {
      stream.close(); // select(2) ends at FD_SETSIZE: rather nobody than somebody who is not heard
      return;
    }
    if (stream instanceof TcpStream) stream.setNoDelay();
    // Nobody has looked at the clock while nobody was there.
    if (this.#ticks === undefined) this.clock.look();
    this.#ticks ??= this.#scope.setInterval(TICK_MS, this.#tick, { label: 'late clients' });
    const connection = new HttpConnection(this);
    this.#connections.add(connection);
    connection.attach(this.#scope.connection(stream, connection, { label: 'client' }));
  }

  /** One timer for all: each connection knows when it is late. */
  readonly #tick = (): void => {
    this.clock.look();
    const { now } = this.clock;
    for (const connection of this.#connections) if (connection.due <= now) connection.expire();
  };
}

/** A connection of the HTTP module without a socket: what it writes is kept, time is told to it. */
import { Clock } from '../../examples/lib/http/clock.js';
import {
  HttpConnection,
  type Host,
  type Transport,
} from '../../examples/lib/http/http-connection.js';
import { DEFAULT_LIMITS, type Limits } from '../../examples/lib/http/limits.js';
import { Llhttp } from '../../examples/lib/http/llhttp.js';
import type { Mux } from '../../examples/lib/http/mux.js';
import { Output } from '../../examples/lib/http/output.js';
import { Parsers } from '../../examples/lib/http/parsers.js';

/** All tests share the memory of one server. */
const llhttp = new Llhttp();

/** The other end. */
export class MemoryTransport implements Transport {
  text = '';
  writes = 0;
  pending = 0;
  closed = false;
  ended = false;
  paused = false;
  /** What `write` answers. */
  room = true;

  write(bytes: Uint8Array | string): boolean {
    if (this.closed) return false;
    this.text += typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1');
    this.writes++;
    return this.room;
  }

  end(): void {
    this.ended = true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  destroy(): void {
    this.closed = true;
  }

  /** The answers that have come, told by their first lines. */
  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
  }
}

export class MemoryHost implements Host {
  readonly clock: Clock = new Clock();
  readonly limits: Limits;
  readonly parsers: Parsers;
  readonly mux: Mux;
  readonly output: Output = new Output();
  draining = false;
  held = 0;
  readonly failures: unknown[] = [];
  #deferred: (() => void)[] = [];

  constructor(mux: Mux, limits: Partial<Limits> = {}) {
    this.mux = mux;
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.parsers = new Parsers(llhttp, this.limits);
  }

  connect(): { connection: HttpConnection; transport: MemoryTransport } {
    const transport = new MemoryTransport();
    const connection = new HttpConnection(this);
    connection.attach(transport);
    return { connection, transport };
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  runDeferred(): void {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const callback of deferred) callback();
  }

  hold(): Disposable {
    this.held++;
    return {
      [Symbol.dispose]: () => {
        this.held--;
      },
    };
  }

  failed(error: unknown): void {
    this.failures.push(error);
  }

  closed(): void {
    // Nobody counts them here.
  }
}

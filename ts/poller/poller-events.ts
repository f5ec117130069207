import { EventBatch } from '../set/event-batch.js';
import { ERROR, HANGUP, PRIORITY, READ_CLOSED, READABLE, WRITABLE } from './conditions.js';

/** An event, as iteration gives it. */
export interface PollerEvent<T> {
  /** The descriptor. */
  readonly fd: number;
  /** What was registered with the descriptor. */
  readonly data: T | undefined;
  /** {@link PollerEvents.readable} */
  readonly readable: boolean;
  /** {@link PollerEvents.writable} */
  readonly writable: boolean;
  /** {@link PollerEvents.priority} */
  readonly priority: boolean;
  /** {@link PollerEvents.error} */
  readonly error: boolean;
  /** {@link PollerEvents.hangup} */
  readonly hangup: boolean;
  /** {@link PollerEvents.readClosed} */
  readonly readClosed: boolean;
}

/**
 * The batch that `Poller.wait` fills. Make one, use it for every wait.
 *
 * **A stale event never reaches its successor.** Each look at an event asks whether the
 * registration that it belongs to is still there. Once that was deleted, or its descriptor
 * closed, even if the number was given out and added again, `fd(i)` is `-1`, `data(i)` is
 * `undefined`, and every condition is false. After a `modify`, `readable(i)`, `writable(i)` and
 * `priority(i)` are cut to what is asked for now. So a handler may delete, close, add or modify
 * anything while the batch is worked off.
 *
 * `readable` and `writable` are enough for a program: what ends a stream, or breaks it, makes it
 * readable or writable as well, and the call that follows says what it was. The others tell it
 * sooner, where the backend can (`Poller.supports`).
 *
 * @example
 * ```ts
 * const events = new PollerEvents<Connection>(256);
 * const n = poller.wait(events);
 * for (let i = 0; i < n; i++) if (events.readable(i)) events.data(i)?.read();
 * ```
 */
export class PollerEvents<T = unknown> extends EventBatch<T> {
  // Tells a batch that this class has made from what pretends to be one.
  readonly #made = true;

  /** Whether a value is a batch, and no object that pretends to be one. @internal */
  static isBatch(value: unknown): value is PollerEvents {
    return typeof value === 'object' && value !== null && #made in value;
  }

  /**
   * Whether `READABLE` is asked for and a read would not block: there is data, a connection to
   * accept, the end of the stream, or an error.
   */
  readable(i: number): boolean {
    return (this.conditions(i) & READABLE) !== 0;
  }

  /**
   * Whether `WRITABLE` is asked for and a write would not block: there is room, a connect has
   * ended, or there is an error.
   */
  writable(i: number): boolean {
    return (this.conditions(i) & WRITABLE) !== 0;
  }

  /** Whether `PRIORITY` is asked for and there is urgent data, or the like. */
  priority(i: number): boolean {
    return (this.conditions(i) & PRIORITY) !== 0;
  }

  /** Whether an error waits. Where `supports.hangup` is false: never. */
  error(i: number): boolean {
    return (this.conditions(i) & ERROR) !== 0;
  }

  /** Whether both directions are over. Where `supports.hangup` is false: never. */
  hangup(i: number): boolean {
    return (this.conditions(i) & HANGUP) !== 0;
  }

  /**
   * Whether `READABLE` is asked for and the peer will send nothing more; what it sent before may
   * still be there to read. Where `supports.readClosed` is false: only with `hangup`.
   */
  readClosed(i: number): boolean {
    return (this.conditions(i) & READ_CLOSED) !== 0;
  }

  /**
   * The events that still say something: stale ones, and those of which a `modify` left nothing,
   * are skipped. Judged one by one, as the iteration comes to them. Allocates an object for each
   * event; the methods allocate nothing.
   */
  *[Symbol.iterator](): IterableIterator<PollerEvent<T>> {
    for (let i = 0; i < this.length; i++) {
      const conditions = this.conditions(i);
      if (conditions === 0) continue;
      yield {
        fd: this.fd(i),
        data: this.data(i),
        readable: (conditions & READABLE) !== 0,
        writable: (conditions & WRITABLE) !== 0,
        priority: (conditions & PRIORITY) !== 0,
        error: (conditions & ERROR) !== 0,
        hangup: (conditions & HANGUP) !== 0,
        readClosed: (conditions & READ_CLOSED) !== 0,
      };
    }
  }

  /**
   * Adds what conditions mean for who asks for less: at the end of a stream, and with an error, a
   * read does not block, and neither does a write that can only fail. Some kernels say so by
   * themselves, and others leave it to the reader. @internal
   */
  protected override implied(conditions: number, interest: number): number {
    let all = conditions;
    if (conditions & (ERROR | HANGUP)) all |= interest & (READABLE | WRITABLE);
    if (conditions & READ_CLOSED) all |= interest & READABLE;
    if (conditions & HANGUP) all |= interest & READ_CLOSED;
    return all;
  }
}

import { EventBatch } from '../set/event-batch.js';

/** An event, as iteration gives it. */
export interface EpollEvent<T> {
  /** The descriptor. */
  readonly fd: number;
  /** Which conditions hold, as uint32. */
  readonly events: number;
  /** What was registered with the descriptor. */
  readonly data: T | undefined;
}

/**
 * The batch that `Epoll.wait` fills. Make one, use it for every wait.
 *
 * **A stale event never reaches its successor.** Each look at an event asks whether the
 * registration that it belongs to is still there. Once that was deleted, or its descriptor
 * closed, even if the number was given out and added again, `fd(i)` is `-1`, `events(i)` is `0`
 * and `data(i)` is `undefined`. After a `modify`, `events(i)` is cut to what is asked for now and
 * `data(i)` is the present data. So a handler may delete, close, add or modify anything while
 * the batch is worked off.
 *
 * @example
 * ```ts
 * const events = new EpollEvents<Connection>(256);
 * const n = epoll.wait(events);
 * for (let i = 0; i < n; i++) if (events.events(i) & EPOLLIN) events.data(i)?.readable();
 * ```
 */
export class EpollEvents<T = unknown> extends EventBatch<T> {
  // Tells a batch that this class has made from what pretends to be one.
  readonly #made = true;

  /** Whether a value is a batch, and no object that pretends to be one. @internal */
  static isBatch(value: unknown): value is EpollEvents {
    return typeof value === 'object' && value !== null && #made in value;
  }

  /**
   * The conditions of event `i` that are asked for now, and `EPOLLERR` and `EPOLLHUP`, as uint32;
   * `0` if the event is stale.
   *
   * @throws `ERR_OUT_OF_RANGE` unless 0 <= i < length
   */
  events(i: number): number {
    return this.conditions(i);
  }

  /**
   * The events that still say something: stale ones, and those of which a `modify` left nothing,
   * are skipped. Judged one by one, as the iteration comes to them. Allocates an object for each
   * event; `fd(i)`, `events(i)` and `data(i)` allocate nothing.
   */
  *[Symbol.iterator](): IterableIterator<EpollEvent<T>> {
    for (let i = 0; i < this.length; i++) {
      const events = this.events(i);
      if (events !== 0) yield { fd: this.fd(i), events, data: this.data(i) };
    }
  }

  /** The kernel says all by itself. @internal */
  protected override implied(conditions: number): number {
    return conditions;
  }
}

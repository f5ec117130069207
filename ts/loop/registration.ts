import { toFd, type FdLike } from '../descriptor/fd-like.js';
import { checkOptions } from '../errors.js';
import type { PollerMode } from '../poller/conditions.js';
import type { Poller } from '../poller/poller.js';
import type { PollerEvents } from '../poller/poller-events.js';

/** Runs when a registered descriptor is ready. The argument is good until it returns. */
export type ReadyHandler = (ready: Ready) => void;

/** How a descriptor is registered with a loop. */
export interface LoopRegisterOptions {
  /** How it reports; see `PollerRegisterOptions.mode`. Default: `level`. */
  readonly mode?: PollerMode;
  /** What it is called where open things are listed. */
  readonly label?: string;
}

/** A descriptor with its handler in a loop. */
export class LoopRegistration implements Disposable {
  /** The descriptor. */
  readonly fd: number;
  /** What it is called where open things are listed. */
  readonly label: string;
  /** @internal */
  readonly handler: ReadyHandler;
  readonly #poller: Poller<LoopRegistration>;

  /** Enters it into the poller. @internal */
  constructor(
    poller: Poller<LoopRegistration>,
    fd: FdLike,
    interest: number,
    handler: ReadyHandler,
    options: LoopRegisterOptions,
  ) {
    const { mode = 'level', label = '' } = checkOptions(options);
    this.fd = toFd(fd);
    this.label = label;
    this.handler = handler;
    this.#poller = poller;
    poller.add(this.fd, interest, { mode, data: this });
  }

  /** False once deregistered, or once the descriptor was closed by its owner, or the loop. */
  get active(): boolean {
    return !this.#poller.closed && this.#poller.get(this.fd)?.data === this;
  }

  /**
   * Changes what it waits for, and enables it if it was a one-shot that had fired.
   *
   * @param mode  Left out, it stays.
   * @throws SystemError `ENOENT`: it is not registered any more; and as `Poller.modify`.
   */
  modify(interest: number, mode?: PollerMode): void {
    this.#poller.modify(this.fd, interest, mode === undefined ? {} : { mode });
  }

  /** Takes it out of the loop. What it still has in this turn does not run. Again: does nothing. */
  deregister(): void {
    if (this.active) this.#poller.delete(this.fd);
  }

  /** `deregister()`, for `using`. */
  [Symbol.dispose](): void {
    this.deregister();
  }
}

/**
 * What is ready, as a handler sees it: one object for all events of a loop, which costs nothing to
 * make. Its answers are those of `PollerEvents`, judged when asked: after the handler has closed
 * the descriptor all of them are false.
 */
export class Ready {
  readonly #events: PollerEvents<LoopRegistration>;
  #index = 0;

  /** @internal */
  constructor(events: PollerEvents<LoopRegistration>) {
    this.#events = events;
  }

  /** The descriptor; `-1` once it is not registered any more. */
  get fd(): number {
    return this.#events.fd(this.#index);
  }

  /** The registration; `undefined` once it is gone. */
  get registration(): LoopRegistration | undefined {
    return this.#events.data(this.#index);
  }

  /** `PollerEvents.readable` */
  get readable(): boolean {
    return this.#events.readable(this.#index);
  }

  /** `PollerEvents.writable` */
  get writable(): boolean {
    return this.#events.writable(this.#index);
  }

  /** `PollerEvents.priority` */
  get priority(): boolean {
    return this.#events.priority(this.#index);
  }

  /** `PollerEvents.error` */
  get error(): boolean {
    return this.#events.error(this.#index);
  }

  /** `PollerEvents.hangup` */
  get hangup(): boolean {
    return this.#events.hangup(this.#index);
  }

  /** `PollerEvents.readClosed` */
  get readClosed(): boolean {
    return this.#events.readClosed(this.#index);
  }

  /** Runs the handler of event `i`. False if the event is stale. @internal */
  dispatch(i: number): boolean {
    const registration = this.#events.data(i);
    if (registration === undefined) return false;
    this.#index = i;
    registration.handler(this);
    return true;
  }
}

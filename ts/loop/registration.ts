import { toFd, type FdLike } from '../descriptor/fd-like.js';
import { NO_OPTIONS, SystemError } from '../errors.js';
import {
  ERROR,
  HANGUP,
  PRIORITY,
  READ_CLOSED,
  READABLE,
  WRITABLE,
  type PollerMode,
} from '../poller/conditions.js';
import type { PollerEvents } from '../poller/poller-events.js';
import { ENOENT } from '../sys/constants.js';
import { NO_TURN } from './again.js';
import { drain, type DrainOptions, type DrainResult } from './drain.js';
import { KeepAlive, type MemberDescription } from './member.js';
import { checkText } from './owned.js';
import type { Scope } from './scope.js';

/** Runs when a registered descriptor is ready. The argument is good until it returns. */
export type ReadyHandler = (ready: Ready) => void;

/** How a descriptor is registered with a loop. */
export interface LoopRegisterOptions {
  /** How it reports; see `PollerRegisterOptions.mode`. Default: `level`. */
  readonly mode?: PollerMode;
  /**
   * Of several loops that watch one listener, not all are woken for a connection; see
   * `PollerRegisterOptions.exclusive`. Such a registration cannot be modified, and `READABLE` and
   * `WRITABLE` are all it can ask for. Default: off.
   */
  readonly exclusive?: boolean;
  /** What it is called where open things are listed. */
  readonly label?: string;
  /** Whose it is. Default: the root of the loop. */
  readonly scope?: Scope;
}

/** A descriptor with its handler in a loop. */
export class LoopRegistration extends KeepAlive implements Disposable {
  /** The descriptor. */
  readonly fd: number;
  /** What it is called where open things are listed. */
  readonly label: string;
  /** @internal */
  readonly handler: ReadyHandler;
  /** Of which turn it waits for the next; see `AgainLine`. @internal */
  askedAgainIn: number = NO_TURN;

  /** Enters it into the poller of the loop. @internal */
  constructor(
    scope: Scope,
    fd: FdLike,
    interest: number,
    handler: ReadyHandler,
    options: LoopRegisterOptions,
  ) {
    const { mode = 'level', exclusive = false, label = '' } = options;
    checkText('label', label);
    super(scope, scope.loop.track?.());
    this.fd = toFd(fd);
    this.label = label;
    this.handler = scope.inContext(handler);
    const { poller } = scope.loop;
    const earlier = poller.dataOf(this.fd);
    poller.enter(this.fd, interest, mode, exclusive, this);
    // Its descriptor was closed behind the back of the poller, or the kernel had refused this one.
    earlier?.leave();
    scope.adopt(this);
  }

  /** Whose it is. */
  get scope(): Scope {
    return this.owner as Scope;
  }

  /** False once deregistered, or once the descriptor was closed by its owner, or the loop. */
  get active(): boolean {
    return this.scope.loop.poller.dataOf(this.fd) === this;
  }

  /** What it waits for: `READABLE | WRITABLE | PRIORITY`; 0 once it is deregistered. */
  get interest(): number {
    return this.active ? this.scope.loop.poller.interestOf(this.fd) : 0;
  }

  /**
   * Changes what it waits for, and enables it if it was a one-shot that had fired.
   *
   * @param mode  Left out, it stays.
   * @throws SystemError `ENOENT`: it is not registered any more; `EINVAL`: it is exclusive; and as
   *         `Poller.modify`.
   */
  modify(interest: number, mode?: PollerMode): void {
    // The number may be somebody else's by now.
    if (!this.active) throw notRegistered(this.fd);
    this.scope.loop.poller.modify(this.fd, interest, mode === undefined ? NO_OPTIONS : { mode });
  }

  /**
   * Has the handler run in the next turn, which does not wait then, without the kernel reporting
   * anything: for one that stopped before its edge-triggered source was empty. What is asked for
   * counts as ready in that run. Again, and once deregistered: does nothing.
   */
  again(): void {
    if (!this.active) return;
    this.scope.loop.callAgain(this);
  }

  /**
   * Takes it out of the loop, whatever has become of its descriptor. What it still has in this turn
   * does not run. Again: does nothing.
   */
  deregister(): void {
    this.end();
    this.leave();
  }

  /** `deregister()`, for `using`. */
  [Symbol.dispose](): void {
    this.deregister();
  }

  /** Whatever has become of the descriptor. @internal */
  end(): void {
    if (this.active) this.scope.loop.poller.drop(this.fd);
  }

  /** @internal */
  describe(): MemberDescription {
    return { fd: this.fd, kind: 'registration', label: this.label, interest: this.interest };
  }
}

function notRegistered(fd: number): SystemError {
  const detail = `fd ${String(fd)}: not registered any more`;
  return new SystemError(-ENOENT, 'modify', { fd, detail });
}

/**
 * What is ready, as a handler sees it: one object for all events of a loop, which costs nothing to
 * make. Its answers are those of `PollerEvents`, judged when asked: after the handler has closed
 * the descriptor all of them are false.
 */
export class Ready {
  readonly #events: PollerEvents<LoopRegistration>;
  #index = 0;
  /** Who runs without an event. */
  #again: LoopRegistration | undefined;

  /** @internal */
  constructor(events: PollerEvents<LoopRegistration>) {
    this.#events = events;
  }

  /** The descriptor; `-1` once it is not registered any more. */
  get fd(): number {
    return this.registration?.fd ?? -1;
  }

  /** The registration; `undefined` once it is gone. */
  get registration(): LoopRegistration | undefined {
    const again = this.#again;
    if (again === undefined) return this.#events.data(this.#index);
    return again.active ? again : undefined;
  }

  /** `PollerEvents.readable` */
  get readable(): boolean {
    return this.#has(READABLE);
  }

  /** `PollerEvents.writable` */
  get writable(): boolean {
    return this.#has(WRITABLE);
  }

  /** `PollerEvents.priority` */
  get priority(): boolean {
    return this.#has(PRIORITY);
  }

  /** `PollerEvents.error` */
  get error(): boolean {
    return this.#has(ERROR);
  }

  /** `PollerEvents.hangup` */
  get hangup(): boolean {
    return this.#has(HANGUP);
  }

  /** `PollerEvents.readClosed` */
  get readClosed(): boolean {
    return this.#has(READ_CLOSED);
  }

  /**
   * {@link drain}, for edge-triggered handlers: answers `drained`, or `budget`, and then the handler
   * runs again in the next turn, after the others had theirs, and without a new edge.
   *
   * @throws As {@link drain}. What the step throws ends it, and the handler is not run again.
   *
   * @example
   * ```ts
   * const step = () => stream.read(buffer); // 0 at the end of the stream, WOULD_BLOCK when empty
   * loop.register(stream, READABLE, (ready) => ready.drain(step, { maxBytes: 65_536 }), { mode: 'edge' });
   * ```
   */
  drain(step: () => number | null, options: DrainOptions): DrainResult {
    const result = drain(step, options);
    if (result === 'budget') this.registration?.again();
    return result;
  }

  /** Looks at event `i` from now on: whose it is, or `undefined` if it is stale. @internal */
  turnTo(i: number): LoopRegistration | undefined {
    this.#index = i;
    this.#again = undefined;
    return this.#events.data(i);
  }

  /** Looks at one that runs without an event. False if it is registered no more. @internal */
  turnToAgain(registration: LoopRegistration): boolean {
    this.#again = registration;
    return registration.active;
  }

  #has(condition: number): boolean {
    const again = this.#again;
    if (again === undefined) return (this.#events.conditions(this.#index) & condition) !== 0;
    return again.active && (again.interest & condition) !== 0;
  }
}

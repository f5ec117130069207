import { OwnedDescriptor } from '../descriptor/owned-descriptor.js';
import { checkOptions } from '../errors.js';
import { SO_ACCEPTCONN, SOL_SOCKET } from '../sys/constants.js';
import { getsockopt } from '../sys/index.js';
import type { LoopEntry } from './entries.js';
import type { Loop } from './loop.js';
import { Owned } from './owned.js';
import { LoopRegistration } from './registration.js';
import { Scope } from './scope.js';
import { checkDelay, type Timer } from './timers.js';

/** How a loop is shut down. */
export interface ShutdownOptions {
  /**
   * For how many milliseconds work in progress may go on; then it is ended by force. 0: at once.
   * `Infinity`: for as long as it takes.
   */
  readonly graceMs: number;
}

/**
 * The end of a loop's work, in three steps. Listeners are closed, wherever they are owned, and
 * those that are only registered are deregistered. Then every scope is closed in which, above
 * which and under which no work is held; the others follow when theirs is done. What is left at
 * the deadline is closed by force. When no scope is left, what the root owns ends too, and
 * `run()` or `runAsync()` returns. Who then tries to put something in its place, a client that
 * connects again when it was closed, gets `ERR_CLOSED`.
 */
export class Shutdown {
  /** Resolves with this object when all is closed. */
  readonly ended: Promise<this>;
  readonly #loop: Loop;
  #forced: readonly LoopEntry[] = [];
  #done = false;
  /** The last step has begun: what is closed in it may ask for another, and has it already. */
  #ending = false;
  #due = Number.POSITIVE_INFINITY;
  #deadline: Timer | undefined;
  #sweeps = false;
  #resolve!: (shutdown: this) => void;

  /** @internal */
  constructor(loop: Loop) {
    this.#loop = loop;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** True when all is closed. */
  get done(): boolean {
    return this.#done;
  }

  /** What was open in scopes with work in progress when the deadline had come. */
  get forced(): readonly LoopEntry[] {
    return this.#forced;
  }

  /** @internal */
  begin(graceMs: number): void {
    const scopes = scopesOf(this.#loop.root);
    for (const scope of scopes) refuseNewcomers(scope);
    for (const scope of scopes) tell(scope);
    // At the end of the turn: the handler that has begun it may have something to finish.
    this.workEnded();
    this.hurry(graceMs);
  }

  /** The earlier deadline counts. @internal */
  hurry(graceMs: number): void {
    if (this.#ending || this.#done) return;
    if (graceMs === 0) {
      this.#force();
      return;
    }
    const due = performance.now() + graceMs;
    if (due >= this.#due) return;
    this.#due = due;
    this.#deadline?.cancel();
    this.#deadline = this.#loop.setTimeout(graceMs, this.#force, { label: 'deadline of shutdown' });
  }

  /** Work has ended somewhere: closes what is idle now, at the end of the turn. @internal */
  workEnded(): void {
    if (this.#sweeps || this.#ending || this.#done || this.#loop.closed) return;
    this.#sweeps = true;
    this.#loop.defer(() => {
      this.#sweeps = false;
      this.#sweep();
    });
  }

  /** The loop was closed meanwhile. @internal */
  finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#resolve(this);
  }

  #sweep(): void {
    if (this.#ending || this.#done) return;
    closeIdle(this.#loop.root);
    if (!this.#loop.root.worksInAll) this.#end();
  }

  readonly #force = (): void => {
    if (this.#ending || this.#done) return;
    this.#ending = true;
    closeIdle(this.#loop.root);
    this.#forced = scopesOf(this.#loop.root)
      .filter((scope) => scope.works && !isBelowWork(scope))
      .flatMap((scope) => [...scope.entries()]);
    this.#endAll();
  };

  #end(): void {
    if (this.#ending || this.#done) return;
    this.#ending = true;
    this.#endAll();
  }

  #endAll(): void {
    this.#sweeps = true; // No more of it: what ends from now on ends here.
    this.#loop.endMembers();
    this.finish();
  }
}

/** @internal */
export function checkGrace(options: ShutdownOptions): number {
  const { graceMs } = checkOptions(options);
  return graceMs === Number.POSITIVE_INFINITY ? graceMs : checkDelay(graceMs, 'graceMs');
}

/** A scope and all under it, the upper ones first. */
function scopesOf(scope: Scope): Scope[] {
  const below = scope.members().filter((member) => member instanceof Scope);
  return [scope, ...below.flatMap(scopesOf)];
}

/** A hold protects what is in its scope, so that one look at the upmost of them tells all. */
function isBelowWork(scope: Scope): boolean {
  for (let above = scope.parent; above !== undefined; above = above.parent) {
    if (above.works) return true;
  }
  return false;
}

/** Closes the listeners that a scope owns, and forgets those that it only watches. */
function refuseNewcomers(scope: Scope): void {
  for (const member of scope.members()) {
    if (member instanceof Owned && isListening(member.fd)) {
      if (!(member.resource instanceof OwnedDescriptor)) member.leave();
      attempt(scope, () => {
        member.resource[Symbol.dispose]();
      });
    } else if (member instanceof LoopRegistration && isListening(member.fd)) {
      member.deregister();
    }
  }
}

function isListening(fd: number): boolean {
  const answer = new Int32Array(1);
  return fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, answer) > 0 && answer[0] !== 0;
}

function tell(scope: Scope): void {
  const { onDrain } = scope;
  if (onDrain === undefined || scope.closed) return;
  attempt(scope, scope.inContext(onDrain));
}

/** Closes every scope that is neither above work, nor at work, nor below work. */
function closeIdle(scope: Scope): void {
  if (scope.works) return;
  for (const member of scope.members().reverse()) {
    if (!(member instanceof Scope)) continue;
    if (member.worksInAll) closeIdle(member);
    else
      attempt(scope, () => {
        member.close();
      });
  }
}

function attempt(scope: Scope, call: () => void): void {
  try {
    call();
  } catch (error) {
    scope.fail(error);
  }
}

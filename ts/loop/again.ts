import type { LoopRegistration } from './registration.js';

/** A registration that waits for no turn. @internal */
export const NO_TURN = 0;

/**
 * The registrations whose handlers asked to run in the next turn, whatever the kernel reports.
 * One that has an event in that turn runs for it, and not a second time.
 * @internal
 */
export class AgainLine {
  #turn: number = NO_TURN + 1;
  #line: LoopRegistration[] = [];
  #called: LoopRegistration[] = [];

  /** How many wait. */
  get size(): number {
    return this.#line.length;
  }

  add(registration: LoopRegistration): void {
    if (registration.askedAgainIn !== NO_TURN) return;
    registration.askedAgainIn = this.#turn;
    this.#line.push(registration);
  }

  /** A turn begins: those that asked before it. Whoever asks from now on waits for the next one. */
  call(): readonly LoopRegistration[] {
    const line = this.#line;
    this.#line = this.#called;
    this.#called = line;
    this.#turn++;
    return line;
  }

  /** Whether it still waits: no event of this turn has served it. */
  awaits(registration: LoopRegistration): boolean {
    return registration.askedAgainIn !== NO_TURN && registration.askedAgainIn !== this.#turn;
  }

  /** They have been served: the list is used again. */
  dismiss(): void {
    this.#called.length = 0;
  }

  clear(): void {
    this.#line.length = 0;
    this.#called.length = 0;
  }
}

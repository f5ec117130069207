import { addAbortListener } from 'node:events';

/** Who is told when a signal is aborted, of all in this library that wait for it. */
class Hearers {
  readonly #signal: AbortSignal;
  readonly #hearers = new Set<() => void>();
  #listener: Disposable | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(hear: () => void): void {
    this.#hearers.add(hear);
    this.#listener ??= addAbortListener(this.#signal, this.#tell);
  }

  delete(hear: () => void): void {
    this.#hearers.delete(hear);
    if (this.#hearers.size > 0) return;
    this.#listener?.[Symbol.dispose]();
    this.#listener = undefined;
  }

  readonly #tell = (): void => {
    for (const hear of this.#hearers) hear();
  };
}

const hearersOf = new WeakMap<AbortSignal, Hearers>();

/**
 * Calls a function once a signal is aborted; not if it is already.
 *
 * One signal may end any number of things. Node warns of a leak from the eleventh listener on, and
 * walks through all of them to remove one. So a signal has one listener for all that wait for it
 * here, and none when nobody does. It is called even if a listener before it stops the event.
 *
 * @param hear  Throws nothing, for there may be others after it. One function is called once,
 *              however often it was given.
 * @returns     Takes it back. Again: does nothing.
 * @internal
 */
export function onAbort(signal: AbortSignal, hear: () => void): () => void {
  const hearers = hearersOf.get(signal) ?? new Hearers(signal);
  hearersOf.set(signal, hearers);
  hearers.add(hear);
  return () => {
    hearers.delete(hear);
  };
}

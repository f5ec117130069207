import { checkOptions, closedError, invalidArgType, stateError } from '../errors.js';
import { onAbort } from '../on-abort.js';
import { HostWatch } from './host-watch.js';
import type { LiveWatcher, LiveWatchers } from './live-watchers.js';

/** How a set is driven by Node's own loop. */
export interface TurnsOptions {
  /** Ends the iteration: `next()` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How many events a turn brings at most. Default: 1,024. */
  readonly maxEvents?: number;
  /** Whether waiting for a turn keeps the process alive. Default: true. */
  readonly ref?: boolean;
}

/** Options that were read, each once, and checked. @internal */
export interface ReadOptions {
  readonly signal: AbortSignal | undefined;
  readonly maxEvents: number | undefined;
  readonly ref: boolean;
}

/** @internal */
export function readTurnsOptions(options: TurnsOptions): ReadOptions {
  const { signal, maxEvents, ref = true } = checkOptions(options);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'AbortSignal', signal);
  }
  if (typeof ref !== 'boolean') throw invalidArgType('options.ref', 'boolean', ref);
  return { signal, maxEvents, ref };
}

/** What turns are taken of: a set that can be asked without waiting. @internal */
export interface TurnSource<Batch> {
  readonly fd: number;
  readonly closed: boolean;
  /** Who has to know when the set is replaced or closed. */
  readonly watchers: LiveWatchers;
  wait(batch: Batch, timeoutMs: number): number;
}

interface Waiting<Batch> {
  readonly resolve: (result: IteratorResult<Batch, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * The turns of a set, one for each time that Node's loop comes by and finds it readable: a turn
 * never starves the timers, promises and sockets of Node.
 * @internal
 */
class Turns<Batch> implements AsyncIterableIterator<Batch, undefined>, LiveWatcher {
  readonly #source: TurnSource<Batch>;
  /** The one batch that every turn fills anew. */
  readonly #batch: Batch;
  readonly #signal: AbortSignal | undefined;
  readonly #ref: boolean;
  #watch: HostWatch | undefined;
  #cut: (() => void) | undefined;
  #waiting: Waiting<Batch> | undefined;
  #ended = false;

  constructor(source: TurnSource<Batch>, batch: Batch, { signal, ref }: ReadOptions) {
    this.#source = source;
    this.#batch = batch;
    this.#signal = signal;
    this.#ref = ref;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Batch, undefined>> {
    return new Promise((resolve, reject) => {
      if (this.#waiting !== undefined) {
        reject(stateError('next() was called before the turn before it came'));
        return;
      }
      if (this.#signal?.aborted === true && !this.#ended) {
        this.end();
        reject(this.#signal.reason as Error);
        return;
      }
      if (this.#ended) {
        resolve({ done: true, value: undefined });
        return;
      }
      this.#waiting = { resolve, reject };
      this.#listen();
    });
  }

  return(): Promise<IteratorResult<Batch, undefined>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#watch?.close();
    this.#cut?.();
    this.#source.watchers.delete(this);
    this.#take()?.resolve({ done: true, value: undefined });
  }

  move(): void {
    this.#watch?.move(this.#source.fd);
  }

  /** The watch is opened with the first turn, and stays started while turn follows turn. */
  #listen(): void {
    try {
      if (this.#watch === undefined) {
        if (this.#source.closed) throw closedError('The set');
        this.#source.watchers.add(this);
        this.#watch = new HostWatch(this.#source.fd, this.#ready);
        this.#cut = this.#signal && onAbort(this.#signal, this.#abort);
      }
      this.#watch.keepsAlive = this.#ref;
      this.#watch.start();
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #ready = (): void => {
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#watch?.stop(); // Nobody asks for the next turn yet: the loop would spin.
      return;
    }
    try {
      this.#source.wait(this.#batch, 0);
    } catch (error) {
      this.#fail(error);
      return;
    }
    // The poll itself may have ended this: it is over only if nobody has been answered.
    if (this.#take() === undefined) return;
    if (this.#watch !== undefined) this.#watch.keepsAlive = false;
    waiting.resolve({ done: false, value: this.#batch });
  };

  readonly #abort = (): void => {
    this.#fail(this.#signal?.reason);
  };

  #fail(reason: unknown): void {
    const waiting = this.#take();
    this.end();
    waiting?.reject(reason);
  }

  #take(): Waiting<Batch> | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }
}

/** New turns of a set; they count among its watchers from the first one on. @internal */
export function takeTurns<Batch>(
  source: TurnSource<Batch>,
  batch: Batch,
  options: ReadOptions,
): AsyncIterableIterator<Batch, undefined> {
  return new Turns(source, batch, options);
}

import { HostWatch } from '../epoll/host-watch.js';
import { onAbort } from '../on-abort.js';

/** As long as a timer of Node may be. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Ends that somebody waits for: not to be collected meanwhile. */
const waitedFor = new Set<Waited>();

/** An end of a channel, as its waits see it. @internal */
export interface Waited {
  readonly fd: number;
  /** Its descriptor is readable: answers those that can be answered. */
  serve(): void;
  /** One of them will not wait any longer. False: it was answered just now. */
  withdraw(wait: Wait): boolean;
}

/** What a wait was asked for with. @internal */
export interface ReadWaitOptions {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
}

/** A send or a receive that waits for its promise. @internal */
export class Wait {
  /** What is to be sent: the message, or without a buffer the ticket of its offer. */
  bytes: Uint8Array = new Uint8Array(0);
  ticket = 0;
  readonly #waits: Waits;
  readonly #resolve: (answer: unknown) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #cut: (() => void) | undefined;
  readonly #deadline: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    waits: Waits,
    resolve: (answer: unknown) => void,
    reject: (reason: unknown) => void,
    { signal, timeoutMs }: ReadWaitOptions,
  ) {
    this.#waits = waits;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    this.#deadline = performance.now() + timeoutMs;
    this.#cut = signal && onAbort(signal, this.#abort);
    this.#arm();
  }

  resolve(answer: unknown): void {
    if (this.#end()) this.#resolve(answer);
  }

  reject(reason: unknown): void {
    if (this.#end()) this.#reject(reason);
  }

  #end(): boolean {
    clearTimeout(this.#timer);
    this.#cut?.();
    return this.#waits.remove(this);
  }

  /** Timers of Node may be early by a fraction of a millisecond. */
  #arm(): void {
    const leftMs = this.#deadline - performance.now();
    if (leftMs === Number.POSITIVE_INFINITY) return;
    const ms = Math.min(Math.max(Math.ceil(leftMs), 0), LONGEST_TIMER_MS);
    // The watch keeps the process alive, or does not.
    this.#timer = setTimeout(this.#timeOver, ms).unref();
  }

  readonly #timeOver = (): void => {
    if (performance.now() < this.#deadline) this.#arm();
    else if (this.#waits.withdraw(this)) this.resolve(this.#waits.timeOver);
  };

  readonly #abort = (): void => {
    if (this.#waits.withdraw(this)) this.reject(this.#signal?.reason);
  };
}

/**
 * Those who wait for one end, in the order of their coming, while Node's own loop watches its
 * descriptor. Holds the end only while somebody waits.
 * @internal
 */
export class Waits {
  /** What a wait is answered when its time is over. */
  readonly timeOver: unknown;
  readonly #fd: number;
  readonly #waiting = new Set<Wait>();
  #end: WeakRef<Waited> | undefined;
  #watch: HostWatch | undefined;
  #keepsAlive = true;

  constructor(fd: number, timeOver: unknown) {
    this.#fd = fd;
    this.timeOver = timeOver;
  }

  get size(): number {
    return this.#waiting.size;
  }

  has(wait: Wait): boolean {
    return this.#waiting.has(wait);
  }

  [Symbol.iterator](): IterableIterator<Wait> {
    return this.#waiting.values();
  }

  set keepsAlive(value: boolean) {
    this.#keepsAlive = value;
    if (this.#watch !== undefined) this.#watch.keepsAlive = value && this.size > 0;
  }

  /** @throws SystemError `EMFILE`, `ENFILE`, with the first wait of an end. */
  add(end: Waited, wait: Wait): void {
    const watch = (this.#watch ??= this.#open(end));
    this.#waiting.add(wait);
    waitedFor.add(end);
    watch.keepsAlive = this.#keepsAlive;
    watch.start();
  }

  remove(wait: Wait): boolean {
    const was = this.#waiting.delete(wait);
    if (this.size === 0) this.#rest();
    return was;
  }

  withdraw(wait: Wait): boolean {
    return this.#end?.deref()?.withdraw(wait) === true;
  }

  /** The end is closed. */
  close(reason: unknown): void {
    for (const wait of this) wait.reject(reason);
    this.#watch?.close();
    this.#watch = undefined;
  }

  #open(end: Waited): HostWatch {
    this.#end = new WeakRef(end);
    return new HostWatch(this.#fd, () => {
      this.#ready();
    });
  }

  #ready(): void {
    if (this.size > 0) this.#end?.deref()?.serve();
    // Nobody waits any more: the loop would spin. It stays started while wait follows wait.
    else this.#watch?.stop();
    if (this.size > 0) this.#watch?.start();
  }

  #rest(): void {
    const end = this.#end?.deref();
    if (end !== undefined) waitedFor.delete(end);
    if (this.#watch !== undefined) this.#watch.keepsAlive = false;
  }
}

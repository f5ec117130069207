import { constants } from 'node:os';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';
import { LeakDetector } from '../descriptor/leak-detector.js';
import { check, invalidArgType, outOfRange } from '../errors.js';
import { binding } from '../native.js';
import { O_CLOEXEC, O_NONBLOCK } from '../sys/constants.js';
import { Member, type MemberDescription } from './member.js';
import { checkText } from './owned.js';
import type { LoopRegistration } from './registration.js';
import type { Scope } from './scope.js';

/** Runs after a signal has come, with the name that it was asked for by. */
export type SignalHandler = (signal: NodeJS.Signals) => void;

/** How a signal is watched. */
export interface SignalOptions {
  /** What it is called where open things are listed. Default: the name of the signal. */
  readonly label?: string;
  /** Whose it is. Default: the root of the loop. */
  readonly scope?: Scope;
}

/** What the processor, or the kernel, raises about what the program itself has just done. */
const FAULTS: readonly string[] = ['SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGSYS', 'SIGTRAP'];

/** A signal that a loop watches. It does not keep the loop running. */
export class SignalWatch extends Member implements Disposable {
  /** The name of the signal. */
  readonly signal: NodeJS.Signals;
  /** What it is called where open things are listed. */
  readonly label: string;
  /** Its number. @internal */
  readonly number: number;
  readonly #signals: LoopSignals;
  readonly #handler: SignalHandler;

  /** @internal */
  constructor(
    signals: LoopSignals,
    scope: Scope,
    signal: NodeJS.Signals,
    handler: SignalHandler,
    { label = signal }: SignalOptions,
  ) {
    checkSignal(signal);
    checkText('label', label);
    super(scope, scope.loop.track?.());
    this.signal = signal;
    this.number = constants.signals[signal];
    this.label = label;
    this.#signals = signals;
    this.#handler = scope.inContext(handler);
    signals.add(this);
    scope.adopt(this);
  }

  /** Whose it is. */
  get scope(): Scope {
    return this.owner as Scope;
  }

  /** False once it, its scope, or the loop is closed. */
  get active(): boolean {
    return this.#signals.has(this);
  }

  /**
   * Ends it: its function does not run any more, also when the signal has come already. The last
   * one of the process for its signal puts back what happened before. Again: does nothing.
   */
  close(): void {
    this.#signals.remove(this);
    this.leave();
  }

  /** `close()`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal */
  end(): void {
    this.#signals.remove(this);
  }

  /** @internal */
  describe(): MemberDescription {
    return { kind: 'signal', label: this.label };
  }

  /** @internal */
  run(): void {
    try {
      this.#handler(this.signal);
    } catch (error) {
      this.scope.fail(error);
    }
  }
}

/** Has a function run when a descriptor is readable. @internal */
export type Listen = (fd: number, handler: () => void) => LoopRegistration;

/** The signals that a loop watches. They have a pipe for as long as there are any. @internal */
export class LoopSignals {
  readonly #listen: Listen;
  /** In the order of their coming. */
  readonly #watches = new Set<SignalWatch>();
  #pipe: SignalPipe | undefined;

  constructor(listen: Listen) {
    this.#listen = listen;
  }

  has(watch: SignalWatch): boolean {
    return this.#watches.has(watch);
  }

  /** @throws SystemError `EINVAL`, `EMFILE`, `ENFILE`; and as `Poller.add`. */
  add(watch: SignalWatch): void {
    this.#pipe ??= new SignalPipe(this.#listen, this.#deliver);
    try {
      this.#pipe.watch(watch.number, watch.signal);
    } catch (error) {
      this.#closeIfIdle();
      throw error;
    }
    this.#watches.add(watch);
  }

  remove(watch: SignalWatch): void {
    if (!this.#watches.delete(watch)) return;
    const others = [...this.#watches];
    if (!others.some(({ number }) => number === watch.number)) this.#pipe?.unwatch(watch.number);
    this.#closeIfIdle();
  }

  #closeIfIdle(): void {
    if (this.#watches.size > 0) return;
    this.#pipe?.close();
    this.#pipe = undefined;
  }

  readonly #deliver = (pending: number): void => {
    for (const watch of [...this.#watches]) {
      const hasCome = (pending & bitOf(watch.number)) !== 0;
      if (hasCome && watch.active) watch.run();
    }
  };
}

const leaks = new LeakDetector('Pipe of signals');

/** What the handler of the process tells signals to: `native/core/signal_pipe.h`. */
class SignalPipe {
  readonly #id: number;
  readonly #reader: number;
  readonly #registration: LoopRegistration;
  /** Closes all but the reader. */
  readonly #detach: () => void;

  /** @throws SystemError `EMFILE`, `ENFILE`; and as `Poller.add`. */
  constructor(listen: Listen, deliver: (pending: number) => void) {
    const ends = new Int32Array(2);
    check(binding.owned.pipe2(ends, O_CLOEXEC | O_NONBLOCK), 'pipe2');
    const [reader, writer] = ends as unknown as [number, number];
    const id = binding.signals.open(reader, writer);
    this.#id = id;
    this.#reader = reader;
    this.#detach = detaching(id, writer);
    besideProcess.enter();
    try {
      this.#registration = listen(reader, () => {
        deliver(binding.signals.take(id));
      });
    } catch (error) {
      this.#detach();
      binding.owned.close(reader);
      throw error;
    }
    leaks.watch(this, reader, this.#detach);
  }

  /** @throws SystemError `EINVAL` */
  watch(number: number, signal: NodeJS.Signals): void {
    check(binding.signals.watch(this.#id, number), 'sigaction', { detail: signal });
  }

  unwatch(number: number): void {
    binding.signals.unwatch(this.#id, number);
  }

  close(): void {
    leaks.forget(this);
    this.#detach();
    this.#registration.deregister();
    binding.owned.close(this.#reader);
  }
}

/** Made apart, so that it holds nothing but numbers: the collector holds it. */
function detaching(id: number, writer: number): () => void {
  return () => {
    binding.signals.close(id); // First: from now on nobody writes.
    binding.owned.close(writer);
    besideProcess.leave();
  };
}

/**
 * Node installs a handler with the first listener of `process.on('SIGINT')`, and none at all with
 * the removal of the last: either takes the signal away from us. It does so in listeners of these
 * two events, which run before any that is added later, so that afterwards ours can be put in
 * front again; it calls theirs. Only the main thread has such listeners, and only for as long as it
 * watches a signal.
 */
const besideProcess = {
  pipes: 0,
  enter(): void {
    if (!isMainThread || this.pipes++ > 0) return;
    process.on('newListener', reinstall);
    process.on('removeListener', reinstall);
  },
  leave(): void {
    if (!isMainThread || --this.pipes > 0) return;
    process.off('newListener', reinstall);
    process.off('removeListener', reinstall);
  },
};

/** Not yet the first listener, or not the last any more: only then was the handler replaced. */
function reinstall(event: string | symbol): void {
  if (isSignal(event) && process.listenerCount(event) === 0) {
    binding.signals.reinstall(constants.signals[event]);
  }
}

function isSignal(name: unknown): name is NodeJS.Signals {
  return typeof name === 'string' && Object.hasOwn(constants.signals, name);
}

function checkSignal(signal: unknown): void {
  if (typeof signal !== 'string') throw invalidArgType('signal', 'string', signal);
  if (!isSignal(signal)) throw outOfRange('signal', 'the name of a signal', `"${signal}"`);
  if (FAULTS.includes(signal)) {
    throw outOfRange('signal', 'a signal that comes from outside, no fault', `"${signal}"`);
  }
}

function bitOf(number: number): number {
  return 1 << (number - 1);
}

import { Worker } from 'node:worker_threads';
import { Channel, type Receiver } from '../channel/channel.js';
import { discardEnd, type SharedEnd } from '../channel/channel-end.js';
import { closedError, invalidArgType, outOfRange, stateError } from '../errors.js';
import type { LoopRegistration } from '../loop/registration.js';
import { Scope, throwAll } from '../loop/scope.js';
import { READABLE } from '../poller/conditions.js';
import type { Family } from './candidates.js';
import type { Lookup, LookupAnswer } from './lookup.js';

/** What the thread is asked. @internal */
export interface ResolverQuestion {
  readonly id: number;
  readonly name: string;
  readonly family: Family;
}

/** What it answers; `message` if it is an error. @internal */
export interface ResolverAnswer {
  readonly id: number;
  readonly addresses: readonly string[];
  readonly message: string | undefined;
  readonly code: string | undefined;
}

/** So many answers wait for the loop; then the thread waits. */
const ANSWERS = 64;
/** A thread that has not begun after so long has died, or never will: it takes a part of a second. */
const START_MS = 30_000;

/**
 * Looks names up for a loop that has the thread, as `run()` has it: `node:dns` answers on Node's own
 * loop, so this starts a thread that has one, and hears from it over a channel, which the loop
 * watches beside everything else.
 *
 * One serves any number of loops' worth of names; it asks as `node:dns` does, and remembers nothing.
 * It does not keep the loop running but while it is asked, nor Node.
 *
 * Should the thread end by itself, the resolver is closed, and who waits for an answer is told
 * `ERR_INVALID_STATE`: at once, but for a thread that dies before it has begun, as it does if there
 * is no descriptor left for it. Node tells of that one on its own loop only, so that `run()` hears of
 * it by its silence, after 30 seconds, or after the `timeoutMs` of a `connect`.
 *
 * @example
 * ```ts
 * const resolver = Resolver.open(scope);
 * connect(scope, { host: 'example.org', port: 80, lookup: resolver.lookup }, (error, stream) => …);
 * loop.run();
 * ```
 */
export class Resolver implements Disposable {
  /**
   * A {@link Lookup}, for `connect`. The answer comes in a turn of the loop; what it throws closes
   * the resolver, and goes to the scope that it was opened in.
   *
   * @throws `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
   */
  readonly lookup: Lookup;
  readonly #scope: Scope;
  readonly #worker: Worker;
  /** The thread's end of the channel, until it takes it. */
  readonly #shared: SharedEnd;
  readonly #receiver: Receiver<ResolverAnswer>;
  readonly #registration: LoopRegistration;
  readonly #asked = new Map<number, LookupAnswer>();
  #nextId = 0;

  private constructor(scope: Scope) {
    this.lookup = (name, family, answer) => {
      this.#ask(name, family, answer);
    };
    this.#scope = scope;
    const { sender, receiver } = Channel.open<ResolverAnswer>({ capacity: ANSWERS });
    this.#scope.own(sender);
    this.#receiver = this.#scope.own(receiver, { label: 'answers' });
    this.#registration = this.#scope.register(receiver, READABLE, this.#take).unref();
    this.#shared = sender.share();
    this.#worker = startThread(this.#shared);
    sender.close(); // With the thread's end the last one closes, and tells so.
    this.#scope.own(
      {
        [Symbol.dispose]: () => {
          this.#end();
        },
      },
      { kind: 'thread', label: 'resolver' },
    );
    const notBegun = (): void => {
      discardEnd(this.#shared);
    };
    this.#scope.setTimeout(START_MS, notBegun, { label: 'start' }).unref();
  }

  /**
   * Starts the thread, in a scope of its own in the one that is given.
   *
   * @throws SystemError `EMFILE`, `ENFILE`: no descriptor for the channel; `ERR_CLOSED`,
   *         `ERR_INVALID_ARG_TYPE`; `ERR_WORKER_INIT_FAILED`: no thread is to be had.
   */
  static open(scope: Scope): Resolver {
    if (!(scope instanceof Scope)) throw invalidArgType('scope', 'Scope', scope);
    const own = scope.scope('resolver');
    try {
      return new Resolver(own);
    } catch (error) {
      own.close();
      throw error;
    }
  }

  /** True once closed. */
  get closed(): boolean {
    return this.#scope.closed;
  }

  /** Ends the thread. Who waits for an answer is told `ERR_CLOSED`. Again: does nothing. */
  close(): void {
    this.#scope.close();
  }

  /** `close()`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #ask(name: string, family: Family, answer: LookupAnswer): void {
    if (typeof name !== 'string') throw invalidArgType('name', 'string', name);
    checkFamily(family);
    if (typeof answer !== 'function') throw invalidArgType('answer', 'function', answer);
    if (this.closed) throw closedError('Resolver');
    const id = this.#nextId++;
    this.#asked.set(id, answer);
    this.#registration.ref();
    const question: ResolverQuestion = { id, name, family };
    this.#worker.postMessage(question);
  }

  readonly #take = (): void => {
    for (let next; !this.closed && (next = this.#receiver.tryReceive()) !== undefined;) {
      if (next.done === true) {
        this.#fail(stateError('the thread of the resolver has ended'));
        return;
      }
      this.#hear(next.value);
    }
  };

  #hear({ id, addresses, message, code }: ResolverAnswer): void {
    const answer = this.#asked.get(id);
    this.#asked.delete(id);
    if (this.#asked.size === 0) this.#registration.unref();
    if (message === undefined) answer?.(null, addresses);
    else answer?.(Object.assign(new Error(message), { code, syscall: 'getaddrinfo' }));
  }

  /** The scope ends, and with it the rest. */
  #end(): void {
    // A thread that has not begun finds its end gone, and ends. Terminated while Node loads its
    // modules, it would leave their files open.
    if (!discardEnd(this.#shared)) void this.#worker.terminate();
    this.#fail(closedError('Resolver'));
  }

  #fail(error: Error): void {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    this.#scope.close();
    const errors: unknown[] = [];
    for (const answer of asked) {
      try {
        answer(error);
      } catch (thrown) {
        errors.push(thrown);
      }
    }
    throwAll(errors, 'of those who waited for a name have thrown');
  }
}

function checkFamily(family: unknown): void {
  if (typeof family !== 'number') throw invalidArgType('family', 'number', family);
  if (family !== 4 && family !== 6) throw outOfRange('family', '4 or 6', family);
}

function startThread(shared: SharedEnd): Worker {
  try {
    const thread = new URL('./resolver-thread.js', import.meta.url);
    const worker = new Worker(thread, { workerData: shared, execArgv: [], name: 'resolver' });
    worker.unref();
    worker.on('error', () => undefined); // It ends, and so does the channel.
    // If it has not taken its end of the channel, it never will. Told on Node's loop only.
    worker.on('exit', () => {
      discardEnd(shared);
    });
    return worker;
  } catch (error) {
    discardEnd(shared);
    throw error;
  }
}

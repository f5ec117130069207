import type { TcpStream } from '../descriptor/tcp.js';
import { checkInteger, checkOptions, invalidArgType, outOfRange, stateError } from '../errors.js';
import { Scope } from '../loop/scope.js';
import { checkDelay, type Timer } from '../loop/timers.js';
import { attempt, showPlace, type Failure } from './attempt.js';
import { Candidates, type Family } from './candidates.js';
import { addKnown, checkAnswer, noAddress, nodeLookup, type Lookup } from './lookup.js';

/** Where to connect to, and how long to wait for what. */
export interface ConnectOptions {
  /** A name or an address. Default: `localhost`. */
  readonly host?: string;
  /** 1 … 65535. */
  readonly port: number;
  /** Gives up after so many milliseconds, names included. Default: when the kernel does. */
  readonly timeoutMs?: number;
  /** Gives up when this is aborted. */
  readonly signal?: AbortSignal;
  /**
   * So many milliseconds after an attempt has begun, the next one begins beside it, 10 … 2000:
   * "Connection Attempt Delay". Default: 250.
   */
  readonly attemptDelayMs?: number;
  /**
   * So many milliseconds IPv4 addresses wait for those of IPv6 that may still come: "Resolution
   * Delay". Default: 50.
   */
  readonly resolutionDelayMs?: number;
  /** Who knows the addresses. Default: `node:dns`, which needs Node's own loop to turn. */
  readonly lookup?: Lookup;
}

/** The outcome of {@link connect}: an error, or a stream that is connected. */
export type ConnectCallback = (
  ...outcome: [error: Error, stream: undefined] | [error: null, stream: TcpStream]
) => void;

/** RFC 8305, section 8. */
const RESOLUTION_DELAY_MS = 50;
const ATTEMPT_DELAY_MS = 250;
const ATTEMPT_DELAY_LEAST_MS = 10;
const ATTEMPT_DELAY_MOST_MS = 2000;
/** After so long without a turn of Node's own loop, an answer of `node:dns` is not to be expected. */
const NODE_PATIENCE_MS = 1000;

/**
 * Connects to a host by name or address, trying its addresses as "Happy Eyeballs" does (RFC 8305):
 * IPv6 and IPv4 in turn, each with a head start of `attemptDelayMs` on the next, which begins at
 * once when one fails. The first to connect wins; the others are closed.
 *
 * Both families are looked up at the same time. `localhost` and the names under it are `::1` and
 * `127.0.0.1`, and are not looked up, as addresses are not.
 *
 * All that it starts belongs to a scope of its own, in the one that is given. Closing either, or
 * `timeoutMs`, or `signal`, ends it and tells so; then nothing is left but perhaps a lookup whose
 * answer nobody waits for.
 *
 * @param scope     Whose it is, and whose the stream is that wins.
 * @param callback  Called exactly once, not before this has returned. What it throws goes to
 *                  `scope`. The error is what the only attempt has failed with; an `AggregateError`
 *                  of several, its message with each address and its `code` that of the first; what
 *                  the lookup has failed with; or the reason of the end: of `close()`, of `signal`,
 *                  a `TimeoutError`, or else an `AbortError`.
 *
 * | code | when |
 * | ---- | ---- |
 * | ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH … | as the kernel says |
 * | EMFILE, ENFILE | there is no descriptor left for a socket |
 * | ENOTFOUND, EAI_AGAIN … | as `node:dns` says, or there is no address at all |
 * | ERR_INVALID_STATE | a name was to be looked up with `node:dns` while Node's own loop does not turn, in `run()`: use a `Resolver`, or `runAsync()` |
 *
 * @returns  The scope of its own: `close()` gives up.
 * @throws `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`; the reason of a `signal` that
 *         is aborted already. Nothing is told then.
 *
 * Thread: never blocks. See also: connect(2), getaddrinfo(3), docs/guides/connecting.md
 *
 * @example
 * ```ts
 * connect(scope, { host: 'localhost', port: 8080, timeoutMs: 5000 }, (error, stream) => {
 *   if (error !== null) throw error;
 *   scope.connection(stream, { data: (chunk) => void process.stdout.write(chunk) });
 * });
 * ```
 */
export function connect(scope: Scope, options: ConnectOptions, callback: ConnectCallback): Scope {
  if (!(scope instanceof Scope)) throw invalidArgType('scope', 'Scope', scope);
  const checked = checkConnectOptions(options);
  if (typeof callback !== 'function') throw invalidArgType('callback', 'function', callback);
  options.signal?.throwIfAborted();
  return new Connecting(scope, checked, callback).scope;
}

/**
 * {@link connect}, as a promise: for loops that `runAsync()` drives, or that are turned by code
 * which awaits. In `run()` no promise is settled.
 *
 * @returns  Rejects with what `connect` throws, or tells.
 */
export function connectAsync(scope: Scope, options: ConnectOptions): Promise<TcpStream> {
  return new Promise((resolve, reject) => {
    connect(scope, options, (error, stream) => {
      if (error === null) resolve(stream);
      else reject(error);
    });
  });
}

type Checked = ConnectOptions & Required<Omit<ConnectOptions, 'timeoutMs' | 'signal'>>;

/** One call of `connect`, from lookup to outcome. */
class Connecting implements Disposable {
  /** Owns all that it starts, and this. */
  readonly scope: Scope;
  readonly #owner: Scope;
  readonly #options: Checked;
  readonly #callback: ConnectCallback;
  readonly #candidates = new Candidates();
  readonly #unanswered = new Set<Family>();
  readonly #lookupErrors: Error[] = [];
  readonly #failures: Failure[] = [];
  #attempts = 0;
  /** The first attempt has begun. */
  #begun = false;
  /** Until the next attempt may begin. */
  #delay: Timer | undefined;
  /** Keeps the loop going while there is nothing else that does. */
  #looking: Timer | undefined;
  /** Node's own loop has turned since the last look. */
  #nodeTurns = false;
  #told = false;

  constructor(owner: Scope, options: Checked, callback: ConnectCallback) {
    const { host, port, timeoutMs, signal } = options;
    const place = showPlace(host, port);
    this.#owner = owner;
    this.#options = options;
    this.#callback = owner.inContext(callback);
    this.scope = owner.scope(`connect ${place}`, {
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(signal !== undefined && { signal }),
    });
    // The first member is the last to end: when the end is told, nothing is left.
    this.scope.own(this, { label: place, kind: 'connect' });
    this.scope.defer(() => {
      this.#start();
    });
  }

  /** Its scope has ended, and it has no outcome. */
  [Symbol.dispose](): void {
    if (this.#told) return;
    this.#told = true;
    this.#callback(endedBy(this.scope), undefined);
  }

  #start(): void {
    if (addKnown(this.#candidates, this.#options.host)) this.#begin();
    else if (this.#usesNode && this.scope.loop.ownsThread) this.#fail(nodeDoesNotTurn());
    else this.#lookUp();
  }

  get #usesNode(): boolean {
    return this.#options.lookup === nodeLookup;
  }

  #lookUp(): void {
    this.#looking = this.scope.setInterval(NODE_PATIENCE_MS, this.#watchNode, { label: 'lookup' });
    this.#awaitNode();
    this.#unanswered.add(6).add(4);
    this.#ask(6);
    this.#ask(4);
  }

  #ask(family: Family): void {
    let answered = false;
    const answer = (error: unknown, addresses?: unknown): void => {
      if (answered || this.scope.closed) return;
      answered = true;
      // It comes from anywhere. What follows runs in a turn, and its errors go where those of turns go.
      this.scope.defer(() => {
        this.#hear(family, checkAnswer(error, addresses));
      });
    };
    try {
      this.#options.lookup(this.#options.host, family, answer);
    } catch (error) {
      answer(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #awaitNode(): void {
    this.#nodeTurns = false;
    setImmediate(() => {
      this.#nodeTurns = true;
    });
  }

  /** Somebody who turns the loop and never returns to Node waits for an answer that cannot come. */
  readonly #watchNode = (): void => {
    if (!this.#usesNode) return;
    if (this.#nodeTurns) this.#awaitNode();
    else this.#fail(nodeDoesNotTurn());
  };

  #hear(family: Family, answer: readonly string[] | Error): void {
    this.#unanswered.delete(family);
    if (this.#unanswered.size === 0) this.#looking?.cancel();
    if (answer instanceof Error) this.#lookupErrors.push(answer);
    else this.#candidates.add(family, answer);
    if (this.#begun) this.#goOn();
    else if (this.#isTimeToBegin(family)) this.#begin();
  }

  /** RFC 8305, section 3: addresses of IPv6 at once, those of IPv4 after a delay, if they are first. */
  #isTimeToBegin(family: Family): boolean {
    if (this.#unanswered.size === 0) return true;
    if (this.#candidates.size === 0) return false;
    if (family === 6) return true;
    this.scope.setTimeout(this.#options.resolutionDelayMs, this.#begin, {
      label: 'resolution delay',
    });
    return false;
  }

  readonly #begin = (): void => {
    if (this.#begun) return;
    this.#begun = true;
    this.#next();
  };

  /** More addresses have come. */
  #goOn(): void {
    if (this.#delay?.active !== true) this.#next();
  }

  /** Begins the next attempt that does not fail at once. */
  readonly #next = (): void => {
    this.#delay?.cancel();
    for (let address; (address = this.#candidates.take()) !== undefined;) {
      if (this.#try(address)) return;
    }
    const isOver = this.#attempts === 0 && this.#unanswered.size === 0;
    if (isOver) this.#fail(this.#reason());
  };

  #try(address: string): boolean {
    const { port, attemptDelayMs } = this.#options;
    const failure = attempt(this.scope, address, port, this.#hearEnd);
    if (failure !== undefined) {
      this.#failures.push(failure);
      return false;
    }
    this.#attempts++;
    const label = 'attempt delay';
    this.#delay = this.scope.setTimeout(attemptDelayMs, this.#next, { label });
    return true;
  }

  readonly #hearEnd = (outcome: TcpStream | Failure): void => {
    this.#attempts--;
    if ('error' in outcome) {
      this.#failures.push(outcome);
      this.#next();
    } else {
      this.#owner.own(outcome, { label: showPlace(this.#options.host, this.#options.port) });
      this.#tell(null, outcome);
    }
  };

  #fail(error: Error): void {
    this.#tell(error, undefined);
  }

  #tell(...outcome: Parameters<ConnectCallback>): void {
    this.#told = true;
    try {
      this.scope.close();
    } finally {
      this.#callback(...outcome);
    }
  }

  #reason(): Error {
    const { host, port } = this.#options;
    const errors = this.#failures.map(({ error }) => error);
    if (errors.length === 0) errors.push(...oneOfEach(this.#lookupErrors));
    const [first = noAddress(host)] = errors;
    if (errors.length <= 1) return first;
    const message = `could not connect to ${showPlace(host, port)}: ${errors.map(({ message }) => message).join('; ')}`;
    return Object.assign(new AggregateError(errors, message), { code: codeOf(first) });
  }
}

function endedBy({ reason, name }: Scope): Error {
  if (reason instanceof Error) return reason;
  const error = new DOMException(`${name}: given up`, 'AbortError');
  return reason === undefined ? error : Object.assign(error, { cause: reason });
}

/** The two families mostly fail alike. */
function oneOfEach(errors: readonly Error[]): Error[] {
  const byCode = new Map(errors.map((error) => [codeOf(error) ?? error, error]));
  return [...byCode.values()];
}

function codeOf(error: Error): unknown {
  return (error as { code?: unknown }).code;
}

function nodeDoesNotTurn(): Error {
  return stateError(
    "node:dns answers on Node's own loop, which does not turn while run() has the thread: " +
      'connect with { lookup: resolver.lookup } of a Resolver, or use runAsync()',
  );
}

function checkConnectOptions(options: ConnectOptions): Checked {
  const {
    host = 'localhost',
    port,
    timeoutMs,
    signal,
    lookup = nodeLookup,
  } = checkOptions(options);
  const { attemptDelayMs = ATTEMPT_DELAY_MS, resolutionDelayMs = RESOLUTION_DELAY_MS } = options;
  if (typeof host !== 'string') throw invalidArgType('options.host', 'string', host);
  if (host === '') throw outOfRange('options.host', 'a name or an address', "''");
  checkInteger(port, 'options.port', 1, 65_535);
  if (timeoutMs !== undefined) checkDelay(timeoutMs, 'options.timeoutMs');
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'AbortSignal', signal);
  }
  checkAttemptDelay(attemptDelayMs);
  checkDelay(resolutionDelayMs, 'options.resolutionDelayMs');
  if (typeof lookup !== 'function') throw invalidArgType('options.lookup', 'function', lookup);
  return { ...options, host, port, lookup, attemptDelayMs, resolutionDelayMs };
}

function checkAttemptDelay(ms: unknown): void {
  const name = 'options.attemptDelayMs';
  if (typeof ms !== 'number') throw invalidArgType(name, 'number', ms);
  if (ms >= ATTEMPT_DELAY_LEAST_MS && ms <= ATTEMPT_DELAY_MOST_MS) return;
  throw outOfRange(
    name,
    `>= ${String(ATTEMPT_DELAY_LEAST_MS)} and <= ${String(ATTEMPT_DELAY_MOST_MS)}`,
    ms,
  );
}

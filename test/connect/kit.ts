/** What the tests of connecting share. */
import type { ExecutionContext } from 'ava';
import {
  connect,
  Loop,
  Poller,
  type BackendName,
  type ConnectOptions,
  type Lookup,
  type LookupAnswer,
  type Scope,
  type TcpStream,
} from '../../ts/index.js';
import { isTested } from '../support/backends.js';
import { closing } from '../support/pairs.js';

export const backends: readonly BackendName[] = (Poller.backends() as BackendName[]).filter(
  isTested,
);

/** A lookup that the test answers when it likes. */
export class HeldLookup {
  readonly asked: string[] = [];
  readonly #answers = new Map<number, LookupAnswer>();

  readonly lookup: Lookup = (name, family, answer) => {
    this.asked.push(`${name} ${family}`);
    this.#answers.set(family, answer);
  };

  answer(family: 4 | 6, ...addresses: string[]): void {
    this.#answers.get(family)?.(null, addresses);
  }

  fail(family: 4 | 6, code: string): void {
    this.#answers.get(family)?.(Object.assign(new Error(`${code} of ${family}`), { code }));
  }
}

/** A lookup that knows the answer. */
export function lookupOf(addresses: readonly string[]): Lookup {
  return (_name, family, answer) => {
    answer(
      null,
      addresses.filter((address) => address.includes(':') === (family === 6)),
    );
  };
}

/** An attempt, as the list of what is open shows it. */
export interface Seen {
  readonly place: string;
  /** When it was seen first, on the clock of `performance.now()`: right after the turn that began it. */
  readonly at: number;
}

/** A loop with one scope, and one connect in it, which the test turns. */
export class Trial {
  readonly loop: Loop;
  readonly scope: Scope;
  /** What the callback was told. */
  readonly told: (Error | TcpStream)[] = [];
  /** The attempts, in order. */
  readonly attempts: Seen[] = [];
  connecting: Scope | undefined;
  begun = 0;

  constructor(t: ExecutionContext, backend?: BackendName) {
    this.loop = closing(t, new Loop(backend === undefined ? {} : { backend }));
    this.scope = this.loop.scope('client');
  }

  connect(options: ConnectOptions): this {
    this.begun = performance.now();
    this.connecting = connect(this.scope, options, (error, stream) => {
      this.told.push(error ?? stream);
    });
    return this;
  }

  /** Places that are being tried. */
  get open(): string[] {
    return [...this.loop.entries()]
      .filter(({ kind, scope }) => kind === 'TcpStream' && scope.includes('connect'))
      .map(({ label }) => label);
  }

  /** Turns until something is so. */
  until(isSo: () => boolean): this {
    const hang = performance.now() + 60_000;
    while (!isSo()) {
      if (performance.now() > hang) throw new Error('nothing happens');
      this.loop.turn(1000);
      this.#look();
    }
    return this;
  }

  /** Turns until the outcome is told. */
  untilTold(): this {
    return this.until(() => this.told.length > 0);
  }

  /** Turns until so many attempts have begun. */
  untilAttempts(count: number): this {
    return this.until(() => this.attempts.length >= count);
  }

  /** The error that was told; fails if it was a stream. */
  get error(): Error & { code?: string } {
    const [outcome] = this.told;
    if (outcome instanceof Error) return outcome;
    throw new Error('it has connected, or not ended yet');
  }

  /** The stream that was told. */
  get stream(): TcpStream {
    const [outcome] = this.told;
    if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error('not told');
    return outcome;
  }

  /** Attempts that end in the turn that begins them are not seen: these fail at connect() itself. */
  #look(): void {
    const at = performance.now();
    for (const place of this.open) {
      if (!this.attempts.some((seen) => seen.place === place)) this.attempts.push({ place, at });
    }
  }
}

/** The address that a stream has connected to. */
export function peerOf(stream: TcpStream): string {
  const address = stream.remoteAddress;
  return 'address' in address ? address.address : '';
}

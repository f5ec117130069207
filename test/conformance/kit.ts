/** What every case gets to work with. */
import type { ExecutionContext } from 'ava';
import {
  Poller,
  PollerEvents,
  type BackendName,
  type EventFd,
  type FdLike,
  type Pipe,
  type PollerMode,
  type UnixStream,
} from '../../ts/index.js';
import { EAGAIN } from '../../ts/sys/constants.js';
import { write } from '../../ts/sys/index.js';
import { closing, newEventFd, pipePair, tcpPair, unixPair } from '../support/pairs.js';
import type { Row } from './backends.js';
import type { Need } from './needs.js';

/** Longer than anything takes that is bound to happen. */
export const LONG_MS = 30_000;

const LETTERS = [
  ['R', 'readable'],
  ['W', 'writable'],
  ['P', 'priority'],
  ['E', 'error'],
  ['H', 'hangup'],
  ['C', 'readClosed'],
] as const;

export class Kit {
  readonly t: ExecutionContext;
  readonly row: Row;
  readonly mode: PollerMode;
  /** The value of `RAW_EPOLL_WITHOUT` that the case runs with. */
  readonly without: string;

  constructor(t: ExecutionContext, row: Row, mode: PollerMode, without: string) {
    this.t = t;
    this.row = row;
    this.mode = mode;
    this.without = without;
  }

  get backend(): BackendName {
    return this.row.backend as BackendName;
  }

  /** Whether the backend can do something, by its row. */
  has(need: Need): boolean {
    return !this.row.lacks.includes(need);
  }

  /** An open poller of the backend, closed at the end of the case. */
  open<T = unknown>(): Poller<T> {
    return closing(this.t, new Poller<T>({ backend: this.backend }));
  }

  pair(): [UnixStream, UnixStream] {
    return unixPair(this.t);
  }

  pipe(): { reader: Pipe; writer: Pipe } {
    return pipePair(this.t);
  }

  tcp(): ReturnType<typeof tcpPair> {
    return tcpPair(this.t);
  }

  eventFd(initialValue = 0): EventFd {
    return newEventFd(this.t, initialValue);
  }

  /** Registers in the mode of the case. */
  add<T>(poller: Poller<T>, fd: FdLike, interest: number, data?: T): void {
    poller.add(fd, interest, { mode: this.mode, ...(data !== undefined && { data }) });
  }

  /** What is ready now: a line `fd:RW` for each event, sorted by descriptor. */
  all(poller: Poller, timeoutMs = 0): string[] {
    const events = new PollerEvents(2048);
    poller.wait(events, timeoutMs);
    return [...events]
      .sort((a, b) => a.fd - b.fd)
      .map((event) => `${event.fd}:${lettersOf(event, 6)}`);
  }

  /** What is ready now of one descriptor, of all six conditions: `RHC`, or `-`. */
  full(poller: Poller, fd: FdLike, timeoutMs = 0): string {
    return this.#look(poller, fd, timeoutMs, 6);
  }

  /** The same of readable, writable and priority, which every backend tells. */
  ready(poller: Poller, fd: FdLike, timeoutMs = 0): string {
    return this.#look(poller, fd, timeoutMs, 3);
  }

  #look(poller: Poller, fd: FdLike, timeoutMs: number, count: number): string {
    const number = typeof fd === 'number' ? fd : fd.fd;
    const events = new PollerEvents(2048);
    poller.wait(events, timeoutMs);
    const event = [...events].find((candidate) => candidate.fd === number);
    return event === undefined ? '-' : lettersOf(event, count);
  }

  /** Waits until a level-triggered descriptor shows just this, of what every backend tells. */
  until(poller: Poller, fd: FdLike, wanted: string): void {
    const deadline = performance.now() + LONG_MS;
    let shown: string;
    do shown = this.ready(poller, fd, 10);
    while (shown !== wanted && performance.now() < deadline);
    this.t.is(shown, wanted);
  }

  /** How long a wait takes, and what it answers. */
  timed(poller: Poller, timeoutMs?: number): { count: number; ms: number } {
    const events = new PollerEvents(64);
    const started = performance.now();
    const count = poller.wait(events, timeoutMs);
    return { count, ms: performance.now() - started };
  }

  /** The call throws an error of that code; answers it. */
  refused(code: string, call: () => unknown): NodeJS.ErrnoException {
    return this.t.throws(call, { code });
  }
}

function lettersOf(
  event: Readonly<Record<(typeof LETTERS)[number][1], boolean>>,
  count: number,
): string {
  const letters = LETTERS.slice(0, count).filter(([, name]) => event[name]);
  return letters.length === 0 ? '-' : letters.map(([letter]) => letter).join('');
}

/** Writes to a descriptor until there is no room. */
export function fill(fd: number): void {
  const bytes = new Uint8Array(65_536);
  let result: number;
  do result = write(fd, bytes, 0, bytes.length);
  while (result > 0);
  if (result !== -EAGAIN) throw new Error(`write answered ${result}`);
}

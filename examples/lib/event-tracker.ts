import {
  SystemError,
  TcpStream,
  type Connection,
  type ConnectionHandlers,
  type Scope,
  type Timer,
} from 'raw-epoll';

export interface TrackerOptions {
  /** Where the events go. */
  readonly collector: { readonly host: string; readonly port: number };
  /** How many events wait for the collector at most. */
  readonly capacity: number;
  /** Called with each event that was accepted and is given up. @see EventTracker */
  readonly dropped: (event: string, onItsWay: boolean) => void;
  /** Called once, when all is over. */
  readonly ended: (report: TrackerReport) => void;
}

/** Where the events are that were accepted: `accepted` is the sum of the others, at any time. */
export interface TrackerReport {
  readonly accepted: number;
  /** The collector has confirmed them. */
  readonly delivered: number;
  readonly dropped: number;
  readonly pending: number;
}

/** Somebody who waits for room in the queue. */
interface Waiting {
  readonly event: string;
  readonly answer: (accepted: boolean) => void;
  readonly deadline: Timer;
}

/** So long after it went away, or could not be reached, the collector is called again. */
const RETRY_MS = 100;
const LINE_FEED = 0x0a;

/**
 * Sends events to a collector, a line each, and knows what has become of every one of them.
 *
 * The collector sets the pace: with a line of its own it asks for an event, and with the next it
 * confirms that one and asks for another. So one event at most is on its way. If the connection
 * breaks then, nobody can know whether it has arrived: it is dropped, and reported as one that may
 * be there all the same. Sending it again instead would mean that it may be there twice.
 */
export class EventTracker implements ConnectionHandlers {
  readonly #scope: Scope;
  readonly #options: TrackerOptions;
  readonly #queue: string[] = [];
  readonly #waiting = new Set<Waiting>();
  #collector: Connection | undefined;
  /** The collector wants an event. */
  #asked = false;
  #onItsWay: string | undefined;
  #open = true;
  #accepted = 0;
  #delivered = 0;
  #dropped = 0;

  constructor(parent: Scope, options: TrackerOptions) {
    this.#options = options;
    this.#scope = parent.scope('tracker');
    // However the scope ends, what is left is told; and a shutdown of the loop waits for ours.
    this.#scope.own({
      [Symbol.dispose]: () => {
        this.#end();
      },
    });
    this.#scope.hold();
    this.#connect();
  }

  get report(): TrackerReport {
    const pending = this.#queue.length + (this.#onItsWay === undefined ? 0 : 1);
    return {
      ...{ accepted: this.#accepted, delivered: this.#delivered, dropped: this.#dropped },
      pending,
    };
  }

  /**
   * Takes an event, or refuses it: at once if there is room, and no later than after `timeoutMs`.
   *
   * @param event   Without a line feed.
   * @param answer  Called exactly once. What was accepted is delivered, or reported.
   */
  event(event: string, timeoutMs: number, answer: (accepted: boolean) => void): void {
    if (!this.#open || this.#scope.closed) {
      answer(false);
    } else if (this.#queue.length < this.#options.capacity && this.#waiting.size === 0) {
      this.#accept(event, answer);
    } else {
      const late = (): void => {
        this.#waiting.delete(waiting);
        answer(false);
      };
      const deadline = this.#scope.setTimeout(timeoutMs, late, { label: 'event' });
      const waiting: Waiting = { event, answer, deadline };
      this.#waiting.add(waiting);
    }
  }

  /** Accepts nothing any more, delivers what it has, and ends: in `graceMs` at the latest. */
  shutdown({ graceMs }: { readonly graceMs: number }): void {
    if (this.#scope.closed) return;
    this.#open = false;
    this.#scope.setTimeout(graceMs, () => {
      this.#scope.close();
    });
    this.#refuseWaiting();
    this.#goOn();
  }

  data(chunk: Buffer): void {
    for (const byte of chunk) if (byte === LINE_FEED) this.#asks();
  }

  /** The collector has gone, or could not be reached. */
  close(): void {
    this.#collector = undefined;
    this.#asked = false;
    this.#dropOnItsWay();
    if (this.#scope.closed) return;
    this.#scope.setTimeout(RETRY_MS, this.#connect, { label: 'collector' });
    this.#goOn();
  }

  readonly #connect = (): void => {
    try {
      const stream = TcpStream.connect(this.#options.collector);
      this.#collector = this.#scope.connection(stream, this, { label: 'collector' });
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.close(); // ECONNREFUSED and others that the kernel knows at once
    }
  };

  #asks(): void {
    if (this.#onItsWay !== undefined) this.#delivered++;
    this.#onItsWay = undefined;
    this.#asked = true;
    this.#goOn();
  }

  /** Sends the next event, if there is one and it is wanted; ends after the last. */
  #goOn(): void {
    if (this.#asked && this.#queue.length > 0) {
      this.#asked = false;
      this.#onItsWay = this.#queue.shift();
      this.#collector?.write(`${String(this.#onItsWay)}\n`);
      this.#admit();
    } else if (!this.#open && this.report.pending === 0) {
      this.#scope.close();
    }
  }

  /** There is room: who has waited longest comes first. */
  #admit(): void {
    for (const waiting of this.#waiting) {
      if (this.#queue.length >= this.#options.capacity) return;
      this.#waiting.delete(waiting);
      waiting.deadline.cancel();
      this.#accept(waiting.event, waiting.answer);
    }
  }

  #accept(event: string, answer: (accepted: boolean) => void): void {
    this.#accepted++;
    this.#queue.push(event);
    this.#goOn();
    answer(true);
  }

  #refuseWaiting(): void {
    for (const { answer, deadline } of this.#waiting) {
      deadline.cancel();
      answer(false);
    }
    this.#waiting.clear();
  }

  #dropOnItsWay(): void {
    if (this.#onItsWay === undefined) return;
    this.#drop(this.#onItsWay, true);
    this.#onItsWay = undefined;
  }

  #drop(event: string, onItsWay: boolean): void {
    this.#dropped++;
    this.#options.dropped(event, onItsWay);
  }

  #end(): void {
    this.#open = false;
    this.#refuseWaiting();
    this.#dropOnItsWay();
    for (const event of this.#queue.splice(0)) this.#drop(event, false);
    this.#options.ended(this.report);
  }
}

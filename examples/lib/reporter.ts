import { writeSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import {
  Channel,
  READABLE,
  Receiver,
  Sender,
  SystemError,
  type LoopRegistration,
  type Scope,
  type SharedEnd,
} from 'raw-epoll';

export interface ReporterOptions {
  /** How many threads report. */
  readonly workers: number;
  /** How many messages wait for them at most. */
  readonly capacity: number;
  /** How long a report takes, in milliseconds. */
  readonly workMs: number;
  /** The descriptor that reports are written to, a line each. */
  readonly fd: number;
  /** Called when a worker has failed. The others go on. */
  readonly failed: (error: Error) => void;
  /** Called once, when all is over. */
  readonly ended: (counts: ReporterCounts) => void;
}

/** `accepted` is the sum of the others, when all is over. */
export interface ReporterCounts {
  readonly accepted: number;
  /** A worker has confirmed them. */
  readonly reported: number;
  readonly lost: number;
}

/** What a worker is given. */
interface Orders {
  readonly messages: SharedEnd;
  readonly confirmations: SharedEnd;
  readonly workMs: number;
  readonly fd: number;
}

/** Somebody who waits for room in the channel. */
interface Waiting {
  readonly message: string;
  readonly answer: (accepted: boolean) => void;
}

/**
 * Worker threads that report what comes over a channel, and confirm it over another one.
 *
 * The order of the end is that of the data. Nothing is accepted any more; the sender, this thread,
 * closes the channel; each worker takes what is left in it, sees the end, and ends; with the last
 * of them the rest is closed. So what was accepted is reported, however much it is.
 */
export class Reporter {
  readonly #scope: Scope;
  readonly #options: ReporterOptions;
  readonly #messages: Sender<string>;
  readonly #confirmations: Receiver<string>;
  readonly #workers: Worker[];
  readonly #waiting: Waiting[] = [];
  #room: LoopRegistration | undefined;
  #running: number;
  #open = true;
  #accepted = 0;
  #reported = 0;

  constructor(parent: Scope, options: ReporterOptions) {
    this.#options = options;
    this.#scope = parent.scope('reporter');
    this.#scope.own({
      [Symbol.dispose]: () => {
        this.#end();
      },
    });
    this.#scope.hold(); // a shutdown of the loop waits for ours
    const messages = Channel.open<string>({ capacity: options.capacity });
    const confirmations = Channel.open<string>();
    this.#messages = this.#scope.own(messages.sender);
    this.#confirmations = this.#scope.own(confirmations.receiver);
    this.#scope.register(this.#confirmations, READABLE, () => {
      this.#count();
    });
    this.#running = options.workers;
    this.#workers = Array.from({ length: options.workers }, () =>
      this.#start(messages.receiver.share(), confirmations.sender.share()),
    );
    messages.receiver.close(); // Only workers receive messages,
    confirmations.sender.close(); // and only they confirm them.
  }

  /**
   * Takes a message, or refuses it: now if there is room, or else when there is.
   *
   * @param answer  Called exactly once. What was accepted is reported.
   */
  report(message: string, answer: (accepted: boolean) => void): void {
    if (!this.#open) {
      answer(false);
      return;
    }
    this.#waiting.push({ message, answer });
    if (this.#waiting.length === 1) this.#send();
  }

  /** Accepts nothing any more, and ends when all that was accepted is reported. */
  shutdown(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#refuseWaiting();
    this.#messages.close();
  }

  /** Sends what there is room for; the channel tells when there is some again. */
  #send(): void {
    for (let next; this.#open && (next = this.#waiting[0]) !== undefined;) {
      if (!this.#take(next.message)) break;
      this.#accepted++;
      this.#waiting.shift();
      next.answer(true);
    }
    if (!this.#open || this.#waiting.length === 0) {
      this.#room?.deregister();
      this.#room = undefined;
    } else {
      this.#room ??= this.#scope.register(this.#messages, READABLE, () => {
        this.#send();
      });
    }
  }

  #take(message: string): boolean {
    try {
      return this.#messages.trySend(message);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.shutdown(); // EPIPE: no worker is left
      return false;
    }
  }

  #start(messages: SharedEnd, confirmations: SharedEnd): Worker {
    const { workMs, fd, failed } = this.#options;
    const orders: Orders = { messages, confirmations, workMs, fd };
    const worker = new Worker(new URL(import.meta.url), { workerData: orders });
    worker.on('error', failed);
    worker.once('exit', () => {
      if (--this.#running > 0) return;
      this.#count();
      this.#scope.close();
    });
    return worker;
  }

  #count(): void {
    if (this.#confirmations.closed) return; // the scope was closed before
    for (let next; (next = this.#confirmations.tryReceive()) !== undefined;) {
      if (next.done === true) return;
      this.#reported++;
    }
  }

  #refuseWaiting(): void {
    for (const { answer } of this.#waiting.splice(0)) answer(false);
  }

  /** The last worker has ended; or the scope was closed before, and then they are terminated. */
  #end(): void {
    this.#open = false;
    this.#refuseWaiting();
    for (const worker of this.#workers) void worker.terminate();
    const [accepted, reported] = [this.#accepted, this.#reported];
    this.#options.ended({ accepted, reported, lost: accepted - reported });
  }
}

/** A worker: reports until the channel has ended. It has nothing else to do, so it may block. */
function reportAll({ messages, confirmations, workMs, fd }: Orders): void {
  const receiver = Receiver.from<string>(messages);
  const confirming = Sender.from<string>(confirmations);
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (let next; (next = receiver.receiveSync()).done !== true;) {
    Atomics.wait(never, 0, 0, workMs); // what a report takes
    writeSync(fd, `report: ${next.value}\n`);
    confirming.sendSync(next.value);
  }
}

if (!isMainThread) reportAll(workerData as Orders);

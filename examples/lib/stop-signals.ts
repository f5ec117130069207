import { CLOCK_MONOTONIC, TFD_CLOEXEC, TFD_NONBLOCK } from 'raw-epoll/constants';
import { close, read, timerfd_create, timerfd_settime } from 'raw-epoll/sys';

const INTERVAL_NS = 50_000_000;

/**
 * SIGINT and SIGTERM for a loop of one's own.
 *
 * Node tells a program of a signal when Node's loop turns, and a thread that waits in
 * epoll_wait(2) never gets there. So this is a timer to put into the set: after it fired, the
 * program lets Node's loop turn once. In between, signals cost nothing, neither a look at a clock
 * nor a promise. The price is that an idle server wakes up twenty times a second.
 */
export class StopSignals {
  /** Ready when it is time to let Node look for signals. */
  readonly fd: number = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  readonly #expirations = new BigUint64Array(1);
  #due = false;
  #received = false;

  constructor() {
    timerfd_settime(this.fd, 0, { valueNs: INTERVAL_NS, intervalNs: INTERVAL_NS });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        this.#received = true;
      });
    }
  }

  /** Whether it is time to leave. */
  get received(): boolean {
    return this.#received;
  }

  /** Whether it is time for {@link letNodeRun}. */
  get due(): boolean {
    return this.#due;
  }

  /** Serves the descriptor. */
  ready(): void {
    read(this.fd, this.#expirations, 0, this.#expirations.byteLength);
    this.#due = true;
  }

  /** Lets Node's loop turn once: it runs the handlers of the signals that came. */
  letNodeRun(): Promise<void> {
    this.#due = false;
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  close(): void {
    close(this.fd);
  }
}

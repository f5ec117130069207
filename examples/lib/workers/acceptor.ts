import { READABLE, SystemError, UnixStream, WOULD_BLOCK, WRITABLE } from 'raw-epoll';
import type { Loop, LoopRegistration, TcpListener, TcpStream, Timer } from 'raw-epoll';

/** A line to a worker: a pair of Unix sockets, both ends owned here. */
interface Line {
  readonly near: UnixStream;
  /** The worker reads from a duplicate of it. Another worker in its place goes on where it was. */
  readonly far: UnixStream;
  readonly registration: LoopRegistration;
}

/** What became of a client: on its way; no line has room; too many are on their way already. */
type Outcome = 'passed' | 'full' | 'too many';

/** Nobody tells when there are fewer on their way: other processes count as well. */
const AGAIN_MS = 10;

/**
 * Accepts for others, and passes the clients on in turn, as `SCM_RIGHTS`.
 *
 * A descriptor always has an owner: the acceptor, until the message is sent; then the kernel, which
 * closes what is on its way when both ends of the line are closed; then, from the call on that takes
 * it, the worker. So none is lost whenever a worker ends. Its number in a message would be lost, if
 * the worker ended between taking the message and taking the descriptor over.
 *
 * A line that is full takes nothing; when all are, the acceptor waits, and so do the clients, in
 * the queue of the listener. So it does when more descriptors of this user are on their way than
 * this process may have open (ETOOMANYREFS: unix(7)), and then it tries again after a while.
 */
export class Acceptor implements Disposable {
  readonly #loop: Loop;
  readonly #lines: readonly Line[];
  readonly #listener: TcpListener;
  readonly #accepting: LoopRegistration;
  #next = 0;
  /** Who is let in already, and could not be passed on. */
  #waiting: TcpStream | undefined;
  #again: Timer | undefined;

  constructor(loop: Loop, listener: TcpListener, size: number) {
    this.#loop = loop;
    this.#listener = listener;
    this.#lines = Array.from({ length: size }, () => {
      const [near, far] = UnixStream.pair();
      return { near, far, registration: loop.register(near, 0, this.#goOn) };
    });
    this.#accepting = loop.register(listener, READABLE, this.#accept);
  }

  /** The end that a worker makes a duplicate of. */
  farEnd(worker: number): number {
    return this.#lines[worker]?.far.fd ?? -1;
  }

  /** Lets nobody in any more. Who is on the way arrives, and then the workers see the end. */
  stop(): void {
    this.#listener.close();
    this.#waiting?.close();
    this.#again?.cancel();
    for (const { near } of this.#lines) near.close();
  }

  /** When the workers have ended: what is on its way still is closed by the kernel. */
  [Symbol.dispose](): void {
    this.stop();
    for (const { far } of this.#lines) far.close();
  }

  readonly #accept = (): void => {
    for (let client; (client = this.#listener.accept()) !== null;) {
      if (!this.#letIn(client)) return;
    }
  };

  /** There may be room again. */
  readonly #goOn = (): void => {
    const client = this.#waiting;
    this.#waiting = undefined;
    if (client === undefined || this.#letIn(client)) this.#watch(READABLE, 0);
  };

  /** False: this one waits, and so do the others. */
  #letIn(client: TcpStream): boolean {
    const outcome = this.#pass(client);
    if (outcome === 'passed') return true;
    this.#waiting = client;
    this.#watch(0, outcome === 'full' ? WRITABLE : 0);
    if (outcome === 'too many') {
      this.#again = this.#loop.setTimeout(AGAIN_MS, this.#goOn, { label: 'ETOOMANYREFS' });
    }
    return false;
  }

  /** Gives a client to the next one that has room. */
  #pass(client: TcpStream): Outcome {
    const first = this.#next;
    do {
      const line = this.#lines[this.#next] as Line;
      this.#next = (this.#next + 1) % this.#lines.length;
      const outcome = send(client, line.near);
      if (outcome !== 'full') return outcome;
    } while (this.#next !== first);
    return 'full';
  }

  #watch(listener: number, lines: number): void {
    this.#accepting.modify(listener);
    for (const { registration } of this.#lines) registration.modify(lines);
  }
}

function send(client: TcpStream, line: UnixStream): Outcome {
  try {
    if (line.sendDescriptors([client]) === WOULD_BLOCK) return 'full';
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ETOOMANYREFS') return 'too many';
    throw error;
  }
  client.close(); // The kernel has a duplicate.
  return 'passed';
}

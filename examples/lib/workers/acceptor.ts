import { READABLE, UnixStream, WOULD_BLOCK, WRITABLE } from 'raw-epoll';
import type { Loop, LoopRegistration, TcpListener, TcpStream } from 'raw-epoll';

/** A line to a worker: a pair of Unix sockets, both ends owned here. */
interface Line {
  readonly near: UnixStream;
  /** The worker reads from a duplicate of it. Another worker in its place goes on where it was. */
  readonly far: UnixStream;
  readonly registration: LoopRegistration;
}

/**
 * Accepts for others, and passes the clients on in turn, as `SCM_RIGHTS`.
 *
 * A descriptor always has an owner: the acceptor, until the message is sent; then the kernel, which
 * closes what is on its way when both ends of the line are closed; then, from the call on that takes
 * it, the worker. So none is lost whenever a worker ends. Its number in a message would be lost, if
 * the worker ended between taking the message and taking the descriptor over.
 *
 * A line that is full takes nothing; when all are, the acceptor waits, and so do the clients, in
 * the queue of the listener.
 */
export class Acceptor implements Disposable {
  readonly #lines: readonly Line[];
  readonly #listener: TcpListener;
  readonly #accepting: LoopRegistration;
  #next = 0;
  /** Who is let in already, and found all lines full. */
  #waiting: TcpStream | undefined;

  constructor(loop: Loop, listener: TcpListener, size: number) {
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
    for (const { near } of this.#lines) near.close();
  }

  /** When the workers have ended: what is on its way still is closed by the kernel. */
  [Symbol.dispose](): void {
    this.stop();
    for (const { far } of this.#lines) far.close();
  }

  readonly #accept = (): void => {
    for (let client; (client = this.#listener.accept()) !== null;) {
      if (this.#pass(client)) continue;
      this.#waiting = client;
      this.#watch(0, WRITABLE);
      return;
    }
  };

  /** A line has room again. */
  readonly #goOn = (): void => {
    if (this.#waiting !== undefined && !this.#pass(this.#waiting)) return;
    this.#waiting = undefined;
    this.#watch(READABLE, 0);
  };

  /** Gives a client to the next one that has room. */
  #pass(client: TcpStream): boolean {
    const first = this.#next;
    do {
      const line = this.#lines[this.#next] as Line;
      this.#next = (this.#next + 1) % this.#lines.length;
      if (line.near.sendDescriptors([client]) !== WOULD_BLOCK) {
        client.close(); // The kernel has a duplicate.
        return true;
      }
    } while (this.#next !== first);
    return false;
  }

  #watch(listener: number, lines: number): void {
    this.#accepting.modify(listener);
    for (const { registration } of this.#lines) registration.modify(lines);
  }
}

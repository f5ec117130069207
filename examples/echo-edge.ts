/**
 * Echo, edge-triggered.
 *
 *     node build/examples/echo-edge.js                     and elsewhere: nc 127.0.0.1 8080
 *     node build/examples/echo-edge.js --path /tmp/echo    and elsewhere: nc -U /tmp/echo
 *
 * Edge-triggered means: a wait reports that something has become ready, once. Whoever stops
 * before the kernel said EAGAIN will not hear of the rest. In return nothing is switched: each
 * descriptor is registered once, for both directions. epoll(7)
 *
 * But a client that sends as fast as we read never lets it come to EAGAIN, and the others would
 * wait for ever. So there is a budget for each turn; whoever has used it up is remembered in a
 * list of our own, because no edge will, and goes on in the next turn, after the others.
 */
import { Epoll, EpollEvents, type Stream, SystemError, TcpStream, WOULD_BLOCK } from 'raw-epoll';
import { EPOLLET, EPOLLIN, EPOLLOUT } from 'raw-epoll/constants';
import { announce, commandLine } from './lib/command-line.js';
import { listenAt } from './lib/listen.js';
import { StopSignals } from './lib/stop-signals.js';

/** Who serves a descriptor. The set keeps one of these beside each. */
interface Server {
  ready(): void;
  close(): void;
}

/** One for all connections: nothing is left in it from one read to the next. */
const buffer = new Uint8Array(64 * 1024);
/** How many reads a connection has in one turn: 256 KiB at most. */
const BUDGET = 4;

/** A client. While something is unsent nothing is read: back pressure, as in echo.ts. */
class Connection implements Server {
  readonly #stream: Stream;
  #unsent: Uint8Array | undefined;
  #inLine = false;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** An edge. Whoever is in line has a turn coming anyway. */
  ready(): void {
    if (!this.#inLine) this.resume();
  }

  resume(): void {
    try {
      this.#inLine = this.#takeTurn();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#inLine = false;
      this.close(); // ECONNRESET, EPIPE: nobody is there to get the rest
    }
    if (this.#inLine) line.push(this);
  }

  close(): void {
    this.#stream.close();
  }

  /** True if the budget ended it, and not the kernel: then no edge will come. */
  #takeTurn(): boolean {
    for (let reads = 0; reads < BUDGET; reads++) {
      if (this.#unsent !== undefined && !this.#flush(this.#unsent)) return false;
      const length = this.#stream.read(buffer);
      if (length === WOULD_BLOCK) return false;
      if (length === 0) {
        this.close(); // the client has sent its last byte, and we have sent all of them back
        return false;
      }
      const sent = Math.max(this.#stream.write(buffer, 0, length), 0); // WOULD_BLOCK: none
      if (sent < length) this.#unsent = buffer.slice(sent, length);
    }
    return true;
  }

  /** False if there was no room for all of it: then there will be an edge when there is. */
  #flush(unsent: Uint8Array): boolean {
    const sent = Math.max(this.#stream.write(unsent), 0);
    this.#unsent = sent < unsent.length ? unsent.subarray(sent) : undefined;
    return this.#unsent === undefined;
  }
}

const acceptor: Server = {
  ready() {
    for (let stream; (stream = listener.accept()) !== null;) {
      if (stream instanceof TcpStream) stream.setNoDelay();
      epoll.add(stream, EPOLLIN | EPOLLOUT | EPOLLET, new Connection(stream));
    }
  },
  close() {
    listener.close();
  },
};

const listener = listenAt('echo-edge', commandLine('echo-edge').at);
const signals = new StopSignals();
const epoll = new Epoll<Server>();
const events = new EpollEvents<Server>();
/** Those who have more to do than an edge will tell, first come, first served. */
const line: Connection[] = [];

// These two are level-triggered: it is a matter of each registration, not of the set.
epoll.add(listener, EPOLLIN, acceptor);
epoll.add(signals, EPOLLIN, signals);
announce(listener.address);

while (!signals.received) {
  const n = epoll.wait(events, line.length > 0 ? 0 : Infinity);
  const waiting = line.length;
  for (let i = 0; i < n; i++) events.data(i)?.ready();
  for (let i = 0; i < waiting; i++) line.shift()?.resume();
  if (signals.due) await signals.letNodeRun();
}

for (const { data } of epoll.entries()) data?.close();
epoll.close();

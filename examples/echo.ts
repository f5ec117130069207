/**
 * Echo, level-triggered: what `npm start` runs.
 *
 *     node build/examples/echo.js                      and elsewhere: nc 127.0.0.1 8080
 *     node build/examples/echo.js --path /tmp/echo     and elsewhere: nc -U /tmp/echo
 *
 * Level-triggered means: each wait reports every descriptor that is ready, again and again until
 * it no longer is. So one read for each event is enough; what it left is reported by the next
 * wait, after the others had their turn. epoll(7), epoll_wait(2)
 */
import { Epoll, EpollEvents, type Stream, SystemError, TcpStream, WOULD_BLOCK } from 'raw-epoll';
import { EPOLLIN, EPOLLOUT } from 'raw-epoll/constants';
import { announce, commandLine, wholeNumber } from './lib/command-line.js';
import { listenAt } from './lib/listen.js';
import { StopSignals } from './lib/stop-signals.js';

/** Who serves a descriptor. The set keeps one of these beside each. */
interface Server {
  ready(): void;
  close(): void;
}

/** One for all connections: nothing is left in it from one event to the next. */
const buffer = new Uint8Array(64 * 1024);

/**
 * A client. It is in one of two states, and the set watches for what ends it: all was sent, and
 * we wait for input; or the kernel had no room for the rest, and we wait for that. In the second
 * state nothing is read, so a client that never reads costs one buffer at most, and soon its own
 * sends find no room either: back pressure.
 */
class Connection implements Server {
  readonly #stream: Stream;
  #unsent: Uint8Array | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  /** Asks no event what it is: EPOLLHUP and EPOLLERR too are learned from the read or the write. */
  ready(): void {
    try {
      if (this.#unsent === undefined) this.#echo();
      else this.#flush(this.#unsent);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.close(); // ECONNRESET, EPIPE: nobody is there to get the rest
    }
  }

  /** Closing takes the descriptor out of the set first. */
  close(): void {
    this.#stream.close();
  }

  #echo(): void {
    const length = this.#stream.read(buffer);
    if (length === WOULD_BLOCK) return;
    if (length === 0) {
      // The client has sent its last byte. We only read after everything was sent, so it has, or
      // will get from the kernel, all of them back.
      this.close();
      return;
    }
    const sent = Math.max(this.#stream.write(buffer, 0, length), 0); // WOULD_BLOCK: none
    if (sent === length) return;
    this.#unsent = buffer.slice(sent, length);
    epoll.modify(this.#stream, EPOLLOUT);
  }

  #flush(unsent: Uint8Array): void {
    const sent = Math.max(this.#stream.write(unsent), 0);
    if (sent < unsent.length) {
      this.#unsent = unsent.subarray(sent);
      return;
    }
    this.#unsent = undefined;
    epoll.modify(this.#stream, EPOLLIN);
  }
}

const acceptor: Server = {
  ready() {
    for (let stream; (stream = listener.accept()) !== null;) {
      if (stream instanceof TcpStream) stream.setNoDelay();
      epoll.add(stream, EPOLLIN, new Connection(stream));
    }
  },
  close() {
    listener.close();
  },
};

const { at, own } = commandLine('echo', {
  options: { 'spin-us': '--spin-us N         microseconds that a wait asks before it sleeps (0)' },
});
const spinUs = wholeNumber('echo', '--spin-us', own['spin-us'], 0, 0, 100_000);
const listener = listenAt('echo', at);
const signals = new StopSignals();
const epoll = new Epoll<Server>({ spinUs });
const events = new EpollEvents<Server>();

epoll.add(listener, EPOLLIN, acceptor);
epoll.add(signals, EPOLLIN, signals);
announce(listener.address);

while (!signals.received) {
  const n = epoll.wait(events);
  for (let i = 0; i < n; i++) events.data(i)?.ready();
  if (signals.due) await signals.letNodeRun();
}

for (const { data } of epoll.entries()) data?.close();
epoll.close();

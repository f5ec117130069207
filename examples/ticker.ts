/**
 * Ticker: a server that goes on sending for as long as a connection is open.
 *
 *     node build/examples/ticker.js --interval 500        and elsewhere: nc 127.0.0.1 8080
 *
 * Two questions about a server in which the loop is hidden, answered where it can be seen:
 *
 * - "Can it go on sending?" One timer of the loop, and one write for each client. A client that
 *   does not read lets what it is sent pile up, until write() answers false: from then on it
 *   misses ticks, and hears how many once it has caught up. It costs no more memory than that, and
 *   the others do not notice.
 * - "Does accept answer a set of sockets?" No: one connection, or null. That many wait at once is
 *   told by one event; the edge-triggered listener is drained, in shares, so that a thousand who
 *   come at once do not hold the next tick up.
 */
import {
  READABLE,
  TcpStream,
  type Connection,
  type ConnectionHandlers,
  type Stream,
} from 'raw-epoll';
import { announce, commandLine, wholeNumber } from './lib/command-line.js';
import { listenAt } from './lib/listen.js';
import { BACKENDS, openLoop } from './lib/open-loop.js';

/** So many connections are accepted in one turn, before others have theirs. */
const ACCEPTED_AT_ONCE = 64;

/** Somebody who gets every tick, unless too much is under way to it. */
class Client implements ConnectionHandlers {
  readonly #connection: Connection;
  #full = false;
  #missed = 0;

  constructor(stream: Stream) {
    if (stream instanceof TcpStream) stream.setNoDelay();
    this.#connection = loop.connection(stream, this);
  }

  send(tick: Buffer): void {
    if (this.#full) this.#missed++;
    else this.#full = !this.#connection.write(tick);
  }

  /** What a client says is read and dropped: unread, it would keep its end from being heard. */
  data(): void {
    return;
  }

  drain(): void {
    this.#full = false;
    const missed = this.#missed;
    this.#missed = 0;
    if (missed > 0) this.#full = !this.#connection.write(`missed ${missed}\n`);
  }

  close(): void {
    clients.delete(this);
  }
}

const { at, backend, own } = commandLine('ticker', {
  backends: BACKENDS,
  options: {
    interval: '--interval MS       between two ticks (1000)',
    bytes: '--bytes BYTES       how long the line of a tick is at least (0)',
  },
});
const intervalMs = wholeNumber('ticker', '--interval', own.interval, 1000, 1);
const lineBytes = wholeNumber('ticker', '--bytes', own.bytes, 0);

const loop = openLoop('ticker', { backend });
const clients = new Set<Client>();
const listener = loop.root.own(listenAt('ticker', at));

/** Takes one connection. The answer is counted by drain; null: nobody else waits. */
function acceptOne(): number | null {
  const stream = listener.accept();
  if (stream === null) return null;
  clients.add(new Client(stream));
  return 1;
}

// select and poll have no edges: there the level tells with each turn that somebody still waits.
const mode = loop.supports.edge ? 'edge' : 'level';
loop.register(
  listener,
  READABLE,
  (ready) => {
    ready.drain(acceptOne, { maxBytes: ACCEPTED_AT_ONCE });
  },
  { mode },
);

let ticks = 0;
loop.setInterval(intervalMs, () => {
  const tick = Buffer.from(`${`tick ${++ticks}`.padEnd(lineBytes, '.')}\n`);
  for (const client of clients) client.send(tick);
});

loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs: 1000 });
announce(listener.address);
loop.run();

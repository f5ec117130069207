/**
 * The echo example at level 2, on a set whose waits spin before they block.
 *
 *     node build/bench/servers/spin.js [--spin-us N] [--host H] [--port N] [--path FILE]
 *
 * What differs in the work: a wait that finds nothing asks again for up to 200 microseconds, and only
 * then lets its thread sleep. The core is busy all that time, also with nothing to do in between.
 */

import {
  Epoll,
  EpollEvents,
  type Stream,
  SystemError,
  TcpListener,
  TcpStream,
  UnixListener,
} from 'raw-epoll';
import { EPOLLIN, EPOLLOUT } from 'raw-epoll/constants';
import { BACKLOG, parsePlace } from './lib/place.js';

const { place, values } = parsePlace({ 'spin-us': { type: 'string', default: '200' } });
const { host, port, path } = place;
const epoll = new Epoll<() => void>({ spinUs: Number(values['spin-us']) });
const events = new EpollEvents<() => void>();

/** One for all connections. */
const buffer = new Uint8Array(64 * 1024);

/** A client: what was not sent at once waits for room, and nothing is read meanwhile. */
class Connection {
  readonly #stream: Stream;
  #unsent: Uint8Array | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  ready(): void {
    try {
      if (this.#unsent === undefined) this.#echo();
      else this.#flush(this.#unsent);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#stream.close();
    }
  }

  #echo(): void {
    const length = this.#stream.read(buffer);
    if (length < 0) return;
    if (length === 0) {
      this.#stream.close();
      return;
    }
    const sent = Math.max(this.#stream.write(buffer, 0, length), 0);
    if (sent === length) return;
    this.#unsent = buffer.slice(sent, length);
    epoll.modify(this.#stream, EPOLLOUT);
  }

  #flush(rest: Uint8Array): void {
    const sent = Math.max(this.#stream.write(rest), 0);
    this.#unsent = rest.subarray(sent);
    if (this.#unsent.length > 0) return;
    this.#unsent = undefined;
    epoll.modify(this.#stream, EPOLLIN);
  }
}

function acceptAll(): void {
  for (let stream: Stream | null; (stream = listener.accept()) !== null;) {
    if (stream instanceof TcpStream) stream.setNoDelay();
    const connection = new Connection(stream);
    epoll.add(stream, EPOLLIN, () => {
      connection.ready();
    });
  }
}

const listener: TcpListener | UnixListener =
  path === undefined
    ? TcpListener.listen({ host, port, backlog: BACKLOG })
    : UnixListener.listen({ path, backlog: BACKLOG });
epoll.add(listener, EPOLLIN, acceptAll);
const { address } = listener;
console.log(`listening on ${'port' in address ? `${host}:${address.port}` : String(path)}`);
for (;;) {
  const n = epoll.wait(events);
  for (let i = 0; i < n; i++) events.data(i)?.();
}

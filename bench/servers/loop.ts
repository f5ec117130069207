/**
 * The echo example at level 4: the same reads and writes, with a handler for each descriptor.
 *
 *     node build/bench/servers/loop.js [--drive run|runAsync] [--host H] [--port N] [--path FILE]
 */

import {
  Loop,
  type LoopRegistration,
  READABLE,
  type Stream,
  SystemError,
  TcpListener,
  TcpStream,
  UnixListener,
  WRITABLE,
} from 'raw-epoll';
import { BACKLOG, parsePlace } from './lib/place.js';

/** One for all connections. */
const buffer = new Uint8Array(64 * 1024);

/**
 * A client, as in the echo example; what differs is who calls `ready`. Its methods are public, since
 * private ones, however many, are a field of each object: 8 bytes a connection.
 */
class Connection {
  readonly #stream: Stream;
  readonly #registration: LoopRegistration;
  #unsent: Uint8Array | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
    // Half of what an arrow function with its `this` takes: there is one for each connection.
    this.#registration = loop.register(stream, READABLE, this.ready.bind(this));
  }

  ready(): void {
    try {
      if (this.#unsent === undefined) this.echo();
      else this.flush(this.#unsent);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#stream.close();
    }
  }

  echo(): void {
    const length = this.#stream.read(buffer);
    if (length < 0) return;
    if (length === 0) {
      this.#stream.close();
      return;
    }
    const sent = Math.max(this.#stream.write(buffer, 0, length), 0);
    if (sent === length) return;
    this.#unsent = buffer.slice(sent, length);
    this.#registration.modify(WRITABLE);
  }

  flush(rest: Uint8Array): void {
    const sent = Math.max(this.#stream.write(rest), 0);
    this.#unsent = rest.subarray(sent);
    if (this.#unsent.length > 0) return;
    this.#unsent = undefined;
    this.#registration.modify(READABLE);
  }
}

const { place, values } = parsePlace({ drive: { type: 'string', default: 'run' } });
const { host, port, path } = place;
const loop = new Loop();
const listener: TcpListener | UnixListener =
  path === undefined
    ? TcpListener.listen({ host, port, backlog: BACKLOG })
    : UnixListener.listen({ path, backlog: BACKLOG });
loop.register(listener, READABLE, () => {
  for (let stream: Stream | null; (stream = listener.accept()) !== null;) {
    if (stream instanceof TcpStream) stream.setNoDelay();
    new Connection(stream);
  }
});
const { address } = listener;
console.log(`listening on ${'port' in address ? `${host}:${address.port}` : String(path)}`);
if (values['drive'] === 'run') loop.run();
else await loop.runAsync();

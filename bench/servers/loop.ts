/**
 * The echo example at level 4: the same reads and writes, with a handler for each descriptor.
 *
 *     node build/bench/servers/loop.js [--drive run|runAsync] [--host H] [--port N] [--path FILE]
 */

import {
  Loop,
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

function serve(stream: Stream): void {
  let unsent: Uint8Array | undefined;
  const registration = loop.register(stream, READABLE, () => {
    try {
      if (unsent === undefined) echo();
      else flush(unsent);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      stream.close();
    }
  });
  const echo = (): void => {
    const length = stream.read(buffer);
    if (length < 0) return;
    if (length === 0) {
      stream.close();
      return;
    }
    const sent = Math.max(stream.write(buffer, 0, length), 0);
    if (sent === length) return;
    unsent = buffer.slice(sent, length);
    registration.modify(WRITABLE);
  };
  const flush = (rest: Uint8Array): void => {
    const sent = Math.max(stream.write(rest), 0);
    unsent = rest.subarray(sent);
    if (unsent.length > 0) return;
    unsent = undefined;
    registration.modify(READABLE);
  };
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
    serve(stream);
  }
});
const { address } = listener;
console.log(`listening on ${'port' in address ? `${host}:${address.port}` : String(path)}`);
if (values['drive'] === 'run') loop.run();
else await loop.runAsync();

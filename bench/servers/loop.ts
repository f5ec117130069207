/**
 * The echo example at level 4: the same reads and writes, with a handler for each descriptor.
 *
 *     node build/bench/servers/loop.js [--drive run|runAsync] [--host H] [--port N]
 */

import { parseArgs } from 'node:util';
import { Loop, READABLE, SystemError, TcpListener, type TcpStream, WRITABLE } from 'raw-epoll';

/** As many as the C server allows to wait for `accept`. */
const BACKLOG = 4096;

/** One for all connections. */
const buffer = new Uint8Array(64 * 1024);

function serve(stream: TcpStream): void {
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

const { values } = parseArgs({
  options: {
    drive: { type: 'string', default: 'run' },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
  },
});

const loop = new Loop();
const listener = TcpListener.listen({
  host: values.host,
  port: Number(values.port),
  backlog: BACKLOG,
});
loop.register(listener, READABLE, () => {
  for (let stream; (stream = listener.accept()) !== null;) {
    stream.setNoDelay();
    serve(stream);
  }
});
const { address } = listener;
if ('port' in address) console.log(`listening on ${values.host}:${String(address.port)}`);
if (values.drive === 'run') loop.run();
else await loop.runAsync();

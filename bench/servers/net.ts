/**
 * The echo server that Node offers: `node:net`, as its documentation recommends it. `write`
 * answers false when data waits in memory; reading then pauses until `drain`.
 *
 *     node build/bench/servers/net.js [--host H] [--port N]
 */

import { createServer, type Socket } from 'node:net';
import { parseArgs } from 'node:util';

/** As many as the C server allows to wait for `accept`. */
const BACKLOG = 4096;

function echo(socket: Socket): void {
  const resume = (): void => {
    socket.resume();
  };
  socket.on('data', (data) => {
    if (socket.write(data)) return;
    socket.pause();
    socket.once('drain', resume);
  });
  socket.on('error', () => {
    socket.destroy(); // a client that resets the connection is not an event for the log
  });
}

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
  },
});

const server = createServer({ noDelay: true }, echo);
server.listen({ host: values.host, port: Number(values.port), backlog: BACKLOG }, () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP address');
  console.log(`listening on ${address.address}:${String(address.port)}`);
});
process.once('SIGTERM', () => process.exit(0));
process.once('SIGINT', () => process.exit(0));

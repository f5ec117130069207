/**
 * The echo server that Node offers: `node:net`, as its documentation recommends it. `write`
 * answers false when data waits in memory; reading then pauses until `drain`.
 *
 *     node build/bench/servers/net.js [--host H] [--port N] [--path FILE] [--broadcast]
 *
 * What differs in the work: each read has a buffer of its own, which the garbage collector frees.
 * With `--broadcast` every client gets what one sends, after a greeting of one byte; one that does
 * not read is dropped.
 */

import { createServer, type Socket } from 'node:net';
import { announce, BACKLOG, endOnSignal, parsePlace } from './lib/place.js';

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

const clients = new Set<Socket>();

function broadcast(socket: Socket): void {
  clients.add(socket);
  socket.write('+');
  socket.on('data', (data) => {
    for (const client of clients) if (!client.write(data)) client.destroy();
  });
  socket.on('close', () => clients.delete(socket));
  socket.on('error', () => {
    socket.destroy();
  });
}

const { place, values } = parsePlace({ broadcast: { type: 'boolean', default: false } });
const { host, port, path } = place;
const server = createServer({ noDelay: true }, values['broadcast'] === true ? broadcast : echo);
const where = path === undefined ? { host, port } : { path };
server.listen({ ...where, backlog: BACKLOG }, () => {
  announce(server.address());
});
endOnSignal();

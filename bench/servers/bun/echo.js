/**
 * Echo on `Bun.listen`, as Bun's documentation recommends it: one set of handlers for all sockets.
 *
 *     bun echo.js [--host 127.0.0.1] [--port 0] [--path FILE] [--broadcast]
 *
 * `write` answers how much it took; the rest is kept and written on `drain`, and reading pauses
 * meanwhile. What differs in the work: Bun reads into a buffer of its own and hands out a view of it.
 * With `--broadcast` every client gets what one sends, after a greeting of one byte.
 */
/* global Bun */
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    path: { type: 'string' },
    broadcast: { type: 'boolean', default: false },
  },
});

function send(socket, bytes) {
  const sent = Math.max(socket.write(bytes), 0);
  if (sent === bytes.length) return true;
  socket.data = bytes.slice(sent);
  return false;
}

const echo = {
  open(socket) {
    socket.setNoDelay?.(true);
    socket.data = undefined;
  },
  data(socket, bytes) {
    if (socket.data !== undefined) {
      // Some runtimes' `pause` lets what was read already through.
      const joined = new Uint8Array(socket.data.length + bytes.length);
      joined.set(socket.data);
      joined.set(bytes, socket.data.length);
      socket.data = joined;
    } else if (!send(socket, bytes)) socket.pause?.();
  },
  drain(socket) {
    const rest = socket.data;
    if (rest === undefined) return;
    socket.data = undefined;
    if (send(socket, rest)) socket.resume?.();
  },
  error(socket) {
    socket.end();
  },
};

const clients = new Set();
const broadcast = {
  open(socket) {
    socket.setNoDelay?.(true);
    clients.add(socket);
    socket.write('+');
  },
  data(_, bytes) {
    for (const client of clients) if (client.write(bytes) !== bytes.length) client.end();
  },
  close(socket) {
    clients.delete(socket);
  },
  error(socket) {
    socket.end();
  },
};

const where =
  values.path === undefined
    ? { hostname: values.host, port: Number(values.port) }
    : { unix: values.path };
const server = Bun.listen({ ...where, socket: values.broadcast ? broadcast : echo });
console.log(`listening on ${values.path ?? `${values.host}:${server.port}`}`);

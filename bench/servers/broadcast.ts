/**
 * Broadcast at level 2: what one client sends, every client gets.
 *
 *     node build/bench/servers/broadcast.js [--host H] [--port N] [--path FILE]
 *
 * A new client is greeted with one byte, so that it knows when it belongs to them; one that does
 * not read is dropped rather than waited for. The examples have a chat that keeps what a slow reader
 * has not read; this is the least that can be compared with other runtimes.
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
import { EPOLLIN } from 'raw-epoll/constants';
import { BACKLOG, parsePlace } from './lib/place.js';

const { place } = parsePlace();
const epoll = new Epoll<() => void>();
const events = new EpollEvents<() => void>();
const clients = new Set<Stream>();
const buffer = new Uint8Array(64 * 1024);
const greeting = new Uint8Array([0x2b]);

function drop(client: Stream): void {
  clients.delete(client);
  client.close();
}

function write(client: Stream, bytes: Uint8Array, length: number): void {
  try {
    if (client.write(bytes, 0, length) === length) return;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
  drop(client);
}

function read(client: Stream): number {
  try {
    return client.read(buffer);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return 0; // ECONNRESET
  }
}

function receive(client: Stream): void {
  const length = read(client);
  if (length === 0) drop(client);
  if (length <= 0) return;
  for (const each of clients) write(each, buffer, length);
}

function acceptAll(): void {
  for (let client: Stream | null; (client = listener.accept()) !== null;) {
    if (client instanceof TcpStream) client.setNoDelay();
    const joined = client;
    clients.add(joined);
    epoll.add(joined, EPOLLIN, () => {
      receive(joined);
    });
    write(joined, greeting, 1);
  }
}

const listener: TcpListener | UnixListener =
  place.path === undefined
    ? TcpListener.listen({ host: place.host, port: place.port, backlog: BACKLOG })
    : UnixListener.listen({ path: place.path, backlog: BACKLOG });
epoll.add(listener, EPOLLIN, acceptAll);
const { address } = listener;
console.log(
  `listening on ${'port' in address ? `${place.host}:${address.port}` : String(place.path)}`,
);
for (;;) {
  const n = epoll.wait(events);
  for (let i = 0; i < n; i++) events.data(i)?.();
}

/**
 * Echo with kqueue, in the kernel's own words: kqueue(2).
 *
 *     node build/examples/kqueue-echo.js                      and elsewhere: nc 127.0.0.1 8080
 *
 * For macOS and the BSDs. On Linux it runs with the addon of the tests:
 *
 *     node tools/build-addon.mjs --kqueue=shim
 *     RAW_EPOLL_ADDON=$PWD/build/shim/raw_epoll.node node build/examples/kqueue-echo.js
 *
 * A client has one knote at a time: to read, or to write what the kernel had no room for.
 */
import { Kqueue, KqueueEvents, type Stream, SystemError, WOULD_BLOCK } from 'raw-epoll';
import { EV_ADD, EV_DELETE, EVFILT_READ, EVFILT_WRITE } from 'raw-epoll/constants';
import { announce, commandLine } from './lib/command-line.js';
import { listenAt } from './lib/listen.js';

const buffer = new Uint8Array(64 * 1024);
/** What the kernel had no room for. */
const unsent = new Map<Stream, Uint8Array>();

function echo(stream: Stream): void {
  const length = stream.read(buffer);
  if (length === WOULD_BLOCK) return;
  if (length === 0) stream.close();
  else send(stream, buffer.slice(0, length));
}

function send(stream: Stream, bytes: Uint8Array): void {
  const sent = Math.max(stream.write(bytes), 0); // WOULD_BLOCK: none
  const waited = unsent.delete(stream);
  if (sent < bytes.length) unsent.set(stream, bytes.subarray(sent));
  if (unsent.has(stream) === waited) return;
  // The other knote takes over.
  const [from, to] = waited ? [EVFILT_WRITE, EVFILT_READ] : [EVFILT_READ, EVFILT_WRITE];
  kqueue.change([
    { ident: stream, filter: from, flags: EV_DELETE },
    { ident: stream, filter: to, flags: EV_ADD, udata: stream },
  ]);
}

function serve(stream: Stream): void {
  try {
    const rest = unsent.get(stream);
    if (rest === undefined) echo(stream);
    else send(stream, rest);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    unsent.delete(stream);
    stream.close(); // ECONNRESET, EPIPE: nobody is there to get the rest
  }
}

const listener = listenAt('kqueue-echo', commandLine('kqueue-echo').at);
const kqueue = new Kqueue<Stream>();
kqueue.change({ ident: listener, filter: EVFILT_READ, flags: EV_ADD });
announce(listener.address);

const events = new KqueueEvents<Stream>();
for (;;) {
  const count = kqueue.wait(events);
  for (let i = 0; i < count; i++) {
    const stream = events.udata(i);
    if (stream !== undefined) serve(stream);
    if (events.ident(i) !== listener.fd) continue;
    for (let client; (client = listener.accept()) !== null;) {
      kqueue.change({ ident: client, filter: EVFILT_READ, flags: EV_ADD, udata: client });
    }
  }
}

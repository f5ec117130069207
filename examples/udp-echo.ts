/**
 * Echo over UDP, in batches.
 *
 *     node build/examples/udp-echo.js        and elsewhere: nc -u 127.0.0.1 8080
 *
 * A datagram server has no connections: one socket, and a sender for each datagram. One call takes
 * up to 64 that wait, with their senders, and one call sends them back: recvmmsg(2), sendmmsg(2).
 *
 * If the kernel has no room for all of them, what is left waits for room, and nothing is received
 * meanwhile: what does not fit into the socket's own buffer then is dropped there, as UDP may.
 */
import { DatagramBatch, READABLE, SystemError, UdpSocket, WOULD_BLOCK, WRITABLE } from 'raw-epoll';
import { announce, commandLine, leave, type ListenAt } from './lib/command-line.js';
import { BACKENDS, openLoop } from './lib/open-loop.js';

const PROGRAM = 'udp-echo';
const BATCH = 64;
/** No datagram is longer, so none is cut. */
const DATAGRAM_BYTES_MAX = 65_535;

function bindAt(at: ListenAt): UdpSocket {
  if ('path' in at) leave(PROGRAM, 'it echoes UDP alone: --host and --port, without --path', 2);
  try {
    return UdpSocket.bind(at);
  } catch (error) {
    if (error instanceof SystemError) leave(PROGRAM, error.message, 1);
    throw error;
  }
}

const { at, backend } = commandLine(PROGRAM, { backends: BACKENDS });
const loop = openLoop(PROGRAM, { backend });
const socket = loop.root.own(bindAt(at));
const batch = new DatagramBatch(BATCH, DATAGRAM_BYTES_MAX);
/** How many of the batch have gone. */
let sent = 0;

function receive(): void {
  sent = 0;
  if (socket.receiveBatch(batch) > 0) sendBack();
}

/** Sends what is left of the batch; waits for room if there is none, and for more once all has gone. */
function sendBack(): void {
  while (sent < batch.length) {
    const count = sendSome();
    if (count === WOULD_BLOCK) {
      registration.modify(WRITABLE);
      return;
    }
    sent += count;
  }
  if (registration.interest === WRITABLE) registration.modify(READABLE);
}

/** How many have gone. One that cannot be sent, because of where it goes, is skipped. */
function sendSome(): number {
  try {
    return socket.sendBatch(batch, sent);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return 1;
  }
}

const registration = loop.register(socket, READABLE, (ready) => {
  if (ready.writable) sendBack();
  else receive();
});
loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs: 1000 });
announce(socket.localAddress, 'nc -u');
loop.run();

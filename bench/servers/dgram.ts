/**
 * Echo over UDP on `node:dgram`.
 *
 *     node build/bench/servers/dgram.js [--host H] [--port N]
 *
 * What differs in the work: a system call, a callback and objects for each datagram; there are no
 * batches of our own choice.
 */

import { createSocket } from 'node:dgram';
import { announce, endOnSignal, parsePlace } from './lib/place.js';

const { place } = parsePlace();
const socket = createSocket('udp4', (message, sender) => {
  socket.send(message, sender.port, sender.address);
});
socket.bind(place.port, place.host, () => {
  announce(socket.address());
});
endOnSignal();

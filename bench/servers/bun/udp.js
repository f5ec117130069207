/**
 * Echo over UDP on `Bun.udpSocket`.
 *
 *     bun udp.js [--host 127.0.0.1] [--port 0]
 *
 * What differs in the work: Bun receives in batches by itself (recvmmsg), but calls back and sends for
 * each datagram. What the kernel has no room for is dropped.
 */
/* global Bun */
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
  },
});
const server = await Bun.udpSocket({
  hostname: values.host,
  port: Number(values.port),
  socket: {
    data(socket, bytes, port, address) {
      socket.send(bytes, port, address);
    },
  },
});
console.log(`listening on ${values.host}:${server.port}`);

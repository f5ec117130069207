/**
 * What a datagram costs through batched calls, next to single ones: `npm run bench:udp`.
 *
 * Two sockets on the loopback, in one thread: a burst is sent, then received whole, so that nothing
 * is lost and nobody waits. The processor time of the process, user and kernel, is divided by the
 * datagrams; the median of the rounds counts. Each datagram is sent and received.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { SO_RCVBUF, SO_RCVBUFFORCE, SOL_SOCKET } from '../ts/sys/constants.js';
import { DatagramBatch, type SocketAddressOut, UdpSocket } from '../ts/index.js';
import { setsockopt } from '../ts/sys/index.js';
import { optionsOrUsage, parseCount } from './lib/options.js';

const SIZE = 64;
const RECEIVE_BUFFER = 1 << 20;

/** Moves one burst of datagrams from one socket to the other. */
type Burst = (from: UdpSocket, to: UdpSocket, count: number) => void;

const bytes = new Uint8Array(SIZE);
const sender: SocketAddressOut = {};

function receiveAll(count: number, receive: () => number): void {
  for (let left = count; left > 0;) {
    const came = receive();
    if (came > 0) left -= came;
  }
}

/** Batches of a size, made once. */
function batched(size: number): Burst {
  const out = new DatagramBatch(size, SIZE);
  const into = new DatagramBatch(size, SIZE);
  return (from, to, count) => {
    if (out.length === 0) while (out.add(bytes, to.localAddress));
    for (let left = count; left > 0;) left -= from.sendBatch(out);
    receiveAll(count, () => to.receiveBatch(into));
  };
}

function single(receive: (to: UdpSocket) => number): Burst {
  return (from, to, count) => {
    const address = to.localAddress;
    for (let i = 0; i < count; i++) from.sendTo(address, bytes);
    receiveAll(count, () => (receive(to) >= 0 ? 1 : 0));
  };
}

const contenders: Readonly<Record<string, Burst>> = {
  'sendTo, receive with sender': single((to) => to.receive(bytes, 0, SIZE, sender)),
  'sendTo, receive': single((to) => to.receive(bytes)),
  'batches of 1': batched(1),
  'batches of 8': batched(8),
  'batches of 64': batched(64),
};

/** A burst that every batch divides, and that the receive buffer holds. */
const BURST = 256;

function open(): [from: UdpSocket, to: UdpSocket] {
  const to = UdpSocket.bind();
  if (setsockopt(to.fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER) < 0) {
    setsockopt(to.fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
  }
  return [UdpSocket.bind(), to];
}

/** Microseconds of processor time for each datagram. */
function measure(
  burst: Burst,
  [from, to]: readonly [UdpSocket, UdpSocket],
  datagrams: number,
): number {
  const before = process.cpuUsage();
  for (let sent = 0; sent < datagrams; sent += BURST) burst(from, to, BURST);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / datagrams;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function main(datagrams: number, rounds: number): void {
  const results = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]));
  const sockets = open();
  for (const burst of Object.values(contenders)) measure(burst, sockets, datagrams); // warm
  for (let round = 0; round < rounds; round++) {
    for (const [name, burst] of Object.entries(contenders)) {
      results.get(name)?.push(measure(burst, sockets, datagrams));
    }
  }
  for (const socket of sockets) socket.close();
  const yardstick = median(results.get('sendTo, receive with sender') ?? []);
  console.log('CPU for each datagram of 64 bytes, sent and received over the loopback\n');
  for (const [name, values] of results) {
    const each = median(values);
    const ratio = (each / yardstick).toFixed(2);
    console.log(`${name.padEnd(30)}${each.toFixed(2).padStart(6)} µs  ${ratio} of single`);
  }
}

const options = optionsOrUsage('bench:udp', () => {
  const { values } = parseArgs({
    options: {
      datagrams: { type: 'string', default: '25600' },
      rounds: { type: 'string', default: '7' },
    },
  });
  const datagrams = parseCount('datagrams', values.datagrams);
  return {
    datagrams: Math.ceil(datagrams / BURST) * BURST,
    rounds: parseCount('rounds', values.rounds),
  };
});
if (options !== undefined) main(options.datagrams, options.rounds);

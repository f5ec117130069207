/** Clients of the echo servers, on Node's own sockets: they share no code with what they test. */
import { once } from 'node:events';
import net from 'node:net';
import type { RunningServer } from '../support/server.js';
import type { Random } from '../support/random.js';

/**
 * A connection to a server. Both directions are closed by the test, each on its own. Whoever waits
 * for something to come hears of an error; one that comes while nobody waits is no failure.
 */
export async function connectTo(server: RunningServer): Promise<net.Socket> {
  const options = server.address.startsWith('/')
    ? { path: server.address }
    : { host: hostOf(server.address), port: server.port };
  const socket = net.connect({ ...options, allowHalfOpen: true, noDelay: true });
  await once(socket, 'connect');
  return socket.on('error', () => undefined);
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
}

/** Many connections, all open at the same time. */
export async function connectMany(server: RunningServer, count: number): Promise<net.Socket[]> {
  const sockets: net.Socket[] = [];
  while (sockets.length < count) {
    // No more at once than the queue of any listener holds.
    const wave = Math.min(100, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: wave }, () => connectTo(server)))));
  }
  return sockets;
}

/** Sends a message and takes it back. Refuses anything else than the same bytes. */
export async function roundTrip(socket: net.Socket, message: Buffer): Promise<void> {
  const back = takeBack(socket, message);
  socket.write(message);
  await back;
}

/**
 * Resolves once `enough` of what was sent has come back; rejects at the first other byte, and if
 * the stream ends before.
 */
export function takeBack(
  socket: net.Socket,
  sent: Buffer,
  enough: number = sent.length,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = 0;
    const finish = (error?: Error): void => {
      socket.off('data', onData).off('end', onEnd).off('error', finish);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onData = (chunk: Buffer): void => {
      const same = chunk.equals(sent.subarray(received, received + chunk.length));
      received += chunk.length;
      if (!same) finish(new Error(`other bytes than sent, before byte ${received}`));
      else if (received >= enough) finish();
    };
    const onEnd = (): void => {
      finish(new Error(`the stream ended after ${received} of ${enough} bytes`));
    };
    if (enough === 0) resolve();
    else socket.on('data', onData).on('end', onEnd).on('error', finish);
  });
}

/** What a client does, and how it leaves. */
export interface Plan {
  /**
   * - `half-close`: ends its side right after the last byte, and takes the rest back then;
   * - `wait`: ends its side when it has everything back;
   * - `reset`: goes away in the middle, with bytes under way in both directions.
   */
  readonly leaves: 'half-close' | 'wait' | 'reset';
  readonly payload: Buffer;
  /** How many bytes one write has. */
  readonly writeSize: number;
  /** `reset`: after so many bytes have come back. */
  readonly resetAfter: number;
}

const SIZE_MAX = 1024 * 1024;

/** Sizes from nothing to 1 MiB, more of the large ones; the first have the limits. */
export function makePlans(random: Random, count: number): Plan[] {
  const bytes = random.bytes(2 * SIZE_MAX);
  const limits = [SIZE_MAX, 0, 1, 64 * 1024, 64 * 1024 + 1];
  return Array.from({ length: count }, (_, i) => {
    const size = limits[i] ?? Math.floor(SIZE_MAX ** Math.max(random.next(), random.next()));
    const start = random.integer(0, SIZE_MAX);
    const fate = random.next();
    return {
      leaves: fate < 0.5 || i < limits.length ? 'half-close' : fate < 0.8 ? 'wait' : 'reset',
      payload: bytes.subarray(start, start + size),
      writeSize: random.integer(1, SIZE_MAX),
      resetAfter: random.integer(0, size),
    };
  });
}

/** Carries a plan out. Resolves when the connection is closed; rejects if a byte is lost. */
export async function carryOut(plan: Plan, socket: net.Socket): Promise<void> {
  const closed = new Promise((resolve) => socket.once('close', resolve));
  if (plan.leaves === 'reset') await resetInTheMiddle(plan, socket);
  else await takeAllBack(plan, socket);
  await closed;
}

async function takeAllBack(plan: Plan, socket: net.Socket): Promise<void> {
  const { payload, leaves } = plan;
  const ended = once(socket, 'end');
  const back = takeBack(socket, payload);
  const sent = writeInPieces(plan, socket);
  if (payload.length === 0) socket.resume(); // nobody else reads, and 'end' comes to readers only
  // All together, so that none goes unheard when another fails.
  await Promise.all([
    back,
    ended,
    (leaves === 'half-close' ? sent : back).then(() => socket.end()),
    sent,
  ]);
  if (socket.bytesRead !== payload.length) {
    throw new Error(`${socket.bytesRead} bytes came back of ${payload.length}`);
  }
}

async function resetInTheMiddle(plan: Plan, socket: net.Socket): Promise<void> {
  const sent = writeInPieces(plan, socket);
  await takeBack(socket, plan.payload, plan.resetAfter);
  // A Unix socket has no reset; for the other end, unread bytes at its close are one.
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
  await sent;
}

async function writeInPieces({ payload, writeSize }: Plan, socket: net.Socket): Promise<void> {
  for (let start = 0; start < payload.length && !socket.destroyed; start += writeSize) {
    const piece = payload.subarray(start, start + writeSize);
    await new Promise((resolve) => socket.write(piece, resolve));
  }
}

/**
 * What Node has goes on here. Node closes its own number, so what is taken is a duplicate; and two
 * that read one connection would each get a part of it, so Node's object ends in the same call.
 */
import net from 'node:net';
import { closedError, invalidArgType, stateError, unavailableError } from '../errors.js';
import { binding } from '../native.js';
import { duplicateSocket, type WantedSocket } from './socket-setup.js';

/** A connection that Node had. */
export interface FromNetSocket<S> {
  /** The connection. */
  readonly stream: S;
  /** What Node has read of it and nobody has taken: it comes before what `stream` reads. */
  readonly unread: Buffer;
}

/** The duplicate of a connection, and what Node has read of it. @internal */
export function takeFromNetSocket(
  socket: net.Socket,
  wanted: WantedSocket,
): { readonly fd: number; readonly unread: Buffer } {
  if (!(socket instanceof net.Socket)) throw invalidArgType('socket', 'net.Socket', socket);
  if (socket.destroyed) throw closedError('the socket');
  const refusal = refusalOf(socket);
  if (refusal !== undefined) throw stateError(`the socket ${refusal}`);
  const fd = duplicateSocket(numberOf(socket), wanted);
  try {
    return { fd, unread: takeUnread(socket) };
  } catch (error) {
    binding.owned.close(fd); // a listener of the socket has thrown
    throw error;
  } finally {
    // Closes one of two numbers of the connection, and so ends nothing of it.
    socket.destroy();
  }
}

/** The duplicate of a listener. @internal */
export function takeFromNetServer(server: net.Server, wanted: WantedSocket): number {
  if (!(server instanceof net.Server)) throw invalidArgType('server', 'net.Server', server);
  if (!server.listening) throw stateError('the server does not listen');
  const fd = duplicateSocket(numberOf(server), wanted);
  server.close();
  return fd;
}

/** Why a connection cannot be taken without losing something; `undefined` if it can. */
function refusalOf(socket: net.Socket & { readonly encrypted?: unknown }): string | undefined {
  if (socket.encrypted === true) return 'is one of TLS, whose bytes are encrypted below it';
  if (socket.pending) return 'is not connected yet';
  if (socket.writableEnded) return 'has been ended';
  if (socket.writableLength > 0) return 'has output pending';
  if (socket.readableEncoding !== null) return 'decodes what it reads: setEncoding()';
  return undefined;
}

/**
 * The number is told by nothing else of Node. A handle of a cluster's worker, which has no
 * descriptor of its own, answers `undefined`, and so does one on Windows.
 */
function numberOf(object: net.Socket | net.Server): number {
  const { _handle: handle } = object as { _handle?: { readonly fd?: unknown } | null };
  const fd = handle?.fd;
  if (typeof fd !== 'number') throw unavailableError('the descriptor of an object of Node');
  if (fd < 0) throw closedError('the handle of an object of Node');
  return fd;
}

/** Nothing is read in between: Node reads when its loop turns. */
function takeUnread(socket: net.Socket): Buffer {
  // They would hear of what is taken here, and of an end that comes after it.
  for (const event of ['data', 'readable', 'end']) socket.removeAllListeners(event);
  socket.pause();
  const pieces: Buffer[] = [];
  for (let piece; (piece = socket.read() as Buffer | null) !== null;) pieces.push(piece);
  return Buffer.concat(pieces);
}

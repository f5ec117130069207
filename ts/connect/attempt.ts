import { isIPv6 } from 'node:net';
import { TcpStream } from '../descriptor/tcp.js';
import { SystemError } from '../errors.js';
import { WRITABLE } from '../poller/conditions.js';
import type { Scope } from '../loop/scope.js';
import { ECONNREFUSED } from '../sys/constants.js';
import type { SocketAddress } from '../sys/index.js';

/** A place to connect to, as messages show it. @internal */
export function showPlace(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${String(port)}`;
}

/** An attempt that has failed, and where it was to go. @internal */
export interface Failure {
  readonly place: string;
  readonly error: Error;
}

/**
 * Begins to connect to one address, with a socket and a registration that the scope owns.
 *
 * @param ended  Called in a later turn: with the stream, which has left the loop but not the scope,
 *               or with the reason, and then the socket is closed.
 * @returns      What the kernel refuses at once; then `ended` is not called.
 * @internal
 */
export function attempt(
  scope: Scope,
  address: string,
  port: number,
  ended: (outcome: TcpStream | Failure) => void,
): Failure | undefined {
  const place = showPlace(address, port);
  let stream: TcpStream | undefined;
  try {
    stream = TcpStream.connect({ host: address, port });
    const opened = scope.own(stream, { label: place });
    const registration = scope.register(opened, WRITABLE, () => {
      registration.deregister();
      const error = errorOf(opened, place);
      if (error !== undefined) opened.close();
      ended(error === undefined ? opened : { place, error });
    });
    return undefined;
  } catch (error) {
    stream?.close();
    return { place, error: error as Error };
  }
}

/** Why a socket that was connecting is not connected. */
function errorOf(stream: TcpStream, place: string): Error | undefined {
  const error = stream.takeError();
  if (error !== null) return refusal(error.errno, stream, place);
  try {
    return isItself(stream) ? refusal(-ECONNREFUSED, stream, place) : undefined;
  } catch (late) {
    return late as Error; // ENOTCONN: it was, and is no more.
  }
}

function refusal(errno: number, { fd }: TcpStream, place: string): SystemError {
  return new SystemError(errno, 'connect', { fd, detail: place });
}

/**
 * Whether both ends are one socket: where nobody listens on a local port of the range that the
 * kernel takes clients' ports from, it may give the client that very port, and TCP lets it connect
 * to itself (simultaneous open).
 */
function isItself(stream: TcpStream): boolean {
  const { localAddress, remoteAddress } = stream;
  return (
    portOf(localAddress) === portOf(remoteAddress) && hostOf(localAddress) === hostOf(remoteAddress)
  );
}

const portOf = (address: SocketAddress): unknown => 'port' in address && address.port;
const hostOf = (address: SocketAddress): unknown => 'address' in address && address.address;

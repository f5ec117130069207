import { TcpListener, type TcpListenOptions } from '../descriptor/tcp.js';
import { checkOptions, SystemError } from '../errors.js';

/** So often another port is taken if the one that IPv4 got is somebody's in IPv6. */
const TRIES = 16;

/**
 * Listens where `localhost` may lead a client: on `127.0.0.1` and on `::1`, on one port. A machine
 * without IPv6 gets the first alone.
 *
 * For all addresses of the machine, `TcpListener.listen({ host: '::' })` is one listener for both
 * families; docs/guides/connecting.md says what to do where there is no IPv6.
 *
 * @param options  As of `TcpListener.listen`. Port 0: one that both have free.
 * @returns        One or two listeners, IPv4 first.
 * @throws As `TcpListener.listen`; nothing listens then.
 */
export function listenLocalhost(options: Omit<TcpListenOptions, 'host'> = {}): TcpListener[] {
  const { port = 0 } = checkOptions(options);
  for (let tries = port === 0 ? TRIES : 1; ; tries--) {
    const ipv4 = TcpListener.listen({ ...options, host: '127.0.0.1' });
    try {
      return [ipv4, TcpListener.listen({ ...options, host: '::1', port: portOf(ipv4) })];
    } catch (error) {
      if (hasNoIpv6(error)) return [ipv4];
      ipv4.close();
      if (tries <= 1 || (error as SystemError).code !== 'EADDRINUSE') throw error;
    }
  }
}

function portOf({ address }: TcpListener): number {
  return 'port' in address ? address.port : 0;
}

/** The kernel cannot do it (EAFNOSUPPORT), or has it turned off, and then there is no `::1`. */
function hasNoIpv6(error: unknown): boolean {
  if (!(error instanceof SystemError)) return false;
  return error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL';
}

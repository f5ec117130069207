import { isIP } from 'node:net';
import { SystemError } from 'raw-epoll';
import {
  AF_INET,
  AF_INET6,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
} from 'raw-epoll/constants';
import {
  bind,
  close,
  getsockname,
  setsockopt,
  socket,
  type SocketAddressInet,
  type SocketAddressInet6,
  type SocketAddressOut,
} from 'raw-epoll/sys';

/** A port that is taken, and on which nobody listens. */
export interface ReservedPort {
  readonly address: SocketAddressInet | SocketAddressInet6;
  readonly close: () => void;
}

/**
 * Takes a port for listeners with SO_REUSEPORT: they have to name it, and to find it free, before
 * there is the first of them. A socket that is bound and does not listen gets no connections.
 *
 * @throws SystemError `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`
 */
export function reservePort(host: string, port: number): ReservedPort {
  const family = isIP(host) === 6 ? AF_INET6 : AF_INET;
  const fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const address: SocketAddressOut = {};
  const result =
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1) ||
    bind(fd, { family, address: host, port }) ||
    getsockname(fd, address);
  if (result < 0) {
    close(fd);
    throw new SystemError(result, 'bind', { detail: `${host} port ${port}` });
  }
  return {
    address: address as ReservedPort['address'],
    close: () => {
      close(fd);
    },
  };
}

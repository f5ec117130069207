/** Opens, binds and connects sockets; what is half done when a step is refused is closed. */
import { isIP } from 'node:net';
import {
  check,
  checkOptions,
  invalidArgType,
  outOfRange,
  SystemError,
  checkInteger,
  INT_MAX,
  INT_MIN,
} from '../errors.js';
import { binding } from '../native.js';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  EINPROGRESS,
  F_GETFL,
  F_SETFL,
  O_NONBLOCK,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_TYPE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../sys/constants.js';
import { bind, connect, fcntl, getsockopt, listen, type SocketAddress } from '../sys/index.js';
import { toFd } from './fd-like.js';
import { adopt, OwnedDescriptor } from './owned-descriptor.js';

/** Connections that wait unless `backlog` says otherwise: as Node has it. */
const BACKLOG = 511;

/** Runs the steps that set a new descriptor up; closes it if one of them throws. */
function setUp(fd: number, steps: (fd: number) => void): number {
  try {
    steps(fd);
  } catch (error) {
    binding.owned.close(fd);
    throw error;
  }
  return fd;
}

/** How messages show an address. */
function show(address: SocketAddress): string {
  if ('path' in address) return JSON.stringify(address.path);
  const host = address.family === AF_INET6 ? `[${address.address}]` : address.address;
  return `${host}:${String(address.port)}`;
}

function openSocket(family: number, type: number): number {
  return check(binding.owned.socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket');
}

function bindTo(fd: number, address: SocketAddress): void {
  check(bind(fd, address), 'bind', { fd, detail: show(address) });
}

/** A listening stream socket that the environment owns. @internal */
export function listeningSocket(
  address: SocketAddress,
  options: { readonly backlog?: number },
  configure: (fd: number) => void,
): number {
  return setUp(openSocket(address.family, SOCK_STREAM), (fd) => {
    configure(fd);
    bindTo(fd, address);
    check(listen(fd, options.backlog ?? BACKLOG), 'listen', { fd, detail: show(address) });
  });
}

/** A socket that is bound to an address and owned by the environment. @internal */
export function boundSocket(
  address: SocketAddress,
  type: number,
  configure: (fd: number) => void = () => undefined,
): number {
  return setUp(openSocket(address.family, type), (fd) => {
    configure(fd);
    bindTo(fd, address);
  });
}

/** A socket that is connected or about to be. @internal */
export function connectingSocket(
  address: SocketAddress,
  type: number,
  configure: (fd: number) => void = () => undefined,
): number {
  return setUp(openSocket(address.family, type), (fd) => {
    configure(fd);
    const result = connect(fd, address);
    if (result === 0 || result === -EINPROGRESS) return;
    throw new SystemError(result, 'connect', { fd, detail: show(address) });
  });
}

/** What a connection over IP is between. */
interface InetEnds {
  readonly host?: string;
  readonly port: number;
  readonly localHost?: string;
  readonly localPort?: number;
}

/** The same over IP, bound to an end of its own if one is named. @internal */
export function connectingInetSocket(options: InetEnds, type: number): number {
  const { host = '127.0.0.1', port, localHost, localPort } = checkOptions(options);
  const remote = inetAddress(host, port);
  const wildcard = remote.family === AF_INET6 ? '::' : '0.0.0.0';
  const local =
    localHost === undefined && localPort === undefined
      ? undefined
      : inetAddress(localHost ?? wildcard, localPort ?? 0);
  return connectingSocket(remote, type, (fd) => {
    if (local !== undefined) bindTo(fd, local);
  });
}

/** Two Unix sockets that are connected to each other: socketpair(2). @internal */
export function unixSocketPair(type: number): [number, number] {
  const sv = new Int32Array(2);
  check(
    binding.owned.socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv),
    'socketpair',
  );
  return [sv[0] as number, sv[1] as number];
}

/** The address of a path, or of an abstract name after `'\0'`. @internal */
export function unixAddress(options: { readonly path: unknown }): SocketAddress {
  const { path } = checkOptions(options);
  if (typeof path !== 'string') throw invalidArgType('path', 'string', path);
  return { family: AF_UNIX, path };
}

/** The address of a literal host and a port. Names are for `node:dns`. @internal */
export function inetAddress(host: unknown, port: unknown): SocketAddress {
  if (typeof host !== 'string') throw invalidArgType('host', 'string', host);
  if (typeof port !== 'number') throw invalidArgType('port', 'number', port);
  const percent = host.indexOf('%');
  const literal = percent < 0 ? host : host.slice(0, percent);
  const zone = percent < 0 ? undefined : host.slice(percent + 1);
  switch (isIP(literal)) {
    case 4:
      if (zone !== undefined) break;
      return { family: AF_INET, address: literal, port };
    case 6:
      return { family: AF_INET6, address: literal, port, scopeId: scopeOf(zone, host) };
  }
  throw outOfRange('host', 'an IPv4 or IPv6 address; resolve names with node:dns', host);
}

/** The zone of `fe80::1%2`: an interface by its index. */
function scopeOf(zone: string | undefined, host: string): number {
  if (zone === undefined) return 0;
  if (/^\d{1,9}$/.test(zone)) return Number(zone);
  throw outOfRange('host', 'an address whose zone is the index of an interface', host);
}

/** What a number must be to be taken over. @internal */
export interface WantedSocket {
  readonly families: readonly number[];
  readonly type: number;
  readonly listening: boolean;
  /** The class that takes it over, for messages. */
  readonly kind: string;
}

/** Takes over a socket that must be of a type and a family, listening or not. @internal */
export function adoptSocket(from: number | OwnedDescriptor, wanted: WantedSocket): number {
  const fd = from instanceof OwnedDescriptor ? toFd(from) : from;
  checkSocket(checkInteger(fd, 'fd', INT_MIN, INT_MAX), wanted);
  return adopt(from);
}

/** A duplicate of such a socket, which the environment owns. @internal */
export function duplicateSocket(fd: number, wanted: WantedSocket): number {
  checkSocket(checkInteger(fd, 'fd', INT_MIN, INT_MAX), wanted);
  const details = { fd, detail: `fd ${String(fd)}` };
  const flags = check(fcntl(fd, F_GETFL), 'fcntl', details);
  check(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 'fcntl', details);
  return check(binding.owned.dup(fd), 'fcntl', details);
}

function checkSocket(fd: number, wanted: WantedSocket): void {
  const option = (name: number): number => {
    const value = new Int32Array(1);
    const details = { fd, detail: `fd ${String(fd)}` };
    check(getsockopt(fd, SOL_SOCKET, name, value), 'getsockopt', details);
    return value[0] as number;
  };
  const fits =
    option(SO_TYPE) === wanted.type &&
    wanted.families.includes(option(SO_DOMAIN)) &&
    (option(SO_ACCEPTCONN) !== 0) === wanted.listening;
  if (fits) return;
  throw Object.assign(new TypeError(`fd ${String(fd)} is no socket for a ${wanted.kind}`), {
    code: 'ERR_INVALID_FD_TYPE',
  });
}

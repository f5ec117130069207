/**
 * Options of sockets as values of JavaScript: one line of the table for each, with its range.
 * What the headers of this system lack is refused where it is used, not at import.
 */
import { endianness } from 'node:os';
import { checkInteger, INT_MAX, invalidArgType, SystemError, unavailableError } from '../errors.js';
import { binding } from '../native.js';
import { IPPROTO_IPV6, IPPROTO_TCP, SOL_SOCKET } from '../sys/constants.js';
import { getsockopt, setsockopt } from '../sys/index.js';
import { toFd, type FdLike } from './fd-like.js';

/** An option that a socket has and can be given. */
interface SocketOption<T> {
  readonly get: (socket: FdLike) => T;
  readonly set: (socket: FdLike, value: T) => void;
}

/** Asks an option. Answers how many bytes the kernel filled in. */
function ask(socket: FdLike, level: number, name: string, value: ArrayBufferView): number {
  const option = numberOf(name);
  const fd = toFd(socket);
  return checked(getsockopt(fd, level, option, value), 'getsockopt', fd);
}

function give(socket: FdLike, level: number, name: string, value: number | ArrayBufferView): void {
  const option = numberOf(name);
  const fd = toFd(socket);
  checked(setsockopt(fd, level, option, value), 'setsockopt', fd);
}

/** Makes no text for a call that succeeds: servers set an option for each connection. */
function checked(result: number, syscall: string, fd: number): number {
  if (result < 0) throw new SystemError(result, syscall, { fd, detail: `fd ${String(fd)}` });
  return result;
}

function numberOf(name: string): number {
  const option = binding.constants[name];
  if (option === undefined) throw unavailableError(name);
  return option;
}

/** A C int that is not negative. `argument` is what messages call it. */
function intOption(
  level: number,
  name: string,
  argument: string,
  lowest = 0,
  highest: number = INT_MAX,
): SocketOption<number> {
  return {
    get: (socket) => {
      const value = new Uint32Array(1);
      ask(socket, level, name, value);
      return value[0] as number;
    },
    set: (socket, value) => {
      give(socket, level, name, checkInteger(value, argument, lowest, highest));
    },
  };
}

/** A C int that is 0 or 1. */
function boolOption(level: number, name: string, argument = 'on'): SocketOption<boolean> {
  const { get, set } = intOption(level, name, argument);
  return {
    get: (socket) => get(socket) !== 0,
    set: (socket, value) => {
      if (typeof value !== 'boolean') throw invalidArgType(argument, 'boolean', value);
      set(socket, value ? 1 : 0);
    },
  };
}

/** @internal */
export const OPTIONS = {
  broadcast: boolOption(SOL_SOCKET, 'SO_BROADCAST', 'broadcast'),
  busyPoll: intOption(SOL_SOCKET, 'SO_BUSY_POLL', 'microseconds'),
  cork: boolOption(IPPROTO_TCP, 'TCP_CORK'),
  deferAccept: intOption(IPPROTO_TCP, 'TCP_DEFER_ACCEPT', 'seconds'),
  fastOpen: intOption(IPPROTO_TCP, 'TCP_FASTOPEN', 'queueLength'),
  ipv6Only: boolOption(IPPROTO_IPV6, 'IPV6_V6ONLY', 'ipv6Only'),
  keepAlive: boolOption(SOL_SOCKET, 'SO_KEEPALIVE'),
  keepCount: intOption(IPPROTO_TCP, 'TCP_KEEPCNT', 'count', 1, 127),
  keepIdle: intOption(IPPROTO_TCP, 'TCP_KEEPIDLE', 'idleSeconds', 1, 32767),
  keepInterval: intOption(IPPROTO_TCP, 'TCP_KEEPINTVL', 'intervalSeconds', 1, 32767),
  noDelay: boolOption(IPPROTO_TCP, 'TCP_NODELAY'),
  notSentLowat: intOption(IPPROTO_TCP, 'TCP_NOTSENT_LOWAT', 'bytes', 0, 2 ** 32 - 1),
  quickAck: boolOption(IPPROTO_TCP, 'TCP_QUICKACK'),
  reuseAddress: boolOption(SOL_SOCKET, 'SO_REUSEADDR', 'reuseAddress'),
  reusePort: boolOption(SOL_SOCKET, 'SO_REUSEPORT', 'reusePort'),
  userTimeout: intOption(IPPROTO_TCP, 'TCP_USER_TIMEOUT', 'milliseconds'),
} as const;

const LITTLE_ENDIAN = endianness() === 'LE';

/** The structs whose layout the addon has from its headers. */
type Struct = 'linger' | 'ucred' | 'tcp_info';

function sizeOf(struct: Struct): number {
  const size = binding.layout[`${struct}_size`];
  if (size === undefined) throw unavailableError(`struct ${struct}`);
  return size;
}

/** Asks an option that is a struct. What the kernel did not fill in is absent. @internal */
export function getStruct<F extends string>(
  socket: FdLike,
  [level, name]: readonly [level: number, name: string],
  struct: Struct,
  fields: readonly F[],
): Partial<Record<F, number>> {
  const bytes = new Uint8Array(sizeOf(struct));
  const length = ask(socket, level, name, bytes);
  return readStruct(struct, fields, bytes.subarray(0, length));
}

/** The unsigned fields of a struct that lie within the bytes, 64 bits of them to 53. @internal */
export function readStruct<F extends string>(
  struct: Struct,
  fields: readonly F[],
  bytes: Uint8Array,
): Partial<Record<F, number>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: Partial<Record<F, number>> = {};
  for (const field of fields) {
    const at = binding.layout[`${struct}_${field}`];
    const width = binding.layout[`${struct}_${field}_bytes`];
    if (at === undefined || width === undefined || at + width > bytes.length) continue;
    values[field] = readUnsigned(view, at, width);
  }
  return values;
}

function readUnsigned(view: DataView, at: number, width: number): number {
  switch (width) {
    case 1:
      return view.getUint8(at);
    case 4:
      return view.getUint32(at, LITTLE_ENDIAN);
    default:
      return Number(view.getBigUint64(at, LITTLE_ENDIAN));
  }
}

/** Gives an option that is a struct of C ints. @internal */
export function setStruct<F extends string>(
  socket: FdLike,
  [level, name]: readonly [level: number, name: string],
  struct: Struct,
  values: Readonly<Record<F, number>>,
): void {
  const view = new DataView(new ArrayBuffer(sizeOf(struct)));
  for (const [field, value] of Object.entries<number>(values)) {
    view.setInt32(binding.layout[`${struct}_${field}`] ?? 0, value, LITTLE_ENDIAN);
  }
  give(socket, level, name, view);
}

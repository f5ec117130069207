import { closedError, invalidArgType } from '../errors.js';

/** A descriptor: its number, or an object that has one, such as a {@link TcpStream}. */
export type FdLike = number | HasFd;

/** Anything that has a descriptor. */
export interface HasFd {
  /** The number, `-1` if there is none any more. */
  readonly fd: number;
}

/** The number of a descriptor. Throws `ERR_CLOSED` for an object that has been closed. @internal */
export function toFd(descriptor: FdLike): number {
  if (typeof descriptor === 'number') return descriptor;
  const fd = (descriptor as { fd?: unknown } | null | undefined)?.fd;
  if (typeof fd !== 'number') {
    throw invalidArgType('fd', 'number or an object with an fd', descriptor);
  }
  if (fd === -1 && (descriptor as { closed?: unknown }).closed === true) {
    throw closedError(nameOf(descriptor));
  }
  return fd;
}

/** How messages call an object. @internal */
export function nameOf(descriptor: object): string {
  return descriptor.constructor.name;
}

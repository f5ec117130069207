import { checkInteger, invalidArgType } from '../errors.js';
import { binding } from '../native.js';

/** `fd_set` as this machine's C library has it: a bit for each descriptor below `FD_SETSIZE`. */
const BYTES = binding.layout.fdSetBytes ?? 128;
/** The bytes of a word lie the other way round on big-endian machines. */
const FIRST_BYTE = binding.layout.fdSetFirstByte ?? 0;
const HIGHEST = 8 * BYTES - 1;

/** Set by the class, which alone has the key; undefined for what is no set. */
let memoryOf: (set: unknown) => Uint8Array | undefined;

/**
 * `fd_set`: a set of descriptors, for `select`.
 *
 * It has room for the descriptors below `FD_SETSIZE` (1024 on most systems) and no others: in C the
 * macros write outside the set for those, here it is a RangeError. `select` leaves in a set what is
 * ready; fill it again before the next call, or copy it from one that you keep.
 *
 * @example
 * ```ts
 * const watched = new FdSet();
 * const ready = new FdSet();
 * watched.set(fd);
 * ready.assign(watched);
 * if (select(fd + 1, ready, null, null, null) > 0 && ready.isSet(fd)) read(fd, …);
 * ```
 * @see select(2), FD_SET(3)
 */
export class FdSet {
  readonly #bits: Uint8Array = new Uint8Array(BYTES);

  static {
    memoryOf = (set) =>
      typeof set === 'object' && set !== null && #bits in set ? set.#bits : undefined;
  }

  /**
   * `FD_SET(fd, set)`: takes a descriptor in.
   *
   * @param fd  0 … `FD_SETSIZE - 1`.
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE`
   */
  set(fd: number): void {
    this.#bits[byteOf(fd)] = this.#byte(fd) | (1 << (fd & 7));
  }

  /** `FD_CLR(fd, set)`: takes a descriptor out. Parameters as {@link FdSet.set}. */
  clear(fd: number): void {
    this.#bits[byteOf(fd)] = this.#byte(fd) & ~(1 << (fd & 7));
  }

  /** `FD_ISSET(fd, set)`: whether a descriptor is in. Parameters as {@link FdSet.set}. */
  isSet(fd: number): boolean {
    return (this.#byte(fd) & (1 << (fd & 7))) !== 0;
  }

  /** `FD_ZERO(set)`: takes all out. */
  zero(): void {
    this.#bits.fill(0);
  }

  /**
   * `*set = *other`: takes over what is in another set.
   *
   * @throws TypeError `ERR_INVALID_ARG_TYPE`
   */
  assign(other: FdSet): void {
    this.#bits.set(fdSetMemory(other, 'other'));
  }

  #byte(fd: number): number {
    return this.#bits[byteOf(fd)] as number;
  }
}

function byteOf(fd: number): number {
  return (checkInteger(fd, 'fd', 0, HIGHEST) >> 3) ^ FIRST_BYTE;
}

/** The memory behind a set. Refuses what is none, so that the addon only sees real memory. @internal */
export function fdSetMemory(set: FdSet, name: string): Uint8Array {
  const memory = memoryOf(set);
  if (memory === undefined) throw invalidArgType(name, 'FdSet', set);
  return memory;
}

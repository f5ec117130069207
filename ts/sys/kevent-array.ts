import { checkInteger, INT_MAX, invalidArgType, outOfRange } from '../errors.js';
import { binding } from '../native.js';

/** A field of the struct: where it begins and how long it is, in bytes. */
interface Field {
  readonly at: number;
  readonly bytes: number;
}

const { layout } = binding;

/** Where macOS has them: stands in where there is no header. */
const MACOS_LAYOUT = {
  ident: [0, 8],
  filter: [8, 2],
  flags: [10, 2],
  fflags: [12, 4],
  data: [16, 8],
  udata: [24, 8],
} as const;

/** `struct kevent` as the addon's header has it. */
function field(name: keyof typeof MACOS_LAYOUT): Field {
  const [at, bytes] = MACOS_LAYOUT[name];
  return {
    at: layout[`kevent_${name}`] ?? at,
    bytes: layout[`kevent_${name}_bytes`] ?? bytes,
  };
}

const STRIDE = layout['kevent_bytes'] ?? 32;
const LITTLE_ENDIAN = layout['kevent_is_little_endian'] !== 0;
const FILTER_IS_SIGNED = layout['kevent_filter_is_signed'] !== 0;
const IDENT = field('ident');
const FILTER = field('filter');
const FLAGS = field('flags');
const FFLAGS = field('fflags');
const DATA = field('data');
const UDATA = field('udata');

const CAPACITY_MAX = Math.floor(INT_MAX / STRIDE);
const WORD = 2 ** 32;

/** Set by the class, which alone has the key; undefined for what is no such array. */
let memoryOf: (events: unknown) => Uint8Array | undefined;

/**
 * `struct kevent events[capacity]`: changes for `kevent`, and the events that it answers.
 *
 * Its memory has the layout of this system's own header, is allocated once, and is read without a
 * copy. Elements beyond the count of the last call keep what they held before.
 *
 * @example
 * ```ts
 * const changes = new KeventArray(1);
 * const events = new KeventArray(64);
 * changes.set(0, fd, EVFILT_READ, EV_ADD);
 * const n = kevent(kq, changes, 1, events, 64, null);
 * for (let i = 0; i < n; i++) console.log(events.getIdent(i), events.getData(i));
 * ```
 * @see kqueue(2)
 */
export class KeventArray {
  /** How many events fit. */
  readonly capacity: number;
  readonly #length: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  static {
    memoryOf = (events) =>
      typeof events === 'object' && events !== null && #bytes in events ? events.#bytes : undefined;
  }

  /**
   * @param capacity  How many events fit: an integer, 1 … `INT_MAX / sizeof(struct kevent)`.
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE`
   */
  constructor(capacity: number) {
    this.capacity = checkInteger(capacity, 'capacity', 1, CAPACITY_MAX);
    this.#length = capacity;
    this.#bytes = new Uint8Array(capacity * STRIDE);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /**
   * `EV_SET(&events[i], ident, filter, flags, fflags, data, udata)`: writes all fields.
   *
   * @param i       0 … capacity - 1.
   * @param ident   What it is about, for most filters a descriptor: a safe integer >= 0, or a bigint
   *                of 64 bits.
   * @param filter  `EVFILT_READ` …
   * @param flags   `EV_ADD | EV_CLEAR | …`, signed or unsigned.
   * @param fflags  `NOTE_…`, int32 or uint32. Left out: 0.
   * @param data    A safe integer, or a bigint of 64 bits with a sign. Left out: 0.
   * @param udata   Comes back with every event: a safe integer >= 0, or a bigint of 64 bits. Never an
   *                address of something. Left out: 0.
   * @throws TypeError `ERR_INVALID_ARG_TYPE`, RangeError `ERR_OUT_OF_RANGE`
   */
  set(
    i: number,
    ident: number | bigint,
    filter: number,
    flags: number,
    fflags = 0,
    data: number | bigint = 0,
    udata: number | bigint = 0,
  ): void {
    const start = this.#start(i);
    const checked = {
      ident: checkWide(ident, 'ident', IDENT, false),
      filter: checkInteger(filter, 'filter', ...rangeOf(FILTER, FILTER_IS_SIGNED)),
      flags: checkInteger(flags, 'flags', ...rangeOfBits(FLAGS)),
      fflags: checkInteger(fflags, 'fflags', ...rangeOfBits(FFLAGS)),
      data: checkWide(data, 'data', DATA, true),
      udata: checkWide(udata, 'udata', UDATA, false),
    };
    this.#setWide(start, IDENT, checked.ident);
    this.#setNarrow(start, FILTER, checked.filter);
    this.#setNarrow(start, FLAGS, checked.flags);
    this.#setNarrow(start, FFLAGS, checked.fflags);
    this.#setWide(start, DATA, checked.data);
    this.#setWide(start, UDATA, checked.udata);
  }

  /**
   * `events[i].ident`. Exact up to 2 ** 53.
   *
   * @throws RangeError `ERR_OUT_OF_RANGE` unless 0 <= i < capacity
   */
  getIdent(i: number): number {
    const start = this.#start(i);
    return this.#high(start, IDENT) * WORD + this.#low(start, IDENT);
  }

  /** `events[i].filter`: `EVFILT_READ` … */
  getFilter(i: number): number {
    const at = this.#start(i) + FILTER.at;
    if (FILTER.bytes === 2) return this.#view.getInt16(at, LITTLE_ENDIAN);
    return FILTER_IS_SIGNED
      ? this.#view.getInt32(at, LITTLE_ENDIAN)
      : this.#view.getUint32(at, LITTLE_ENDIAN);
  }

  /** `events[i].flags`: the mode, and `EV_EOF` or `EV_ERROR`, as an unsigned number. */
  getFlags(i: number): number {
    const at = this.#start(i) + FLAGS.at;
    return FLAGS.bytes === 2
      ? this.#view.getUint16(at, LITTLE_ENDIAN)
      : this.#view.getUint32(at, LITTLE_ENDIAN);
  }

  /** `events[i].fflags`: what the filter has to say, as uint32. */
  getFflags(i: number): number {
    return this.#view.getUint32(this.#start(i) + FFLAGS.at, LITTLE_ENDIAN);
  }

  /** `events[i].data`: bytes, expirations, an errno … Exact up to 2 ** 53 either way. */
  getData(i: number): number {
    const start = this.#start(i);
    const low = this.#low(start, DATA);
    if (DATA.bytes === 4) return low | 0;
    return (this.#high(start, DATA) | 0) * WORD + low;
  }

  /** `events[i].udata`: what was given with the change, all its bits. Allocates the bigint. */
  getUdata(i: number): bigint {
    const start = this.#start(i);
    return (BigInt(this.#high(start, UDATA)) << 32n) | BigInt(this.#low(start, UDATA));
  }

  /** The low 32 bits of `events[i].udata`, as uint32. */
  getUdataLow(i: number): number {
    return this.#low(this.#start(i), UDATA);
  }

  /** The high 32 bits of `events[i].udata`, as uint32; 0 where pointers have 32 bits. */
  getUdataHigh(i: number): number {
    return this.#high(this.#start(i), UDATA);
  }

  #start(i: number): number {
    return checkInteger(i, 'i', 0, this.#length - 1) * STRIDE;
  }

  #low(start: number, { at, bytes }: Field): number {
    const skipped = bytes === 8 && !LITTLE_ENDIAN ? 4 : 0;
    return this.#view.getUint32(start + at + skipped, LITTLE_ENDIAN);
  }

  #high(start: number, { at, bytes }: Field): number {
    if (bytes === 4) return 0;
    return this.#view.getUint32(start + at + (LITTLE_ENDIAN ? 4 : 0), LITTLE_ENDIAN);
  }

  #setNarrow(start: number, { at, bytes }: Field, value: number): void {
    if (bytes === 2) this.#view.setUint16(start + at, value, LITTLE_ENDIAN);
    else this.#view.setUint32(start + at, value, LITTLE_ENDIAN);
  }

  #setWide(start: number, { at, bytes }: Field, value: number | bigint): void {
    if (bytes === 4) {
      this.#view.setUint32(start + at, Number(value), LITTLE_ENDIAN);
    } else if (typeof value === 'bigint') {
      this.#view.setBigInt64(start + at, value, LITTLE_ENDIAN);
    } else {
      const high = Math.floor(value / WORD);
      this.#view.setUint32(
        start + at + (LITTLE_ENDIAN ? 0 : 4),
        value - high * WORD,
        LITTLE_ENDIAN,
      );
      this.#view.setInt32(start + at + (LITTLE_ENDIAN ? 4 : 0), high, LITTLE_ENDIAN);
    }
  }
}

/** What a signed or unsigned field of that length holds. */
function rangeOf({ bytes }: Field, isSigned: boolean): [lowest: number, highest: number] {
  const half = 2 ** (8 * bytes - 1);
  return isSigned ? [-half, half - 1] : [0, 2 * half - 1];
}

/** Bits of a mask, which JavaScript may have made negative. */
function rangeOfBits(field: Field): [lowest: number, highest: number] {
  return [rangeOf(field, true)[0], rangeOf(field, false)[1]];
}

function checkWide(
  value: unknown,
  name: string,
  { bytes }: Field,
  isSigned: boolean,
): number | bigint {
  if (typeof value !== 'bigint' && typeof value !== 'number') {
    throw invalidArgType(name, 'number or bigint', value);
  }
  const bits = 8 * bytes;
  const isSafe = typeof value === 'bigint' || Number.isSafeInteger(value);
  if (isSafe && fits(BigInt(value), bits, isSigned)) return value;
  const least = isSigned ? `-(2 ** ${String(bits - 1)})` : '0';
  const most = `2 ** ${String(isSigned ? bits - 1 : bits)}`;
  throw outOfRange(name, `an integer >= ${least} and < ${most}`, value);
}

function fits(value: bigint, bits: number, isSigned: boolean): boolean {
  return value === (isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value));
}

/** The memory behind an array. Refuses what is none, so that the addon only sees real memory. @internal */
export function keventMemory(events: KeventArray | null, name: string): Uint8Array | null {
  if (events === null) return null;
  const memory = memoryOf(events);
  if (memory === undefined) throw invalidArgType(name, 'KeventArray', events);
  return memory;
}

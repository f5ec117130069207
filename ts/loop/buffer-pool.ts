import { checkInteger, checkOptions, INT_MAX, invalidArgType, stateError } from '../errors.js';

const BUFFER_BYTES = 64 * 1024;
const BUFFER_BYTES_MAX = 2 ** 30;
const MAX_BUFFERS = 1024;

/** How large a pool is. */
export interface BufferPoolOptions {
  /** The length of each buffer in bytes, 1 … 2 ** 30. Default: 65,536. */
  readonly bufferBytes?: number;
  /** How many can be lent at the same time, 1 … 2 ** 31 - 1. Default: 1,024. */
  readonly maxBuffers?: number;
}

/**
 * Buffers that are lent and come back, so that a server which has warmed up allocates none.
 *
 * The connections of a loop keep their pending output in those of `loop.buffers`; a program may
 * borrow some for itself. `maxBuffers * bufferBytes` is the bound of all of it together. Memory is
 * taken when a buffer is lent for the first time, and stays with the pool.
 *
 * @example
 * ```ts
 * const buffer = loop.buffers.lend();
 * if (buffer === undefined) return; // all are out: later
 * try { fill(buffer); } finally { loop.buffers.giveBack(buffer); }
 * ```
 */
export class BufferPool {
  /** The length of each buffer. */
  readonly bufferBytes: number;
  /** How many can be lent at the same time. */
  readonly maxBuffers: number;
  /** Each buffer there is, and whether it is lent. Changing an answer allocates nothing. */
  readonly #lentOf = new Map<Buffer, boolean>();
  /** Those to be lent, the last one given back first: the processor may still have it at hand. */
  readonly #atHome: Buffer[] = [];
  #lent = 0;

  /** @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` */
  constructor(options: BufferPoolOptions = {}) {
    const { bufferBytes = BUFFER_BYTES, maxBuffers = MAX_BUFFERS } = checkOptions(options);
    this.bufferBytes = checkInteger(bufferBytes, 'bufferBytes', 1, BUFFER_BYTES_MAX);
    this.maxBuffers = checkInteger(maxBuffers, 'maxBuffers', 1, INT_MAX);
  }

  /** How many are lent now. */
  get lent(): number {
    return this.#lent;
  }

  /** How many can still be lent. */
  get free(): number {
    return this.maxBuffers - this.#lent;
  }

  /**
   * A buffer for as long as you need it, or `undefined` if all are lent. What it holds is left from
   * whoever had it before.
   */
  lend(): Buffer | undefined {
    if (this.#lent === this.maxBuffers) return undefined;
    const buffer = this.#fromHome() ?? Buffer.allocUnsafeSlow(this.bufferBytes);
    this.#lentOf.set(buffer, true);
    this.#lent++;
    return buffer;
  }

  /**
   * Takes a buffer back: the very object that was lent, no view of it. It belongs to somebody else
   * from now on.
   *
   * @throws `ERR_INVALID_STATE`: this pool has not lent it, or has it back; `ERR_INVALID_ARG_TYPE`.
   */
  giveBack(buffer: Buffer): void {
    if (!Buffer.isBuffer(buffer)) throw invalidArgType('buffer', 'Buffer', buffer);
    if (this.#lentOf.get(buffer) !== true) throw stateError('the buffer is not lent by this pool');
    this.#lentOf.set(buffer, false);
    this.#lent--;
    this.#atHome.push(buffer);
  }

  /** One whose memory was transferred to another thread has none any more, and is forgotten. */
  #fromHome(): Buffer | undefined {
    for (;;) {
      const buffer = this.#atHome.pop();
      if (buffer === undefined || buffer.length === this.bufferBytes) return buffer;
      this.#lentOf.delete(buffer);
    }
  }
}

/** So many lengths have a view that is made once and used again. */
const VIEWS_KEPT = 1024;

/**
 * One buffer that is used again and again, and views of its first bytes: those of lengths that
 * recur are kept, so that a view costs no allocation.
 * @internal
 */
export class ScratchBuffer {
  readonly #length: number;
  #whole: Buffer | undefined;
  readonly #views: (Buffer | undefined)[] = [];

  constructor(length: number) {
    this.#length = length;
  }

  /** All of it. A new one if the memory was transferred to another thread. */
  get whole(): Buffer {
    if (this.#whole?.length !== this.#length) this.#whole = Buffer.allocUnsafeSlow(this.#length);
    return this.#whole;
  }

  /** A view of the first `length` bytes, 1 … all of them. */
  first(length: number): Buffer {
    const kept = this.#views[length % VIEWS_KEPT];
    // A view of memory that was transferred has the length 0.
    if (kept?.length === length) return kept;
    while (this.#views.length < VIEWS_KEPT) this.#views.push(undefined);
    return (this.#views[length % VIEWS_KEPT] = this.whole.subarray(0, length));
  }
}

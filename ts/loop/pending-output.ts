import type { Stream } from '../descriptor/stream.js';
import { WOULD_BLOCK } from '../descriptor/owned-descriptor.js';
import type { BufferPool } from './buffer-pool.js';

/**
 * What a connection could not send yet: a queue of bytes in buffers of the pool. Small pieces come
 * to lie one after the other in one buffer, and go out with one call.
 * @internal
 */
export class PendingOutput {
  readonly #pool: BufferPool;
  readonly #buffers: Buffer[] = [];
  /** Where the bytes begin in the first buffer. */
  #start = 0;
  /** Where they end in the last one. */
  #end = 0;
  #bytes = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Copies `source` from `from` on. False if the pool has no room for all of it: nothing is kept. */
  append(source: Uint8Array, from: number): boolean {
    const { bufferBytes } = this.#pool;
    let place = this.#buffers.length - 1;
    const room = place < 0 ? 0 : bufferBytes - this.#end;
    if (!this.#lend(Math.ceil((source.length - from - room) / bufferBytes))) return false;
    for (let at = from; at < source.length;) {
      if (place < 0 || this.#end === bufferBytes) {
        place++;
        this.#end = 0;
      }
      const to = Math.min(source.length, at + bufferBytes - this.#end);
      (this.#buffers[place] as Buffer).set(source.subarray(at, to), this.#end);
      this.#end += to - at;
      at = to;
    }
    this.#bytes += source.length - from;
    return true;
  }

  /**
   * Sends what the kernel takes. True once nothing waits any more.
   *
   * @throws As `Stream.write`.
   */
  sendTo(stream: Stream): boolean {
    while (this.#bytes > 0) {
      const buffer = this.#buffers[0] as Buffer;
      const length = (this.#buffers.length === 1 ? this.#end : buffer.length) - this.#start;
      const sent = stream.write(buffer, this.#start, length);
      if (sent === WOULD_BLOCK) return false;
      this.#start += sent;
      this.#bytes -= sent;
      if (sent < length) return false; // The kernel is full: no need to be told so.
      this.#pool.giveBack(buffer);
      this.#buffers.shift();
      this.#start = 0;
    }
    return true;
  }

  /** Takes what waits out of here, as one piece. */
  take(): Buffer {
    const last = this.#buffers.length - 1;
    const pieces = this.#buffers.map((buffer, i) =>
      buffer.subarray(i === 0 ? this.#start : 0, i === last ? this.#end : buffer.length),
    );
    const whole = Buffer.concat(pieces);
    this.clear();
    return whole;
  }

  /** Forgets what waits. */
  clear(): void {
    for (const buffer of this.#buffers) this.#pool.giveBack(buffer);
    this.#buffers.length = 0;
    this.#start = 0;
    this.#end = 0;
    this.#bytes = 0;
  }

  /** So many more buffers, or none. */
  #lend(count: number): boolean {
    if (count > this.#pool.free) return false;
    for (let i = 0; i < count; i++) this.#buffers.push(this.#pool.lend() as Buffer);
    return true;
  }
}

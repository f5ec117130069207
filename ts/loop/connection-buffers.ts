import { BufferPool, ScratchBuffer, type BufferPoolOptions } from './buffer-pool.js';

const ENCODING_BYTES = 64 * 1024;
/** No unit of a string has more bytes in UTF-8. */
const UTF8_BYTES_MAX = 3;

/** The memory that the connections of a loop share. @internal */
export class ConnectionBuffers {
  /** Where pending output lies. */
  readonly pool: BufferPool;
  /** What all of them read into. */
  readonly reading: ScratchBuffer;
  readonly #encoding = new ScratchBuffer(ENCODING_BYTES);

  constructor(options: BufferPoolOptions | undefined) {
    this.pool = new BufferPool(options);
    this.reading = new ScratchBuffer(this.pool.bufferBytes);
  }

  /** A string as UTF-8, good until the next one. */
  encode(text: string): Buffer {
    if (text.length > ENCODING_BYTES / UTF8_BYTES_MAX) return Buffer.from(text);
    return this.#encoding.first(this.#encoding.whole.write(text));
  }
}

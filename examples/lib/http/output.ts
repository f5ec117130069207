const OUTPUT_BYTES = 64 * 1024;

/** Where an output goes: a `Connection` of the loop. */
export interface Sink {
  write(bytes: Uint8Array | string): boolean;
}

/**
 * What a connection writes while it serves the requests that have come with one read: a server has
 * one of these, and the connection whose turn it is uses it. Answers that are asked for in a row
 * go out in one piece.
 */
export class Output {
  readonly #buffer = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  #length = 0;

  /**
   * Adds a text.
   *
   * @param bytes  Its length in UTF-8.
   * @returns      False if the sink wants no more for now.
   */
  addText(sink: Sink, text: string, bytes: number): boolean {
    if (bytes > OUTPUT_BYTES) return this.#pass(sink, text);
    const goesOn = this.#makeRoom(sink, bytes);
    this.#length += this.#buffer.write(text, this.#length);
    return goesOn;
  }

  addBytes(sink: Sink, bytes: Uint8Array): boolean {
    if (bytes.length > OUTPUT_BYTES) return this.#pass(sink, bytes);
    const goesOn = this.#makeRoom(sink, bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    return goesOn;
  }

  /** Hands over what there is. */
  flush(sink: Sink): boolean {
    if (this.#length === 0) return true;
    const length = this.#length;
    this.#length = 0;
    return sink.write(this.#buffer.subarray(0, length));
  }

  #makeRoom(sink: Sink, bytes: number): boolean {
    return this.#length + bytes <= OUTPUT_BYTES || this.flush(sink);
  }

  #pass(sink: Sink, bytes: Uint8Array | string): boolean {
    const goesOn = this.flush(sink);
    return sink.write(bytes) && goesOn;
  }
}

const OUTPUT_BYTES = 64 * 1024;

/** Where an output goes: a `Connection` of the loop. */
export interface Sink {
  write(bytes: Uint8Array | string): boolean;
}

/**
 * What a connection writes while it serves the requests that have come with one read: a server has
 * one of these, and the connection whose turn it is uses it. One piece goes out as it is; several
 * are gathered, so that answers to requests in a row leave with one call.
 *
 * A handler may bring another connection to write or to leave: what lies here is not its.
 */
export class Output {
  readonly #buffer = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  #length = 0;
  /** Whose it is, as long as there is something. */
  #sink: Sink | undefined;
  /** The only piece so far. It must not change before it is gone. */
  #only: string | Uint8Array | undefined;

  /**
   * Adds a piece.
   *
   * @returns  False if the sink wants no more for now.
   */
  add(sink: Sink, piece: string | Uint8Array): boolean {
    this.#sink ??= sink;
    if (this.#sink !== sink) return sink.write(piece);
    if (this.#only === undefined) {
      if (this.#length > 0) return this.#gather(sink, piece);
      this.#only = piece;
      return true;
    }
    const only = this.#only;
    this.#only = undefined;
    const goesOn = this.#gather(sink, only);
    return this.#gather(sink, piece) && goesOn;
  }

  /** Hands over what there is of it. */
  flush(sink: Sink): boolean {
    if (this.#sink !== sink) return true;
    this.#sink = undefined;
    return this.#empty(sink);
  }

  #empty(sink: Sink): boolean {
    const whole = this.#only ?? this.#buffer.subarray(0, this.#length);
    this.#only = undefined;
    this.#length = 0;
    return whole.length === 0 || sink.write(whole);
  }

  #gather(sink: Sink, piece: string | Uint8Array): boolean {
    const bytes = typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
    let goesOn = true;
    if (this.#length + bytes > OUTPUT_BYTES) goesOn = this.#empty(sink);
    if (bytes > OUTPUT_BYTES) return sink.write(piece) && goesOn;
    if (typeof piece === 'string') this.#buffer.write(piece, this.#length);
    else this.#buffer.set(piece, this.#length);
    this.#length += bytes;
    return goesOn;
  }
}

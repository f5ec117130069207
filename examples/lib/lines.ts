const LINE_FEED = 0x0a;
const EMPTY = Buffer.alloc(0);

/** Cuts a stream of bytes into lines, which are taken out one by one. */
export class Lines {
  readonly #bytesMax: number;
  #bytes: Buffer = EMPTY;
  #from = 0;

  /** @param bytesMax  How long a line may be, without its end. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Adds what has come; it is copied. */
  add(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#from), chunk]);
    this.#from = 0;
  }

  /** The next line that is complete, without its end; undefined if there is none. */
  next(): string | undefined {
    const end = this.#bytes.indexOf(LINE_FEED, this.#from);
    if (end < 0 || end - this.#from > this.#bytesMax) return undefined;
    const line = this.#bytes.toString('utf8', this.#from, end);
    this.#from = end + 1;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  /** Whether the line that comes next is longer than allowed: nobody needs to wait for its end. */
  get tooLong(): boolean {
    const end = this.#bytes.indexOf(LINE_FEED, this.#from);
    return (end < 0 ? this.#bytes.length : end) - this.#from > this.#bytesMax;
  }
}

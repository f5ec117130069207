import { refusalOf } from './checks.js';
import { Head } from './head.js';
import type { Limits } from './limits.js';
import * as llhttp from './llhttp.js';
import type { Llhttp, LlhttpEvents } from './llhttp.js';

/** What `next` answers: the input is used up; a request is complete; a request is refused. */
const NEEDS_MORE = 0;
export const COMPLETE = 1;
export const REFUSED = 2;

/** What chunks may have around them: so many bytes, and so many for each byte of content. */
const WRAPPING_BYTES = 16 * 1024;
const WRAPPING_PER_BYTE = 8;

const NOTHING = Buffer.alloc(0);
const FIRST_BODY_BYTES = 4 * 1024;

/**
 * Takes the requests of one connection after the other out of what it reads, and refuses what is no
 * request, is too large, or could be read in two ways.
 */
export class RequestParser implements LlhttpEvents {
  readonly head: Head = new Head();
  /** The status that refuses the request. */
  refusal = 0;
  readonly #llhttp: Llhttp;
  readonly #limits: Limits;
  readonly #parser: number;
  #chunk: Buffer = NOTHING;
  #at = 0;
  /** Where the chunk begins in the bytes of the head; -1 as long as it is no part of them. */
  #headAt = -1;
  #started = false;
  #inBody = false;
  #expectsContinue = false;
  #body: Buffer | undefined;
  #bodyBytes = 0;
  /** Of this message, content and all. */
  #bytes = 0;

  constructor(llhttp: Llhttp, limits: Limits) {
    this.#llhttp = llhttp;
    this.#limits = limits;
    this.#parser = llhttp.create();
  }

  /** Forgets all of its client, for another one. */
  reset(): void {
    this.#llhttp.reset(this.#parser);
    this.#started = false;
    this.#inBody = false;
    this.refusal = 0;
    this.#body = undefined;
    this.#chunk = NOTHING;
    this.#at = 0;
    this.head.drop();
  }

  /** The parser is not used after that. */
  free(): void {
    this.#llhttp.free(this.#parser);
  }

  /** The request that is complete will be asked for its fields after its chunk has gone. */
  keepHead(): void {
    this.head.keep();
  }

  /** The first bytes of a request have come, and not yet the last ones. */
  get inMessage(): boolean {
    return this.#started;
  }

  /** Its head has come. */
  get inBody(): boolean {
    return this.#inBody;
  }

  /** The client waits to be told that its body is wanted. True once. */
  takeExpectation(): boolean {
    const expects = this.#inBody && this.#expectsContinue && this.#bodyBytes === 0;
    this.#expectsContinue = false;
    return expects;
  }

  /** The body of the request that is complete, which is yours now. */
  takeBody(): Buffer | undefined {
    const body = this.#body?.subarray(0, this.#bodyBytes);
    this.#body = undefined;
    return body;
  }

  /** Makes a chunk the input. It is read by `next` until that answers `NEEDS_MORE`. */
  load(chunk: Buffer): void {
    this.#llhttp.load(chunk);
    this.#chunk = chunk;
    this.#at = 0;
    this.#headAt = -1;
  }

  /** What `next` has not read yet. A view of the chunk. */
  get rest(): Buffer {
    return this.#chunk.subarray(this.#at);
  }

  get hasRest(): boolean {
    return this.#at < this.#chunk.length;
  }

  /** Reads until a request is complete or refused, or the input is used up. */
  next(): number {
    while (this.hasRest) {
      if (!this.#inBody) this.#readHead();
      const from = this.#at;
      const result = this.#llhttp.execute(this.#parser, this, from, this.#chunk.length);
      if (result === llhttp.OK) {
        this.#at = this.#chunk.length;
        this.#bytes += this.#at - from;
        this.head.keep(); // the chunk goes, and the message is not complete
        return this.#isTooMuch() ? REFUSED : NEEDS_MORE;
      }
      if (result !== llhttp.PAUSED && result !== llhttp.PAUSED_UPGRADE) return this.#refuse(result);
      this.#at = this.#llhttp.resume(this.#parser, result);
      // Of other protocols we speak none, and go on with this one.
      if (result === llhttp.PAUSED) return this.#complete();
    }
    return NEEDS_MORE;
  }

  onMessageBegin(): number {
    this.head.clear();
    this.#body = undefined;
    this.#bodyBytes = 0;
    this.#bytes = 0;
    this.#expectsContinue = false;
    return llhttp.OK;
  }

  onTarget(from: number, length: number): number {
    const at = from + this.#headAt;
    this.head.addTarget(at, at + length);
    const { targetFrom, targetTo } = this.head;
    return targetTo - targetFrom > this.#limits.targetBytes ? this.#endWith(414) : llhttp.OK;
  }

  onFieldName(from: number, length: number): number {
    if (this.#inBody) return llhttp.OK; // a trailer, which nobody asks for
    const at = from + this.#headAt;
    this.head.addName(at, at + length);
    return this.#boundHead(at + length);
  }

  onFieldValue(from: number, length: number): number {
    if (this.#inBody) return llhttp.OK;
    const at = from + this.#headAt;
    this.head.addValue(at, at + length);
    return this.#boundHead(at + length);
  }

  onHeadersComplete(keepAlive: boolean): number {
    const { head } = this;
    const parser = this.#parser;
    head.complete(this.#llhttp.method(parser), this.#llhttp.version(parser), keepAlive);
    const refusal = refusalOf(head, this.#limits);
    if (refusal !== 0) return this.#endWith(refusal);
    this.#inBody = true;
    this.#expectsContinue = head.version === 11 && head.expect >= 0;
    return llhttp.OK;
  }

  onBody(from: number, length: number): number {
    const bytes = this.#bodyBytes + length;
    if (bytes > this.#limits.bodyBytes) return this.#endWith(413);
    this.#makeRoom(bytes).set(this.#chunk.subarray(from, from + length), this.#bodyBytes);
    this.#bodyBytes = bytes;
    return llhttp.OK;
  }

  /** Twice as much each time, so that a body in many small chunks is not copied for each. */
  #makeRoom(bytes: number): Buffer {
    const body = this.#body;
    if (body !== undefined && body.length >= bytes) return body;
    const size = Math.max(bytes, 2 * this.#bodyBytes, FIRST_BODY_BYTES);
    const larger = Buffer.allocUnsafe(Math.min(size, this.#limits.bodyBytes));
    body?.copy(larger, 0, 0, this.#bodyBytes);
    return (this.#body = larger);
  }

  /** A head that began in the chunk before goes on in this one, and so do its bytes. */
  #readHead(): void {
    const { head } = this;
    if (!this.#started) {
      head.begin(this.#chunk, this.#at);
      this.#headAt = 0;
    } else if (this.#headAt < 0) {
      this.#headAt = head.append(this.#chunk);
    }
    this.#started = true;
  }

  #complete(): number {
    this.#started = false;
    this.#inBody = false;
    return COMPLETE;
  }

  #boundHead(end: number): number {
    const { head } = this;
    if (head.fields > this.#limits.fields) return this.#endWith(431);
    return end - head.start > this.#limits.headBytes ? this.#endWith(431) : llhttp.OK;
  }

  #endWith(status: number): number {
    this.refusal = status;
    return llhttp.USER;
  }

  /** For what llhttp reads without telling of it: blanks, line ends, extensions of chunks. */
  #isTooMuch(): boolean {
    if (this.#inBody) {
      const most = this.#limits.headBytes + WRAPPING_BYTES + WRAPPING_PER_BYTE * this.#bodyBytes;
      if (this.#bytes - this.#bodyBytes > most) this.refusal = 413;
    } else if (this.head.bytes.length - this.head.start > this.#limits.headBytes) {
      this.refusal = 431;
    }
    return this.refusal !== 0;
  }

  #refuse(error: number): number {
    if (this.refusal === 0) this.refusal = this.#statusOf(error);
    return REFUSED;
  }

  #statusOf(error: number): number {
    // Before the first line of a message may be empty ones.
    const { bytes, start } = this.head;
    const text = bytes.toString('latin1', start).replace(/^[\r\n]+/, '');
    if (error === llhttp.INVALID_METHOD) return /^[\w!#$%&'*+.^`|~-]+( |$)/.test(text) ? 501 : 400;
    if (error === llhttp.INVALID_VERSION) {
      return /^[^\r\n]* HTTP\/(?!1\.[01])\d\.\d(\r|$)/.test(text) ? 505 : 400;
    }
    return error === llhttp.PAUSED_H2_UPGRADE ? 505 : 400;
  }
}

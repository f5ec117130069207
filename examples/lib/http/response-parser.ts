import * as llhttp from './llhttp.js';
import type { Llhttp, LlhttpEvents } from './llhttp.js';

/** Reads one response, and counts the bytes of its body. */
export class ResponseParser implements LlhttpEvents, Disposable {
  status = 0;
  bodyBytes = 0;
  readonly #llhttp: Llhttp;
  readonly #parser: number;

  constructor(parsers: Llhttp) {
    this.#llhttp = parsers;
    this.#parser = parsers.create('response');
  }

  /** Takes what has come. True once the response is complete; throws if it is none. */
  read(chunk: Buffer): boolean {
    this.#llhttp.load(chunk);
    return this.#check(this.#llhttp.execute(this.#parser, this, 0, chunk.length));
  }

  /** Nothing more comes. True if that completes a response, of a length that was not told. */
  finish(): boolean {
    return this.#check(this.#llhttp.finish(this.#parser, this));
  }

  /** Gives the parser back. It is not used after that. */
  [Symbol.dispose](): void {
    this.#llhttp.free(this.#parser);
  }

  onMessageBegin(): number {
    return llhttp.OK;
  }

  onTarget(): number {
    return llhttp.OK;
  }

  onFieldName(): number {
    return llhttp.OK;
  }

  onFieldValue(): number {
    return llhttp.OK;
  }

  onHeadersComplete(): number {
    this.status = this.#llhttp.status(this.#parser);
    return llhttp.OK;
  }

  onBody(_from: number, length: number): number {
    this.bodyBytes += length;
    return llhttp.OK;
  }

  #check(result: number): boolean {
    if (result === llhttp.OK) return false;
    if (result === llhttp.PAUSED || result === llhttp.PAUSED_UPGRADE) return true;
    throw new Error(`no response of HTTP: error ${result} of llhttp`);
  }
}

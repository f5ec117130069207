/**
 * llhttp, the parser of Node's own `http`, as the WebAssembly that undici carries: why this one,
 * see docs/decisions/0027-http-parser.md.
 *
 * llhttp does not keep what it reads: it says where in its input the parts of a message begin and
 * end, as soon as it knows. So all parsers of a server share one piece of input memory.
 */
import { createRequire } from 'node:module';
import { METHODS } from 'undici/lib/llhttp/constants.js';

/** What a parser reports. The answer 0 lets it go on; any other ends the parsing with an error. */
export interface LlhttpEvents {
  onMessageBegin(): number;
  onTarget(from: number, length: number): number;
  onFieldName(from: number, length: number): number;
  onFieldValue(from: number, length: number): number;
  onHeadersComplete(keepAlive: boolean): number;
  onBody(from: number, length: number): number;
}

/** What `execute` answers: the message is complete, or all input was used up. Others: refused. */
export const OK = 0;
export const PAUSED = 21;
/** A message that asks for another protocol is complete. */
export const PAUSED_UPGRADE = 22;
/** The errors that are answered with more than a 400. */
export const INVALID_METHOD = 6;
export const INVALID_VERSION = 9;
export const PAUSED_H2_UPGRADE = 23;
/** What a function of `LlhttpEvents` answers to end the parsing. */
export const USER = 24;

/** `llhttp_type_t` */
const TYPES = { request: 1, response: 2 } as const;
const INPUT_BYTES = 64 * 1024;

type Span = (parser: number, at: number, length: number) => number;

/** What the module asks for. */
interface Imports {
  readonly env: {
    readonly wasm_on_message_begin: (parser: number) => number;
    readonly wasm_on_url: Span;
    readonly wasm_on_status: Span;
    readonly wasm_on_header_field: Span;
    readonly wasm_on_header_value: Span;
    readonly wasm_on_headers_complete: (
      parser: number,
      status: number,
      upgrade: number,
      keepAlive: number,
    ) => number;
    readonly wasm_on_body: Span;
    readonly wasm_on_message_complete: (parser: number) => number;
  };
}

/** What the module gives: the functions of llhttp.h, and the C library's. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize(): void;
  malloc(bytes: number): number;
  free(at: number): void;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_reset(parser: number): void;
  llhttp_execute(parser: number, at: number, length: number): number;
  llhttp_finish(parser: number): number;
  llhttp_get_error_pos(parser: number): number;
  llhttp_resume(parser: number): void;
  llhttp_resume_after_upgrade(parser: number): void;
  llhttp_get_method(parser: number): number;
  llhttp_get_status_code(parser: number): number;
  llhttp_get_http_major(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
}

/** Part of Node, but of no library of types that this program is compiled with. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object, imports: Imports) => { readonly exports: unknown };
};

const METHOD_NAMES: readonly string[] = Object.entries(METHODS).reduce<string[]>(
  (names, [name, number]) => {
    names[number] = name;
    return names;
  },
  [],
);

let compiled: object | undefined;

/** Compiled when the first server wants it, once for all of them. */
function compile(): object {
  const code = createRequire(import.meta.url)('undici/lib/llhttp/llhttp-wasm.js') as Uint8Array;
  return (compiled ??= new WebAssembly.Module(code));
}

/** The parsers of a server. One of them at a time uses the input. */
export class Llhttp {
  readonly #exports: Exports;
  #memory: Buffer;
  #input: number;
  #inputBytes = INPUT_BYTES;
  #events: LlhttpEvents | undefined;

  constructor() {
    const instance = new WebAssembly.Instance(compile(), { env: this.#imports() });
    this.#exports = instance.exports as Exports;
    this.#exports._initialize();
    this.#input = this.#exports.malloc(INPUT_BYTES);
    this.#memory = Buffer.from(this.#exports.memory.buffer);
  }

  /** A parser, to be freed. */
  create(type: keyof typeof TYPES = 'request'): number {
    const parser = this.#exports.llhttp_alloc(TYPES[type]);
    this.#look();
    return parser;
  }

  free(parser: number): void {
    this.#exports.llhttp_free(parser);
  }

  /** Has it begin again, as if it were new. */
  reset(parser: number): void {
    this.#exports.llhttp_reset(parser);
  }

  /** Makes a copy of the chunk the input of the next calls of `execute`. */
  load(chunk: Buffer): void {
    if (chunk.length > this.#inputBytes) this.#enlarge(chunk.length);
    this.#memory.set(chunk, this.#input);
  }

  /**
   * Parses a part of the input, until the end of a message.
   *
   * @returns  `OK`, `PAUSED`, `PAUSED_UPGRADE`, or an error of llhttp.
   */
  execute(parser: number, events: LlhttpEvents, from: number, to: number): number {
    this.#events = events;
    return this.#exports.llhttp_execute(parser, this.#input + from, to - from);
  }

  /** After `PAUSED` or `PAUSED_UPGRADE`: where in the input the message ended. Goes on from there. */
  resume(parser: number, result: number): number {
    const at = this.#exports.llhttp_get_error_pos(parser) - this.#input;
    if (result === PAUSED_UPGRADE) this.#exports.llhttp_resume_after_upgrade(parser);
    else this.#exports.llhttp_resume(parser);
    return at;
  }

  /** There is no more input: `PAUSED` if that ends a message, `OK` if none was begun, or an error. */
  finish(parser: number, events: LlhttpEvents): number {
    this.#events = events;
    return this.#exports.llhttp_finish(parser);
  }

  method(parser: number): string {
    return METHOD_NAMES[this.#exports.llhttp_get_method(parser)] ?? '';
  }

  /** Of a response. */
  status(parser: number): number {
    return this.#exports.llhttp_get_status_code(parser);
  }

  /** 10 for HTTP/1.0, 11 for HTTP/1.1. */
  version(parser: number): number {
    const exports = this.#exports;
    return 10 * exports.llhttp_get_http_major(parser) + exports.llhttp_get_http_minor(parser);
  }

  #imports(): Imports['env'] {
    return {
      wasm_on_message_begin: () => this.#events!.onMessageBegin(),
      wasm_on_url: (_, at, length) => this.#events!.onTarget(at - this.#input, length),
      wasm_on_status: () => OK,
      wasm_on_header_field: (_, at, length) => this.#events!.onFieldName(at - this.#input, length),
      wasm_on_header_value: (_, at, length) => this.#events!.onFieldValue(at - this.#input, length),
      wasm_on_headers_complete: (_, _status, _upgrade, keepAlive) =>
        this.#events!.onHeadersComplete(keepAlive !== 0),
      wasm_on_body: (_, at, length) => this.#events!.onBody(at - this.#input, length),
      wasm_on_message_complete: () => PAUSED,
    };
  }

  #enlarge(bytes: number): void {
    this.#exports.free(this.#input);
    this.#input = this.#exports.malloc(bytes);
    this.#inputBytes = bytes;
    this.#look();
  }

  /** The memory may have grown, and then moved: whoever allocates has to look where it is. */
  #look(): void {
    const { buffer } = this.#exports.memory;
    if (this.#memory.buffer !== buffer) this.#memory = Buffer.from(buffer);
  }
}

/** Where the parts of a field lie in the text: four numbers a field, one after the other. */
const NAME_FROM = 0;
const NAME_TO = 1;
const VALUE_FROM = 2;
const VALUE_TO = 3;
const STEP = 4;

const NONE = -1;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * The head of a request: its text, and where the parser found what. Nothing is cut out of the text
 * before somebody asks for it. A connection has one of these, for one request after the other.
 */
export class Head {
  /** What has come, of this message and perhaps of others before and after it. */
  text = '';
  /** Where the message begins in the text. */
  start = 0;
  targetFrom = 0;
  targetTo = 0;
  method = '';
  /** 10 for HTTP/1.0, 11 for HTTP/1.1. */
  version = 0;
  keepAlive = false;
  /** The request target, once the head is complete. */
  target = '';
  /** The fields that the server itself looks at, -1 if there is none; and whether one comes twice. */
  host: number = NONE;
  expect: number = NONE;
  contentLength: number = NONE;
  transferEncoding: number = NONE;
  repeats = false;
  #fields = 0;
  readonly #spans: number[] = [];

  /** How many fields there are. */
  get fields(): number {
    return this.#fields;
  }

  /** Forgets the fields, and what was known of the target. */
  clear(): void {
    this.#fields = 0;
    this.targetFrom = 0;
    this.targetTo = 0;
  }

  /** A part of the target; it may come in several. */
  addTarget(from: number, to: number): void {
    if (this.targetTo !== from) this.targetFrom = from;
    this.targetTo = to;
  }

  /** A part of a name. It continues the one before if no value has come since. */
  addName(from: number, to: number): void {
    const last = STEP * (this.#fields - 1);
    if (this.#fields > 0 && this.#spans[last + VALUE_FROM] === -1) {
      this.#spans[last + NAME_TO] = to;
      return;
    }
    const at = STEP * this.#fields++;
    this.#spans[at + NAME_FROM] = from;
    this.#spans[at + NAME_TO] = to;
    this.#spans[at + VALUE_FROM] = -1;
    this.#spans[at + VALUE_TO] = -1;
  }

  /** A part of a value. */
  addValue(from: number, to: number): void {
    const at = STEP * (this.#fields - 1);
    if (this.#spans[at + VALUE_FROM] === -1) this.#spans[at + VALUE_FROM] = from;
    this.#spans[at + VALUE_TO] = to;
  }

  /** Everything has come. */
  complete(method: string, version: number, keepAlive: boolean): void {
    this.method = method;
    this.version = version;
    this.keepAlive = keepAlive;
    this.target = this.text.slice(this.targetFrom, this.targetTo);
    this.host = this.expect = this.contentLength = this.transferEncoding = NONE;
    this.repeats = false;
    for (let field = 0; field < this.#fields; field++) this.#notice(field);
  }

  /** Without the blanks around it. */
  value(field: number): string {
    const { text } = this;
    const from = this.#spans[STEP * field + VALUE_FROM] as number;
    let to = this.#spans[STEP * field + VALUE_TO] as number;
    while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
    return text.slice(from, to);
  }

  /**
   * The first field of a name, from `after` on; -1 if there is none.
   *
   * @param name  In lower case.
   */
  find(name: string, after = 0): number {
    for (let field = after; field < this.#fields; field++) {
      if (this.#is(field, name)) return field;
    }
    return -1;
  }

  /** Most fields are told from these by the length of their names alone. */
  #notice(field: number): void {
    switch (this.#nameLength(field)) {
      case 4:
        if (this.#is(field, 'host')) this.host = this.#once(this.host, field);
        break;
      case 6:
        if (this.#is(field, 'expect')) this.expect = this.#once(this.expect, field);
        break;
      case 14:
        if (this.#is(field, 'content-length')) {
          this.contentLength = this.#once(this.contentLength, field);
        }
        break;
      case 17:
        if (this.#is(field, 'transfer-encoding')) {
          this.transferEncoding = this.#once(this.transferEncoding, field);
        }
        break;
    }
  }

  #once(before: number, field: number): number {
    if (before !== NONE) this.repeats = true;
    return field;
  }

  #nameLength(field: number): number {
    const at = STEP * field;
    return (this.#spans[at + NAME_TO] as number) - (this.#spans[at + NAME_FROM] as number);
  }

  /** Names are equal whatever the case of their letters. */
  #is(field: number, name: string): boolean {
    const from = this.#spans[STEP * field + NAME_FROM] as number;
    if (this.#nameLength(field) !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      if (lower(this.text.charCodeAt(from + i)) !== name.charCodeAt(i)) return false;
    }
    return true;
  }
}

function lower(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code + 0x20 : code;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

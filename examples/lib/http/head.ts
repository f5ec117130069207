/** Where the parts of a field lie in the text: four numbers a field, one after the other. */
const NAME_FROM = 0;
const NAME_TO = 1;
const VALUE_FROM = 2;
const VALUE_TO = 3;
const STEP = 4;

const NONE = -1;
const SPACE = 0x20;
const TAB = 0x09;
const NOTHING = Buffer.alloc(0);

/**
 * The head of a request: its bytes, and where the parser found what. No text is made of them before
 * somebody asks for it. A parser has one of these, for one request after the other.
 */
export class Head {
  /** What has come, of this message and perhaps of others before and after it. */
  bytes: Buffer = NOTHING;
  /** Where the message begins in the bytes. */
  start = 0;
  targetFrom = 0;
  targetTo = 0;
  method = '';
  /** 10 for HTTP/1.0, 11 for HTTP/1.1. */
  version = 0;
  keepAlive = false;
  /** The fields that the server itself looks at, -1 if there is none; and whether one comes twice. */
  host: number = NONE;
  expect: number = NONE;
  contentLength: number = NONE;
  transferEncoding: number = NONE;
  repeats = false;
  /** Where the bytes lie, if they are a copy; there may be room for more. */
  #memory: Buffer | undefined;
  #fields = 0;
  readonly #spans: number[] = [];
  readonly #target = new Target();
  readonly #authority = new LastText();

  /** How many fields there are. */
  get fields(): number {
    return this.#fields;
  }

  /** The request target, once the head is complete. */
  get target(): Target {
    return this.#target;
  }

  /** The value of the Host field. */
  get authority(): string {
    const [from, to] = [this.#valueFrom(this.host), this.#valueTo(this.host)];
    return this.#authority.read(this.bytes, from, to);
  }

  /** A message begins in bytes that are good for a while only, unless they are kept. */
  begin(bytes: Buffer, start: number): void {
    this.bytes = bytes;
    this.start = start;
    this.#memory = undefined;
  }

  /** Copies the bytes, for somebody will ask for them later. */
  keep(): void {
    if (this.#memory === undefined) this.#move(this.bytes.length);
  }

  /** The message, which was kept, goes on with these bytes. Answers where they begin. */
  append(bytes: Buffer): number {
    const from = this.bytes.length;
    const to = from + bytes.length;
    // Twice as much each time, so that a head in many small chunks is not copied for each.
    if (this.#memory === undefined || this.#memory.length < to) this.#move(2 * to);
    const memory = this.#memory as Buffer;
    memory.set(bytes, from);
    this.bytes = memory.subarray(0, to);
    return from;
  }

  /** Forgets the bytes. */
  drop(): void {
    this.bytes = NOTHING;
    this.#memory = undefined;
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
    this.#target.read(this.bytes, this.targetFrom, this.targetTo);
    this.host = this.expect = this.contentLength = this.transferEncoding = NONE;
    this.repeats = false;
    for (let field = 0; field < this.#fields; field++) this.#notice(field);
  }

  /** Without the blanks around it. */
  value(field: number): string {
    return this.bytes.toString('latin1', this.#valueFrom(field), this.#valueTo(field));
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

  /** Copies the bytes to memory of its own. */
  #move(size: number): void {
    const memory = Buffer.allocUnsafe(size);
    memory.set(this.bytes);
    this.bytes = memory.subarray(0, this.bytes.length);
    this.#memory = memory;
  }

  #valueFrom(field: number): number {
    return this.#spans[STEP * field + VALUE_FROM] as number;
  }

  #valueTo(field: number): number {
    const from = this.#valueFrom(field);
    let to = this.#spans[STEP * field + VALUE_TO] as number;
    while (to > from && isBlank(this.bytes[to - 1] as number)) to--;
    return to;
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
      if (lower(this.bytes[from + i] as number) !== name.charCodeAt(i)) return false;
    }
    return true;
  }
}

/**
 * The text of bytes that are mostly the same from one time to the next: it is made anew only if they
 * are not.
 */
class LastText {
  #text = '';

  read(bytes: Buffer, from: number, to: number): string {
    if (!this.#is(bytes, from, to)) this.#text = bytes.toString('latin1', from, to);
    return this.#text;
  }

  #is(bytes: Buffer, from: number, to: number): boolean {
    const text = this.#text;
    if (text.length !== to - from) return false;
    for (let i = 0; i < text.length; i++) {
      if (bytes[from + i] !== text.charCodeAt(i)) return false;
    }
    return true;
  }
}

/** What a request is for, and its parts. */
class Target {
  text = '';
  /** Without the query, and without what is before it: `http://host/path` is the long form. */
  path = '/';
  /** What is behind the first `?`. */
  query = '';
  readonly #last = new LastText();

  read(bytes: Buffer, from: number, to: number): void {
    const text = this.#last.read(bytes, from, to);
    if (text === this.text) return;
    this.text = text;
    const local = withoutAuthority(text);
    const mark = local.indexOf('?');
    this.path = mark < 0 ? local : local.slice(0, mark);
    this.query = mark < 0 ? '' : local.slice(mark + 1);
  }
}

function withoutAuthority(target: string): string {
  if (target.startsWith('/') || target === '*') return target;
  const rest = target.replace(/^http:\/\/[^/?]+/i, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function lower(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code + 0x20 : code;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

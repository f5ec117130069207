/** What a head says about the connection. In HTTP/1.1 to keep it is nothing to speak of. */
export const PERSIST = '';
export const KEEP_ALIVE = 'Connection: keep-alive\r\n';
export const CLOSE = 'Connection: close\r\n';

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
};

const TEXT = 'text/plain; charset=utf-8';

/** What is beside a status and a body. */
export interface ReplyOptions {
  /** The media type. Default: plain text. */
  readonly type?: string;
  /** Further fields. Neither names nor values are checked. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** An answer. It can be given again and again: make those that never change only once. */
export class Reply {
  readonly status: number;
  readonly body: string | Uint8Array;
  /** The length of the body in bytes. */
  readonly bodyBytes: number;
  readonly #before: string;
  readonly #after: string;
  /** The text as it was given last, and where it was the same twice, its bytes. */
  #date = '';
  #connection = '';
  #bytes: Uint8Array | undefined;

  constructor(status: number, body: string | Uint8Array = '', options: ReplyOptions = {}) {
    const { type = TEXT, fields = {} } = options;
    this.status = status;
    this.body = body;
    this.bodyBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    this.#before = `HTTP/1.1 ${status} ${REASONS[status] ?? ''}\r\n`;
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    // RFC 9110, 8.6: a 204 has neither body nor length.
    const content = `Content-Type: ${type}\r\nContent-Length: ${this.bodyBytes}\r\n`;
    this.#after = (status === 204 ? '' : content) + lines.join('');
  }

  /** All that comes before the body. */
  head(date: string, connection: string): string {
    return `${this.#before}${date}${this.#after}${connection}\r\n`;
  }

  /**
   * The whole answer if the body is a text; otherwise what comes before the body. One that is given
   * again before the date changes is not written anew.
   */
  begin(date: string, connection: string): string | Uint8Array {
    if (typeof this.body !== 'string') return this.head(date, connection);
    if (date === this.#date && connection === this.#connection) {
      return (this.#bytes ??= Buffer.from(this.head(date, connection) + this.body));
    }
    this.#date = date;
    this.#connection = connection;
    this.#bytes = undefined;
    return this.head(date, connection) + this.body;
  }
}

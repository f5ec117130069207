/** Requests that a server must refuse, or must not misread, and what it answers to each. */

export interface Exchange {
  readonly title: string;
  /** In latin1. */
  readonly bytes: string;
  /** The status of each answer, in order. */
  readonly statuses: readonly number[];
  /** Whether the server closes then, as it does after a refusal. */
  readonly closes: boolean;
}

type Row = readonly [title: string, bytes: string, ...statuses: number[]];

const HOST = 'Host: localhost\r\n';
const NEXT = `GET /hello HTTP/1.1\r\n${HOST}\r\n`;
const get = (fields: string): string => `GET /hello HTTP/1.1\r\n${HOST}${fields}\r\n`;
const post = (fields: string, body: string): string =>
  `POST /echo HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);

/** How long is the body? Whoever is before us must not see another request than we do. */
const FRAMING: readonly Row[] = [
  [
    'length, then chunked',
    post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    400,
  ],
  [
    'chunked, then length',
    post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    400,
  ],
  ['two lengths that differ', post('Content-Length: 1\r\nContent-Length: 2\r\n', 'ab'), 400],
  ['two lengths that are equal', post('Content-Length: 1\r\nContent-Length: 1\r\n', 'a'), 400],
  ['a list of lengths', post('Content-Length: 1, 1\r\n', 'a'), 400],
  ['a length with a plus sign', post('Content-Length: +1\r\n', 'a'), 400],
  ['a negative length', post('Content-Length: -1\r\n', 'a'), 400],
  ['a hexadecimal length', post('Content-Length: 0x1\r\n', 'a'), 400],
  ['an empty length', post('Content-Length: \r\n', 'a'), 400],
  ['a length in two pieces', post('Content-Length: 1 0\r\n', 'a'), 400],
  ['a length beyond 64 bits', post('Content-Length: 18446744073709551617\r\n', 'a'), 400],
  [
    'a coding that only ends like chunked',
    post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
    400,
  ],
  [
    'chunked that is not the last coding',
    post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
    400,
  ],
  ['a coding without chunked', post('Transfer-Encoding: identity\r\n', '0\r\n\r\n'), 400],
  ['chunked twice in a list', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), 400],
  [
    'chunked twice in two fields',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    400,
  ],
  ['chunked with a parameter', post('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n'), 400],
  ['chunked after a vertical tab', post('Transfer-Encoding: \vchunked\r\n', '0\r\n\r\n'), 400],
  ['an empty coding', post('Transfer-Encoding: \r\n', '0\r\n\r\n'), 400],
  [
    'chunked in HTTP/1.0',
    `POST /echo HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ['chunked on a folded line', post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'), 400],
  ['a coding that we do not know', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 501],
];

const CHUNKS: readonly Row[] = [
  ['a chunk size that is no number', chunked('xyz\r\nabc\r\n0\r\n\r\n'), 400],
  ['a chunk size with 0x', chunked('0x1\r\na\r\n0\r\n\r\n'), 400],
  ['a negative chunk size', chunked('-1\r\na\r\n0\r\n\r\n'), 400],
  ['an empty chunk size', chunked('\r\na\r\n0\r\n\r\n'), 400],
  ['a chunk size beyond 64 bits', chunked('10000000000000001\r\na\r\n0\r\n\r\n'), 400],
  ['a blank after the chunk size', chunked('1 \r\na\r\n0\r\n\r\n'), 400],
  ['a chunk that is longer than its size', chunked('1\r\nabc\r\n0\r\n\r\n'), 400],
  ['a chunk without a line end', chunked('1\r\na0\r\n\r\n'), 400],
  ['a bare LF after the chunk size', chunked('1\na\r\n0\r\n\r\n'), 400],
  ['a bare LF in a chunk extension', chunked('1;a\na\r\n0\r\n\r\n'), 400],
  ['a bare CR in a chunk extension', chunked('1;a\rb\r\na\r\n0\r\n\r\n'), 400],
  ['a length among the trailers', chunked('0\r\nContent-Length: 5\r\n\r\n'), 400],
];

const FIELDS: readonly Row[] = [
  ['a blank before the colon', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'), 400],
  ['a tab before the colon', get('A\t: b\r\n'), 400],
  ['a blank before the first field', `GET /hello HTTP/1.1\r\n ${HOST}\r\n`, 400],
  ['a folded line', get('A: b\r\n c\r\n'), 400],
  ['a bare LF after the request line', `GET /hello HTTP/1.1\n${HOST}\r\n`, 400],
  ['a bare LF after a field', 'GET /hello HTTP/1.1\r\nHost: localhost\n\r\n', 400],
  ['a bare LF at the end of the head', `GET /hello HTTP/1.1\r\n${HOST}\n`, 400],
  ['a bare CR in a value', get('A: b\rC: d\r\n'), 400],
  ['a NUL in a value', get('A: b\0c\r\n'), 400],
  ['a NUL in a name', get('A\0: b\r\n'), 400],
  ['a control character in a value', get('A: b\x01c\r\n'), 400],
  ['DEL in a value', get('A: b\x7fc\r\n'), 400],
  ['a line without a colon', get('A\r\n'), 400],
  ['a field without a name', get(': b\r\n'), 400],
  ['a name that is no token', get('A(: b\r\n'), 400],
  ['a name that is not ASCII', get('\xe4: b\r\n'), 400],
  ['an expectation that we do not know', get('Expect: miracles\r\n'), 417],
];

const HOSTS: readonly Row[] = [
  ['no Host', 'GET /hello HTTP/1.1\r\n\r\n', 400],
  ['two Hosts that differ', get('Host: other\r\n'), 400],
  ['two Hosts that are equal', get(HOST), 400],
  ['a Host with a blank', 'GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['a Host with a path', 'GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
  ['a Host with a user', 'GET /hello HTTP/1.1\r\nHost: a@b\r\n\r\n', 400],
  ['a URL of another host', `GET http://other/hello HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a URL with a user', `GET http://localhost@other/hello HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a URL of another scheme', `GET ftp://localhost/hello HTTP/1.1\r\n${HOST}\r\n`, 400],
];

const LINES: readonly Row[] = [
  ['HTTP/0.9', 'GET /hello\r\n\r\n', 505],
  ['HTTP/0.9 by its name', `GET /hello HTTP/0.9\r\n${HOST}\r\n`, 505],
  ['HTTP/1.2', `GET /hello HTTP/1.2\r\n${HOST}\r\n`, 505],
  ['HTTP/2.0', `GET /hello HTTP/2.0\r\n${HOST}\r\n`, 505],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['a version of three digits', `GET /hello HTTP/1.10\r\n${HOST}\r\n`, 400],
  ['a version in lower case', `GET /hello http/1.1\r\n${HOST}\r\n`, 400],
  ['another protocol', `GET /hello HTP/1.1\r\n${HOST}\r\n`, 400],
  ['RTSP', `PLAY /hello RTSP/1.0\r\n${HOST}\r\n`, 400],
  ['ICE', `SOURCE /hello ICE/1.0\r\n${HOST}\r\n`, 400],
  ['a method that nobody knows', `BREW /hello HTTP/1.1\r\n${HOST}\r\n`, 501],
  ['a method in lower case', `get /hello HTTP/1.1\r\n${HOST}\r\n`, 501],
  ['a method that we do not serve', `TRACE /hello HTTP/1.1\r\n${HOST}\r\n`, 501],
  ['CONNECT', 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n', 501],
  ['a method that is no token', `G(T /hello HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['two blanks before the target', `GET  /hello HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['two blanks after the target', `GET /hello  HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a tab before the target', `GET\t/hello HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a blank in the target', `GET /hel lo HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a blank after the version', `GET /hello HTTP/1.1 \r\n${HOST}\r\n`, 400],
  ['a control character in the target', `GET /\x01 HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a target that is not ASCII', `GET /\xe4 HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a fragment', `GET /hello#a HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a target without a slash', `GET hello HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['an asterisk for GET', `GET * HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a blank before the method', ` GET /hello HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['a TLS handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
];

const SIZES: readonly Row[] = [
  ['a target that is too long', `GET /${'a'.repeat(8192)} HTTP/1.1\r\n${HOST}\r\n`, 414],
  ['a field that is too long', get(`A: ${'b'.repeat(16_384)}\r\n`), 431],
  ['a name that is too long', get(`${'a'.repeat(16_384)}: b\r\n`), 431],
  ['a head of nothing but blanks', `GET /hello HTTP/1.1\r\nA:${' '.repeat(20_000)}`, 431],
  ['a head of nothing but line ends', '\r\n'.repeat(10_000), 431],
  ['too many fields', get('A: b\r\n'.repeat(100)), 431],
  ['a length that is too large', post('Content-Length: 1048577\r\n', ''), 413],
  ['chunks that are too large', chunked(`100001\r\n${'a'.repeat(0x100001)}\r\n0\r\n\r\n`), 413],
  ['a chunk extension that is too long', chunked(`1;${'a'.repeat(100_000)}`), 413],
  ['trailers that are too long', chunked(`0\r\nA: ${'b'.repeat(100_000)}`), 413],
];

const PATHS: readonly Row[] = [
  ['a path that is not there', `GET /nowhere HTTP/1.1\r\n${HOST}\r\n`, 404],
  ['a method that the path has not', `DELETE /hello HTTP/1.1\r\n${HOST}\r\n`, 405],
  ['a URL of this host', `GET http://LOCALHOST/hello HTTP/1.1\r\n${HOST}\r\n`, 200],
  ['a URL without a path', `GET http://localhost?a HTTP/1.1\r\n${HOST}\r\n`, 200],
  ['OPTIONS of the server', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 204],
  ['OPTIONS of a path', `OPTIONS /hello HTTP/1.1\r\n${HOST}\r\n`, 204],
  ['a query', `GET /hello?a=b?c HTTP/1.1\r\n${HOST}\r\n`, 200],
  ['an empty value', get('A:\r\nB: c\r\n'), 200],
  ['a Host that is a literal of IPv6', 'GET /hello HTTP/1.1\r\nHost: [::1]:80\r\n\r\n', 200],
  ['an empty line before the request', `\r\n${NEXT}`, 200],
  [
    'a wish for another protocol, and a request',
    get('Connection: Upgrade\r\nUpgrade: a\r\n') + NEXT,
    200,
    200,
  ],
  [
    'a wish for another protocol with a body',
    post('Connection: Upgrade\r\nUpgrade: a\r\nContent-Length: 1\r\n', 'a') + NEXT,
    200,
    200,
  ],
  [
    'chunks with extensions and trailers',
    chunked('1;a=b\r\na\r\n0\r\nC: d\r\n\r\n') + NEXT,
    200,
    200,
  ],
  [
    'a body, and a request that is refused',
    post('Content-Length: 1\r\n', `a${get('A\r\n')}`),
    200,
    400,
  ],
  ['requests of which the middle one is refused', NEXT + get('A\r\n') + NEXT, 200, 400],
];

const CLOSES: readonly Row[] = [
  ['the last request of a client', get('Connection: close\r\n'), 200],
  ['a request after the last one', get('Connection: close\r\n') + NEXT, 200],
  ['HTTP/1.0', 'GET /hello HTTP/1.0\r\n\r\n', 200],
];

const refuses = (statuses: readonly number[]): boolean =>
  statuses.some((status) => status >= 400 && status !== 404 && status !== 405);

export const EXCHANGES: readonly Exchange[] = [
  ...[...FRAMING, ...CHUNKS, ...FIELDS, ...HOSTS, ...LINES, ...SIZES, ...PATHS].map(
    ([title, bytes, ...statuses]) => ({ title, bytes, statuses, closes: refuses(statuses) }),
  ),
  ...CLOSES.map(([title, bytes, ...statuses]) => ({ title, bytes, statuses, closes: true })),
];

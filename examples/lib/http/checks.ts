/**
 * What llhttp lets pass, and a server must not: a function for each, which answers the status that
 * refuses the request, or 0. The numbers are those of the sections of RFC 9112 unless they say so.
 */
import type { Head } from './head.js';
import type { Limits } from './limits.js';

type Check = (head: Head) => number;

const SPACE = 0x20;
const SLASH = 0x2f;
const LETTER_H = 0x48;
const SERVED: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'],
]);
/** RFC 3986, 3.2: a host and perhaps a port, without user information. */
const AUTHORITY = /^(?:[\w\-.~!$&'()*+,;=%]+|\[[\da-f:.]+\])?(?::\d{0,5})?$/i;

/** 2.3: the versions before and after are other protocols. */
const version: Check = ({ version }) => (version === 11 || version === 10 ? 0 : 505);

/** 3: one space between the parts, and HTTP, where llhttp takes several spaces, RTSP and ICE. */
const requestLine: Check = ({ bytes, targetFrom, targetTo }) =>
  bytes[targetFrom - 2] !== SPACE && bytes[targetTo] === SPACE && bytes[targetTo + 1] === LETTER_H
    ? 0
    : 400;

/** RFC 9110, 9.1: what is not known here at all is another matter than what a path has not. */
const method: Check = ({ method }) => (SERVED.has(method) ? 0 : 501);

/** 3.2, 6.3: two of what decides where a request goes, or where it ends, could be read both ways. */
const repetition: Check = ({ repeats }) => (repeats ? 400 : 0);

/** 3.2: there is one, but for HTTP/1.0; without blank, slash or user. */
const host: Check = (head) => {
  if (head.host < 0) return head.version === 10 ? 0 : 400;
  return isAuthority(head.authority) ? 0 : 400;
};

/**
 * 6.1, 6.3: what frames the body must be beyond doubt. That chunked comes last, once, and without
 * Content-Length, llhttp has seen to. HTTP/1.0 has no codings; an empty list is no coding either,
 * though llhttp takes it for no field at all; and of other codings we know none.
 */
const transferEncoding: Check = (head) => {
  if (head.transferEncoding < 0) return 0;
  if (head.version === 10) return 400;
  const value = head.value(head.transferEncoding).toLowerCase();
  if (value === 'chunked') return 0;
  return /[^,\s].*,\s*chunked$/.test(value) ? 501 : 400;
};

/** RFC 9110, 8.6: before the body is read. llhttp has seen that it is a number. */
const contentLength = (head: Head, limits: Limits): number =>
  head.contentLength >= 0 && Number(head.value(head.contentLength)) > limits.bodyBytes ? 413 : 0;

/** RFC 9110, 10.1.1: HTTP/1.0 has no expectations. */
const expectation: Check = (head) => {
  if (head.version === 10 || head.expect < 0) return 0;
  return head.value(head.expect).toLowerCase() === '100-continue' ? 0 : 417;
};

/**
 * 3.2: a path, or a whole URL, whose host must be the one of the Host field, since whoever looks at
 * the other one would see another request; `*` for OPTIONS. No fragment in either.
 */
const target: Check = (head) => {
  const target = head.target.text;
  if (target.includes('#')) return 400;
  if (target.charCodeAt(0) === SLASH) return 0;
  if (target === '*') return head.method === 'OPTIONS' ? 0 : 400;
  const authority = /^http:\/\/([^/?]+)/i.exec(target)?.[1];
  if (authority === undefined || !isAuthority(authority)) return 400;
  if (head.host < 0) return 0;
  return head.authority.toLowerCase() === authority.toLowerCase() ? 0 : 400;
};

/**
 * The status that refuses a request whose head is complete, or 0: what is wrong with the line goes
 * before what is wrong with the fields. Named one by one, for a call through a list is not inlined.
 */
export function refusalOf(head: Head, limits: Limits): number {
  return (
    version(head) ||
    requestLine(head) ||
    method(head) ||
    repetition(head) ||
    host(head) ||
    transferEncoding(head) ||
    contentLength(head, limits) ||
    expectation(head) ||
    target(head)
  );
}

/** Clients of a server say the same name again and again. */
let lastAuthority = '';

function isAuthority(text: string): boolean {
  if (text === lastAuthority) return true;
  if (!AUTHORITY.test(text)) return false;
  lastAuthority = text;
  return true;
}

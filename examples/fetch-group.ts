/**
 * Fetch group: several URLs at a time. The first that fails ends the others.
 *
 *     node build/examples/http-hello.js
 *     node build/examples/fetch-group.js --urls 'http://localhost:8080/ http://127.0.0.1:8080/none'
 *
 * In Go this is golang.org/x/sync/errgroup: a goroutine for each, `Wait`, and a context that is
 * cancelled by the first error, if each of them looks at it. Here each fetch is a scope in the scope
 * of the group. An error that nobody handles closes the scope it happened in and goes to the one
 * above, which does the same, so the group is closed with all that is in it: names that are looked
 * up, sockets that are connecting, connections, timers. Nobody has to look at anything.
 *
 * Exit code 1: one has failed; 0: all were fetched.
 */
import process from 'node:process';
import { connect, Loop, type Scope, type TcpStream } from 'raw-epoll';
import { leave, ownOptions, wholeNumber } from './lib/command-line.js';
import { Llhttp } from './lib/http/llhttp.js';
import { ResponseParser } from './lib/http/response-parser.js';

const NAME = 'fetch-group';
const own = ownOptions(NAME, {
  urls: "--urls 'URL URL …'   http:// each",
  timeout: '--timeout MS        for all of them together (10000)',
});
const urls = (own.urls ?? '').split(/\s+/).filter(Boolean).map(readUrl);
if (urls.length === 0) leave(NAME, '--urls must be one URL or more', 2);
const timeoutMs = wholeNumber(NAME, '--timeout', own.timeout, 10_000);

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' && url.port !== '0') return url;
  leave(NAME, `--urls must be URLs that begin with http://, of ports from 1 on, not '${text}'`, 2);
}

const parsers = new Llhttp();
const unfinished = new Set(urls);

function fail(url: URL, reason: string): never {
  unfinished.delete(url);
  throw new Error(`${url.href}: ${reason}`);
}

/** Fetches one; what goes wrong is thrown in its scope. */
function fetch(group: Scope, url: URL): void {
  const scope = group.scope(url.href);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  connect(scope, { host, port: Number(url.port || 80) }, (error, stream) => {
    if (error === null) ask(scope, url, stream);
    else if (!scope.closed) fail(url, error.message);
  });
}

function ask(scope: Scope, url: URL, stream: TcpStream): void {
  const response = scope.own(new ResponseParser(parsers));
  const end = (): void => {
    unfinished.delete(url);
    if (response.status >= 400) fail(url, `status ${response.status}`);
    console.log(`${response.status}  ${response.bodyBytes} bytes  ${url.href}`);
    scope.close();
  };
  /** What throws here is the parser: this is no HTTP. */
  const completes = (read: () => boolean): boolean => {
    try {
      return read();
    } catch (error) {
      fail(url, (error as Error).message);
    }
  };
  const connection = scope.connection(stream, {
    data: (chunk) => {
      if (completes(() => response.read(chunk))) end();
    },
    end: () => {
      if (completes(() => response.finish())) end();
      else fail(url, 'the connection has ended before the response');
    },
    close: (_, error) => {
      if (error !== undefined && !scope.closed) fail(url, error.message);
    },
  });
  const head = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Connection: close',
  ];
  connection.write(`${head.join('\r\n')}\r\n\r\n`);
}

const loop = new Loop();
const group = loop.scope('group');
group
  .setTimeout(timeoutMs, () => {
    throw new Error(`not all were fetched within ${timeoutMs} ms`);
  })
  .unref();
for (const url of urls) fetch(group, url);
try {
  await loop.runAsync(); // and beside it node:dns looks names up
} catch (error) {
  process.exitCode = 1;
  console.error(`${NAME}: ${(error as Error).message}`);
  for (const { href } of unfinished) console.error(`${NAME}: given up: ${href}`);
  loop.assertEmpty();
}

/** Several URLs at a time, from Node's own servers; the first error ends the others. */
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { runNode, type ChildResult } from '../support/child.js';
import { places } from '../support/places.js';
import { exampleFile } from '../support/server.js';

async function listening(t: ExecutionContext, server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

function fetchGroup(urls: readonly string[], ...args: string[]): Promise<ChildResult> {
  return runNode(exampleFile('fetch-group'), { args: ['--urls', urls.join(' '), ...args] });
}

/** Bodies of a length that is told, in chunks, and to the end of the connection. */
function bodies(request: http.IncomingMessage, response: http.ServerResponse): void {
  const body = Buffer.alloc(100_000, 'x');
  if (request.url === '/length') response.setHeader('Content-Length', body.length);
  if (request.url === '/end') {
    request.socket.end(`HTTP/1.0 200 OK\r\n\r\n${body.toString()}`);
    return;
  }
  response.write(body);
  response.end();
}

test('all are fetched, however the length of a body is told', async (t) => {
  const port = await listening(t, http.createServer(bodies));
  const paths = ['/length', '/chunks', '/end'];
  const hosts = ['localhost', '127.0.0.1', 'localhost'];
  const urls = paths.map((path, i) => `http://${hosts[i]}:${port}${path}`);
  const child = await fetchGroup(urls);
  t.deepEqual([child.code, child.stderr], [0, '']);
  t.deepEqual(
    child.stdout.trimEnd().split('\n').sort(),
    urls.map((url) => `200  100000 bytes  ${url}`).sort(),
  );
});

test('the first error ends the siblings: their connections are closed, those under way too', async (t) => {
  const closed: Promise<unknown>[] = [];
  const silent = net.createServer((socket) => {
    closed.push(once(socket.resume(), 'close'));
  });
  const slow = await listening(t, silent);
  const failing = await listening(
    t,
    http.createServer((_, response) => {
      const fail = (): void => {
        response.writeHead(503).end();
      };
      // Not before the siblings are there.
      if (closed.length === 2) fail();
      else
        silent.on('connection', () => {
          if (closed.length === 2) fail();
        });
    }),
  );
  const { port: unreachable } = places(t, { '127.0.0.1': 'silent' });
  const urls = [
    `http://127.0.0.1:${slow}/a`,
    `http://127.0.0.1:${slow}/b`,
    `http://127.0.0.1:${unreachable}/c`,
    `http://127.0.0.1:${failing}/`,
  ];
  const child = await fetchGroup(urls, '--timeout', '1000000');
  t.is(child.code, 1);
  t.is(child.stdout, '');
  const lines = child.stderr.trimEnd().split('\n');
  t.is(lines[0], `fetch-group: ${urls[3]}: status 503`);
  t.deepEqual(
    lines.slice(1),
    urls.slice(0, 3).map((url) => `fetch-group: given up: ${url}`),
  );
  await Promise.all(closed);
});

test('refused, cut off, no HTTP, no such name, too late: exit code 1 and the reason', async (t) => {
  const cut = await listening(
    t,
    net.createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx')),
  );
  const nonsense = await listening(
    t,
    net.createServer((socket) => socket.end('hello\r\n')),
  );
  const never = await listening(
    t,
    net.createServer((socket) => socket.resume()),
  );
  const { port } = places(t, { '127.0.0.1': 'refuses' });
  const cases: [string, RegExp][] = [
    [`http://127.0.0.1:${port}/`, /ECONNREFUSED/],
    [`http://127.0.0.1:${cut}/`, /ended before the response|no response of HTTP/],
    [`http://127.0.0.1:${nonsense}/`, /no response of HTTP/],
    ['http://a..b/', /ENOTFOUND/],
    [`http://127.0.0.1:${never}/`, /not all were fetched within 300 ms/],
  ];
  for (const [url, reason] of cases) {
    const child = await fetchGroup(
      [url],
      '--timeout',
      reason.source.includes('300') ? '300' : '1000000',
    );
    t.is(child.code, 1, url);
    t.regex(child.stderr, reason);
    const isOfAll = reason.source.includes('within');
    const begins = isOfAll ? 'fetch-group: not all ' : `fetch-group: ${url}: `;
    t.is(child.stderr.slice(0, begins.length), begins);
    t.is(child.stderr.includes('given up'), isOfAll);
  }
});

for (const args of [
  [],
  ['--urls', ''],
  ['--urls', 'https://localhost/'],
  ['--urls', 'x'],
  ['--urls', 'http://localhost:0/'],
  ['http://localhost/'],
]) {
  test(`fetch-group ${args.join(' ')} is refused with exit code 2`, async (t) => {
    const { code, stdout, stderr } = await runNode(exampleFile('fetch-group'), { args });
    t.deepEqual([code, stdout], [2, '']);
    t.regex(stderr, /^fetch-group: [^\n]+\n$/);
  });
}

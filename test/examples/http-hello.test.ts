/** The server of http-hello, against ab, wrk, curl, Node’s own client, and requests made by hand. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { run, type ChildResult } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { descriptorsOf } from '../support/process-stats.js';
import { testWithPrograms } from '../support/programs.js';
import { OTHERS } from '../support/sanitizers.js';
import type { RunningServer } from '../support/server.js';
import { connectMany, connectTo } from './clients.js';
import { ab, exchange, get, statusesOf } from './http-clients.js';
import { EXCHANGES } from './http-requests.js';
import { start } from './start.js';

const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-http-'));

test.after.always(() => {
  rmSync(folder, { recursive: true });
});

/** The descriptors of a server that nobody has asked yet. Whatever comes later has to go again. */
function count(server: RunningServer): number {
  return descriptorsOf(server.pid).length;
}

const LAST = 'GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

test('every exchange of the table, at the same time, leaves no descriptor and a server that serves', async (t) => {
  const server = await start(t, 'http-hello', ['--port', '0']);
  const before = count(server);
  await Promise.all(
    EXCHANGES.map(async ({ title, bytes, statuses, closes }) => {
      const answers = await exchange(server, closes ? bytes : bytes + LAST);
      t.deepEqual(statusesOf(answers), closes ? statuses : [...statuses, 200], title);
    }),
  );
  t.is(await eventually(() => count(server), before), before);
  t.is((await get(server.port, '/hello')).body, 'Hello');
  t.deepEqual(await server.stop(), [0, null]);
  t.is(server.stderr(), '');
});

testWithPrograms(
  ['ab'],
  'ab -n 1000 -c 100: none failed, with and without keep-alive',
  async (t) => {
    const server = await start(t, 'http-hello', ['--port', '0']);
    const before = count(server);
    for (const more of [[], ['-k']]) {
      const report = await ab(server, '/', 1000, 100, ...more);
      t.deepEqual(report, { complete: 1000, failed: 0, refused: 0, documentBytes: 5 });
    }
    t.is(await eventually(() => count(server), before), before);
  },
);

testWithPrograms(['wrk'], 'wrk with a thousand connections: none failed', async (t) => {
  const server = await start(t, 'http-hello', ['--port', '0']);
  const before = count(server);
  const url = `http://127.0.0.1:${server.port}/hello`;
  const { code, stdout } = await run('wrk', ['-t1', '-c1000', '-d3s', '--timeout', '60s', url]);
  t.is(code, 0);
  t.regex(stdout, /\b[1-9]\d* requests in /);
  t.notRegex(stdout, /Socket errors|Non-2xx/);
  t.is(await eventually(() => count(server), before), before);
});

function curl(...args: readonly string[]): Promise<ChildResult> {
  return run('curl', args, { env: OTHERS });
}

testWithPrograms(['curl'], 'curl: a chunked upload comes back, after a 100', async (t) => {
  const server = await start(t, 'http-hello', ['--port', '0']);
  const file = path.join(folder, 'upload');
  const content = Buffer.alloc(900_000, 'äöü and some more');
  writeFileSync(file, content);
  const back = path.join(folder, 'back');
  const { code, stderr } = await curl(
    ...['-sv', '--expect100-timeout', '60', '-o', back, '-T', file],
    ...['-H', 'Transfer-Encoding: chunked', '-H', 'Expect: 100-continue'],
    `http://127.0.0.1:${server.port}/echo`,
  );
  t.is(code, 0);
  t.regex(stderr, /< HTTP\/1\.1 100 Continue\r\n/);
  t.regex(stderr, /< HTTP\/1\.1 200 OK\r\n/);
  const { stdout } = await run('cmp', [file, back]);
  t.is(stdout, '');
});

testWithPrograms(
  ['curl'],
  'curl: an upload that is too large is refused before it is sent',
  async (t) => {
    const server = await start(t, 'http-hello', ['--port', '0']);
    const file = path.join(folder, 'large');
    writeFileSync(file, Buffer.alloc(2 * 1024 * 1024));
    const { stdout } = await curl(
      ...['-s', '--expect100-timeout', '60', '-o', '/dev/null', '-T', file],
      ...['-w', '%{http_code} %{size_upload}', '-H', 'Expect: 100-continue'],
      `http://127.0.0.1:${server.port}/echo`,
    );
    t.is(stdout, '413 0');
  },
);

testWithPrograms(['curl'], 'curl: three requests on one connection', async (t) => {
  const server = await start(t, 'http-hello', ['--port', '0']);
  const url = `http://127.0.0.1:${server.port}/hello`;
  const { stdout } = await curl('-s', '-w', ' %{num_connects};', url, url, url);
  t.is(stdout, 'Hello 1;Hello 0;Hello 0;');
});

testWithPrograms(['curl'], 'curl: over a Unix socket', async (t) => {
  const socket = path.join(folder, 'socket');
  await start(t, 'http-hello', ['--path', socket]);
  const { stdout } = await curl('-s', '--unix-socket', socket, 'http://localhost/hello');
  t.is(stdout, 'Hello');
});

test('sixteen requests in one packet are answered in order', async (t) => {
  const server = await start(t, 'http-hello', ['--port', '0']);
  const requests = Array.from({ length: 16 }, (_, i) => {
    const body = `body ${i};`;
    const fields = `Host: localhost\r\nContent-Length: ${body.length}\r\n`;
    return `POST /echo HTTP/1.1\r\n${fields}${i < 15 ? '' : 'Connection: close\r\n'}\r\n${body}`;
  });
  const answers = await exchange(server, requests.join(''));
  const bodies = [...answers.matchAll(/body (\d+);/g)].map(([, i]) => Number(i));
  t.deepEqual(bodies, [...Array(16).keys()]);
});

test('a client that asks and asks, and never reads, is not read for ever, and slows nobody', async (t) => {
  const server = await start(t, 'http-hello', ['--port', '0']);
  const greedy = await connectTo(server);
  greedy.pause();
  const batch = Buffer.from('GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1000));
  // Until neither the server nor the kernel takes any more.
  let batches = 0;
  while (greedy.writableLength < 64 * batch.length && batches < 10_000) {
    greedy.write(batch);
    batches++;
    await get(server.port, '/hello');
  }
  t.true(batches < 10_000);
  t.is((await get(server.port, '/hello')).status, 200);
  greedy.destroy();
});

for (const backend of ['poll', 'select']) {
  test(`on ${backend}: clients beyond its last descriptor are closed, the others are served`, async (t) => {
    const server = await start(t, 'http-hello', ['--port', '0', '--backend', backend]);
    const before = count(server);
    const clients = await connectMany(server, 1100);
    for (const client of clients) client.on('data', () => undefined);
    const open = await eventually(() => {
      const gone = clients.filter(({ readableEnded, destroyed }) => readableEnded || destroyed);
      return gone.length > 0;
    }, backend === 'select');
    t.is(open, backend === 'select');
    for (const client of clients) client.destroy();
    t.is(await eventually(() => count(server), before), before);
    t.is((await get(server.port, '/hello')).body, 'Hello');
    t.deepEqual(await server.stop(), [0, null]);
    t.is(server.stderr(), '');
  });
}

test('SIGTERM: idle clients are closed at once; exit code 0', async (t) => {
  const server = await start(t, 'http-hello', ['--port', '0']);
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => {
    agent.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port: server.port, path: '/hello', agent }, (response) => {
        response.resume().on('end', resolve);
      })
      .on('error', reject);
  });
  const silent = await connectMany(server, 50);
  t.deepEqual(await server.stop(), [0, null]);
  t.is(server.stderr(), '');
  for (const socket of silent) socket.destroy();
});

test('a client that stops in the middle of a head gets 408', async (t) => {
  const server = await start(t, 'http-hello', ['--port', '0']);
  const started = performance.now();
  const answers = await exchange(server, 'GET /hello HTTP/1.1\r\nHost: ');
  t.deepEqual(statusesOf(answers), [408]);
  t.true(performance.now() - started >= 9500, 'not before its ten seconds, less a tick');
});

/** Connections that are accepted here and served by Node: `tls`, `http`, `https`, `http2`. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { Loop, TcpListener, UnixListener } from '../../ts/index.js';
import { acceptFor, type HandOver } from '../support/acceptor.js';
import { newCertificate, type Certificate } from '../support/certificate.js';
import { fixture, run } from '../support/child.js';
import { closing, portOf } from '../support/pairs.js';
import { testWithPrograms } from '../support/programs.js';
import { OTHERS } from '../support/sanitizers.js';

let made: Certificate | undefined;

/** One for all tests of this file. */
function certificate(): Certificate {
  return (made ??= newCertificate());
}

/** The port of a loop that gives each of its connections to `take`. */
function portFor(t: ExecutionContext, when: HandOver, take: (socket: net.Socket) => void): number {
  const loop = closing(t, new Loop());
  const listener = loop.root.own(TcpListener.listen());
  acceptFor(loop, listener, when, take);
  void loop.runAsync();
  return portOf(listener);
}

async function answerOf(request: http.ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return text(response);
}

async function answersOf(
  t: ExecutionContext,
  port: number,
  request: (options: http.RequestOptions) => http.ClientRequest,
  agent: http.Agent,
): Promise<void> {
  t.teardown(() => {
    agent.destroy();
  });
  // One after the other on one connection: the second is read by the server of Node alone.
  for (const path of ['/first', '/second']) {
    const sent = request({ host: '127.0.0.1', port, path, agent, method: 'POST' });
    sent.end('a body');
    t.is(await answerOf(sent), `${path}: a body`);
  }
}

const echo: http.RequestListener = (request, response) => {
  void text(request).then((body) => response.end(`${String(request.url)}: ${body}`));
};

for (const when of ['at once', 'with what was read'] as const) {
  test(`http serves a connection handed over ${when}`, async (t) => {
    const server = http.createServer(echo);
    const port = portFor(t, when, (socket) => server.emit('connection', socket));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await answersOf(t, port, (options) => http.request(options), agent);
  });

  testWithPrograms(['openssl'], `https serves a connection handed over ${when}`, async (t) => {
    const { cert: ca } = certificate();
    const server = https.createServer(certificate(), echo);
    const port = portFor(t, when, (socket) => server.emit('connection', socket));
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca, servername: 'localhost' });
    await answersOf(t, port, (options) => https.request(options), agent);
  });

  test(`http2 serves a connection handed over ${when}`, async (t) => {
    const server = http2.createServer((request, response) => {
      response.end(`${request.method} ${request.url}`);
    });
    const port = portFor(t, when, (socket) => server.emit('connection', socket));
    const session = http2.connect(`http://127.0.0.1:${port}`);
    t.teardown(() => {
      session.destroy();
    });
    for (const path of ['/first', '/second']) {
      t.is(await text(session.request({ ':path': path })), `GET ${path}`);
    }
  });

  testWithPrograms(['openssl'], `TLS speaks over a connection handed over ${when}`, async (t) => {
    const { cert: ca } = certificate();
    const secureContext = tls.createSecureContext(certificate());
    const port = portFor(t, when, (socket) => {
      const secure = new tls.TLSSocket(socket, { isServer: true, secureContext });
      secure.pipe(secure);
    });
    const client = tls.connect({ host: '127.0.0.1', port, ca, servername: 'localhost' });
    await once(client, 'secureConnect');
    t.true(client.authorized);
    const long = 'abcdefghij'.repeat(50_000);
    client.end(long);
    t.true((await text(client)) === long);
  });
}

testWithPrograms(['curl', 'openssl'], 'curl is served by https over the loop', async (t) => {
  const server = https.createServer(certificate(), echo);
  const port = portFor(t, 'with what was read', (socket) => server.emit('connection', socket));
  const url = `https://localhost:${port}/curl`;
  const args = ['-sk', '--http1.1', '--resolve', `localhost:${port}:127.0.0.1`, '-d', 'data', url];
  const { code, stdout } = await run('curl', args, { env: OTHERS });
  t.deepEqual([code, stdout], [0, '/curl: data']);
});

test('a server of Node in a worker serves connections that are accepted there', async (t) => {
  const worker = new Worker(fixture('descriptor-serving-worker'));
  t.teardown(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  await answersOf(t, port, (options) => http.request(options), agent);
});

test('a listener goes on as a server of Node, with the connections that wait', async (t) => {
  const listener = closing(t, TcpListener.listen());
  const port = portOf(listener);
  const early = net.connect(port, '127.0.0.1');
  t.teardown(() => early.destroy());
  await once(early, 'connect');
  const server = http.createServer(echo);
  t.teardown(() => server.close());
  server.listen({ fd: listener.release() });
  await once(server, 'listening');
  t.true(listener.closed);
  t.is((server.address() as net.AddressInfo).port, port);
  early.end('GET /early HTTP/1.0\r\n\r\n');
  t.regex(await text(early), /\/early: $/);
  t.is(
    await answerOf(http.get({ host: '127.0.0.1', port, path: '/late', agent: false })),
    '/late: ',
  );
});

test('a Unix listener goes on as a server of Node, under its path', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'raw-epoll-listener-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'socket');
  const server = net.createServer((socket) => socket.end('welcome'));
  t.teardown(() => server.close());
  server.listen({ fd: UnixListener.listen({ path }).release() });
  await once(server, 'listening');
  t.is(await text(net.connect({ path })), 'welcome');
});

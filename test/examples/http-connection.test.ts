/** The HTTP module of the examples, without sockets: what it reads, answers, and bounds. */
import test from 'ava';
import type { HttpConnection } from '../../examples/lib/http/http-connection.js';
import { LATER, Mux } from '../../examples/lib/http/mux.js';
import { Reply } from '../../examples/lib/http/reply.js';
import type { Request } from '../../examples/lib/http/request.js';
import { Random } from '../support/random.js';
import { MemoryHost } from './http-host.js';
import { EXCHANGES } from './http-requests.js';

const HELLO = new Reply(200, 'Hello');
const GET = 'GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** As a loop does: what the bytes lie in is filled anew by the next read. */
function give(connection: HttpConnection, bytes: Buffer): void {
  const memory = Buffer.from(bytes);
  connection.data(memory);
  memory.fill('#');
}

const routes = (): Mux =>
  new Mux()
    .handle('GET', '/', () => HELLO)
    .handle('GET', '/hello', () => HELLO)
    .handle('POST', '/echo', ({ body }) => new Reply(200, Buffer.from(body)));

for (const { title, bytes, statuses, closes } of EXCHANGES) {
  test(`${title}: ${statuses.join(', ')}`, (t) => {
    const { connection, transport } = new MemoryHost(routes()).connect();
    give(connection, Buffer.from(bytes, 'latin1'));
    t.deepEqual(transport.statuses, statuses);
    t.is(transport.ended || transport.closed, closes);
    t.is(transport.text.includes('Connection: close\r\n'), closes);
    connection.close();
  });

  test(`${title}, byte by byte: ${statuses.join(', ')}`, (t) => {
    const { connection, transport } = new MemoryHost(routes()).connect();
    const whole = Buffer.from(bytes, 'latin1');
    const step = Math.ceil(whole.length / 2000);
    for (let at = 0; at < whole.length; at += step) give(connection, whole.subarray(at, at + step));
    t.deepEqual(transport.statuses, statuses);
    t.is(transport.ended || transport.closed, closes);
    connection.close();
  });
}

/** A connection to routes with a handler that answers when the test wants it to. */
function waiting(): {
  host: MemoryHost;
  requests: Request[];
} {
  const requests: Request[] = [];
  const mux = routes().handle('GET', '/later', (request) => {
    requests.push(request);
    return LATER;
  });
  return { host: new MemoryHost(mux), requests };
}

const LATE = 'GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n';

test('a route that is added after its path was asked for is found', (t) => {
  const mux = routes();
  const { connection, transport } = new MemoryHost(mux).connect();
  const late = Buffer.from(GET.replace('/hello', '/late'));
  give(connection, late);
  mux.handle('GET', '/late', () => HELLO);
  give(connection, late);
  t.deepEqual(transport.statuses, [404, 200]);
  connection.close();
});

test('sixteen requests in one read are answered with one write, in order', (t) => {
  const mux = new Mux();
  for (let i = 0; i < 16; i++) mux.handle('GET', `/${i}`, () => new Reply(200, `body ${i};`));
  const { connection, transport } = new MemoryHost(mux).connect();
  const requests = Array.from({ length: 16 }, (_, i) => GET.replace('/hello', `/${i}`));
  give(connection, Buffer.from(requests.join('')));
  t.deepEqual(
    [...transport.text.matchAll(/body (\d+);/g)].map(([, i]) => Number(i)),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  );
  t.is(transport.writes, 1);
  connection.close();
});

test('a head has a date, a type and a length, and says nothing of a connection that persists', (t) => {
  const { connection, transport } = new MemoryHost(routes()).connect();
  give(connection, Buffer.from(GET));
  const [head = '', body] = transport.text.split('\r\n\r\n');
  const [line, date = '', ...fields] = head.split('\r\n');
  t.is(line, 'HTTP/1.1 200 OK');
  t.regex(date, /^Date: \w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/);
  t.deepEqual(fields, ['Content-Type: text/plain; charset=utf-8', 'Content-Length: 5']);
  t.is(body, 'Hello');
  connection.close();
});

test('HEAD is answered as GET is, without the body', (t) => {
  const { connection, transport } = new MemoryHost(routes()).connect();
  give(connection, Buffer.from(GET.replace('GET', 'HEAD')));
  t.true(transport.text.endsWith('Content-Length: 5\r\n\r\n'));
  connection.close();
});

test('405 and OPTIONS name the methods of the path; 204 has no length', (t) => {
  const { connection, transport } = new MemoryHost(routes()).connect();
  give(connection, Buffer.from(GET.replace('GET', 'PUT') + GET.replace('GET', 'OPTIONS')));
  t.is(transport.text.match(/Allow: GET, HEAD, OPTIONS\r\n/g)?.length, 2);
  t.false(transport.text.slice(transport.text.indexOf(' 204 ')).includes('Content-Length'));
  connection.close();
});

test('HTTP/1.0 is kept alive if it asks for that, and is told so', (t) => {
  const { connection, transport } = new MemoryHost(routes()).connect();
  const request = 'GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
  give(connection, Buffer.from(request + request));
  t.deepEqual(transport.statuses, [200, 200]);
  t.is(transport.text.match(/Connection: keep-alive\r\n/g)?.length, 2);
  t.false(transport.ended || transport.closed);
  connection.close();
});

test('fields are found whatever the case of their names; several of a name become a list', (t) => {
  let request: Request | undefined;
  const mux = new Mux().handle('GET', '/a', (given) => {
    t.is(given.field('x-one'), 'eins');
    t.is(given.field('X-LIST'), 'a, b');
    t.is(given.field('x-none'), undefined);
    t.is(given.field('x-empty'), '');
    t.is(given.query, 'q=1');
    request = given;
    return HELLO;
  });
  const { connection } = new MemoryHost(mux).connect();
  const fields = 'X-One: \teins \t\r\nx-list: a\r\nX-Empty:\r\nX-List: b\r\n';
  give(connection, Buffer.from(`GET /a?q=1 HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`));
  t.is(request?.method, 'GET');
  connection.close();
});

test('a body comes whole, however it was cut, as chunks or by its length', (t) => {
  const body = Buffer.alloc(50_000, 'äöü');
  const cut = Array.from({ length: 5 }, (_, i) => body.subarray(i * 10_000, (i + 1) * 10_000));
  const chunks = cut.flatMap((part) => [Buffer.from('2710\r\n'), part, Buffer.from('\r\n')]);
  const start = 'POST /echo HTTP/1.1\r\nHost: localhost\r\n';
  const requests = [
    [Buffer.from(`${start}Content-Length: 50000\r\n\r\n`), body],
    [
      Buffer.from(`${start}Transfer-Encoding: chunked\r\n\r\n`),
      ...chunks,
      Buffer.from('0\r\n\r\n'),
    ],
  ];
  for (const request of requests) {
    const { connection, transport } = new MemoryHost(routes()).connect();
    const whole = Buffer.concat(request);
    for (let at = 0; at < whole.length; at += 777) give(connection, whole.subarray(at, at + 777));
    t.is(transport.text.slice(transport.text.indexOf('\r\n\r\n') + 4), body.toString('latin1'));
    connection.close();
  }
});

test('who expects to be told gets 100 before the body, and the answer after it', (t) => {
  const { connection, transport } = new MemoryHost(routes()).connect();
  const fields = 'Content-Length: 2\r\nExpect: 100-Continue\r\n';
  give(connection, Buffer.from(`POST /echo HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`));
  t.is(transport.text, 'HTTP/1.1 100 Continue\r\n\r\n');
  give(connection, Buffer.from('o'));
  give(connection, Buffer.from('k'));
  t.deepEqual(transport.statuses, [100, 200]);
  connection.close();
});

test('who sends the body without waiting is not told', (t) => {
  const { connection, transport } = new MemoryHost(routes()).connect();
  const fields = 'Content-Length: 2\r\nExpect: 100-continue\r\n';
  give(connection, Buffer.from(`POST /echo HTTP/1.1\r\nHost: localhost\r\n${fields}\r\nok`));
  t.deepEqual(transport.statuses, [200]);
  connection.close();
});

for (const [path, length, status] of [
  ['/nowhere', 2, 404],
  ['/hello', 2, 405],
  ['/echo', 2 ** 21, 413],
] as const) {
  test(`who expects to be told is told ${status} instead, and need not send a body`, (t) => {
    const { connection, transport } = new MemoryHost(routes()).connect();
    const fields = `Content-Length: ${length}\r\nExpect: 100-continue\r\n`;
    give(connection, Buffer.from(`POST ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`));
    t.deepEqual(transport.statuses, [status]);
    t.true(transport.ended);
    connection.close();
  });
}

test('HTTP/1.0 has no expectations', (t) => {
  const { connection, transport } = new MemoryHost(routes()).connect();
  const fields = 'Content-Length: 2\r\nExpect: 100-continue\r\n';
  give(connection, Buffer.from(`POST /echo HTTP/1.0\r\n${fields}\r\n`));
  t.is(transport.text, '');
  give(connection, Buffer.from('ok'));
  t.deepEqual(transport.statuses, [200]);
  connection.close();
});

test('while a handler takes its time nothing is read, and what was read waits', (t) => {
  const { host, requests } = waiting();
  const { connection, transport } = host.connect();
  const chunk = Buffer.from(GET + LATE + GET + LATE + GET);
  give(connection, chunk);
  chunk.fill(0); // the memory belongs to the loop
  t.deepEqual(transport.statuses, [200]);
  t.true(transport.paused);
  t.is(host.held, 1);

  requests[0]?.answer(new Reply(200, 'first'));
  host.runDeferred();
  t.deepEqual(transport.statuses, [200, 200, 200]);
  t.true(transport.paused);

  requests[1]?.answer(new Reply(201, Buffer.from('second')));
  host.runDeferred();
  t.deepEqual(transport.statuses, [200, 200, 200, 201, 200]);
  t.false(transport.paused);
  t.is(host.held, 0);
  connection.close();
});

test('a request is answered once, and by nobody else’s answer', (t) => {
  const { host, requests } = waiting();
  const { connection, transport } = host.connect();
  give(connection, Buffer.from(LATE + LATE));
  requests[0]?.answer(HELLO);
  requests[0]?.answer(HELLO);
  host.runDeferred();
  requests[0]?.answer(HELLO);
  t.deepEqual(transport.statuses, [200]);
  requests[1]?.answer(new Reply(201));
  t.deepEqual(transport.statuses, [200, 201]);
  connection.close();
});

test('an answer in a handler of another connection does not mix with that one’s', (t) => {
  const requests: Request[] = [];
  const mux = routes()
    .handle('GET', '/later', (request) => {
      requests.push(request);
      return LATER;
    })
    .handle('GET', '/release', () => {
      requests[0]?.answer(new Reply(200, 'late'));
      return new Reply(200, 'released');
    });
  const host = new MemoryHost(mux);
  const late = host.connect();
  const other = host.connect();
  give(late.connection, Buffer.from(LATE + GET));
  give(other.connection, Buffer.from(GET + GET.replace('hello', 'release') + GET));
  host.runDeferred();
  t.regex(late.transport.text, /late[^]*Hello$/);
  t.regex(other.transport.text, /Hello[^]*released[^]*Hello$/);
  t.false(other.transport.text.includes('late'));
  late.connection.close();
  other.connection.close();
});

test('a request that is answered later keeps its fields till then, whatever others send meanwhile', (t) => {
  const { host, requests } = waiting();
  const ask = (host: MemoryHost, name: string): void => {
    const { connection } = host.connect();
    give(
      connection,
      Buffer.from(`GET /later?${name} HTTP/1.1\r\nHost: ${name}\r\nX-Name: ${name}\r\n\r\n`),
    );
  };
  for (const name of ['a', 'bb', 'ccc']) ask(host, name);
  const { connection } = host.connect();
  give(connection, Buffer.from(GET));
  t.deepEqual(
    requests.map((request) => [request.query, request.field('x-name'), request.field('Host')]),
    [
      ['a', 'a', 'a'],
      ['bb', 'bb', 'bb'],
      ['ccc', 'ccc', 'ccc'],
    ],
  );
});

test('it has none once it is answered, or its client is gone: its head is used for others', (t) => {
  const { host, requests } = waiting();
  const [answered, gone] = [host.connect(), host.connect()];
  give(answered.connection, Buffer.from(LATE));
  give(gone.connection, Buffer.from(LATE));
  requests[0]?.answer(HELLO);
  gone.connection.close();
  t.deepEqual(
    requests.map((request) => request.field('host')),
    [undefined, undefined],
  );
});

test('who comes after a client that has left in the middle of a request, or has said that it was its last one, is served', (t) => {
  const host = new MemoryHost(routes());
  const last = GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
  const broken = 'GET /hello HTTP/1.1 \r\n';
  const body = 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n12';
  for (const before of [GET.slice(0, 25), last, broken, body, 'GET /h']) {
    const { connection } = host.connect();
    give(connection, Buffer.from(before));
    connection.close();
    const next = host.connect();
    give(next.connection, Buffer.from(GET));
    t.deepEqual(next.transport.statuses, [200], before);
    next.connection.close();
  }
});

test('an answer that comes after the client has gone does nothing', (t) => {
  const { host, requests } = waiting();
  const { connection, transport } = host.connect();
  give(connection, Buffer.from(LATE));
  transport.destroy();
  connection.close();
  t.is(host.held, 0);
  requests[0]?.answer(HELLO);
  host.runDeferred();
  t.is(transport.text, '');
});

test('a client that does not take what it is sent is not read, until it does', (t) => {
  const host = new MemoryHost(
    routes().handle('GET', '/large', () => new Reply(200, 'x'.repeat(60_000))),
  );
  const { connection, transport } = host.connect();
  transport.room = false;
  give(connection, Buffer.from(GET.replace('hello', 'large').repeat(100)));
  const answered = transport.statuses.length;
  t.true(answered <= 3, `${answered} of 100`);
  t.true(transport.paused);
  t.is(host.held, 1);
  transport.room = true;
  connection.drain();
  t.is(transport.statuses.length, 100);
  t.false(transport.paused);
  t.is(host.held, 0);
  connection.close();
});

test('a handler that throws is told of, and its client gets 500 and goes on', (t) => {
  const failure = new Error('broken');
  const host = new MemoryHost(
    routes().handle('GET', '/broken', () => {
      throw failure;
    }),
  );
  const { connection, transport } = host.connect();
  give(connection, Buffer.from(GET.replace('hello', 'broken') + GET));
  t.deepEqual(transport.statuses, [500, 200]);
  t.deepEqual(host.failures, [failure]);
  connection.close();
});

test('so it is if who is told throws as well; nobody reads the request after that', (t) => {
  const stashed: Request[] = [];
  const host = new MemoryHost(
    routes().handle('GET', '/broken', (request) => {
      stashed.push(request);
      throw new Error('broken');
    }),
  );
  host.failed = (error) => {
    throw error as Error;
  };
  const { connection, transport } = host.connect();
  t.throws(
    () => {
      give(connection, Buffer.from(GET.replace('hello', 'broken')));
    },
    { message: 'broken' },
  );
  t.deepEqual(transport.statuses, [500]);
  t.is(host.held, 0);
  give(host.connect().connection, Buffer.from(GET.replace('localhost', 'other')));
  t.is(stashed[0]?.field('host'), undefined);
});

test('a handler that has others leave keeps the answers of its own client', (t) => {
  const host = new MemoryHost(
    routes().handle('GET', '/shutdown', () => {
      idle.connection.leaveIfIdle();
      host.draining = true;
      return new Reply(200, 'going');
    }),
  );
  const idle = host.connect();
  const { connection, transport } = host.connect();
  give(connection, Buffer.from(GET + GET.replace('hello', 'shutdown')));
  t.is(idle.transport.text, '');
  t.true(idle.transport.ended || idle.transport.closed);
  t.regex(transport.text, /Hello[^]*going$/);
  t.is(transport.writes, 1);
});

test('a client that half-closes gets its answers first', (t) => {
  const { host, requests } = waiting();
  const { connection, transport } = host.connect();
  give(connection, Buffer.from(LATE + GET));
  requests[0]?.answer(HELLO);
  host.runDeferred();
  connection.end();
  t.deepEqual(transport.statuses, [200, 200]);
  t.true(transport.closed);
  connection.close();
});

test('a client that half-closes within a request gets 400', (t) => {
  const { connection, transport } = new MemoryHost(routes()).connect();
  give(connection, Buffer.from(GET.slice(0, -2)));
  connection.end();
  t.deepEqual(transport.statuses, [400]);
  connection.close();
});

test('who has said that a request is the last one is closed at once; others may be sending', (t) => {
  const last = new MemoryHost(routes()).connect();
  give(last.connection, Buffer.from(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')));
  t.true(last.transport.closed);

  const refused = new MemoryHost(routes()).connect();
  give(refused.connection, Buffer.from('nonsense\r\n\r\n'));
  t.true(refused.transport.ended);
  t.false(refused.transport.closed);
  give(refused.connection, Buffer.from(GET));
  t.deepEqual(refused.transport.statuses, [400]);
  refused.connection.expire();
  t.true(refused.transport.closed);
  for (const { connection } of [last, refused]) connection.close();
});

const LIMITS = { idleMs: 100, headMs: 200, bodyMs: 300, writeMs: 400, lingerMs: 500 };

/** Lets time pass on a clock that only the test moves. */
function passes(host: MemoryHost, ms: number): void {
  host.clock.now += ms;
}

test('an idle client goes without an answer after its time', (t) => {
  const host = new MemoryHost(routes(), LIMITS);
  const { connection, transport } = host.connect();
  passes(host, 50);
  give(connection, Buffer.from(GET));
  t.is(connection.due, host.clock.now + 100);
  connection.expire();
  t.true(transport.ended);
  t.deepEqual(transport.statuses, [200]);
  t.is(connection.due, host.clock.now + 500, 'to close');
  connection.expire();
  t.true(transport.closed);
  connection.close();
});

test('a head has its time from the first byte on, whatever else comes: then 408', (t) => {
  const host = new MemoryHost(routes(), LIMITS);
  const { connection, transport } = host.connect();
  give(connection, Buffer.from('GET '));
  const { due } = connection;
  t.is(due, host.clock.now + 200);
  t.is(host.held, 1);
  for (const byte of '/hello HTTP/1.1\r\nA: b') {
    passes(host, 1);
    give(connection, Buffer.from(byte));
  }
  t.is(connection.due, due);
  connection.expire();
  t.deepEqual(transport.statuses, [408]);
  t.true(transport.ended);
  t.is(host.held, 0);
  connection.close();
});

test('so has a body; and the next head has a time of its own', (t) => {
  const host = new MemoryHost(routes(), LIMITS);
  const { connection, transport } = host.connect();
  give(connection, Buffer.from('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n'));
  const { due } = connection;
  t.is(due, host.clock.now + 300);
  passes(host, 100);
  give(connection, Buffer.from('12345678'));
  t.is(connection.due, due);
  give(connection, Buffer.from('9GET'));
  t.is(connection.due, host.clock.now + 200);
  connection.expire();
  t.deepEqual(transport.statuses, [200, 408]);
  connection.close();
});

test('a handler has all the time that it wants; a client to take its answer has not', (t) => {
  const { host, requests } = waiting();
  const { connection, transport } = host.connect();
  give(connection, Buffer.from(LATE));
  t.is(connection.due, Infinity);
  transport.room = false;
  requests[0]?.answer(HELLO);
  host.runDeferred();
  t.is(connection.due, host.clock.now + host.limits.writeMs);
  connection.expire();
  t.true(transport.closed);
  connection.close();
  t.is(host.held, 0);
});

test('when the server goes the idle ones go at once, the others after their answer', (t) => {
  const { host, requests } = waiting();
  const idle = host.connect();
  const busy = host.connect();
  const half = host.connect();
  give(busy.connection, Buffer.from(LATE));
  give(half.connection, Buffer.from(GET.slice(0, 20)));
  host.draining = true;
  for (const { connection } of [idle, busy, half]) connection.leaveIfIdle();
  t.true(idle.transport.ended);
  t.false(busy.transport.ended || half.transport.ended);
  t.is(host.held, 2);

  requests[0]?.answer(HELLO);
  host.runDeferred();
  give(half.connection, Buffer.from(GET.slice(20)));
  for (const { transport } of [busy, half]) {
    t.deepEqual(transport.statuses, [200]);
    t.true(transport.text.includes('Connection: close\r\n'));
    t.true(transport.ended);
  }
  t.is(host.held, 0);
  for (const { connection } of [idle, busy, half]) connection.close();
});

test('when the server goes and leaves time to part, an idle client may ask once more', (t) => {
  const host = new MemoryHost(
    new Mux().handle('GET', '/', () => HELLO),
    { partingMs: 1000 },
  );
  const [asking, silent] = [host.connect(), host.connect()];
  host.draining = true;
  for (const { connection } of [asking, silent]) connection.leaveIfIdle();
  t.false(asking.transport.ended || silent.transport.ended);
  t.is(host.held, 2);
  t.is(silent.connection.due, host.clock.now + 1000);

  give(asking.connection, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
  t.deepEqual(asking.transport.statuses, [200]);
  t.true(asking.transport.text.includes('Connection: close\r\n'));
  silent.connection.expire();
  t.is(silent.transport.text, '');
  t.true(asking.transport.ended && silent.transport.ended);
  t.is(host.held, 0);
  for (const { connection } of [asking, silent]) connection.close();
});

test('a handler may have its own connection closed', (t) => {
  const host = new MemoryHost(
    routes()
      .handle('GET', '/end', () => close(HELLO))
      .handle('GET', '/later', (request) => {
        requests.push(request);
        close(HELLO);
        t.is(request.field('host'), 'localhost');
        return LATER;
      }),
  );
  const requests: Request[] = [];
  let { connection, transport } = host.connect();
  function close(reply: Reply): Reply {
    transport.destroy();
    connection.close();
    return reply;
  }
  give(connection, Buffer.from(GET + GET.replace('hello', 'end') + GET));
  t.is(transport.text, '');
  t.is(host.held, 0);
  ({ connection, transport } = host.connect());
  give(connection, Buffer.from(LATE + GET));
  t.is(transport.text, '');
  t.is(requests[0]?.field('host'), undefined);
  t.is(host.held, 0);
  const next = host.connect();
  give(next.connection, Buffer.from(GET));
  t.deepEqual(next.transport.statuses, [200]);
});

test('a chunk that is larger than the parser’s memory is read all the same', (t) => {
  const { connection, transport } = new MemoryHost(routes()).connect();
  const body = 'y'.repeat(300_000);
  const start = 'POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n';
  give(connection, Buffer.from(start + body));
  t.true(transport.text.endsWith(`\r\n\r\n${body}`));
  connection.close();
});

test('ten thousand connections in the middle of a request have parsers of their own', (t) => {
  const host = new MemoryHost(routes());
  const connections = Array.from({ length: 10_000 }, () => host.connect());
  for (const { connection } of connections) give(connection, Buffer.from(GET.slice(0, 25)));
  for (const { connection } of connections) give(connection, Buffer.from(GET.slice(25)));
  t.true(connections.every(({ transport }) => transport.text.endsWith('Hello')));
  for (const { connection } of connections) connection.close();
});

test('whatever comes, in whatever pieces, is answered or refused, and nothing is thrown', (t) => {
  const random = new Random();
  t.log(`seed ${random.seed}`);
  const statuses = new Set([100, 200, 204, 400, 404, 405, 413, 414, 417, 431, 501, 505]);
  for (let round = 0; round < 3000; round++) {
    const host = new MemoryHost(routes());
    const { connection, transport } = host.connect();
    const bytes = Buffer.concat(
      Array.from({ length: random.integer(1, 4) }, () => spoilt(random, EXCHANGES)),
    );
    for (let at = 0; at < bytes.length && !transport.closed;) {
      const step = random.integer(1, 2 * bytes.length);
      give(connection, bytes.subarray(at, at + step));
      at += step;
    }
    if (!transport.closed) connection.end();
    t.deepEqual(
      transport.statuses.filter((status) => !statuses.has(status)),
      [],
    );
    t.true(transport.ended || transport.closed);
    t.deepEqual(host.failures, []);
    connection.close();
    t.is(host.held, 0);
  }
});

/** A request of the table with some bytes changed, left out, or put in. */
function spoilt(random: Random, among: typeof EXCHANGES): Buffer {
  const { bytes } = among[random.integer(0, among.length)] ?? { bytes: '' };
  const spoilt = [...Buffer.from(bytes.slice(0, 2000), 'latin1')];
  for (let changes = random.integer(0, 3); changes > 0; changes--) {
    const place = random.integer(0, spoilt.length);
    spoilt.splice(place, random.integer(0, 2), ...random.bytes(random.integer(0, 2)));
  }
  return Buffer.from(spoilt);
}

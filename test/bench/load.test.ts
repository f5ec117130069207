/** The load generator notices servers that are broken, each in another way. */
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';
import { compileC } from '../../bench/lib/compile.js';
import { run } from '../support/child.js';
import { testWithPrograms } from '../support/programs.js';

const SLICE = ['--warmup-ms=0', '--messages=200', '--connections=3'];

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The load against a server of this process that treats its clients like this. */
async function load(
  t: ExecutionContext,
  serve: (socket: Socket) => void,
  ...args: readonly string[]
): Promise<Outcome> {
  const sockets = new Set<Socket>();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const port = String((server.address() as AddressInfo).port);
  return run(compileC('load'), [`--port=${port}`, ...SLICE, ...args]);
}

/** Echo that changes the n-th chunk. */
const echo =
  (change: (chunk: Buffer, n: number) => Buffer = (chunk) => chunk) =>
  (socket: Socket): void => {
    let n = 0;
    socket.on('data', (chunk) => socket.write(change(chunk, n++)));
  };

function altered(chunk: Buffer, at: number): Buffer {
  const copy = Buffer.from(chunk);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

const http =
  (answer: (n: number) => string) =>
  (socket: Socket): void => {
    let n = 0;
    socket.on('data', (chunk) => {
      const requests = chunk.toString('latin1').split('\r\n\r\n').length - 1;
      for (let i = 0; i < requests; i++) socket.write(answer(n++));
    });
  };

const answer = (body: string, length = body.length): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${String(length)}\r\n\r\n${body}`;

testWithPrograms(['cc'], 'a server that echoes is measured', async (t) => {
  const { code, stdout, stderr } = await load(t, echo());
  t.is(code, 0, stderr);
  const report = JSON.parse(stdout) as { messages: number; latencies: [number, number][] };
  t.true(report.messages >= 200);
  t.true(report.latencies.length > 0);
});

testWithPrograms(['cc'], 'a server that closes after each message is measured', async (t) => {
  const { code, stderr } = await load(t, echo(), '--reconnect');
  t.is(code, 0, stderr);
});

for (const at of [0, 31, 63]) {
  testWithPrograms(['cc'], `an echo with byte ${String(at)} altered once is noticed`, async (t) => {
    const { code, stderr } = await load(
      t,
      echo((chunk, n) => (n === 20 ? altered(chunk, at) : chunk)),
    );
    t.is(code, 1);
    t.regex(stderr, /the answer differs from what was sent/);
  });
}

testWithPrograms(['cc'], 'an echo that sends one byte too many is noticed', async (t) => {
  const { code, stderr } = await load(
    t,
    echo((chunk, n) => (n === 20 ? Buffer.concat([chunk, Buffer.from('!')]) : chunk)),
  );
  t.is(code, 1);
  t.regex(stderr, /more bytes came than were sent|the answer differs/);
});

testWithPrograms(['cc'], 'an echo that mixes its connections up is noticed', async (t) => {
  const all: Socket[] = [];
  const { code } = await load(t, (socket) => {
    all.push(socket);
    socket.on('data', (chunk) => all[(all.indexOf(socket) + 1) % all.length]?.write(chunk));
  });
  t.is(code, 1);
});

testWithPrograms(['cc'], 'a server that hangs up is noticed', async (t) => {
  const { code, stderr } = await load(t, (socket) => {
    socket.once('data', () => socket.end());
  });
  t.is(code, 1);
  t.regex(stderr, /closed connection|recv:/);
});

testWithPrograms(['cc'], 'HTTP is measured, also when answers come in pieces', async (t) => {
  const whole = await load(
    t,
    http(() => answer('Hello')),
    '--traffic=http',
    '--depth=4',
  );
  t.is(whole.code, 0, whole.stderr);
  const inPieces = await load(
    t,
    (socket) => {
      socket.on('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Len');
        setImmediate(() => socket.write('gth: 5\r\n\r\nHel'));
        setImmediate(() => setImmediate(() => socket.write('lo')));
      });
    },
    '--traffic=http',
  );
  t.is(inPieces.code, 0, inPieces.stderr);
});

const broken: Readonly<Record<string, readonly [answer: (n: number) => string, said: RegExp]>> = {
  'an error': [() => 'HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n', /not a good answer/],
  'another body': [(n) => answer(n === 20 ? 'Hullo' : 'Hello'), /differs from the first one/],
  'a body without a length': [() => 'HTTP/1.1 200 OK\r\n\r\nHello', /without Content-Length/],
  'two answers': [() => answer('Hello') + answer('Hello'), /more answers than requests/],
};
for (const [what, [answers, said]] of Object.entries(broken)) {
  testWithPrograms(['cc'], `HTTP with ${what} is noticed`, async (t) => {
    const { code, stderr } = await load(t, http(answers), '--traffic=http');
    t.is(code, 1);
    t.regex(stderr, said);
  });
}

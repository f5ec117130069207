/** The UDP echo server: boundaries, bytes and senders. */
import dgram from 'node:dgram';
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { run, runNode } from '../support/child.js';
import { testWithPrograms } from '../support/programs.js';
import { Random } from '../support/random.js';
import { exampleFile, type RunningServer } from '../support/server.js';
import { start } from './start.js';

/** The longest that UDP over IPv4 carries. */
const LONGEST = 65_507;

async function clientOf(t: ExecutionContext, server: RunningServer): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4');
  t.teardown(() => socket.close());
  socket.connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Sends a datagram and takes the answer. */
async function roundTrip(socket: dgram.Socket, message: Buffer): Promise<Buffer> {
  const answer = once(socket, 'message') as Promise<[Buffer]>;
  socket.send(message);
  return (await answer)[0];
}

test('a datagram comes back as it went, whatever its length', async (t) => {
  const server = await start(t, 'udp-echo', ['--port', '0']);
  const client = await clientOf(t, server);
  const random = new Random();
  t.log(`seed ${random.seed}`);
  for (const length of [0, 1, 1472, 1473, 2048, 2049, 9000, 65_000, LONGEST, 0, 5]) {
    const message = random.bytes(length);
    const answer = await roundTrip(client, message);
    t.true(answer.equals(message), `${length} bytes`);
  }
});

test('many senders get each their own, in order', async (t) => {
  const server = await start(t, 'udp-echo', ['--port', '0']);
  const clients = await Promise.all(Array.from({ length: 50 }, () => clientOf(t, server)));
  const rounds = 100;
  await Promise.all(
    clients.map(async (client, i) => {
      for (let round = 0; round < rounds; round++) {
        // Some at a time, so that batches have more than one, and no buffer overflows.
        const answers: string[] = [];
        const all = new Promise<void>((resolve) => {
          client.on('message', (answer: Buffer) => {
            if (answers.push(answer.toString()) === 3) resolve();
          });
        });
        const messages = [1, 2, 3].map((number) => `${i} ${round} ${number}`);
        for (const message of messages) client.send(message);
        await all;
        client.removeAllListeners('message');
        if (answers.join() !== messages.join()) t.fail(answers.join());
      }
    }),
  );
  t.is(server.stderr(), '');
});

test('more than it can send at once goes as there is room', async (t) => {
  const server = await start(t, 'udp-echo', ['--port', '0']);
  const client = await clientOf(t, server);
  client.setRecvBufferSize(16 * 1024 * 1024);
  // A burst of long ones; what the kernel drops on the way is its right. Then all is as before.
  let back = 0;
  const message = Buffer.alloc(60_000, 'x');
  client.on('message', (answer: Buffer) => {
    if (answer.equals(message)) back++;
  });
  for (let i = 0; i < 500; i++) client.send(message);
  while (back === 0) await once(client, 'message');
  client.removeAllListeners('message');
  const last = Buffer.from('the last one');
  let answer = await roundTrip(client, last);
  while (!answer.equals(last)) [answer] = (await once(client, 'message')) as [Buffer];
  t.pass();
});

testWithPrograms(['socat'], 'socat gets its datagram back', async (t) => {
  const server = await start(t, 'udp-echo', ['--port', '0']);
  const target = `UDP:127.0.0.1:${server.port}`;
  const { stdout } = await run('socat', ['-t', '1', 'STDIO', target], { input: 'hello\n' });
  t.is(stdout, 'hello\n');
});

test('it serves IPv6 as well', async (t) => {
  const server = await start(t, 'udp-echo', ['--port', '0', '--host', '::1']);
  const socket = dgram.createSocket('udp6');
  t.teardown(() => socket.close());
  socket.connect(server.port, '::1');
  await once(socket, 'connect');
  t.is((await roundTrip(socket, Buffer.from('six'))).toString(), 'six');
});

test('a port in use, or a path, ends it with a reason', async (t) => {
  const server = await start(t, 'udp-echo', ['--port', '0']);
  const args = ['--port', String(server.port)];
  const inUse = await runNode(exampleFile('udp-echo'), { args });
  t.is(inUse.code, 1);
  t.regex(inUse.stderr, /^udp-echo: EADDRINUSE/);
  const path = await runNode(exampleFile('udp-echo'), { args: ['--path', '/tmp/x'] });
  t.is(path.code, 2);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`it leaves on ${signal}`, async (t) => {
    const server = await start(t, 'udp-echo', ['--port', '0']);
    const client = await clientOf(t, server);
    await roundTrip(client, Buffer.from('x'));
    t.deepEqual(await server.stop(signal), [0, null]);
  });
}

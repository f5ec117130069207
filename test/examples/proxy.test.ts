/** The proxy: every byte both ways, each end on its own, and bounded memory. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { run, runNode } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { cpuMsOf, descriptorsOf, residentBytesOf } from '../support/process-stats.js';
import { testWithPrograms } from '../support/programs.js';
import { Random } from '../support/random.js';
import { SHADOW_BYTES } from '../support/sanitizers.js';
import { exampleFile, type RunningServer } from '../support/server.js';
import { carryOut, connectMany, connectTo, makePlans, roundTrip } from './clients.js';
import { start } from './start.js';

const MIB = 1024 * 1024;
const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-proxy-'));

test.after.always(() => {
  rmSync(folder, { recursive: true });
});

/** A server in this process, that a proxy is started for. */
async function proxyTo(
  t: ExecutionContext,
  serve: (socket: net.Socket) => void,
): Promise<RunningServer> {
  const upstream = net.createServer({ allowHalfOpen: true }, (socket) => {
    t.teardown(() => socket.destroy());
    socket.on('error', () => undefined);
    serve(socket);
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  t.teardown(() => upstream.close());
  const { port } = upstream.address() as net.AddressInfo;
  return start(t, 'proxy', ['--port', '0', '--to', `127.0.0.1:${port}`]);
}

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Answers the digest of all that came, and then `answer`, but not before the end has come. */
function digestAndAnswer(answer: Buffer): (socket: net.Socket) => void {
  return (socket) => {
    const hash = createHash('sha256');
    socket.on('data', (chunk: Buffer) => hash.update(chunk));
    socket.on('end', () => {
      socket.write(`${hash.digest('hex')}\n`);
      socket.end(answer);
    });
  };
}

for (const [program, command] of [
  ['nc', 'nc -N 127.0.0.1 $PORT'],
  ['socat', 'socat -t 60 STDIO TCP:127.0.0.1:$PORT'],
] as const) {
  testWithPrograms(
    [program],
    `${program} sends 64 MiB, its end, and gets 64 MiB after it`,
    async (t) => {
      const answer = new Random(1).bytes(64 * MIB);
      const question = new Random(2).bytes(64 * MIB);
      const file = path.join(folder, program);
      writeFileSync(file, question);
      const server = await proxyTo(t, digestAndAnswer(answer));
      const shell = `${command} < "${file}" | sha256sum`;
      const env = { PORT: String(server.port) };
      const { stdout, code } = await run('bash', ['-o', 'pipefail', '-c', shell], { env });
      t.is(code, 0);
      const wanted = Buffer.concat([Buffer.from(`${sha256(question)}\n`), answer]);
      t.is(stdout.split(' ')[0], sha256(wanted));
    },
  );
}

testWithPrograms(
  ['socat'],
  'both directions at once, 32 MiB each, over socat at both ends',
  async (t) => {
    const server = await start(t, 'echo', ['--port', '0']);
    const proxy = await start(t, 'proxy', ['--port', '0', '--to', server.address]);
    const file = path.join(folder, 'both');
    const bytes = new Random(3).bytes(32 * MIB);
    writeFileSync(file, bytes);
    const shell = `socat -t 60 STDIO TCP:${proxy.address} < "${file}" | sha256sum`;
    const { stdout } = await run('bash', ['-c', shell]);
    t.is(stdout.split(' ')[0], sha256(bytes));
  },
);

test.serial('two hundred clients at once get every byte back, some of them reset', async (t) => {
  const random = new Random();
  t.log(`seed ${random.seed}`);
  const server = await start(t, 'echo', ['--port', '0']);
  const proxy = await start(t, 'proxy', ['--port', '0', '--to', server.address]);
  const counts = (): number[] => [server, proxy].map(({ pid }) => descriptorsOf(pid).length);
  const before = counts();
  const plans = makePlans(random, 200);
  const sockets = await connectMany(proxy, plans.length);
  await Promise.all(plans.map((plan, i) => carryOut(plan, sockets[i] as net.Socket)));
  t.deepEqual(await eventually(counts, before), before);
  t.is(proxy.stderr(), '');
});

test('an upstream that refuses closes the client, and the proxy says why', async (t) => {
  const upstream = net.createServer().listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as net.AddressInfo;
  upstream.close();
  const proxy = await start(t, 'proxy', ['--port', '0', '--to', `127.0.0.1:${port}`]);
  const before = descriptorsOf(proxy.pid).length;
  for (let i = 0; i < 20; i++) {
    const client = await connectTo(proxy);
    client.end('is anybody there?');
    // What it has said is unread: its end may come as a reset.
    await new Promise((resolve) => client.resume().once('close', resolve));
  }
  t.regex(proxy.stderr(), /^proxy: ECONNREFUSED/);
  t.is(await eventually(() => descriptorsOf(proxy.pid).length, before), before);
});

test('an end before the upstream is connected is not lost', async (t) => {
  const server = await proxyTo(t, digestAndAnswer(Buffer.from('done')));
  const clients = await connectMany(server, 50);
  await Promise.all(
    clients.map(async (client) => {
      client.end('at once');
      const chunks: Buffer[] = [];
      for await (const chunk of client) chunks.push(chunk as Buffer);
      t.is(Buffer.concat(chunks).toString(), `${sha256('at once')}\ndone`);
    }),
  );
});

test('the end of the upstream comes through while the client goes on', async (t) => {
  const heard: string[] = [];
  const server = await proxyTo(t, (socket) => {
    socket.end('only this');
    socket.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
  });
  const client = await connectTo(server);
  const ended = once(client, 'end');
  client.resume();
  await ended;
  client.write('still ');
  client.end('talking');
  await once(client, 'close');
  t.is(await eventually(() => heard.join(''), 'still talking'), 'still talking');
});

for (const side of ['client', 'upstream'] as const) {
  test(`a reset by the ${side} is a reset for the other`, async (t) => {
    let upstream: net.Socket | undefined;
    const server = await proxyTo(t, (socket) => {
      upstream = socket.resume();
    });
    const client = await connectTo(server);
    client.write('hello');
    // Nothing is under way: Node takes a reset behind data for the end of the stream.
    t.is(await eventually(() => upstream?.bytesRead, 5), 5);
    const [from, to] = side === 'client' ? [client, upstream] : [upstream, client];
    const error = once(to as net.Socket, 'error') as Promise<[NodeJS.ErrnoException]>;
    to?.resume();
    from?.resetAndDestroy();
    t.is((await error)[0].code, 'ECONNRESET');
  });

  test.serial(`a ${side} that does not read stops the other, and memory is bounded`, async (t) => {
    const question = new Random(4).bytes(MIB);
    const pieces = 64;
    let upstream: net.Socket | undefined;
    const server = await proxyTo(t, (socket) => {
      upstream = socket;
    });
    const client = await connectTo(server);
    await eventually(() => upstream !== undefined, true);
    const [reader, writer] = (side === 'client' ? [client, upstream] : [upstream, client]) as [
      net.Socket,
      net.Socket,
    ];
    const resident = residentBytesOf(server.pid);
    for (let i = 0; i < pieces; i++) writer.write(question);
    // Another pair goes through the same loop meanwhile.
    const otherClient = await connectTo(server);
    const stuck = await eventually(() => writer.writableLength > 0, true);
    t.true(stuck);
    const cpuMs = cpuMsOf(server.pid);
    await new Promise((resolve) =>
      setTimeout(() => {
        resolve(undefined);
      }, 300),
    );
    t.true(cpuMsOf(server.pid) - cpuMs <= 250, 'it does not spin');
    t.true(writer.writableLength > 0, 'it went on reading');
    const growth = residentBytesOf(server.pid) - resident;
    t.true(growth < 16 * MIB + SHADOW_BYTES, `its memory grew by ${growth} bytes`);
    writer.end();
    const hash = createHash('sha256');
    let bytes = 0;
    reader.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      bytes += chunk.length;
    });
    await once(reader, 'end');
    t.is(bytes, pieces * MIB);
    t.is(hash.digest('hex'), sha256(Buffer.concat(Array.from({ length: pieces }, () => question))));
    otherClient.destroy();
  });
}

test('Unix sockets at both ends', async (t) => {
  const [front, behind] = [path.join(folder, 'front'), path.join(folder, 'behind')];
  await start(t, 'echo', ['--path', behind]);
  const proxy = await start(t, 'proxy', ['--path', front, '--to', behind]);
  const client = await connectTo(proxy);
  await roundTrip(client, new Random(5).bytes(4 * MIB));
  client.end();
  await once(client.resume(), 'close');
  t.pass();
});

test('it leaves on SIGTERM with what is under way, or after its grace', async (t) => {
  const server = await proxyTo(t, (socket) => socket.pipe(socket));
  const client = await connectTo(server);
  await roundTrip(client, Buffer.from('before'));
  const stopped = server.stop('SIGTERM');
  const refused = async (): Promise<boolean> => {
    const socket = net.connect(server.port, '127.0.0.1');
    return new Promise((resolve) => {
      socket.once('error', () => {
        resolve(true);
      });
      socket.once('connect', () => {
        socket.destroy();
        resolve(false);
      });
    });
  };
  while (!(await refused()));
  await roundTrip(client, Buffer.from('still served'));
  client.end();
  t.deepEqual(await stopped, [0, null]);

  const other = await proxyTo(t, () => undefined);
  const stuck = await connectTo(other);
  stuck.write('x');
  t.deepEqual(await other.stop('SIGINT'), [0, null]);
});

test('where to connect must be said, as an address', async (t) => {
  for (const args of [[], ['--to', 'localhost:80'], ['--to', '127.0.0.1'], ['--to', '::1:99999']]) {
    const { code, stderr } = await runNode(exampleFile('proxy'), { args });
    t.is(code, 2, args.join(' '));
    t.regex(stderr, /^proxy: --to must be/);
  }
});

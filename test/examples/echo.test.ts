/** The echo servers, against programs and clients that share no code with them. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import type net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { fixture, run } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import {
  cpuMsOf,
  descriptorsOf,
  residentBytesOf,
  setSizesOf,
  stateOf,
} from '../support/process-stats.js';
import { testWithPrograms } from '../support/programs.js';
import { Random } from '../support/random.js';
import { SHADOW_BYTES } from '../support/sanitizers.js';
import type { RunningServer } from '../support/server.js';
import { carryOut, connectMany, connectTo, makePlans, roundTrip, takeBack } from './clients.js';
import { start } from './start.js';

const SERVERS = ['echo', 'echo-edge', 'echo-sys'] as const;
const TRANSPORTS = ['TCP', 'Unix'] as const;
const MIB = 1024 * 1024;

const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-echo-'));
let paths = 0;

test.after.always(() => {
  rmSync(folder, { recursive: true });
});

type Transport = (typeof TRANSPORTS)[number];

/** Where a server is to listen. */
function placeFor(transport: Transport): readonly string[] {
  return transport === 'TCP' ? ['--port', '0'] : ['--path', `${folder}/${paths++}`];
}

/** Options of Node that have it import a fixture before the program. */
function importing(name: string): readonly string[] {
  return ['--import', pathToFileURL(fixture(name)).href];
}

function countDescriptors(pid: number): number {
  return descriptorsOf(pid).length;
}

/** What a server holds when it has no client. */
interface Holdings {
  readonly descriptors: number;
  readonly sets: Readonly<Record<string, number>>;
}

/** Serves one client, so that everything which is made once is there, and looks then. */
async function holdingsWithoutClients(server: RunningServer): Promise<Holdings> {
  const descriptors = countDescriptors(server.pid);
  const socket = await connectTo(server);
  await roundTrip(socket, Buffer.from('hello'));
  socket.destroy();
  await eventually(() => countDescriptors(server.pid), descriptors);
  return { descriptors: countDescriptors(server.pid), sets: setSizesOf(server.pid) };
}

async function expectHoldings(
  t: ExecutionContext,
  server: RunningServer,
  wanted: Holdings,
): Promise<void> {
  const { pid } = server;
  t.is(await eventually(() => countDescriptors(pid), wanted.descriptors), wanted.descriptors);
  t.deepEqual(setSizesOf(pid), wanted.sets);
}

function lines(random: Random, count: number): string {
  return Array.from({ length: count }, () => `${random.bytes(30).toString('base64')}\n`).join('');
}

for (const name of SERVERS) {
  for (const transport of TRANSPORTS) {
    const title = `${name} on ${transport}`;
    const tcp = transport === 'TCP';

    testWithPrograms(['nc'], `${title} gives nc its lines back and closes after it`, async (t) => {
      const server = await start(t, name, placeFor(transport));
      const input = lines(new Random(), 2000);
      const target = tcp ? ['127.0.0.1', String(server.port)] : ['-U', server.address];
      const { stdout, code } = await run('nc', ['-N', ...target], { input });
      t.is(code, 0);
      t.true(stdout === input);
    });

    testWithPrograms(['socat'], `${title} gives socat 2 MiB back after its end`, async (t) => {
      const server = await start(t, name, placeFor(transport));
      const input = lines(new Random(), 50_000);
      t.true(input.length > 2 * MIB - 100_000);
      const target = tcp ? `TCP:${server.address}` : `UNIX-CONNECT:${server.address}`;
      // -t: how long to wait for the rest after the end of the input.
      const { stdout, code } = await run('socat', ['-t', '20', 'STDIO', target], { input });
      t.is(code, 0);
      t.true(stdout === input);
    });

    test.serial(
      `${title} gives 1,000 clients at once every byte back and keeps nothing of them`,
      async (t) => {
        const random = new Random();
        t.log(`seed ${random.seed}`);
        const server = await start(t, name, placeFor(transport));
        const before = await holdingsWithoutClients(server);
        const plans = makePlans(random, 1000);
        const sockets = await connectMany(server, plans.length);
        const all = before.descriptors + plans.length;
        t.is(await eventually(() => countDescriptors(server.pid), all), all);

        await Promise.all(plans.map((plan, i) => carryOut(plan, sockets[i] as net.Socket)));
        await expectHoldings(t, server, before);
        t.is(server.stderr(), '');
      },
    );

    test.serial(`${title} gives every byte back in parts of a few kilobytes`, async (t) => {
      const random = new Random();
      t.log(`seed ${random.seed}`);
      const server = await start(t, name, placeFor(transport), {
        nodeArgs: importing('small-send-buffers'),
      });
      const before = await holdingsWithoutClients(server);
      const plans = makePlans(random, 100);
      const sockets = await connectMany(server, plans.length);
      await Promise.all(plans.map((plan, i) => carryOut(plan, sockets[i] as net.Socket)));
      await expectHoldings(t, server, before);
    });

    test.serial(
      `${title} stops reading a client that does not read, and serves the others`,
      async (t) => {
        const server = await start(t, name, placeFor(transport));
        const before = await holdingsWithoutClients(server);
        const stuck = await connectTo(server);
        const other = await connectTo(server);
        const message = new Random().bytes(MIB);
        await roundTrip(other, message);
        const resident = residentBytesOf(server.pid);

        // Far more than the kernel holds for both directions of one connection.
        const pieces = 64;
        for (let i = 0; i < pieces; i++) stuck.write(message);
        // Each round trip is a turn of the server, in which it could take 64 KiB of the stuck one.
        for (let turn = 0; turn < 2 * 16 * pieces; turn++) {
          await roundTrip(other, message.subarray(turn, turn + 64));
        }
        await roundTrip(other, message);
        t.true(stuck.writableLength > 0, 'it went on reading');
        const growth = residentBytesOf(server.pid) - resident;
        t.true(growth < 16 * MIB + SHADOW_BYTES, `its memory grew by ${growth} bytes`);

        // A loop that spins on what it does not want to read would use all of the time.
        const cpuMs = cpuMsOf(server.pid);
        await delay(500);
        const used = cpuMsOf(server.pid) - cpuMs;
        t.true(used <= 100, `${used} ms of processor time in half an idle second`);

        stuck.end();
        await takeBack(stuck, Buffer.concat(Array.from({ length: pieces }, () => message)));
        other.destroy();
        await expectHoldings(t, server, before);
      },
    );

    test.serial(`${title} serves on while a client that does not read goes away`, async (t) => {
      const server = await start(t, name, placeFor(transport));
      const before = await holdingsWithoutClients(server);
      const stuck = await connectTo(server);
      const other = await connectTo(server);
      stuck.write(Buffer.alloc(32 * MIB));
      await roundTrip(other, Buffer.alloc(MIB));
      stuck.destroy();
      await roundTrip(other, Buffer.alloc(MIB));
      other.destroy();
      await expectHoldings(t, server, before);

      // It gets the descriptor of the one that went, and nothing of what that one was owed.
      const next = await connectTo(server);
      await roundTrip(next, Buffer.from('hello'));
      next.destroy();
    });

    testWithPrograms(
      ['nc'],
      `${title} serves others and leaves while clients flood it`,
      async (t) => {
        const server = await start(t, name, placeFor(transport));
        const target = tcp ? `127.0.0.1 ${server.port}` : `-U ${server.address}`;
        const before = countDescriptors(server.pid);
        const floods = [1, 2].map(() => run('bash', ['-c', `nc ${target} < /dev/zero | wc -c`]));
        await eventually(() => countDescriptors(server.pid), before + floods.length);
        const other = await connectTo(server);
        for (let i = 0; i < 200; i++) await roundTrip(other, Buffer.from(`line ${i}\n`));
        t.deepEqual(await server.stop(), [0, null]);
        for (const { stdout } of await Promise.all(floods)) t.true(Number(stdout) > 0);
      },
    );
  }

  test.serial(`${name} removes the file of its Unix socket when it leaves`, async (t) => {
    const server = await start(t, name, placeFor('Unix'));
    t.true(existsSync(server.address));
    t.deepEqual(await server.stop(), [0, null]);
    t.false(existsSync(server.address));
  });
}

test.serial('echo-edge reads a client that sends much at most four times in a turn', async (t) => {
  const server = await start(t, 'echo-edge', placeFor('TCP'), { nodeArgs: importing('log-reads') });
  const [busy, other] = await connectMany(server, 2);
  if (busy === undefined || other === undefined) throw new Error('not connected');
  await roundTrip(busy, Buffer.alloc(2));
  await roundTrip(other, Buffer.alloc(2));

  // Both come while it stands still, so it finds both in one wait, the busy one first.
  process.kill(server.pid, 'SIGSTOP');
  t.is(await eventually(() => stateOf(server.pid), 'T'), 'T');
  const back = [takeBack(busy, Buffer.alloc(4 * MIB)), takeBack(other, Buffer.alloc(1))];
  busy.write(Buffer.alloc(4 * MIB));
  other.write(Buffer.alloc(1));
  process.kill(server.pid, 'SIGCONT');
  await Promise.all(back);
  t.deepEqual(await server.stop(), [0, null]);

  // Lengths: 1 is the other's, above 2 the busy one's; below 0 there was nothing to read.
  const lengths = server.stderr().trim().split('\n').map(Number);
  const reads = lengths.filter((length) => length === 1 || length > 2);
  const before = reads.indexOf(1);
  t.true(before <= 4, `${before} reads before the other had its turn`);
  t.true(reads.length > 4 + 1);
});

test.serial('echo --spin-us keeps its core busy while it waits, and serves', async (t) => {
  const server = await start(t, 'echo', ['--port', '0', '--spin-us', '100000']);
  const client = await connectTo(server);
  await roundTrip(client, Buffer.from('hello'));
  // Its timer wakes it up every 50 ms: it never comes to sleep. Without, it uses 1 ms or so of them.
  const cpuMs = cpuMsOf(server.pid);
  t.true(await eventually(() => cpuMsOf(server.pid) - cpuMs >= 500, true));
  await roundTrip(client, Buffer.from('hello again'));
  client.destroy();
});

/** The site of passwords on more than one thread, in each of its forms. */
import net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { runNode } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { descriptorsOf } from '../support/process-stats.js';
import { testWithPrograms } from '../support/programs.js';
import { exampleFile, type RunningServer } from '../support/server.js';
import { FORMS } from '../../examples/lib/workers/task.js';
import { ab, get } from './http-clients.js';
import { start } from './start.js';

interface WorkerCounts {
  readonly connections: number;
  readonly requests: number;
}

/** What it prints at its end. Its last lines may come after its exit. */
async function countsOf(server: RunningServer, workers: number): Promise<WorkerCounts[]> {
  await eventually(() => server.stdout().match(/^worker /gm)?.length, workers);
  const lines = server.stdout().matchAll(/^worker \d+: (\d+) connections, (\d+) requests$/gm);
  return [...lines].map(([, connections, requests]) => ({
    connections: Number(connections),
    requests: Number(requests),
  }));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

const PAGE_BYTES = 1301;
const REQUEST = 'GET /password HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** The length of what comes for one request, and whether that is all of an answer. */
function ask(port: number): Promise<{ bytes: number; whole: boolean; refused: boolean }> {
  return new Promise((resolve) => {
    let answer = '';
    let refused = false;
    const socket = net.connect(port, '127.0.0.1', () => socket.write(REQUEST));
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      refused = error.code === 'ECONNREFUSED';
    });
    socket.on('close', () => {
      const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
      resolve({ bytes: answer.length, whole: body.length === PAGE_BYTES, refused });
    });
  });
}

for (const form of FORMS) {
  test.serial(`${form}: a page of passwords from each worker`, async (t) => {
    const server = await start(t, 'workers', ['--port', '0', '--form', form, '--workers', '3']);
    const pages = await Promise.all(
      Array.from({ length: 30 }, () => get(server.port, '/password')),
    );
    for (const { status, body } of pages) {
      t.is(status, 200);
      t.regex(body, /^\[[A-Za-z0-9#@$]{12}( [A-Za-z0-9#@$]{12}){99}\]$/);
    }
    t.is(new Set(pages.map(({ body }) => body)).size, 30);
    t.deepEqual(await server.stop(), [0, null]);
    const counts = await countsOf(server, 3);
    t.is(counts.length, 3);
    t.is(sum(counts.map(({ requests }) => requests)), 30);
    t.is(server.stderr(), '');
  });

  testWithPrograms(['ab'], `${form}: ab -n 6000 -c 300: none failed, counts add up`, async (t) => {
    const server = await start(t, 'workers', ['--port', '0', '--form', form]);
    const before = descriptorsOf(server.pid).length;
    const report = await ab(server, '/password', 6000, 300);
    t.deepEqual(report, { complete: 6000, failed: 0, refused: 0, documentBytes: PAGE_BYTES });
    t.is(await eventually(() => descriptorsOf(server.pid).length, before), before);
    t.deepEqual(await server.stop(), [0, null]);
    t.is(server.stderr(), '');
    const counts = await countsOf(server, 2);
    t.log(server.stdout());
    t.is(sum(counts.map(({ requests }) => requests)), 6000);
    const connections = counts.map((count) => count.connections);
    t.true(sum(connections) >= 6000);
    // The acceptor deals out in turn; of the others the kernel promises nothing that is so exact.
    if (form === 'acceptor') t.true(Math.max(...connections) - Math.min(...connections) <= 1);
    if (form === 'reuseport') t.true(Math.min(...connections) > 0);
  });

  test.serial(`${form}: an end under load cuts no answer off`, async (t) => {
    const server = await start(t, 'workers', ['--port', '0', '--form', form, '--grace', '60000']);
    let whole = 0;
    const partial: number[] = [];
    const client = async (): Promise<void> => {
      for (;;) {
        const answer = await ask(server.port);
        if (answer.whole) whole++;
        else if (answer.bytes > 0) partial.push(answer.bytes);
        else if (answer.refused) return;
        await setImmediate();
      }
    };
    const clients = Array.from({ length: 50 }, client);
    await eventually(() => whole > 500, true, 120_000);
    t.deepEqual(await server.stop(), [0, null]);
    await Promise.all(clients);
    t.deepEqual(partial, []);
    const counts = await countsOf(server, 2);
    t.is(sum(counts.map(({ requests }) => requests)), whole);
    t.is(server.stderr(), '');
  });
}

const wrong = [
  { args: ['--form', 'herd'], reason: /--form must be reuseport or exclusive or acceptor/ },
  { args: ['--workers', '0'], reason: /--workers must be a whole number from 1 to 64/ },
  { args: ['--workers', '65'], reason: /--workers must be a whole number from 1 to 64, not '65'/ },
  { args: ['--path', '/nowhere/socket'], reason: /--path is not for this program/ },
] as const;

for (const { args, reason } of wrong) {
  test.serial(`code 2: ${args.join(' ')}`, async (t) => {
    const { code, stdout, stderr } = await runNode(exampleFile('workers'), { args });
    t.deepEqual([code, stdout], [2, '']);
    t.regex(stderr, reason);
  });
}

for (const form of FORMS) {
  test.serial(`code 1: the port is taken (${form})`, async (t) => {
    const server = net.createServer().listen(0, '127.0.0.1');
    t.teardown(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as net.AddressInfo;
    const args = ['--port', String(port), '--form', form];
    const { code, stdout, stderr } = await runNode(exampleFile('workers'), { args });
    t.deepEqual([code, stdout], [1, '']);
    t.regex(stderr, /^workers: EADDRINUSE/);
  });
}

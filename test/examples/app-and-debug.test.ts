/** Two servers in one process: who ends them, what is finished first, and what is told. */
import { readlinkSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { runNode } from '../support/child.js';
import { lateMs } from '../support/measure.js';
import { descriptorsOf } from '../support/process-stats.js';
import { exampleFile, type RunningServer } from '../support/server.js';
import { connectTo } from './clients.js';
import { exchange, get, statusesOf } from './http-clients.js';
import { start } from './start.js';

interface Both extends RunningServer {
  readonly debugPort: number;
}

async function startBoth(t: ExecutionContext, ...args: readonly string[]): Promise<Both> {
  const server = await start(t, 'app-and-debug', ['--port', '0', '--debug-port', '0', ...args]);
  return { ...server, debugPort: Number(/debug: .*:(\d+)\//.exec(server.stdout())?.[1]) };
}

/** The table of what is open, by the debug server: a record for each line. */
async function entriesOf(server: Both): Promise<Record<string, string>[]> {
  const { status, body } = await get(server.debugPort, '/debug/entries');
  if (status !== 200) throw new Error(`status ${status}`);
  const [titles = [], ...rows] = body
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  return rows.map((row) => Object.fromEntries(titles.map((title, i) => [title, row[i] ?? ''])));
}

/** Resolves when the server has begun with a request: it is in the table then. */
async function untilOpen(server: Both, label: string): Promise<void> {
  while (!(await entriesOf(server)).some((entry) => entry['label'] === label));
}

/** Resolves when nobody is let in any more. Who was let in last may find the door closed behind. */
async function untilRefused(server: Both): Promise<void> {
  let code: string | undefined;
  while (code !== 'ECONNREFUSED') {
    code = undefined;
    await get(server.debugPort, '/debug/entries').catch((error: unknown) => {
      code = (error as NodeJS.ErrnoException).code;
    });
  }
}

test('both servers answer', async (t) => {
  const server = await startBoth(t);
  t.is((await get(server.port, '/ping')).body, 'pong');
  t.is((await get(server.port, '/slow?ms=1')).body, 'done\n');
  t.is((await get(server.port, '/slow?ms=x')).status, 400);
  t.is((await get(server.debugPort, '/ping')).status, 404);
});

test('the debug server lists the descriptors that are open, as the kernel knows them', async (t) => {
  const server = await startBoth(t);
  const client = await connectTo(server);
  const late = get(server.port, '/slow?ms=600000').catch(() => undefined);
  await untilOpen(server, '/slow');
  const entries = await entriesOf(server);
  const sockets = descriptorsOf(server.pid).filter((fd) =>
    readlinkSync(`/proc/${server.pid}/fd/${fd}`).startsWith('socket:'),
  );
  // Those of the second server change while we look: it has answered us.
  const app = entries.filter(({ scope, fd }) => scope === 'root/app' && fd !== '-');
  t.deepEqual(app.map(({ kind }) => kind).sort(), ['TcpListener', 'TcpStream', 'TcpStream']);
  t.deepEqual(
    app.filter(({ fd }) => !sockets.includes(Number(fd))),
    [],
  );
  const scopes = entries.filter(({ kind }) => kind === 'TcpListener').map(({ scope }) => scope);
  t.deepEqual(scopes, ['root/app', 'root/debug']);
  const timer = entries.find(({ label }) => label === '/slow');
  t.is(timer?.['scope'], 'root/app');
  t.regex(timer?.['made at'] ?? '', /app-and-debug/);
  client.destroy();
  await server.stop('SIGKILL');
  await late;
});

test('a failure of one server ends both: requests under way are answered, exit code 1', async (t) => {
  const server = await startBoth(t, '--fail-after', '2000', '--grace', '60000');
  const idle = await connectTo(server);
  const [slow, ended] = await Promise.all([
    exchange(server, 'GET /slow?ms=4000 HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    new Promise((resolve) => idle.resume().once('end', resolve)),
  ]);
  t.is(ended, undefined);
  idle.destroy();
  t.deepEqual(statusesOf(slow), [200]);
  t.regex(slow, /\r\nConnection: close\r\n/);
  t.true(slow.endsWith('done\n'));
  t.deepEqual(await server.ended, [1, null]);
  t.is(
    server.stderr(),
    'app-and-debug: server debug failed: Error: mock exit of the debug server\n',
  );
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets nobody in, finishes requests under way, and leaves with exit code 0`, async (t) => {
    const server = await startBoth(t, '--grace', '60000');
    const slow = get(server.port, '/slow?ms=2000');
    slow.catch(() => undefined); // heard below
    await untilOpen(server, '/slow');
    const ended = server.stop(signal);
    await untilRefused(server);
    const { status, headers, body } = await slow;
    t.deepEqual([status, headers.connection, body], [200, 'close', 'done\n']);
    t.deepEqual(await ended, [0, null]);
    t.is(server.stderr(), '');
  });
}

test('who is not done by the deadline is cut off, and named', async (t) => {
  const server = await startBoth(t, '--grace', '300');
  const slow = get(server.port, '/slow?ms=600000');
  const cut = t.throwsAsync(slow, { code: 'ECONNRESET' });
  await untilOpen(server, '/slow');
  const started = performance.now();
  const ended = server.stop();
  await cut;
  const ms = performance.now() - started;
  t.true(ms >= 300, `${ms} ms: not before the deadline`);
  t.true(ms <= 300 + lateMs(50), `${ms} ms: soon after it`);
  t.deepEqual(await ended, [0, null]);
  t.regex(server.stderr(), /^app-and-debug: cut off in root\/app: TcpStream client$/m);
  t.regex(server.stderr(), /^app-and-debug: cut off in root\/app: timer \/slow$/m);
});

test('a second signal cuts off at once', async (t) => {
  const server = await startBoth(t, '--grace', '600000');
  const slow = get(server.port, '/slow?ms=600000');
  const cut = t.throwsAsync(slow, { code: 'ECONNRESET' });
  await untilOpen(server, '/slow');
  const first = server.stop('SIGTERM');
  await untilRefused(server);
  t.deepEqual(await server.stop('SIGTERM'), [0, null]);
  await first;
  await cut;
});

for (const [option, value] of [
  ['--grace', '-1'],
  ['--grace', 'soon'],
  ['--fail-after', '1.5'],
  ['--debug-port', '65536'],
  ['--debug-port', ''],
] as const) {
  test(`${option} '${value}' is refused with a reason and exit code 2`, async (t) => {
    const args = ['--port', '0', `${option}=${value}`];
    const { code, stdout, stderr } = await runNode(exampleFile('app-and-debug'), { args });
    t.is(code, 2);
    t.regex(stderr, new RegExp(`^app-and-debug: ${option} must be [^\\n]+\\n$`));
    t.is(stdout, '');
  });
}

test('a second port in use is told, with exit code 1', async (t) => {
  const owner = await startBoth(t);
  const args = ['--port', '0', '--debug-port', String(owner.port)];
  const { code, stdout, stderr } = await runNode(exampleFile('app-and-debug'), { args });
  t.is(code, 1);
  t.regex(stderr, /^app-and-debug: EADDRINUSE: [^\n]+\n$/);
  t.is(stdout, '');
});

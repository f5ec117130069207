/** The tracker as a program: with real clients, and collectors that are prompt, slow or gone. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { runNode } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { testWithPrograms } from '../support/programs.js';
import { exampleFile, type RunningServer } from '../support/server.js';
import { Collector, PROMPT } from './collector.js';
import { get } from './http-clients.js';
import { start } from './start.js';

const SILENT = { thinksMs: 0, patience: 0, then: 'silence' } as const;

function startTracker(
  t: ExecutionContext,
  collectorPort: number,
  ...args: readonly string[]
): Promise<RunningServer> {
  return start(t, 'tracker', ['--port', '0', '--collector', `127.0.0.1:${collectorPort}`, ...args]);
}

/** What it has counted, from its last line. */
function countsOf({ stdout }: RunningServer): readonly number[] {
  const last = /^accepted (\d+), delivered (\d+), dropped (\d+)\n$/m.exec(stdout());
  return (last ?? []).slice(1).map(Number);
}

/** Its last line is read soon after its end. */
async function expectCounts(
  t: ExecutionContext,
  server: RunningServer,
  wanted: readonly number[],
): Promise<void> {
  t.deepEqual(await eventually(() => countsOf(server), wanted), wanted);
}

/** Asks again and again until the server is gone, and answers how often it got a 201. */
async function askUntilTheEnd(server: RunningServer, client: number): Promise<number> {
  let created = 0;
  for (let i = 0; ; i++) {
    const answer = await get(server.port, `/?${client}-${i}`).catch(() => undefined);
    if (answer === undefined) return created;
    if (answer.status === 201) created++;
  }
}

test('each request that got a 201 is with the collector, whenever the end comes', async (t) => {
  const collector = await Collector.listen({ ...PROMPT, thinksMs: 1 });
  const server = await startTracker(t, collector.port, '--grace', '60000', '--timeout', '5');
  const clients = Array.from({ length: 16 }, (_, client) => askUntilTheEnd(server, client));
  t.true(await eventually(() => collector.received.length >= 100, true, 120_000));
  t.deepEqual(await server.stop(), [0, null]);
  const created = (await Promise.all(clients)).reduce((sum, count) => sum + count, 0);
  await collector.close();
  t.is(collector.received.length, created);
  await expectCounts(t, server, [created, created, 0]);
  t.is(server.stderr(), '');
});

test('with a collector that hangs, what finds no room is refused, and the rest is named', async (t) => {
  const collector = await Collector.listen(SILENT);
  const server = await startTracker(
    t,
    collector.port,
    '--capacity',
    '3',
    '--timeout',
    '20',
    '--grace',
    '200',
  );
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await get(server.port, `/?${i}`)).status);
  t.deepEqual(statuses, [201, 201, 201, 503, 503]);
  const asked = performance.now();
  t.deepEqual(await server.stop(), [0, null]);
  t.true(performance.now() - asked >= 200);
  await collector.close();
  await expectCounts(t, server, [3, 0, 3]);
  t.is(server.stderr(), [0, 1, 2].map((i) => `tracker: dropped GET ${i}\n`).join(''));
});

testWithPrograms(
  ['python3'],
  'a collector that comes late, and is no program of ours',
  async (t) => {
    const first = await Collector.listen(SILENT);
    const { port } = first;
    await first.close();
    const server = await startTracker(t, port, '--capacity', '100', '--grace', '60000');
    for (let i = 0; i < 50; i++) t.is((await get(server.port, `/?${i}`)).status, 201);
    const program = `
import socket
listener = socket.create_server(("127.0.0.1", ${port}))
connection, _ = listener.accept()
connection.sendall(b"\\n")
for line in connection.makefile("rb"):
    print(line.decode().strip(), flush=True)
    connection.sendall(b"\\n")
`;
    const python = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => python.kill('SIGKILL'));
    const received = text(python.stdout);
    t.deepEqual(await server.stop(), [0, null]);
    t.is(await received, [...Array(50).keys()].map((i) => `GET ${i}\n`).join(''));
    await expectCounts(t, server, [50, 50, 0]);
  },
);

for (const [option, value] of [
  ['--collector', 'localhost:9000'],
  ['--collector', '127.0.0.1'],
  ['--collector', '127.0.0.1:65536'],
  ['--collector', '127.0.0.1:0'],
  ['--capacity', '0'],
  ['--timeout', '-1'],
  ['--grace', 'soon'],
] as const) {
  test(`${option} '${value}' is refused with a reason and exit code 2`, async (t) => {
    const args = [`${option}=${value}`];
    const { code, stdout, stderr } = await runNode(exampleFile('tracker'), { args });
    t.is(code, 2);
    t.regex(stderr, new RegExp(`^tracker: ${option} must be [^\\n]+\\n$`));
    t.is(stdout, '');
  });
}

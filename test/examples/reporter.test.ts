/** The reporter as a program: clients, workers, and ends of all kinds. */
import test, { type ExecutionContext } from 'ava';
import { runNode } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { exampleFile, type RunningServer } from '../support/server.js';
import { get } from './http-clients.js';
import { start } from './start.js';

/** What it has counted, from its last line: read soon after its end. */
async function expectCounts(
  t: ExecutionContext,
  { stdout }: RunningServer,
  wanted: readonly number[],
): Promise<void> {
  const counts = (): readonly number[] =>
    (/^accepted (\d+), reported (\d+), lost (\d+)\n$/m.exec(stdout()) ?? []).slice(1).map(Number);
  t.deepEqual(await eventually(counts, wanted), wanted);
}

const reportsOf = ({ stdout }: RunningServer): string[] =>
  [...stdout().matchAll(/^report: (.*)$/gm)].map(([, report = '']) => report);

/** Asks again and again until the server is gone, and answers what got a 201. */
async function askUntilTheEnd(server: RunningServer, client: number): Promise<string[]> {
  const created: string[] = [];
  for (let i = 0; ; i++) {
    const answer = await get(server.port, `/?${client}-${i}`).catch(() => undefined);
    if (answer === undefined) return created;
    if (answer.status === 201) created.push(`GET ${client}-${i}`);
  }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`after ${signal} each request that got a 201 is reported, once`, async (t) => {
    const server = await start(t, 'reporter', ['--port', '0', '--capacity', '4', '--work', '2']);
    const clients = Array.from({ length: 16 }, (_, client) => askUntilTheEnd(server, client));
    t.true(await eventually(() => reportsOf(server).length >= 40, true, 120_000));
    t.deepEqual(await server.stop(signal), [0, null]);
    const created = (await Promise.all(clients)).flat();
    await expectCounts(t, server, [created.length, created.length, 0]);
    t.deepEqual(reportsOf(server).sort(), created.sort());
    t.is(server.stderr(), '');
  });
}

test('a second signal ends it at once, and what was lost is told, with exit code 1', async (t) => {
  const server = await start(t, 'reporter', ['--port', '0', '--work', '600000']);
  for (let i = 0; i < 5; i++) t.is((await get(server.port, `/?${i}`)).status, 201);
  const first = server.stop();
  // Nobody is let in any more: the first signal has been heard.
  while ((await get(server.port, '/nothing').catch(() => undefined)) !== undefined);
  t.deepEqual(await server.stop(), [1, null]);
  await first;
  await expectCounts(t, server, [5, 0, 5]);
});

for (const [option, value] of [
  ['--workers', '0'],
  ['--capacity', '0'],
  ['--work', 'hard'],
] as const) {
  test(`${option} '${value}' is refused with a reason and exit code 2`, async (t) => {
    const args = [`${option}=${value}`];
    const { code, stdout, stderr } = await runNode(exampleFile('reporter'), { args });
    t.deepEqual([code, stdout], [2, '']);
    t.regex(stderr, new RegExp(`^reporter: ${option} must be [^\\n]+\\n$`));
  });
}

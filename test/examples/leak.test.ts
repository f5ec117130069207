/** A handler that forgets what it starts, and its twin that does not. */
import test, { type ExecutionContext } from 'ava';
import { eventually } from '../support/eventually.js';
import { descriptorsOf } from '../support/process-stats.js';
import type { RunningServer } from '../support/server.js';
import { get } from './http-clients.js';
import { start } from './start.js';

const REQUESTS = 25;

/** The lines of the list that are about what the requests have started. */
async function forgotten(server: RunningServer): Promise<string[]> {
  const { body } = await get(server.port, '/debug/entries');
  return body.split('\n').filter((line) => line.includes(' read ') && !line.includes('root/http'));
}

/** Without the client that has just been served: its descriptor is closed soon after its answer. */
async function expectDescriptors(
  t: ExecutionContext,
  { pid }: RunningServer,
  wanted: number,
): Promise<void> {
  t.is(await eventually(() => descriptorsOf(pid).length, wanted), wanted);
}

async function askMany(t: ExecutionContext, server: RunningServer): Promise<void> {
  for (let i = 0; i < REQUESTS; i++) t.is((await get(server.port, '/leak')).status, 200);
}

test.serial('leak: the list grows by each that was forgotten, and names the line', async (t) => {
  const server = await start(t, 'leak', ['--port', '0']);
  const before = descriptorsOf(server.pid).length;
  t.deepEqual(await forgotten(server), []);
  await askMany(t, server);
  const lines = await forgotten(server);
  t.is(lines.length, REQUESTS);
  for (const line of lines) t.regex(line, /registration .*\bleak \(.*leak\.[jt]s:\d+:\d+\)$/);
  await expectDescriptors(t, server, before + REQUESTS);
  t.deepEqual(await server.stop(), [0, null]);
});

test.serial('leak-fixed: the list is as long as before, once the time has passed', async (t) => {
  const server = await start(t, 'leak-fixed', ['--port', '0']);
  const before = descriptorsOf(server.pid).length;
  await askMany(t, server);
  // The time of the last question passes; a list that never gets shorter is a test that never ends.
  while ((await forgotten(server)).length > 0);
  await expectDescriptors(t, server, before);
  t.deepEqual(await server.stop(), [0, null]);
});

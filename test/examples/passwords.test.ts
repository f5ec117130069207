/** The site of passwords. */
import test from 'ava';
import { eventually } from '../support/eventually.js';
import { descriptorsOf } from '../support/process-stats.js';
import { testWithPrograms } from '../support/programs.js';
import { ab, get } from './http-clients.js';
import { start } from './start.js';

const CHARACTERS = Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#@$');

test('a page has a hundred passwords of twelve characters, and none comes twice', async (t) => {
  const server = await start(t, 'passwords', ['--port', '0']);
  const pages = await Promise.all(Array.from({ length: 50 }, () => get(server.port, '/password')));
  for (const { status, body } of pages) {
    t.is(status, 200);
    t.regex(body, /^\[[A-Za-z0-9#@$]{12}( [A-Za-z0-9#@$]{12}){99}\]$/);
  }
  const passwords = pages.flatMap(({ body }) => body.slice(1, -1).split(' '));
  t.is(new Set(passwords).size, 5000);
});

test('every character is as likely as any other', async (t) => {
  const server = await start(t, 'passwords', ['--port', '0']);
  const counts = new Map(CHARACTERS.map((character) => [character, 0]));
  for (let i = 0; i < 100; i++) {
    const { body } = await get(server.port, '/');
    for (const character of body.replaceAll(/[[\] ]/g, '')) {
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
  }
  t.is(counts.size, CHARACTERS.length);
  const expected = (100 * 1200) / CHARACTERS.length;
  // Chi squared with 64 degrees of freedom exceeds 150 once in 10 ** 8 runs. Taken modulo 65, without
  // more, bytes would bring it to thousands.
  const chiSquared = [...counts.values()].reduce(
    (sum, value) => sum + (value - expected) ** 2 / expected,
    0,
  );
  t.true(chiSquared < 150, `chi squared: ${chiSquared}`);
});

testWithPrograms(['ab'], 'ab -n 20000 -c 1000: none failed, and no descriptor left', async (t) => {
  const server = await start(t, 'passwords', ['--port', '0']);
  const before = descriptorsOf(server.pid).length;
  const report = await ab(server, '/password', 20_000, 1000);
  t.deepEqual(report, { complete: 20_000, failed: 0, refused: 0, documentBytes: 1301 });
  t.is(await eventually(() => descriptorsOf(server.pid).length, before), before);
  t.deepEqual(await server.stop(), [0, null]);
  t.is(server.stderr(), '');
});

/** An answer or the deadline, and nothing left after either. */
import test from 'ava';
import { runNode } from '../support/child.js';
import { exampleFile } from '../support/server.js';

const PROGRAM = exampleFile('search-timeout');

test('the search takes longer than it may: canceled at the deadline, never before', async (t) => {
  const child = await runNode(PROGRAM, { args: ['--takes', '1000000', '--timeout', '100'] });
  t.is(child.code, 1);
  t.is(child.stdout, '');
  // One line: nothing is left. And the process has ended, before what it asked for would have come.
  const [, ms] = /^search-timeout: search canceled after (\d+) ms: .*\n$/.exec(child.stderr) ?? [];
  t.true(Number(ms) >= 100, child.stderr);
});

test('the search is in time: its answer, and the deadline does not keep the program', async (t) => {
  const child = await runNode(PROGRAM, { args: ['--takes', '10', '--timeout', '1000000'] });
  t.deepEqual([child.code, child.stderr], [0, '']);
  t.regex(child.stdout, /^Received: some value for abc, after \d+ ms\n$/);
});

test('search-timeout with a bad option ends with exit code 2', async (t) => {
  t.is((await runNode(PROGRAM, { args: ['--timeout', 'soon'] })).code, 2);
});

/** Two threads on one counter: the wrong way loses counts, the right ones never do. */
import test from 'ava';
import { runNode } from '../support/child.js';
import { exampleFile } from '../support/server.js';

interface Line {
  readonly counted: number;
  readonly lost: number;
  readonly round: number;
  readonly ns: number;
  readonly alone: number;
}

/** What is told of a way to count. */
function lineOf(stdout: string, way: string): Line {
  const told = `^${way}: (\\d+) of \\d+, lost (\\d+), in round (\\d+); ([\\d.]+) ns .*, ([\\d.]+) ns alone$`;
  const [, counted, lost, round, ns, alone] = (new RegExp(told, 'm').exec(stdout) ?? []).map(
    Number,
  );
  return { counted, lost, round, ns, alone } as Line;
}

test('the plain counter loses counts; Atomics and a lock do not, and cost more', async (t) => {
  const { code, stdout, stderr } = await runNode(exampleFile('race'), { timeoutMs: 120_000 });
  t.log(stdout);
  t.is(stderr, '');
  t.is(code, 0);
  const plain = lineOf(stdout, 'plain');
  t.true(plain.lost > 0);
  t.is(plain.counted + plain.lost, 10_000_000);
  for (const way of ['Atomics', 'lock']) {
    const { counted, lost, round, ns, alone } = lineOf(stdout, way);
    t.deepEqual([counted, lost, round], [10_000_000, 0, 1], way);
    t.true(ns > 0 && alone > 0, way);
  }
});

for (const [args, reason] of [
  [['--increments', '3'], /^race: --increments must be even/],
  [['--increments', '2147483648'], /2147483646 at most, not 2147483648\n$/],
  [['--increments=-2'], /^race: --increments must be a whole number/],
  [['--port', '8080'], /^race: .*--port/],
] as const) {
  test(`${args.join(' ')} is refused with a reason and exit code 2`, async (t) => {
    const { code, stdout, stderr } = await runNode(exampleFile('race'), { args });
    t.deepEqual([code, stdout], [2, '']);
    t.regex(stderr, reason);
  });
}

test('--help names the options of a program that does not listen', async (t) => {
  const { code, stdout } = await runNode(exampleFile('race'), { args: ['--help'] });
  t.is(code, 0);
  t.regex(stdout, /^Usage: race \[options\]\n\n {2}--increments N .*\n {2}--help .*\n$/);
});

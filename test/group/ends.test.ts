/** Every way in which the process of a group ends, or a worker that has a group of its own. */
import test from 'ava';
import { fixture, runNode } from '../support/child.js';
import { startGroup } from '../support/groups.js';

interface Ending {
  readonly way: string;
  readonly code?: number;
  readonly signal?: NodeJS.Signals;
  readonly output?: string;
}

const endings: readonly Ending[] = [
  { way: 'process.exit', code: 3 },
  { way: 'an error of main', code: 1 },
  { way: 'a signal', signal: 'SIGTERM' },
  { way: 'a shutdown that nobody waits for', output: 'over\n' },
  { way: 'members that spin', code: 5, output: 'over\n' },
  { way: 'a group in a worker', output: 'over\n' },
  { way: 'stop', output: 'over\n' },
  { way: 'failure', code: 1 },
];

for (const driver of ['run', 'runAsync']) {
  for (const { way, code = 0, signal = null, output = '' } of endings) {
    test.serial(`the process ends, with members in ${driver}(): ${way}`, async (t) => {
      const child = await runNode(fixture('group-ends'), { args: [driver, way] });
      t.deepEqual([child.code, child.signal], [signal === null ? code : null, signal]);
      // A failure of which nobody hears ends the process as a rejection, before or after that line.
      if (way === 'failure') t.regex(child.stderr, /on purpose, \d/);
      else t.is(child.stdout, output, child.stderr);
    });
  }
}

test.serial('a member that is driven with runAsync may have a group of its own', async (t) => {
  const file = new URL('../fixtures/group-nested.js', import.meta.url);
  const group = startGroup(t, { size: 2, workerData: 'nested' }, file);
  await group.ready();
  const { members, failed } = await group.shutdown({ graceMs: 60_000 });
  t.false(failed, String(members[0]?.error));
  t.deepEqual(
    members.map(({ how }) => how),
    ['ended', 'ended'],
  );
});

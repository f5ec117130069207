/** The walk: it starts nothing, tells everything, and can be left at any step. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import test, { type ExecutionContext } from 'ava';
import { walkDirectory } from '../../examples/lib/walk-directory.js';
import { run, runNode } from '../support/child.js';
import { testWithPrograms } from '../support/programs.js';
import { exampleFile } from '../support/server.js';

/** A tree with a part to skip, an empty directory, and a link that leads back up. */
function makeTree(t: ExecutionContext): string {
  const root = mkdtempSync(path.join(tmpdir(), 'walk-'));
  t.teardown(() => {
    rmSync(root, { recursive: true });
  });
  for (const folder of ['dir/to/walk/skip', 'dir/empty', 'other']) {
    mkdirSync(path.join(root, folder), { recursive: true });
  }
  for (const file of ['dir/a', 'dir/to/b', 'dir/to/walk/skip/c', 'other/last']) {
    writeFileSync(path.join(root, file), '');
  }
  symlinkSync('..', path.join(root, 'dir/loop'));
  return root;
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

/** What find(1) sees, in any order. */
function found(root: string, ...tests: string[]): string[] {
  const output = execFileSync('find', [root, '-mindepth', '1', ...tests], { encoding: 'utf8' });
  return output.trim().split('\n').sort();
}

for (const how of ['here', 'loop', 'worker']) {
  test(`--how ${how} sees what find sees, without what it is to skip`, async (t) => {
    const root = makeTree(t);
    const args = ['--root', root, '--skip', 'skip', '--how', how];
    const { code, stdout, stderr } = await runNode(exampleFile('walk'), { args });
    const seen = stdout.trim().split('\n').sort();
    t.deepEqual(seen, found(root, '-name', 'skip', '-prune', '-o', '-print'));
    t.regex(stderr, new RegExp(`^walked ${seen.length} entries .*${how}`));
    t.is(code, 0);
  });

  test(`--how ${how} ends with what it was to find`, async (t) => {
    const args = ['--root', makeTree(t), '--find', 'to', '--how', how];
    const { code, stdout } = await runNode(exampleFile('walk'), { args });
    t.regex(stdout, /\/dir\/to\n$/);
    t.is(code, 0);
  });

  test(`--how ${how} tells what it could not read, with exit code 1`, async (t) => {
    const args = ['--root', path.join(makeTree(t), 'absent'), '--how', how];
    const { code, stdout, stderr } = await runNode(exampleFile('walk'), { args });
    t.is(stdout, '');
    t.regex(stderr, /^walk: .*\/absent: ENOENT: .*\nwalked 0 entries /);
    t.is(code, 1);
  });
}

for (const how of ['here', 'loop', 'worker']) {
  test(`--how ${how} ends without a word when nobody reads what it finds`, async (t) => {
    const { code, signal, stderr } = await runNode(exampleFile('walk'), {
      args: ['--root', '/usr', '--how', how],
      onStart: (child) => child.stdout?.destroy(),
    });
    t.deepEqual([code, signal, stderr], [0, null, '']);
  });
}

for (const how of ['here', 'loop']) {
  testWithPrograms(['strace'], `--how ${how} walks no further then`, async (t) => {
    const root = makeTree(t);
    const trace = path.join(mkdtempSync(path.join(tmpdir(), 'walk-trace-')), 'calls');
    t.teardown(() => {
      rmSync(path.dirname(trace), { recursive: true });
    });
    const strace = ['-f', '-qq', '-o', trace, '-e', 'trace=openat'];
    const walk = [process.execPath, exampleFile('walk'), '--root', root, '--how', how];
    await run('strace', [...strace, ...walk], { onStart: (child) => child.stdout?.destroy() });
    const opened = readFileSync(trace, 'latin1')
      .split('\n')
      .filter((call) => call.includes(root));
    t.is(opened.length, 1, opened.join('\n'));
  });
}

test('a walk on a loop lets the loop go on: it ticks', async (t) => {
  const root = path.dirname(exampleFile('walk'));
  const args = ['--root', path.join(root, '../../node_modules'), '--how', 'loop'];
  const { stderr } = await runNode(exampleFile('walk'), { args });
  const [, slices, ticks] = (/in (\d+) slices, beside (\d+) ticks/.exec(stderr) ?? []).map(Number);
  t.true((slices as number) > 1, stderr);
  t.true((ticks as number) > 1, stderr);
});

test('a signal ends a walk on a loop in the middle, with exit code 0', async (t) => {
  const { code, signal, stderr } = await runNode(exampleFile('walk'), {
    args: ['--root', '/usr', '--how', 'loop'],
    onStart: (child) => {
      child.stdout?.once('data', () => child.kill('SIGTERM'));
    },
  });
  t.deepEqual([code, signal], [0, null], stderr);
  t.regex(stderr, /^walked \d+ entries on a loop/m);
});

test.serial('calling it does nothing yet; each step is taken when it is asked for', (t) => {
  const root = makeTree(t);
  const before = openDescriptors();
  const walk = walkDirectory(root);
  t.is(openDescriptors(), before);
  walk.next();
  t.is(openDescriptors(), before + 1);
  t.true([...walk].length > 0);
  t.is(openDescriptors(), before);
});

test.serial('whoever leaves it in the middle leaves no directory open', (t) => {
  const before = openDescriptors();
  for (const visited of walkDirectory(makeTree(t))) {
    if (visited.path.endsWith('/skip')) break;
  }
  t.is(openDescriptors(), before);
});

test.serial(
  'a directory that is gone when it is walked into is told, and the walk goes on',
  (t) => {
    const root = makeTree(t);
    const before = openDescriptors();
    const seen: string[] = [];
    const errors: string[] = [];
    for (const { path: file, error } of walkDirectory(root)) {
      if (error !== undefined) errors.push(`${file} ${error.code}`);
      else seen.push(file);
      if (file.endsWith('/empty') && error === undefined) rmdirSync(file);
    }
    t.deepEqual(errors, [`${root}/dir/empty ENOENT`]);
    t.deepEqual(seen.sort(), [...found(root), `${root}/dir/empty`].sort());
    t.is(openDescriptors(), before);
  },
);

for (const [option, value] of [
  ['--how', 'thread'],
  ['--how', 'toString'],
] as const) {
  test(`${option} ${value} is refused with a reason and exit code 2`, async (t) => {
    const { code, stderr } = await runNode(exampleFile('walk'), { args: [option, value] });
    t.is(code, 2);
    t.is(stderr, `walk: --how must be here, loop or worker, not '${value}'\n`);
  });
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { fixture, run } from '../support/child.js';
import { testWithPrograms } from '../support/programs.js';

/** Runs the fixture under strace(1), and answers what it said and its calls of epoll_pwait2. */
async function traced(
  t: ExecutionContext,
  options: readonly string[],
): Promise<{ said: unknown; calls: string[] }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-strace-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const trace = path.join(folder, 'calls');
  const child = await run('strace', [
    ...['-qq', '-o', trace, '-e', 'trace=epoll_pwait2', ...options],
    ...[process.execPath, fixture('epoll-fractions')],
  ]);
  const calls = readFileSync(trace, 'latin1').trim().split('\n');
  return { said: JSON.parse(child.stdout), calls };
}

for (const code of ['ENOSYS', 'EPERM']) {
  testWithPrograms(
    ['strace'],
    `a kernel that answers epoll_pwait2 with ${code} is asked once, and waits are rounded up to milliseconds`,
    async (t) => {
      const { said, calls } = await traced(t, ['-e', `inject=epoll_pwait2:error=${code}`]);
      t.deepEqual(said, { early: 0, shown: 0, ready: 1 });
      t.is(calls.length, 1);
      t.regex(calls[0] ?? '', /INJECTED/);
    },
  );
}

testWithPrograms(
  ['strace'],
  'a kernel with epoll_pwait2 is asked through it for fractions, and only for them',
  async (t) => {
    const { calls } = await traced(t, []);
    t.is(calls.length, 6, 'the seventh wait was for 2 ms');
  },
);

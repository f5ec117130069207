/** The benchmark from its command line to its report. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { Results } from '../../bench/lib/results.js';
import { type ChildResult, runNode } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { testWithPrograms } from '../support/programs.js';

const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-bench-'));

test.after.always(() => {
  rmSync(folder, { recursive: true });
});

const main = fileURLToPath(new URL('../../bench/main.js', import.meta.url));

function bench(...args: readonly string[]): Promise<ChildResult> {
  return runNode(main, { args, timeoutMs: 120_000 });
}

const short = ['--quick', '--pairs', '1', '--slice-ms', '20', '--warmup-ms', '10'];

testWithPrograms(['cc'], 'a short run compares servers with C and writes a report', async (t) => {
  const json = path.join(folder, 'results.json');
  const { code, stdout, stderr } = await bench(
    ...[...short, '--only', '64x1', '--servers', 'c,echo,net', '--servers', 'echo'],
    ...['--json', json, '--report', folder],
  );
  t.is(code, 0, stderr);
  t.regex(stdout, /^level 2 +[\d.]+ \[/m);
  t.regex(stdout.trimEnd().split('\n').at(-1) ?? '', /^The control .* targets were measured: /);
  const results = JSON.parse(readFileSync(json, 'utf8')) as Results;
  t.deepEqual(Object.keys(results.loads[0]?.servers ?? {}), ['control', 'echo', 'net']);
  t.is(results.loads[0]?.servers['echo']?.runs.length, 1);
  t.true((results.loads[0]?.servers['echo']?.residentBytes ?? 0) > 1e6);
  t.is(
    results.command,
    'npm run bench -- --quick --pairs 1 --slice-ms 20 --warmup-ms 10 --only 64x1 --servers c,echo,net --servers echo',
  );
  const page = readFileSync(path.join(folder, 'performance.md'), 'utf8');
  t.true(page.includes('### 64x1: 64 B, 1 connection'));
});

/** The processes that a process has started and that are still there. */
function childrenOf(pid: number): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  return list.split(' ').filter(Boolean).map(Number);
}

const isThere = (pid: number): boolean => existsSync(`/proc/${pid}`);

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  testWithPrograms(['cc'], `${signal} in the middle leaves nothing behind`, async (t) => {
    const temporary = mkdtempSync(path.join(folder, 'tmp-'));
    const args = ['--only', 'unix', '--servers', 'net'];
    let started: number[] = [];
    const interrupt = async (child: ChildProcess): Promise<void> => {
      // C twice, net, and the load that comes and goes: it is in the middle of its work.
      const { pid = 0 } = child;
      await eventually(() => (started = childrenOf(pid)).length >= 4, true, 60_000);
      child.kill(signal);
    };
    const { code } = await runNode(main, {
      args,
      env: { TMPDIR: temporary },
      onStart: (child) => void interrupt(child),
    });
    t.is(code, exitCode);
    t.true(started.length >= 4);
    t.deepEqual(await eventually(() => started.filter(isThere), []), []);
    t.deepEqual(readdirSync(temporary), []);
  });
}

test('a list shows every scenario and every server', async (t) => {
  const { code, stdout } = await bench('--list');
  t.is(code, 0);
  t.regex(stdout, /^ {2}64x50 /m);
  t.regex(stdout, /^ {2}wait-cost /m);
  t.regex(stdout, /^ {2}net +Node net$/m);
});

for (const [option, value, said] of [
  ['--only', '65x50', /no scenario 65x50; there are: 64x1, /],
  ['--servers', 'nobody', /no server nobody; there are: c, /],
  ['--only', ',', /--only names nothing/],
  ['--slice-ms', '60001', /--slice-ms may be 60000 at most/],
  ['--json', '/nowhere/results.json', /ENOENT.*\/nowhere\/results\.json/],
  ['--report', process.execPath, /EEXIST/],
  ['--pairs', '0', /--pairs must be a whole number above 0/],
] as const) {
  test(`${option} ${value} is refused with exit code 2`, async (t) => {
    const { code, stderr } = await bench(option, value);
    t.is(code, 2);
    t.regex(stderr, said);
  });
}

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import * as here from '../../ts/index.js';
import { fixture, run, runNode, type ChildOptions } from '../support/child.js';
import { testWithPrograms } from '../support/programs.js';

/** Runs a fixture to its end and answers the JSON that it printed. */
async function report(
  t: ExecutionContext,
  program: string,
  options: ChildOptions = {},
): Promise<unknown> {
  const child = await runNode(fixture(program), options);
  t.deepEqual([child.code, child.signal], [0, null], child.stderr);
  return JSON.parse(child.stdout) as unknown;
}

test('an import opens no descriptor, starts no thread and installs no handler', async (t) => {
  const { before, after } = (await report(t, 'lifecycle-import')) as Record<string, object>;
  t.deepEqual(after, before);
});

test('an addon that was loaded in a worker stays mapped after the end of the worker', async (t) => {
  const mapped = await report(t, 'lifecycle-worker-only', { nodeArgs: ['--expose-gc'] });
  t.deepEqual(mapped, [false, true, true, true]);
});

test('main and many workers load the addon at once, each with a state of its own', async (t) => {
  const uses = await report(t, 'lifecycle-many-loads');
  // A set, its wake descriptor, the counter.
  t.deepEqual(uses, new Array(9).fill({ ready: 1, isCounter: true, owned: 3 }));
});

test('a second load into one environment is a second addon with a state of its own', async (t) => {
  t.deepEqual(await report(t, 'lifecycle-second-load'), {
    distinct: true,
    counts: [1, 2],
    foreignClose: -9,
    ownCloses: [0, 0, 0],
    countsAfter: [0, 0],
    allOpened: true,
  });
});

test('a worker that is terminated while it loads the addon takes nobody with it', async (t) => {
  t.is(await report(t, 'lifecycle-loading'), 40);
});

for (const [how, most, script] of [
  // Node itself has about twenty.
  ['require', 50, 'console.log(typeof require(file).Epoll)'],
  ['import', 120, 'import(file).then(({ Epoll }) => console.log(typeof Epoll))'],
] as const) {
  testWithPrograms(
    ['prlimit'],
    `with few descriptors left the package is required; imported, it takes more: ${how}`,
    async (t) => {
      const file = JSON.stringify(fileURLToPath(new URL('../../ts/index.js', import.meta.url)));
      const node = [process.execPath, '-e', `const file = ${file}; ${script}`];
      const { stdout, stderr } = await run('prlimit', [`--nofile=${most}`, ...node]);
      t.is(stdout, 'function\n', stderr);
    },
  );
}

test('import and require give the same package', async (t) => {
  const require = createRequire(import.meta.url);
  const imported = await import('raw-epoll');
  const required = require('raw-epoll') as typeof here;
  t.is(imported.Epoll, here.Epoll);
  t.is(required.Epoll, here.Epoll);
  const sys = require('raw-epoll/sys') as typeof import('../../ts/sys/index.js');
  t.is(sys.errnoName(11), 'EAGAIN');
  const constants = require('raw-epoll/constants') as typeof import('../../ts/sys/constants.js');
  t.is(constants.EPOLLIN, 1);
});

interface WithoutAddon {
  readonly failures: Readonly<Record<string, { code?: string; message?: string }>>;
  readonly capacity: number;
  readonly EPOLLIN: number;
}

/** Checks that the import did not throw and that each use says why, and how to build. */
async function explains(t: ExecutionContext, options: ChildOptions, reason: RegExp): Promise<void> {
  const { failures, capacity, EPOLLIN } = (await report(
    t,
    'lifecycle-no-addon',
    options,
  )) as WithoutAddon;
  t.is(Object.keys(failures).length, 5);
  for (const [name, { code, message = '' }] of Object.entries(failures)) {
    t.is(code, 'ERR_RAW_EPOLL_NO_ADDON', `${name}: ${message}`);
    t.regex(message, /build it with ".+" in .+/, name);
    t.regex(message, reason, name);
    t.false(message.includes('\n'), name);
  }
  t.is(capacity, 4);
  t.is(EPOLLIN, 0);
}

test('without an addon the import works and the first use says how to build one', async (t) => {
  const missing = path.join(tmpdir(), 'raw-epoll-is-not-here.node');
  t.false(existsSync(missing));
  await explains(t, { env: { RAW_EPOLL_ADDON: missing } }, /no addon for linux-/);
});

test('an addon that cannot be loaded is explained at the first use', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const broken = path.join(folder, 'raw_epoll.node');
  writeFileSync(broken, 'this is no library');
  await explains(t, { env: { RAW_EPOLL_ADDON: broken } }, /\(.*file too short.*\)/);
});

test('a Node that is not permitted to load addons is explained at the first use', async (t) => {
  const flags = process.allowedNodeEnvironmentFlags;
  const permission = flags.has('--permission') ? '--permission' : '--experimental-permission';
  await explains(t, { nodeArgs: [permission, '--allow-fs-read=*'] }, /\(.*addon.*disabled.*\)/i);
});

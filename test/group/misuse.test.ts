/** What a group refuses, and what it leaves then. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import {
  joinGroup,
  LoopGroup,
  type GroupShutdownOptions,
  type LoopGroupOptions,
} from '../../ts/index.js';
import { fixture, runNode } from '../support/child.js';
import { countDescriptors } from '../support/descriptors.js';
import { eventually } from '../support/eventually.js';
import { memberFile, startGroup } from '../support/groups.js';

type Bad = readonly [code: string, options: unknown];

const badOptions: readonly Bad[] = [
  ...[0, 1.5, 1025, Number.NaN].map((size): Bad => ['ERR_OUT_OF_RANGE', { size }]),
  ['ERR_INVALID_ARG_TYPE', { size: '2' }],
  ['ERR_OUT_OF_RANGE', { onFailure: 'stop' }],
  ['ERR_OUT_OF_RANGE', { onFailure: null }],
  ...[-1, 2 ** 31, Number.NaN].map((maxRestarts): Bad => ['ERR_OUT_OF_RANGE', { maxRestarts }]),
  ['ERR_OUT_OF_RANGE', { restartWindowMs: -1 }],
  ['ERR_OUT_OF_RANGE', { restartWindowMs: 0 }],
  ['ERR_OUT_OF_RANGE', { graceMs: Number.NaN }],
  ['ERR_INVALID_ARG_TYPE', { graceMs: 1n }],
  ['ERR_OUT_OF_RANGE', { forceMs: Number.POSITIVE_INFINITY }],
  ['ERR_INVALID_ARG_TYPE', { workerOptions: 'none' }],
  ['ERR_INVALID_ARG_TYPE', { workerOptions: null }],
  ['ERR_INVALID_ARG_TYPE', null],
  ['ERR_INVALID_ARG_TYPE', 2],
];

for (const [code, options] of badOptions) {
  test.serial(`${code}: ${JSON.stringify(options, show)}`, (t) => {
    t.throws(() => new LoopGroup(memberFile, options as LoopGroupOptions), { code });
  });
}

function show(_key: string, value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
}

test.serial('what is no file is refused', (t) => {
  for (const file of [undefined, null, 1, {}]) {
    t.throws(() => new LoopGroup(file as string), { code: 'ERR_INVALID_ARG_TYPE' });
  }
});

test.serial('what new Worker refuses is thrown, and nothing is left', async (t) => {
  const before = countDescriptors();
  t.throws(() => new LoopGroup('no-path.js'), { code: 'ERR_WORKER_PATH' });
  t.throws(() => new LoopGroup(new URL('http://127.0.0.1/')), { code: 'ERR_INVALID_URL_SCHEME' });
  // A DOMException, which the assertions take for no error.
  t.throws(() => new LoopGroup(memberFile, { workerData: { no: () => 1 } }), {
    any: true,
    name: 'DataCloneError',
  });
  t.is(await eventually(countDescriptors, before), before);
});

test.serial('a group that cannot be started as a whole is not started in part', async (t) => {
  const before = countDescriptors();
  const workerData = (index: number): object => {
    if (index === 2) throw new Error('no data for the third');
    return { way: 'serve' };
  };
  const start = (): LoopGroup => new LoopGroup(memberFile, { size: 3, workerData });
  t.throws(start, { message: 'no data for the third' });
  t.is(await eventually(countDescriptors, before, 60_000), before);
});

test.serial(
  'out of descriptors, that is thrown, and what fails then is told to nobody',
  async (t) => {
    const child = await runNode(fixture('group-full-table'));
    t.deepEqual([child.code, child.stdout], [0, 'EMFILE\n'], child.stderr);
  },
);

test.serial('a shutdown without a grace is refused, and begins nothing', async (t) => {
  const group = startGroup(t, { size: 1, workerData: { way: 'serve' } });
  const refused: readonly Bad[] = [
    ['ERR_INVALID_ARG_TYPE', undefined],
    ['ERR_INVALID_ARG_TYPE', {}],
    ['ERR_OUT_OF_RANGE', { graceMs: -1 }],
    ['ERR_OUT_OF_RANGE', { graceMs: 0, forceMs: Number.NaN }],
  ];
  for (const [code, options] of refused) {
    t.throws(() => group.shutdown(options as GroupShutdownOptions), { code });
  }
  t.false(group.draining);
  await group.ready();
});

test.serial('a thread that no group has started cannot join one', async (t) => {
  t.throws(() => joinGroup(), { code: 'ERR_INVALID_STATE' });
  const worker = new Worker(new URL('../fixtures/group-misuse.js', import.meta.url));
  const state = 'ERR_INVALID_STATE';
  t.deepEqual(await once(worker, 'message'), [[state, state, state]]);
});

test.serial('a worker joins once; a loop that was refused does not count', async (t) => {
  const file = new URL('../fixtures/group-misuse.js', import.meta.url);
  const group = startGroup(t, { size: 1 }, file);
  const [codes] = (await once(group.members[0]?.worker as Worker, 'message')) as unknown[];
  t.deepEqual(codes, ['ERR_OUT_OF_RANGE', 'none', 'ERR_INVALID_STATE']);
});

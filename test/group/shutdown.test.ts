/** Groups that are started, and end together. */
import { readdirSync } from 'node:fs';
import test from 'ava';
import { LoopGroup } from '../../ts/index.js';
import { countDescriptors } from '../support/descriptors.js';
import { eventually } from '../support/eventually.js';
import { memberFile, startGroup, tasks } from '../support/groups.js';

/** A generous upper limit: what takes so long hangs. */
const HANG_MS = 60_000;

for (const driver of ['run', 'runAsync'] as const) {
  test.serial(`members are ready, and a shutdown ends all of them (${driver})`, async (t) => {
    const group = startGroup(t, { size: 3, workerData: { way: 'serve', driver } });
    t.deepEqual(
      group.members.map(({ index, restarts }) => [index, restarts]),
      [0, 1, 2].map((index) => [index, 0]),
    );
    await group.ready();
    t.deepEqual(
      group.members.map(({ state }) => state),
      ['ready', 'ready', 'ready'],
    );
    t.is(new Set(group.members.map(({ threadId }) => threadId)).size, 3);
    const report = await group.shutdown({ graceMs: HANG_MS });
    t.deepEqual(report, {
      failed: false,
      members: [0, 1, 2].map((index) => ({ index, how: 'ended', forced: [], restarts: 0 })),
    });
    t.is(await group.ended, report);
    t.deepEqual(
      group.members.map(({ state, threadId }) => [state, threadId]),
      [0, 1, 2].map(() => ['ended', -1]),
    );
  });

  test.serial(`a shutdown waits for work in progress, and not longer (${driver})`, async (t) => {
    const group = startGroup(t, { workerData: { way: 'work', driver, ms: 100 } });
    await group.ready();
    const begun = performance.now();
    const { members } = await group.shutdown({ graceMs: HANG_MS });
    const ms = performance.now() - begun;
    t.true(ms >= 100 && ms < HANG_MS, `${ms} ms`);
    t.deepEqual(
      members.map(({ how, forced }) => [how, forced.length]),
      [0, 1].map(() => ['ended', 0]),
    );
  });

  test.serial(
    `what is not done by the deadline is ended by force, and told (${driver})`,
    async (t) => {
      const work = tasks({ way: 'work', driver, ms: 0 }, { way: 'serve', driver });
      const group = startGroup(t, { workerData: work });
      await group.ready();
      const begun = performance.now();
      const { members, failed } = await group.shutdown({ graceMs: 100, forceMs: HANG_MS });
      const ms = performance.now() - begun;
      t.true(ms >= 100 && ms < HANG_MS, `${ms} ms`);
      t.false(failed);
      t.deepEqual(
        members.map(({ how, forced }) => [
          how,
          forced.map(({ label, scope }) => `${scope}: ${label}`),
        ]),
        [
          ['ended', ['root/work: work']],
          ['ended', []],
        ],
      );
    },
  );
}

for (const way of ['spin', 'wait for ever', 'sleep']) {
  test.serial(
    `a member that never turns its loop is terminated, the others are not: ${way}`,
    async (t) => {
      const group = startGroup(t, { workerData: tasks({ way }, { way: 'serve' }) });
      await eventually(() => group.members[1]?.state, 'ready', HANG_MS);
      void group.shutdown({ graceMs: Number.POSITIVE_INFINITY });
      await eventually(() => group.members[1]?.state, 'ended', HANG_MS);
      const begun = performance.now();
      const { members, failed } = await group.shutdown({ graceMs: 50, forceMs: 100 });
      t.true(performance.now() - begun >= 150);
      t.false(failed);
      t.deepEqual(
        members.map(({ how }) => how),
        ['terminated', 'ended'],
      );
    },
  );
}

test.serial('a shutdown may be called again: the earlier deadline counts', async (t) => {
  const group = startGroup(t, { workerData: { way: 'work', ms: 0 } });
  await group.ready();
  const first = group.shutdown({ graceMs: Number.POSITIVE_INFINITY });
  t.true(group.draining);
  const later = group.shutdown({ graceMs: 1e9, forceMs: 1e9 }); // longer than a timer of Node waits
  const hurried = group.shutdown({ graceMs: 0, forceMs: HANG_MS });
  const report = await hurried;
  t.is(await first, report);
  t.is(await later, report);
  t.deepEqual(
    report.members.map(({ how, forced }) => [how, forced.length]),
    [0, 1].map(() => ['ended', 1]),
  );
  t.is(await group.shutdown({ graceMs: 0 }), report);
});

test.serial(
  'a shutdown before the members have joined reaches them as soon as they have',
  async (t) => {
    const group = startGroup(t, { workerData: { way: 'serve' } });
    const ready = t.throwsAsync(group.ready(), { code: 'ERR_INVALID_STATE' });
    const { members } = await group.shutdown({ graceMs: HANG_MS });
    await ready;
    t.deepEqual(
      members.map(({ how }) => how),
      ['ended', 'ended'],
    );
  },
);

test.serial(
  'a member that is terminated while its worker is starting has not just ended',
  async (t) => {
    const group = startGroup(t, { workerData: { way: 'serve' } });
    const { members, failed } = await group.shutdown({ graceMs: 0, forceMs: 0 });
    t.false(failed);
    t.deepEqual(
      members.map(({ how }) => how),
      ['terminated', 'terminated'],
    );
  },
);

test.serial(
  'members that stop by themselves have not failed, and the group ends with the last',
  async (t) => {
    const group = startGroup(t, { workerData: { way: 'stop' } });
    await group.ready();
    const { failed, members } = await group.ended;
    t.false(failed);
    t.deepEqual(
      members.map(({ how }) => how),
      ['ended', 'ended'],
    );
  },
);

test.serial(
  'a member that ends without being ready fails nobody, but those who wait for it',
  async (t) => {
    const group = startGroup(t, { workerData: 'no task' }, new URL('data:text/javascript,'));
    await t.throwsAsync(group.ready(), {
      code: 'ERR_INVALID_STATE',
      message: /ended before it was/,
    });
    t.false((await group.ended).failed);
  },
);

test.serial('await using ends the group with the grace that it was started with', async (t) => {
  let started: LoopGroup;
  {
    await using group = new LoopGroup(memberFile, {
      ...{ size: 2, workerData: { way: 'work', ms: 10 }, graceMs: HANG_MS },
    });
    started = group;
    await group.ready();
  }
  t.deepEqual(
    started.members.map(({ state }) => state),
    ['ended', 'ended'],
  );
});

test.serial('messages of the program pass beside the orders of the group', async (t) => {
  const group = startGroup(t, { size: 1, workerData: { way: 'serve', driver: 'runAsync' } });
  await group.ready();
  const worker = group.members[0]?.worker;
  t.is(worker?.threadId, group.members[0]?.threadId);
  worker?.postMessage('ignored'); // Nobody listens there: no harm is done either.
  const { members } = await group.shutdown({ graceMs: HANG_MS });
  t.is(members[0]?.how, 'ended');
});

test.serial('twenty groups leave no descriptor and no thread', async (t) => {
  const threads = (): number => readdirSync('/proc/self/task').length;
  const ways = ['serve', 'work', 'stop', 'exit', 'throw before ready'];
  const once = async (way: string): Promise<void> => {
    const group = new LoopGroup(memberFile, { size: 2, workerData: { way }, graceMs: 0 });
    await group.ready().catch(() => undefined);
    await group.shutdown({ graceMs: 10 });
  };
  for (const way of ways) await once(way);
  const before = [await eventually(threads, -1, 0), countDescriptors()];
  for (let i = 0; i < 20; i++) await once(ways[i % ways.length] as string);
  t.deepEqual([threads(), countDescriptors()], before);
});

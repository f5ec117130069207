/** What a group does when a member fails: it ends, or it starts another one. */
import { once } from 'node:events';
import test from 'ava';
import { LoopGroup } from '../../ts/index.js';
import { eventually } from '../support/eventually.js';
import { memberFile, messageOf, reasonOf, startGroup, tasks } from '../support/groups.js';

const HANG_MS = 60_000;

test.serial('a failure ends the others with grace, and then it is the reason', async (t) => {
  const go = new Int32Array(new SharedArrayBuffer(4));
  const workerData = tasks({ way: 'work', ms: 50 }, { way: 'throw', go }, { way: 'serve' });
  const group = startGroup(t, { size: 3, workerData, graceMs: HANG_MS });
  await group.ready();
  Atomics.store(go, 0, 1);
  t.is(await messageOf(group.ended), 'on purpose, 1');
  const { members, failed, failure } = await group.shutdown({ graceMs: 0 });
  t.true(failed);
  t.is((failure as Error).message, 'on purpose, 1');
  t.deepEqual(
    members.map(({ how, forced }) => [how, forced.length]),
    [
      ['ended', 0],
      ['failed', 0],
      ['ended', 0],
    ],
  );
  t.is(members[1]?.error, failure);
});

test.serial('the shutdown that a failure begins has the grace of the options', async (t) => {
  const go = new Int32Array(new SharedArrayBuffer(4));
  const workerData = tasks({ way: 'work', ms: 0 }, { way: 'throw', go });
  const group = startGroup(t, { workerData, graceMs: 50, forceMs: HANG_MS });
  await group.ready();
  Atomics.store(go, 0, 1);
  t.is(await messageOf(group.ended), 'on purpose, 1');
  const { members } = await group.shutdown({ graceMs: 0 });
  t.is(members[0]?.forced.length, 1);
});

test.serial('of several failures the first one is the reason, the report has all', async (t) => {
  const go = new Int32Array(new SharedArrayBuffer(4));
  const workerData = tasks({ way: 'throw at shutdown' }, { way: 'throw', go });
  const group = startGroup(t, { workerData, graceMs: HANG_MS });
  await group.ready();
  Atomics.store(go, 0, 1);
  t.is(await messageOf(group.ended), 'on purpose, 1');
  const { members } = await group.shutdown({ graceMs: 0 });
  t.deepEqual(
    members.map(({ error }) => (error as Error).message),
    ['on purpose, late', 'on purpose, 1'],
  );
});

const failures = [
  { way: 'throw before ready', message: /^on purpose$/ },
  { way: 'exit', message: /exit code 3/ },
] as const;

for (const { way, message } of failures) {
  test.serial(`a failure: ${way}`, async (t) => {
    const group = startGroup(t, { workerData: tasks({ way: 'serve' }, { way }) });
    t.regex(await messageOf(group.ended), message);
  });
}

test.serial('a failure: what is thrown is no error', async (t) => {
  const group = startGroup(t, { size: 1, workerData: { way: 'throw what is no error' } });
  t.is(await reasonOf(group.ended), undefined);
  t.true((await group.shutdown({ graceMs: 0 })).failed);
});

test.serial('a failure: somebody else terminates the worker', async (t) => {
  const group = startGroup(t, { workerData: { way: 'serve' } });
  await group.ready();
  await group.members[0]?.worker.terminate();
  await t.throwsAsync(group.ended, { code: 'ERR_MEMBER_ENDED', message: /exit code 1/ });
});

test.serial('a failure: somebody else terminates the worker before it has begun', async (t) => {
  const group = startGroup(t, { size: 1, workerData: { way: 'serve' } });
  const ready = reasonOf(group.ready());
  await group.members[0]?.worker.terminate();
  const error = (await reasonOf(group.ended)) as Error;
  // On a machine that is very busy, it has: then it is the exit code.
  t.regex(
    error.message,
    /^a member of the group (was terminated before it began|has ended with exit code 1)$/,
  );
  t.like(error, { code: 'ERR_MEMBER_ENDED' });
  t.is(await ready, error);
});

test.serial('a worker that is terminated before it has begun is restarted, too', async (t) => {
  const group = startGroup(t, { workerData: { way: 'serve' }, onFailure: 'restart' });
  await group.members[0]?.worker.terminate();
  await group.ready();
  t.deepEqual(
    group.members.map(({ restarts }) => restarts),
    [1, 0],
  );
});

test.serial('a failure: there is no such module, or it does not load', async (t) => {
  for (const file of ['file:///nowhere.js', 'data:text/javascript,import "nowhere"']) {
    const group = startGroup(t, { workerData: {} }, new URL(file));
    const ready = reasonOf(group.ready());
    const reason = await reasonOf(group.ended);
    t.regex((reason as Error).message, /nowhere/);
    t.is(await ready, reason);
  }
});

test.serial('members that wait to be ready fail with the failure', async (t) => {
  const workerData = tasks({ way: 'not ready' }, { way: 'throw', ms: 5 });
  const group = startGroup(t, { workerData });
  // Nobody asks for `ended`: who waits here has been told.
  t.is(await messageOf(group.ready()), 'on purpose, 1');
  await group.shutdown({ graceMs: HANG_MS });
});

test.serial('await using throws a failure that nobody has been told of, once', async (t) => {
  const untold = async (): Promise<void> => {
    await using group = new LoopGroup(memberFile, { size: 1, workerData: { way: 'exit' } });
    await once(group.members[0]?.worker as never, 'exit').catch(() => undefined);
  };
  await t.throwsAsync(untold(), { message: /exit code 3/ });
  const told = async (): Promise<void> => {
    await using group = new LoopGroup(memberFile, { size: 1, workerData: { way: 'exit' } });
    await t.throwsAsync(group.ended, { message: /exit code 3/ });
  };
  await t.notThrowsAsync(told());
});

test.serial('with onFailure: restart another worker takes the place', async (t) => {
  const starts = new Int32Array(new SharedArrayBuffer(8));
  const workerData = { way: 'throw at the first start', starts };
  const group = startGroup(t, { workerData, onFailure: 'restart' });
  await group.ready();
  t.deepEqual([...starts], [2, 2]);
  t.deepEqual(
    group.members.map(({ state, restarts }) => [state, restarts]),
    [0, 1].map(() => ['ready', 1]),
  );
  const { members, failed } = await group.shutdown({ graceMs: HANG_MS });
  t.false(failed);
  t.deepEqual(
    members.map(({ how, restarts }) => [how, restarts]),
    [0, 1].map(() => ['ended', 1]),
  );
});

test.serial(
  'a shutdown that begins where new data is made ends the member in its place',
  async (t) => {
    let begin = (): void => undefined;
    const workerData = (): object => {
      begin();
      return { way: 'serve' };
    };
    const group = startGroup(t, { size: 1, workerData, onFailure: 'restart' });
    await group.ready();
    begin = () => void group.shutdown({ graceMs: HANG_MS });
    await group.members[0]?.worker.terminate();
    const { members } = await group.ended;
    t.deepEqual(
      members.map(({ how, restarts }) => [how, restarts]),
      [['ended', 1]],
    );
  },
);

test.serial('a restart calls for new data, and leaves the others alone', async (t) => {
  const asked: number[] = [];
  const workerData = (index: number): object => {
    asked.push(index);
    return { way: 'serve' };
  };
  const group = startGroup(t, { workerData, onFailure: 'restart' });
  await group.ready();
  const [first, second] = group.members.map(({ worker }) => worker);
  await second?.terminate();
  await eventually(() => group.members.map(({ state }) => state).join(), 'ready,ready', HANG_MS);
  t.deepEqual(asked, [0, 1, 1]);
  t.is(group.members[0]?.worker, first);
  t.not(group.members[1]?.worker, second);
});

test.serial(
  'a member that dies at once is restarted so often, and then ends the group',
  async (t) => {
    const starts = new Int32Array(new SharedArrayBuffer(8));
    const workerData = tasks({ way: 'serve', starts }, { way: 'throw before ready', starts });
    const group = startGroup(t, { workerData, onFailure: 'restart', maxRestarts: 3 });
    t.is(await messageOf(group.ready()), 'on purpose');
    const { members } = await group.shutdown({ graceMs: HANG_MS });
    t.deepEqual([...starts], [1, 4]);
    t.deepEqual(
      members.map(({ how, restarts }) => [how, restarts]),
      [
        ['ended', 0],
        ['failed', 3],
      ],
    );
  },
);

test.serial('restarts that are longer ago than the window do not count', async (t) => {
  const workerData = { way: 'throw', ms: 30 };
  const group = startGroup(t, {
    ...{ size: 1, workerData, onFailure: 'restart', maxRestarts: 1, restartWindowMs: 1 },
  });
  await eventually(() => (group.members[0]?.restarts ?? 0) >= 3, true, HANG_MS);
  t.false(group.draining);
});

test.serial('a restart that is not possible ends the group', async (t) => {
  let asked = 0;
  const workerData = (): object => {
    if (asked++ === 2) throw new Error('no data left');
    return { way: 'serve' };
  };
  const group = startGroup(t, { workerData, onFailure: 'restart' });
  await group.ready();
  await group.members[0]?.worker.terminate();
  t.is(await messageOf(group.ended), 'no data left');
});

test.serial('what fails in a shutdown is not restarted', async (t) => {
  const workerData = { way: 'throw at shutdown' };
  const group = startGroup(t, { size: 1, workerData, onFailure: 'restart' });
  await group.ready();
  const { members, failed } = await group.shutdown({ graceMs: HANG_MS });
  t.true(failed);
  t.deepEqual([members[0]?.how, members[0]?.restarts], ['failed', 0]);
});

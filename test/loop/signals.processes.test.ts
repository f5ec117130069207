/** Signals that a loop watches, sent to a process from outside. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Poller, type BackendName } from '../../ts/index.js';
import { fixture, run, runNode, type ChildOptions, type ChildResult } from '../support/child.js';
import { testWithPrograms } from '../support/programs.js';
import { untilAsleep } from '../support/threads.js';

/** Runs the fixture, and calls `then` with its process once the thread that it prints is blocked. */
async function whenBlocked(
  args: readonly string[],
  then: (pid: number) => unknown,
  options: ChildOptions = {},
): Promise<ChildResult> {
  let done: Promise<unknown> | undefined;
  const result = await runNode(fixture('loop-signals'), {
    ...{ args, timeoutMs: 60_000, ...options },
    onStart: (child) => {
      child.stdout?.once('data', (text: string) => {
        done = untilAsleep(text.trim()).then(() => then(Number(child.pid)));
      });
    },
  });
  await done;
  return result;
}

function signalled(args: readonly string[], signal: NodeJS.Signals): Promise<ChildResult> {
  return whenBlocked(args, (pid) => {
    process.kill(pid, signal);
  });
}

/** How a loop can be driven on each backend. */
const drives: readonly (readonly [how: string, backend: string])[] = (
  Poller.backends() as BackendName[]
).flatMap((backend) => {
  using poller = new Poller({ backend });
  const hows = poller.supports.nested ? ['run', 'runAsync'] : ['run'];
  return hows.map((how) => [how, backend] as const);
});

for (const [how, backend] of drives) {
  for (const place of ['hear', 'hear on a worker']) {
    const where = place === 'hear' ? 'the main thread' : 'a worker';
    test.serial(
      `Ctrl-C reaches its function while ${where} waits in ${how} (${backend})`,
      async (t) => {
        const child = await signalled([place, how, backend, 'SIGINT'], 'SIGINT');
        t.regex(child.stdout, /^heard SIGINT at \d+$/m, child.stderr);
        t.deepEqual([child.code, child.signal], [0, null], child.stderr);
      },
    );
  }
}

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGTSTP', 'SIGALRM', 'SIGABRT'] as const) {
  test.serial(`${signal} reaches its function instead of doing what it does`, async (t) => {
    const child = await signalled(['hear', 'run', 'auto', signal], signal);
    t.regex(child.stdout, new RegExp(`^heard ${signal} at`, 'm'), child.stderr);
    t.deepEqual([child.code, child.signal], [0, null]);
  });
}

for (const how of [
  'never was there',
  'was closed',
  'was closed with its loop',
  'was on a worker that was terminated',
  'was on a worker that has ended',
]) {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test.serial(`${signal} ends a process whose watch ${how}`, async (t) => {
      const child = await signalled(['gone', how], signal);
      t.deepEqual([child.code, child.signal], [null, signal], child.stderr);
      t.notRegex(child.stdout, /heard/);
    });
  }
}

test.serial('a signal reaches every loop, on every thread', async (t) => {
  const child = await runNode(fixture('loop-signals'), { args: ['everywhere'] });
  const expected = ['loop 0', 'loop 1', 'worker in run', 'worker in runAsync'];
  t.deepEqual(child.stdout.trim().split('\n').sort(), expected, child.stderr);
  t.deepEqual([child.code, child.signal], [0, null]);
});

for (const { how, code } of [
  { how: 'natural end, never run', code: 0 },
  { how: 'natural end, run over', code: 0 },
  { how: 'process.exit', code: 3 },
  { how: 'process.exit in its function', code: 3 },
  { how: 'throws in its function, run', code: 1 },
  { how: 'throws in its function, runAsync', code: 1 },
]) {
  test.serial(`a process with a watch that is open has its end: ${how}`, async (t) => {
    // Its loop has an interval, so that nothing but what is tested ends it.
    const child = await runNode(fixture('loop-signals'), { args: ['end', how], timeoutMs: 30_000 });
    t.deepEqual([child.code, child.signal], [code, null], child.stderr);
  });
}

// An independent sender: what it has made before its last signal must be seen when one is heard.
const SENDER = `
import os, signal, sys
pid, count, mark = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
for _ in range(count - 1):
    os.kill(pid, signal.SIGURG)
open(mark, 'w').close()
os.kill(pid, signal.SIGURG)
`;

function newMark(t: ExecutionContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  return path.join(folder, 'mark');
}

for (const [how, backend] of drives) {
  for (const place of ['pour', 'pour on a worker']) {
    const where = place === 'pour' ? 'the main thread' : 'a worker';
    testWithPrograms(
      ['python3'],
      `of 10,000 signals at least one is heard after the last, ${where} in ${how} (${backend})`,
      async (t) => {
        const mark = newMark(t);
        const child = await whenBlocked([place, how, backend, mark], (pid) =>
          run('python3', ['-c', SENDER, String(pid), '10000', mark]),
        );
        t.deepEqual([child.code, child.signal], [0, null], child.stderr);
        const deliveries = Number(/^deliveries (\d+)$/m.exec(child.stdout)?.[1]);
        t.log(`${deliveries} deliveries`);
        t.true(deliveries >= 1 && deliveries <= 10_000);
      },
    );
  }
}

test.serial('workers that watch can be terminated while signals pour in', async (t) => {
  const child = await runNode(fixture('loop-signals'), { args: ['terminate in a pour'] });
  t.is(child.stdout, 'still heard: true\nhandlers as before: true\n', child.stderr);
  t.deepEqual([child.code, child.signal], [0, null], child.stderr);
});

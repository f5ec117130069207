import test from 'ava';
import { fixture, runNode, type ChildResult } from '../support/child.js';
import { untilAsleep } from '../support/threads.js';

/** Runs the fixture and sends it a signal once the thread that it has printed is blocked. */
async function signalled(args: readonly string[], signal: NodeJS.Signals): Promise<ChildResult> {
  let sent: Promise<void> | undefined;
  const result = await runNode(fixture('lifecycle-signal'), {
    args,
    onStart: (child) => {
      child.stdout?.once('data', (text: string) => {
        sent = untilAsleep(text.trim()).then(() => {
          child.kill(signal);
        });
      });
    },
  });
  await sent;
  return result;
}

for (const call of ['Epoll.wait', 'epoll_wait', 'epoll_pwait2', 'read from a pipe']) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    test(`${signal} ends a process without a handler whose main thread is in ${call}`, async (t) => {
      const result = await signalled(['main', call], signal);
      t.deepEqual([result.code, result.signal], [null, signal], result.stderr);
      t.false(result.stdout.includes('returned'));
    });
  }
}

for (const call of ['Epoll.wait', 'epoll_wait']) {
  test(`a handler on the main thread runs while a worker is in ${call}`, async (t) => {
    const result = await signalled(['worker', call], 'SIGTERM');
    t.deepEqual([result.code, result.signal], [0, null], result.stderr);
    t.regex(result.stdout, /^handled$/m);
  });
}

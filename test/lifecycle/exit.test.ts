import test, { type ExecutionContext } from 'ava';
import { allBackends, testedBackends } from '../support/backends.js';
import { fixture, runNode } from '../support/child.js';
import { median, promisedMs, REPETITIONS, showMs } from '../support/measure.js';

/** What the library promises: so much later than the same program without the addon, at most. */
const PROMISED_MS = promisedMs(300);

interface Way {
  readonly way: string;
  readonly title: string;
  readonly code: number;
}

const ways: readonly Way[] = [
  { way: 'process.exit', title: 'process.exit() ends', code: 3 },
  { way: 'process.reallyExit', title: 'process.reallyExit() ends', code: 3 },
  { way: 'natural end', title: 'the natural end with unreferenced workers ends', code: 0 },
  { way: 'uncaught error', title: 'an uncaught error ends', code: 1 },
  { way: 'unhandled rejection', title: 'an unhandled rejection ends', code: 1 },
];

interface End {
  readonly code: number | null;
  /** From the last line of the program to the end of the process. */
  readonly ms: number;
}

async function runOnce(
  t: ExecutionContext,
  way: string,
  call: string,
  workers: number,
): Promise<End> {
  const { code, signal, stdout } = await runNode(fixture('lifecycle-exit'), {
    args: [way, call, String(workers)],
  });
  const ms = Date.now() - Number(stdout);
  t.is(signal, null, `${way}, ${call}: hangs`);
  return { code, ms };
}

/** Runs the program and its twin in turn, and compares the middle of their times. */
async function endsLikeItsTwin(
  t: ExecutionContext,
  { way, code }: Way,
  call: string,
  workers: number,
): Promise<void> {
  const own: End[] = [];
  const twin: End[] = [];
  for (let i = 0; i < REPETITIONS; i++) {
    own.push(await runOnce(t, way, call, workers));
    twin.push(await runOnce(t, way, 'twin', workers));
  }
  const ownMs = own.map((end) => end.ms);
  const twinMs = twin.map((end) => end.ms);
  t.log(`${call}: ${showMs(ownMs)}; without the addon: ${showMs(twinMs)}`);
  t.true(median(ownMs) - median(twinMs) <= PROMISED_MS);
  for (const end of [...own, ...twin]) t.is(end.code, code);
}

for (const way of ways) {
  for (const call of allBackends ? ['Epoll.wait', 'epoll_wait', 'read from a pipe'] : []) {
    test.serial(
      `${way.title} the process soon after its twin while a worker is in ${call}`,
      async (t) => {
        await endsLikeItsTwin(t, way, call, 1);
      },
    );
  }
  test.serial(
    `${way.title} the process soon after its twin while workers are in Poller.wait of every backend`,
    async (t) => {
      const calls = testedBackends.map((backend) => `Poller.wait, ${backend}`);
      await endsLikeItsTwin(t, way, calls.join(' + '), calls.length);
    },
  );
  // Node stops workers one after the other: what each of them takes would add up.
  if (!allBackends) continue;
  test.serial(
    `${way.title} the process soon after its twin while 16 workers are in epoll_wait`,
    async (t) => {
      await endsLikeItsTwin(t, way, 'epoll_wait', 16);
    },
  );
}

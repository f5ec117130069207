import test, { type ExecutionContext } from 'ava';
import { allBackends } from '../support/backends.js';
import {
  blockingFramed,
  blockingTransfers,
  loops,
  testedWaits,
} from '../support/blocking-calls.js';
import { fixture, runNode } from '../support/child.js';
import { median, promisedMs, REPETITIONS, showMs } from '../support/measure.js';
import { Random } from '../support/random.js';

/** What the library promises for `worker.terminate()`. */
const PROMISED_MS = promisedMs(150);

interface Line {
  readonly call: string;
  readonly times: readonly (number | null)[];
}

/** Checks the median of each line that a child has printed. */
async function checkTimes(
  t: ExecutionContext,
  program: string,
  args: readonly string[],
  lineCount: number,
): Promise<void> {
  const child = await runNode(fixture(program), { args, timeoutMs: 60_000 });
  const lines = child.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  for (const { call, times } of lines) {
    const measured = times.map((ms) => ms ?? Number.POSITIVE_INFINITY); // JSON has no Infinity
    t.log(`${call}: ${showMs(measured)}`);
    t.true(median(measured) <= PROMISED_MS, `${call}: ${showMs(measured)}`);
  }
  t.is(lines.length, lineCount, child.stderr);
  t.deepEqual([child.code, child.signal], [0, null], child.stderr);
}

function terminates(
  t: ExecutionContext,
  loop: string,
  calls: Readonly<Record<string, unknown>>,
): Promise<void> {
  const names = Object.keys(calls);
  return checkTimes(t, 'lifecycle-terminate', [String(REPETITIONS), loop, ...names], names.length);
}

for (const loop of Object.keys(loops)) {
  test.serial(`worker.terminate() settles soon in a wait without end, ${loop}`, async (t) => {
    await terminates(t, loop, testedWaits);
  });
}

if (allBackends) {
  test.serial('worker.terminate() settles soon in a transfer that blocks', async (t) => {
    await terminates(t, 'once', blockingTransfers);
  });

  test.serial('worker.terminate() settles soon in the second form of a call', async (t) => {
    await terminates(t, 'for (;;)', blockingFramed);
  });

  test.serial('worker.terminate() settles soon in transfers in a bare loop', async (t) => {
    await terminates(t, 'for (;;)', blockingTransfers);
  });

  test.serial('worker.terminate() settles soon for workers of every kind', async (t) => {
    await checkTimes(t, 'lifecycle-kinds', [], 5);
  });
}

test.serial(
  'worker.terminate() settles at whatever moment of a worker’s life it comes',
  async (t) => {
    const { seed } = new Random();
    t.log(`RAW_EPOLL_SEED=${seed}`);
    const { stdout, stderr, code } = await runNode(fixture('lifecycle-random'), {
      args: [String(seed), '60'],
      timeoutMs: 60_000,
    });
    const results = JSON.parse(stdout) as { ms: number | null }[];
    const hung = results.filter(({ ms }) => ms === null);
    t.deepEqual(hung, [], `RAW_EPOLL_SEED=${seed}`);
    const times = results.map(({ ms }) => ms ?? Number.POSITIVE_INFINITY);
    t.log(`median ${median(times).toFixed(1)} ms, longest ${Math.max(...times).toFixed(1)} ms`);
    t.true(median(times) <= PROMISED_MS);
    t.is(results.length, 60);
    t.is(code, 0, stderr);
  },
);

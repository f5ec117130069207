import test from 'ava';
import type { Summary } from '../fixtures/stress-model.js';
import { fixture, runNode } from '../support/child.js';

/** How many random operations; `RAW_EPOLL_OPS` says otherwise. */
const OPERATIONS = 1_000_000;

/** The same operations each time, so that a failure is the change's; set RAW_EPOLL_SEED to explore. */
const SEED = 1;

test('sets do what a model says through a million random operations', async (t) => {
  t.timeout(600_000);
  const operations = Number(process.env['RAW_EPOLL_OPS'] ?? OPERATIONS);
  const child = await runNode(fixture('stress-model'), {
    env: {
      RAW_EPOLL_OPS: String(operations),
      RAW_EPOLL_SEED: process.env['RAW_EPOLL_SEED'] ?? String(SEED),
    },
    timeoutMs: 590_000,
  });
  // On failure this is the seed, the operation, and what led there.
  t.is(child.stderr, '');
  t.is(child.code, 0);
  const summary = JSON.parse(child.stdout) as Summary;
  t.log(`RAW_EPOLL_SEED=${summary.seed}`, child.stdout, `${Math.round(child.ms)} ms`);
  t.is(summary.operations, operations);

  // A run in which little happens would prove little.
  const least = (share: number): number => Math.floor(operations * share);
  t.true(summary.waits >= least(0.15));
  t.true(summary.events >= least(0.2));
  t.true(summary.edges >= least(0.01));
  t.true(summary.oneShots >= least(0.005));
  t.true(summary.wakes >= least(0.005));
  t.true(summary.stale >= least(0.01));
  t.true(summary.rebuilt >= least(0.001));
  for (const code of ['EBADF', 'EEXIST', 'EINVAL', 'ENOENT']) {
    t.true((summary.refused[code] ?? 0) >= least(0.002), code);
  }
});

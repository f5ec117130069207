import process from 'node:process';
import test from 'ava';
import type { PollerSummary } from '../fixtures/stress-poller.js';
import { testedBackends } from '../support/backends.js';
import { fixture, runNode } from '../support/child.js';

/** How many random operations on each backend; `RAW_EPOLL_OPS` says otherwise. */
const OPERATIONS = 200_000;

/** The same operations each time, so that a failure is the change's; set RAW_EPOLL_SEED to explore. */
const SEED = 1;

for (const backend of testedBackends) {
  test.serial(
    `a poller on ${backend} does what a model says through random operations`,
    async (t) => {
      t.timeout(600_000);
      const operations = Number(process.env['RAW_EPOLL_OPS'] ?? OPERATIONS);
      const child = await runNode(fixture('stress-poller'), {
        env: {
          RAW_EPOLL_BACKEND: backend,
          RAW_EPOLL_OPS: String(operations),
          RAW_EPOLL_SEED: process.env['RAW_EPOLL_SEED'] ?? String(SEED),
        },
        timeoutMs: 590_000,
      });
      // On failure this is the seed, the operation, and what led there.
      t.is(child.stderr, '');
      t.is(child.code, 0);
      const summary = JSON.parse(child.stdout) as PollerSummary;
      t.log(child.stdout, `${Math.round(child.ms)} ms`);
      t.is(summary.backend, backend);
      t.is(summary.operations, operations);
      // A run in which little happens would prove little.
      const least = (share: number): number => Math.floor(operations * share);
      t.true(summary.waits >= least(0.2));
      t.true(summary.events >= least(0.5));
      t.true(summary.stale >= least(0.004));
      t.true(summary.wakes >= least(0.01));
    },
  );
}

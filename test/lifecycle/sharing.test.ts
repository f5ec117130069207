import test from 'ava';
import { fixture, runNode } from '../support/child.js';
import { showMs } from '../support/measure.js';

for (const call of ['accept4', 'read', 'eventfd_read']) {
  test.serial(
    `workers that compete in ${call} on one descriptor can all be terminated`,
    async (t) => {
      const child = await runNode(fixture('lifecycle-sharing'), {
        args: [call],
        timeoutMs: 60_000,
      });
      const times = (JSON.parse(child.stdout) as (number | null)[]).map((ms) => ms ?? Infinity);
      t.log(`longest: ${showMs([Math.max(...times)])}`);
      t.deepEqual([child.code, child.signal], [0, null], child.stderr);
      t.is(times.length, 40);
    },
  );
}

/**
 * The contract of a backend, run on every row of `backends.ts`, in every mode, with every second
 * implementation. docs/backends.md has the outcome as a table.
 */
import process from 'node:process';
import test from 'ava';
import { Poller } from '../../ts/index.js';
import { rows } from './backends.js';
import { lacking } from './case.js';
import { cases } from './cases/index.js';
import { Kit } from './kit.js';
import { reasons } from './needs.js';

const here = Poller.backends();

for (const row of rows) {
  for (const without of row.without) {
    const who = without === '' ? row.backend : `${row.backend} without ${without}`;
    if (!here.includes(row.backend)) {
      test.skip(`${who}: this kernel has no ${row.backend}`, (t) => {
        t.pass();
      });
      continue;
    }
    for (const one of cases) {
      for (const mode of one.modes) {
        if (lacking(row, one, mode) !== undefined) continue; // Named in docs/backends.md.
        const suffix = one.modes.length > 1 ? ` (${mode})` : '';
        // One after the other: the environment is the whole process's.
        test.serial(`${who}: ${one.group}: ${one.title}${suffix}`, async (t) => {
          process.env['RAW_EPOLL_WITHOUT'] = without;
          delete process.env['RAW_EPOLL_BACKEND'];
          await one.body(new Kit(t, row, mode, without));
        });
      }
    }
  }
}

test('the contract has 150 cases or more, each with a title of its own', (t) => {
  const titles = cases.map(({ group, title }) => `${group}: ${title}`);
  t.true(titles.length >= 150, `${titles.length}`);
  t.is(new Set(titles).size, titles.length);
});

test('whatever a row lacks has a reason', (t) => {
  for (const { lacks } of rows) for (const need of lacks) t.truthy(reasons[need]);
});

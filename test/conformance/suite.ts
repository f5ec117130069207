import process from 'node:process';
import test from 'ava';
import { Poller, type PollerMode } from '../../ts/index.js';
import { isTested } from '../support/backends.js';
import type { Row } from './backends.js';
import { lacking, type Case } from './case.js';
import { cases } from './cases/index.js';
import { Kit } from './kit.js';

/** Runs the contract on a backend, in every mode, with every second implementation. */
export function judge(row: Row): void {
  if (!isTested(row.backend)) return;
  for (const without of row.without) {
    const who = without === '' ? row.backend : `${row.backend} without ${without}`;
    if (Poller.backends().includes(row.backend)) {
      judgeOne(row, without, who);
    } else {
      test.skip(`${who}: this kernel has no ${row.backend}`, (t) => {
        t.pass();
      });
    }
  }
}

function judgeOne(row: Row, without: string, who: string): void {
  for (const one of cases) {
    for (const mode of one.modes) {
      // What it lacks is named in docs/backends.md.
      if (lacking(row, one, mode) === undefined) run(row, without, who, one, mode);
    }
  }
}

function run(row: Row, without: string, who: string, one: Case, mode: PollerMode): void {
  const suffix = one.modes.length > 1 ? ` (${mode})` : '';
  // One after the other: the environment is the whole process's.
  test.serial(`${who}: ${one.group}: ${one.title}${suffix}`, async (t) => {
    process.env['RAW_EPOLL_WITHOUT'] = without;
    delete process.env['RAW_EPOLL_BACKEND'];
    await one.body(new Kit(t, row, mode, without));
  });
}

/**
 * The contract of a backend, run on every row of `backends.ts`. docs/backends.md has the outcome as
 * a table.
 */
import test from 'ava';
import { rows } from './backends.js';
import { cases } from './cases/index.js';
import { reasons } from './needs.js';
import { judge } from './suite.js';

for (const row of rows) judge(row);

test('the contract has 150 cases or more, each with a title of its own', (t) => {
  const titles = cases.map(({ group, title }) => `${group}: ${title}`);
  t.true(titles.length >= 150, `${titles.length}`);
  t.is(new Set(titles).size, titles.length);
});

test('whatever a row lacks has a reason', (t) => {
  for (const { lacks } of rows) for (const need of lacks) t.truthy(reasons[need]);
});

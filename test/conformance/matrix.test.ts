import test from 'ava';
import { readRepositoryFile } from '../support/repository.js';
import { BEGIN, END, renderMatrix } from './matrix.js';

test('the table in docs/backends.md is what the suite says: node tools/backend-matrix.mjs', (t) => {
  const page = readRepositoryFile('docs/backends.md');
  t.is(page.slice(page.indexOf(BEGIN) + BEGIN.length, page.indexOf(END)).trim(), renderMatrix());
});

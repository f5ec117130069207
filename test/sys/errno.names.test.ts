import os from 'node:os';
import { getSystemErrorMap } from 'node:util';
import test from 'ava';
import * as constants from '../../ts/sys/constants.js';
import { errnoName, strerror } from '../../ts/sys/index.js';
import { testWithPrograms } from '../support/programs.js';
import { run } from '../support/child.js';
import { refuses } from './support/misuse.js';

/** Numbers with two names; the first is the one that Linux itself prefers. */
const SYNONYMS: Readonly<Record<string, string>> = {
  EWOULDBLOCK: 'EAGAIN',
  ENOTSUP: 'EOPNOTSUPP',
  EDEADLOCK: 'EDEADLK',
};

for (const [name, number] of Object.entries(os.constants.errno)) {
  test(`errnoName knows ${name}, of either sign, as node:os does`, (t) => {
    const wanted = SYNONYMS[name] ?? name;
    t.is(errnoName(number), wanted);
    t.is(errnoName(-number), wanted);
    t.is((constants as Readonly<Record<string, unknown>>)[name], number);
  });
}

test('errnoName knows every errno of libuv that Linux has', (t) => {
  for (const [number, [name]] of getSystemErrorMap()) {
    if (number <= -3000) continue; // those that libuv made up
    t.is(errnoName(number), SYNONYMS[name] ?? name);
  }
});

test('errnoName says UNKNOWN for what is no errno', (t) => {
  for (const number of [0, -0, 41, 58, 134, 4_095, 99_999, 2 ** 31 - 1, -(2 ** 31)]) {
    t.is(errnoName(number), 'UNKNOWN');
  }
});

test('strerror says the same for either sign', (t) => {
  for (const number of [...Object.values(os.constants.errno), 0, 4_095]) {
    t.is(strerror(-number), strerror(number));
    t.true(strerror(number).length > 0);
  }
  for (const number of [2 ** 31 - 1, -(2 ** 31)]) t.regex(strerror(number), /\d/);
});

testWithPrograms(['perl'], 'strerror is in the words of the C library', async (t) => {
  const script = 'for (1 .. 133) { $! = $_; print "$!\\n" }';
  const { stdout } = await run('perl', ['-e', script], { env: { LC_ALL: 'C' } });
  const words = stdout.trimEnd().split('\n');
  t.is(words.length, 133);
  t.deepEqual(
    words.map((_, i) => strerror(i + 1)),
    words,
  );
});

for (const [name, call] of Object.entries({ errnoName, strerror })) {
  test(`${name} refuses what is no int32`, (t) => {
    for (const value of [undefined, null, '11', 11n, true, {}, Symbol.iterator]) {
      refuses(t, () => call(value as number), 'ERR_INVALID_ARG_TYPE', 'errno');
    }
    for (const value of [Number.NaN, 0.5, 2 ** 31, -(2 ** 31) - 1, Number.NEGATIVE_INFINITY]) {
      refuses(t, () => call(value), 'ERR_OUT_OF_RANGE', 'errno');
    }
  });
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import { fixture, run } from '../support/child.js';
import { findProgram, testWithPrograms } from '../support/programs.js';
import { injectedRows } from './errno-rows/injected.js';
import { FIFO, type InjectedRow } from './errno-rows/row.js';
import { errnoNumber, inWords, MKFIFO } from './support/kernel.js';

/** Rows that one process can run: strace puts one errno at a time on a system call. */
interface Batch {
  readonly which: InjectedRow['which'];
  readonly rows: { readonly row: InjectedRow; readonly index: number }[];
}

function batches(): Batch[] {
  const made: Batch[] = [];
  for (const [index, row] of injectedRows.entries()) {
    const fitting = made.find(
      ({ which, rows }) =>
        which === row.which && rows.every((other) => other.row.syscall !== row.syscall),
    );
    if (fitting === undefined) made.push({ which: row.which, rows: [{ row, index }] });
    else fitting.rows.push({ row, index });
  }
  return made;
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'raw-epoll-'));
const fifo = path.join(folder, 'fifo');

test.before(() => {
  if (findProgram(MKFIFO) !== undefined) execFileSync(MKFIFO, [fifo]);
});

test.after.always(() => {
  rmSync(folder, { recursive: true });
});

/** Answers of a batch, and what strace saw. */
async function answersOf({ which, rows }: Batch, log: string): Promise<number[]> {
  const when = which === 'later' ? ':when=50+' : '';
  const { stdout, stderr, code } = await run(
    'strace',
    [
      ...['-o', log, '-e', `trace=${rows.map(({ row }) => row.syscall).join(',')}`],
      ...(which === 'fifo' ? ['-P', fifo] : []),
      ...rows.flatMap(({ row }) => ['-e', `inject=${row.syscall}:error=${row.expected}${when}`]),
      ...[process.execPath, fixture('sys-errno-rows'), 'injected'],
      ...rows.map(({ index }) => String(index)),
    ],
    { env: { [FIFO]: fifo } },
  );
  if (code !== 0) throw new Error(`strace left with ${String(code)}: ${stderr}`);
  return JSON.parse(stdout) as number[];
}

for (const [number, batch] of batches().entries()) {
  const errnos = [...new Set(batch.rows.map(({ row }) => row.expected))].join(', ');
  const calls = batch.rows.map(({ row }) => row.call).join(', ');
  testWithPrograms(
    ['strace', MKFIFO],
    `${errnos} of the kernel reach the caller of ${calls}`,
    async (t) => {
      const answers = await answersOf(batch, path.join(folder, String(number)));
      t.is(answers.length, batch.rows.length);
      for (const [i, { row }] of batch.rows.entries()) {
        const answer = answers[i] as number;
        t.is(answer, -(errnoNumber(row.expected) ?? Number.NaN), `${row.call} ${inWords(answer)}`);
      }
    },
  );
}

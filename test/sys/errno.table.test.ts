import process from 'node:process';
import test from 'ava';
import { fixture, run, runNode, type ChildResult } from '../support/child.js';
import { emulatorLacks, type EmulatorLack } from '../support/emulator.js';
import { errnoRows, type ErrnoTable } from './errno-rows/index.js';
import type { ErrnoRow } from './errno-rows/row.js';
import { Descriptors, errnoNumber, inWords, openFiles } from './support/kernel.js';
import { keepSignalling } from './support/signals.js';

const title = ({ call, expected, why }: ErrnoRow): string => `${call} answers -${expected}: ${why}`;

/** What an emulator may lack for a row. */
function emulatedBy(
  { call, expected, why }: ErrnoRow,
  table: ErrnoTable,
): EmulatorLack | undefined {
  if (table === 'signals') return 'handlers in /proc';
  if (table === 'nobody') return 'another user';
  if (call === 'epoll_pwait2' && expected !== 'ENOSYS') return 'epoll_pwait2';
  const isType = /^unknown (?:flags|type)$/.test(why);
  return isType && call.startsWith('socket') ? 'socket types' : undefined;
}

/** What a row lacks, in words; the empty text if it has all that it needs. */
function lack(row: ErrnoRow, table: ErrnoTable): string {
  if (row.needs?.isThere === false) return ` (no ${row.needs.feature})`;
  const reason = emulatorLacks(emulatedBy(row, table));
  return reason === undefined ? '' : ` (${reason})`;
}

for (const row of errnoRows.plain) {
  const lacking = lack(row, 'plain');
  const check = lacking === '' ? test : test.skip;
  check(`${title(row)}${lacking}`, (t) => {
    const before = openFiles();
    {
      using open = new Descriptors();
      const answer = row.run(open);
      t.is(answer, -(errnoNumber(row.expected) ?? Number.NaN), inWords(answer));
    }
    t.deepEqual(openFiles(), before);
  });
}

/** The tables that need a process of their own. */
const processes: Readonly<
  Record<Exclude<ErrnoTable, 'plain' | 'injected'>, () => Promise<ChildResult>>
> = {
  'full table': () => {
    const command = 'ulimit -n 200 && exec "$0" "$@"';
    const node = [process.execPath, fixture('sys-errno-rows'), 'full table'];
    return run('/bin/sh', ['-c', command, ...node]);
  },
  nobody: () => runNode(fixture('sys-errno-rows'), { args: ['nobody'] }),
  signals: () =>
    runNode(fixture('sys-errno-rows'), {
      args: ['signals'],
      timeoutMs: 60_000,
      onStart: (child) => {
        keepSignalling(child, 'SIGUSR2');
      },
    }),
};

for (const [name, start] of Object.entries(processes)) {
  const rows = errnoRows[name as keyof typeof processes];
  // Started by the first of these tests: SIGCHLD would interrupt the waits of those above.
  let child: Promise<ChildResult> | undefined;
  for (const [index, row] of rows.entries()) {
    const lacking = lack(row, name as ErrnoTable);
    const check = lacking === '' ? test : test.skip;
    check(`${title(row)} [${name}]${lacking}`, async (t) => {
      // The last signal may end the process, if its handler has just gone.
      const { stdout, stderr } = await (child ??= start());
      t.not(stdout, '', stderr);
      const answer = (JSON.parse(stdout) as number[])[index] as number;
      t.is(answer, -(errnoNumber(row.expected) ?? Number.NaN), inWords(answer));
    });
  }
}

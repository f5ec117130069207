import { PRIORITY, READABLE, WRITABLE, type LoopEntry } from 'raw-epoll';

const COLUMNS = [
  'fd',
  'kind',
  'label',
  'waits for',
  'age ms',
  'in',
  'out',
  'pending',
  'scope',
  'made at',
];

/** What is open in a loop, as a table of text: a line for each, after one of titles. */
export function describeEntries(entries: Iterable<LoopEntry>): string {
  const rows = [COLUMNS, ...[...entries].map(rowOf)];
  const widths = COLUMNS.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
    .concat('\n');
}

function rowOf(entry: LoopEntry): string[] {
  const { fd, kind, label, interest, ageMs, bytes, pending, scope, line } = entry;
  return [
    ...[fd < 0 ? '-' : String(fd), kind, label || '-', interestOf(interest), String(ageMs)],
    ...[String(bytes?.received ?? '-'), String(bytes?.sent ?? '-'), String(pending)],
    ...[scope, line ?? '-'],
  ];
}

function interestOf(interest: number): string {
  const names = [
    ...(interest & READABLE ? ['read'] : []),
    ...(interest & WRITABLE ? ['write'] : []),
    ...(interest & PRIORITY ? ['priority'] : []),
  ];
  return names.join('+') || '-';
}

/** The report of a run as Markdown. */

import {
  isLoadLimited,
  remarksOn,
  type Table,
  tabulateLoad,
  tabulateProbe,
} from './report-text.js';
import type { LoadResult, ProbeResult, Results } from './results.js';
import { describeNoise, describeVerdict, judge, type Verdict } from './verdict.js';

/** A drawing that stands beside the page. */
interface Drawing {
  readonly title: string;
  readonly file: string;
}

const escaped = (cell: string): string => cell.replaceAll('|', '\\|');

/** Numbers flush right, words flush left. */
function markdownTable({ heading, rows }: Table, of: 'numbers' | 'words' = 'numbers'): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  const rule = heading.map((_, i) => (i === 0 || of === 'words' ? '---' : '--:'));
  return [line(heading), line(rule), ...rows.map(line)].join('\n');
}

function describeRun(results: Results): string {
  const { startedAt, seconds, command, pairs, sliceMs, warmupMs, machine } = results;
  const rows = [
    ['date', startedAt.slice(0, 10)],
    ['command', `\`${command}\``],
    ['duration', `${String(Math.round(seconds / 60))} min`],
    ['pairs', `${String(pairs)}, of ${String(sliceMs)} ms after ${String(warmupMs)} ms of warm-up`],
    ...Object.entries(machine),
  ];
  return [
    'One run on one machine on one day. Everything here is a ratio to C in the same run, or stands ',
    'beside C of the same run; run it on yours. How it is measured, and what the columns say: ',
    '[bench/README.md](../bench/README.md). This page is written by `npm run bench:report`.\n\n',
    markdownTable({ heading: ['', ''], rows }, 'words'),
  ].join('');
}

function describeLoadLimits({ loads }: Results): readonly string[] {
  const limited = loads.filter(isLoadLimited).map(({ name }) => name);
  if (limited.length === 0) return [];
  return [
    `\n\nIn ${limited.join(', ')} the load generator was busy all the time beside C: there, `,
    'throughput against C says that a server keeps up with the load, and no more than that.',
  ];
}

/** What keeps the missed ones from their targets: those with the same reason together. */
function describeReasons(verdicts: readonly Verdict[]): string {
  const missed = verdicts.filter(({ outcome, why }) => outcome === 'missed' && why !== '');
  const reasons = [...new Set(missed.map(({ why }) => why))];
  if (reasons.length === 0) return '';
  const items = reasons.map((reason) => {
    const measures = missed.filter(({ why }) => why === reason).map(({ what }) => what);
    return `- **${measures.join('; ')}.** ${reason}\n`;
  });
  return `\n\n### Why some are missed\n\n${items.join('')}`.trimEnd();
}

function describeTargets(results: Results): string {
  const verdicts = judge(results);
  const noise = describeNoise(results);
  const rows = verdicts.map(({ what, bound, measured, inC, outcome }) => [
    ...[what, bound, measured, inC, outcome],
  ]);
  return [
    `${noise.charAt(0).toUpperCase()}${noise.slice(1)}. A target whose control did not hold, or `,
    'with fewer than three undisturbed pairs, is undecided, whichever way its number points. What C ',
    'comes to is the same number with a program in C in the place of ours, in the same run: where C ',
    'is on the wrong side itself, nobody can be on the right one on this machine.\n\n',
    markdownTable({ heading: ['measure', 'target', 'measured', 'C comes to', 'outcome'], rows }),
    ...describeLoadLimits(results),
    `\n\n${describeVerdict(results)}`,
    describeReasons(verdicts),
    '\n\nWhere the time goes, with profiles, and what was tried: ',
    '[decision 0044](decisions/0044-where-a-message-goes.md); where the memory is: ',
    '[0045](decisions/0045-memory-of-a-connection.md).',
  ].join('');
}

function describeServers({ servers }: Results): string {
  const rows = servers.map(({ label, runtime, note, absence }) => [
    label,
    runtime,
    absence === undefined ? note : `${note} Not measured: ${absence}.`,
  ]);
  return markdownTable(
    { heading: ['server', 'runtime', 'what differs in its work'], rows },
    'words',
  );
}

function describeLoad(result: LoadResult): string {
  const remarks = remarksOn(result).map((remark) => `- ${escaped(remark.replaceAll('\n', ' '))}`);
  return [
    `### ${result.name}: ${result.title}`,
    markdownTable(tabulateLoad(result)),
    ...(remarks.length > 0 ? [remarks.join('\n')] : []),
  ].join('\n\n');
}

function describeProbe(probe: ProbeResult): string {
  const which =
    probe.statistic === 'least' ? 'the least of all rounds' : 'the median of the rounds';
  const failures = Object.entries(probe.failures).map(
    ([name, why]) => `- ${name} gave no result: ${why.replaceAll('\n', ' ')}`,
  );
  return [
    `### ${probe.name}: ${probe.title}`,
    `${probe.about} Of each, ${which}.`,
    markdownTable(tabulateProbe(probe)),
    ...(failures.length > 0 ? [failures.join('\n')] : []),
  ].join('\n\n');
}

function sectionsOf(loads: readonly LoadResult[]): readonly string[] {
  const names = [...new Set(loads.map(({ section }) => section))];
  return names.map((name) => {
    const own = loads.filter(({ section }) => section === name);
    return [`## ${name}`, ...own.map(describeLoad)].join('\n\n');
  });
}

/** The page. */
export function describeResults(results: Results, drawings: readonly Drawing[]): string {
  const { loads, probes } = results;
  const pictures = drawings.map(({ title, file }) => `![${title}](${file})`);
  return [
    '# Performance',
    describeRun(results),
    '## Targets',
    describeTargets(results),
    ...(pictures.length > 0 ? ['## Drawings', ...pictures] : []),
    ...sectionsOf(loads),
    ...(probes.length > 0 ? ['## Single things', ...probes.map(describeProbe)] : []),
    '## Servers',
    describeServers(results),
    '',
  ].join('\n\n');
}

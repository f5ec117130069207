/** The results of a scenario and of a probe, as text for the terminal. */

import {
  type Absolute,
  type Compared,
  type LoadResult,
  type ProbeResult,
  probeValue,
} from './results.js';
import type { Spread } from './statistics.js';
import { formatCount, formatTable } from './table.js';

/** From this share of its core on, the load generator is what limits the throughput. */
const LOAD_LIMITED_SHARE = 0.9;

/** A table that a terminal and a Markdown page have alike. */
export interface Table {
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function formatRatio({ median, low, high }: Spread): string {
  return `${median.toFixed(3)} [${low.toFixed(2)}..${high.toFixed(2)}]`;
}

/** Few digits for what is small, none for what is large. */
function formatSmall(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value < 10 ? value.toFixed(2) : formatCount(value);
}

function formatAbsolute(server: Absolute): readonly string[] {
  return [
    formatCount(server.perSecond.median),
    formatCount(server.cpuNs.median),
    ...[server.p50Us, server.p99Us, server.p999Us].map((us) => us.toFixed(us < 1000 ? 1 : 0)),
    (server.residentBytes / 1e6).toFixed(1),
    `${server.switches.toFixed(3)}/${server.preemptions.toFixed(3)}`,
    server.collections === null ? '–' : formatCount(server.collections),
  ];
}

/** `messages`, `deliveries`. */
export function plural(unit: string): string {
  return unit.endsWith('y') ? `${unit.slice(0, -1)}ies` : `${unit}s`;
}

/** Columns that only some scenarios have. */
function extraColumns(result: LoadResult): readonly {
  readonly title: string;
  readonly of: (server: Pick<Compared, 'systemCalls' | 'wrk'>) => string;
}[] {
  const all = [result.yardstick, ...Object.values(result.servers)];
  const columns = [
    {
      title: 'calls',
      key: 'systemCalls',
      format: (value: number) => value.toFixed(2),
    },
    { title: 'wrk/s', key: 'wrk', format: formatCount },
  ] as const;
  return columns
    .filter(({ key }) => all.some((server) => server[key] !== undefined))
    .map(({ title, key, format }) => ({
      title,
      of: (server) => {
        const value = server[key];
        return value === undefined ? '–' : format(value);
      },
    }));
}

/** The table of a scenario. */
export function tabulateLoad(result: LoadResult): Table {
  const { yardstick, servers, unit } = result;
  const extras = extraColumns(result);
  const heading = [
    '',
    'throughput / C',
    'CPU / C',
    `${plural(unit)}/s`,
    `CPU ns/${unit}`,
    'p50 µs',
    'p99 µs',
    'p99.9 µs',
    'MB',
    'switches',
    'GCs',
    ...extras.map(({ title }) => title),
    'quiet',
  ];
  const first = [
    ...[yardstick.label, '1', '1', ...formatAbsolute(yardstick)],
    ...[...extras.map(({ of }) => of(yardstick)), ''],
  ];
  const rows = Object.values(servers).map((server) => [
    ...[server.label, formatRatio(server.throughput), formatRatio(server.cpu)],
    ...[...formatAbsolute(server), ...extras.map(({ of }) => of(server))],
    `${String(server.quietPairs)}/${String(server.runs.length)}`,
  ]);
  return { heading, rows: [first, ...rows] };
}

/** Whether the load generator was busy all the time beside C. */
export function isLoadLimited({ yardstick }: LoadResult): boolean {
  return yardstick.loadCpuShare >= LOAD_LIMITED_SHARE;
}

/** What the reader of a table has to know besides. */
export function remarksOn(result: LoadResult): readonly string[] {
  const { yardstick, failures } = result;
  const remarks = Object.entries(failures).map(
    ([name, why]) => `${name} gave no result: ${why.trim()}`,
  );
  if (isLoadLimited(result)) {
    const share = `${(yardstick.loadCpuShare * 100).toFixed(0)} %`;
    remarks.push(
      `The load generator used ${share} of its core beside C: compare CPU rather than throughput.`,
    );
  }
  return remarks;
}

/** A scenario: its table, and below it what has to be said. */
export function formatLoad(result: LoadResult): string {
  const { heading, rows } = tabulateLoad(result);
  const lines = [`${result.name}: ${result.title}`, formatTable([heading, ...rows])];
  return [...lines, ...remarksOn(result)].join('\n');
}

/** The table of a probe: a row for each contender, a column for each measure. */
export function tabulateProbe(probe: ProbeResult): Table {
  const measures = new Set(
    Object.values(probe.rows).flatMap(({ rounds }) =>
      rounds.flatMap((round) => Object.keys(round)),
    ),
  );
  const rows = Object.entries(probe.rows).map(([name, { label }]) => [
    label,
    ...[...measures].map((measure) => {
      const value = probeValue(probe, name, measure);
      return value === undefined ? '–' : formatSmall(value);
    }),
  ]);
  return { heading: [probe.unit, ...measures], rows };
}

/** A probe: its table, and below it what has to be said. */
export function formatProbe(probe: ProbeResult): string {
  const { heading, rows } = tabulateProbe(probe);
  const failures = Object.entries(probe.failures).map(
    ([name, why]) => `${name} gave no result: ${why.trim()}`,
  );
  const lines = [`${probe.name}: ${probe.title}`, formatTable([heading, ...rows]), ...failures];
  return lines.join('\n');
}

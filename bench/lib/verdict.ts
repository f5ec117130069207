/** What the numbers have to be, and whether they are. */

import type { SteadyState } from './collections.js';
import type { ScenarioResult } from './results.js';
import type { ContenderName } from './servers.js';
import { formatCount } from './table.js';

/** The C server against itself has to land here; if it does not, nothing else means much. */
const CONTROL = { least: 0.95, most: 1.05 } as const;

/** What a benchmark has found out. */
export interface Findings {
  readonly results: readonly ScenarioResult[];
  /** `undefined`: not measured. */
  readonly steadyState: SteadyState | undefined;
}

type Limit = { readonly least: number } | { readonly most: number };

/** One number of a scenario that has to be on the right side of a limit. */
interface Target {
  readonly scenario: string;
  /** What is compared, for the reader. */
  readonly what: string;
  readonly limit: Limit;
  /** The ratio of the control that has to be even for this number to mean anything. */
  readonly metric: 'cpu' | 'throughput';
  /** The number, if the scenario and its servers were measured. */
  readonly read: (result: ScenarioResult) => number | undefined;
}

/** What can come out. Without an even control a number decides nothing, whichever way it points. */
type Outcome = 'met' | 'missed' | 'undecided' | 'not measured';

/** A target with what was measured. */
export interface Verdict {
  readonly text: string;
  readonly outcome: Outcome;
}

function cpuAgainstC(server: ContenderName, level: string, most: number): Target {
  return {
    scenario: '64x50',
    what: `${level} CPU per message against C`,
    limit: { most },
    metric: 'cpu',
    read: ({ servers }) => servers[server]?.cpu.median,
  };
}

function targetsAgainstC(server: ContenderName, level: string): readonly Target[] {
  return [
    cpuAgainstC(server, level, 1.05),
    {
      scenario: '64x50',
      what: `${level} throughput against C`,
      limit: { least: 0.97 },
      metric: 'throughput',
      read: ({ servers }) => servers[server]?.throughput.median,
    },
  ];
}

function targetAgainstNet(scenario: string, least: number): Target {
  return {
    scenario,
    what: 'CPU per message of net over level 2',
    limit: { least },
    metric: 'cpu',
    read: ({ netOver }) => netOver.echo?.median,
  };
}

/** The targets of the first benchmark, but for the one in {@link judgeSteadyState}. */
const targets: readonly Target[] = [
  ...targetsAgainstC('sys', 'level 1'),
  ...targetsAgainstC('echo', 'level 2'),
  cpuAgainstC('run', 'run()', 1.08),
  cpuAgainstC('runAsync', 'runAsync()', 1.18),
  targetAgainstNet('64x50', 1.6),
  targetAgainstNet('4Kx50', 3),
  targetAgainstNet('64Kx50', 4),
];

function round(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

function isEven(ratio: number): boolean {
  return ratio >= CONTROL.least && ratio <= CONTROL.most;
}

function judgeNumber(what: string, limit: Limit, value: number | undefined): Verdict {
  const bound = 'least' in limit ? `>= ${String(limit.least)}` : `<= ${String(limit.most)}`;
  const text = `${what} (${bound})`;
  if (value === undefined) return { text, outcome: 'not measured' };
  const met = 'least' in limit ? value >= limit.least : value <= limit.most;
  return { text: `${text}: ${round(value)}`, outcome: met ? 'met' : 'missed' };
}

function judgeTarget(target: Target, results: readonly ScenarioResult[]): Verdict {
  const { scenario, what, limit, metric, read } = target;
  const result = results.find((candidate) => candidate.scenario.name === scenario);
  const verdict = judgeNumber(`${what}, ${scenario}`, limit, result && read(result));
  if (verdict.outcome === 'not measured') return verdict;
  const control = result?.servers.control?.[metric].median;
  if (control !== undefined && isEven(control)) return verdict;
  return { ...verdict, outcome: 'undecided' };
}

/** A loop that serves a million messages must not make work for the garbage collector. */
export function judgeSteadyState(steadyState: SteadyState | undefined): Verdict {
  const messages = formatCount(steadyState?.messages ?? 1_000_000);
  const what = `collections of level 2 in ${messages} messages of steady state`;
  return judgeNumber(what, { most: 0 }, steadyState?.collections);
}

/** Holds what was measured against the targets. */
export function judge({ results, steadyState }: Findings): readonly Verdict[] {
  const verdicts = targets.map((target) => judgeTarget(target, results));
  return [...verdicts, judgeSteadyState(steadyState)];
}

/** Says in words whether the C server against itself came out even. */
function describeControl(results: readonly ScenarioResult[]): string {
  const controls = results.flatMap(({ scenario, servers: { control } }) =>
    control === undefined ? [] : [{ name: scenario.name, control }],
  );
  if (controls.length === 0) return 'there was no control: its server was not measured';
  const astray = controls.flatMap(({ name, control }) => {
    const values = [control.throughput.median, control.cpu.median];
    if (values.every(isEven)) return [];
    return [`${name} (throughput ${values.map(round).join(', CPU ')})`];
  });
  const range = `${String(CONTROL.least)}…${String(CONTROL.most)}`;
  const total = String(controls.length);
  if (astray.length === 0) {
    return `the control held: C against C within ${range} in ${total} of ${total} scenarios`;
  }
  return `the control did NOT hold (C against C outside ${range}) in ${astray.join(', ')}`;
}

/** The words at the end: whether the control held, and which targets were met. */
export function describeVerdict(findings: Findings): string {
  const verdicts = judge(findings);
  const list = (outcome: Outcome): string => {
    const texts = verdicts.filter((one) => one.outcome === outcome).map(({ text }) => text);
    return texts.length === 0 ? 'none' : texts.join('; ');
  };
  const control = describeControl(findings.results);
  const words = [
    `${control.charAt(0).toUpperCase()}${control.slice(1)}.`,
    `Targets met: ${list('met')}.`,
    `Missed: ${list('missed')}.`,
  ];
  const undecided = list('undecided');
  if (undecided !== 'none') words.push(`Undecided, for want of an even control: ${undecided}.`);
  const unmeasured = list('not measured');
  if (unmeasured !== 'none') words.push(`Not measured: ${unmeasured}.`);
  return words.join('\n');
}

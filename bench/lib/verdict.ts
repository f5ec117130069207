/** What the numbers have to be, and whether they are. */

import * as reasons from './reasons.js';
import {
  type LoadResult,
  type Metric,
  over,
  type ProbeResult,
  probeValue,
  type Results,
  wasQuiet,
} from './results.js';
import { CONTROL, YARDSTICK } from './servers.js';
import { sum } from './statistics.js';

/** The yardstick against itself has to land here; if it does not, nothing else means much. */
const CONTROL_RANGE = { least: 0.95, most: 1.05 } as const;

/** Medians of fewer pairs move too much to hold them against a target. */
export const PAIRS_FOR_A_VERDICT = 7;

type Limit = { readonly least: number } | { readonly most: number };

/** A number, and whether it means anything. */
interface Reading {
  /** `undefined`: not measured. */
  readonly value: number | undefined;
  /** What has to be even. */
  readonly controls: readonly number[];
  /** Whether there were pairs enough that nothing else disturbed. */
  readonly quiet: boolean;
}

/** A number that has to be on the right side of a limit. */
interface Target {
  readonly what: string;
  readonly limit: Limit;
  readonly unit: 'times' | 'ns' | 'B' | 'collections';
  readonly read: (results: Results) => Reading;
  /** The same of a program in C: what no binding can better, whatever it does. */
  readonly inC?: InC;
  /** What keeps a number from its limit, if it is known. */
  readonly why?: string;
}

/** What the number is of, and the number. */
interface InC {
  readonly of: string;
  readonly read: (results: Results) => number | undefined;
}

/** What can come out. On a machine that was not quiet a number decides nothing, whichever way it points. */
export type Outcome = 'met' | 'missed' | 'undecided' | 'not measured';

/** A target with what was measured. */
export interface Verdict {
  readonly what: string;
  /** The limit in words. */
  readonly bound: string;
  /** The number in words. */
  readonly measured: string;
  /** What C has come to in the same run, in words; empty if that says nothing. */
  readonly inC: string;
  readonly outcome: Outcome;
  /** What keeps the number from its limit; empty if that is not known. */
  readonly why: string;
}

const NOTHING: Reading = { value: undefined, controls: [], quiet: true };

/** A number of a scenario, which rests on the control of that scenario, and on quiet pairs. */
function inLoad(
  name: string,
  metric: Metric,
  names: readonly string[],
  value: (result: LoadResult) => number | undefined,
): Target['read'] {
  return ({ loads }) => {
    const result = loads.find((one) => one.name === name);
    if (result === undefined) return NOTHING;
    const { servers } = result;
    return {
      value: value(result),
      controls: [servers[CONTROL]?.[metric].median ?? NaN],
      // A control that was disturbed may come out even all the same.
      quiet: wasQuiet(result, names) && wasQuiet(result, [CONTROL]),
    };
  };
}

function inProbe(name: string, read: (probe: ProbeResult) => Reading): Target['read'] {
  return ({ probes }) => {
    const probe = probes.find((one) => one.name === name);
    return probe === undefined ? NOTHING : read(probe);
  };
}

/** A server next to C. */
const againstC = (scenario: string, server: string, metric: Metric): Target['read'] =>
  inLoad(scenario, metric, [server], ({ servers }) => servers[server]?.[metric].median);

/** One server next to another. */
const against = (scenario: string, one: string, other: string, metric: Metric): Target['read'] =>
  inLoad(scenario, metric, [one, other], (result) => over(result, one, other, metric)?.median);

function quotient(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}

/** What a call costs more than in C. The control: C against C. */
const callOverC = (pass: string, contender: string): Target['read'] =>
  inProbe('calls', (probe) => {
    const of = (name: string): number | undefined => probeValue(probe, name, pass);
    const [c, other] = [of(YARDSTICK), of(contender)];
    return {
      value: c === undefined || other === undefined ? undefined : other - c,
      controls: [quotient(of(CONTROL), c) ?? NaN],
      quiet: true,
    };
  });

/** How much more a wait costs beside many idle descriptors. The control: the same in C, twice. */
const flatness: Target['read'] = inProbe('wait-cost', (probe) => {
  const of = (name: string): number | undefined =>
    quotient(probeValue(probe, name, '19900'), probeValue(probe, name, '10'));
  const controls = [quotient(of(CONTROL), of(YARDSTICK)) ?? NaN];
  return { value: of('epoll'), controls, quiet: true };
});

/** A count or a size, which no other process changes: it needs no control. */
const countOf = (probe: string, contender: string, measure: string): Target['read'] =>
  inProbe(probe, (result) => ({
    value: probeValue(result, contender, measure),
    controls: [],
    quiet: true,
  }));

/** The number alone, of a program in C. */
const inC = (of: string, read: Target['read']): InC => ({
  of,
  read: (results) => read(results).value,
});

/** How many times as much the yardstick has as a server. */
const cOverServer = (scenario: string, server: string, metric: Metric): Target['read'] =>
  inLoad(scenario, metric, [server], ({ servers }) =>
    quotient(1, servers[server]?.[metric].median),
  );

const times = { unit: 'times' } as const;

/** Every target, in the order of the report. */
const targets: readonly Target[] = [
  ...(
    [
      ['sys', 'level 1', 1.03],
      ['echo', 'level 2', 1.03],
      ['run', 'run()', 1.05],
      ['runAsync', 'runAsync()', 1.1],
    ] as const
  ).map(([server, level, most]): Target => ({
    ...times,
    what: `CPU per message against C, ${level}, 64 B, 50 connections`,
    limit: { most },
    read: againstC('64x50', server, 'cpu'),
    inC: inC('C, with a thread', againstC('64x50', 'c-thread', 'cpu')),
    why: reasons.CROSSING,
  })),
  ...(
    [
      ['64x50', '64 B, 50 connections', reasons.CROSSING],
      ['64x1000', '64 B, 1,000 connections', reasons.CROSSING],
      ['64Kx50', '64 KiB, 50 connections', reasons.PAGES],
    ] as const
  ).map(([scenario, title, why]): Target => ({
    ...times,
    what: `throughput against C, level 2, ${title}`,
    limit: { least: 0.97 },
    read: againstC(scenario, 'echo', 'throughput'),
    why,
  })),
  ...(
    [
      ['64x50', '64 B', 1.6],
      ['4Kx50', '4 KiB', 3],
      ['64Kx50', '64 KiB', 4.2],
    ] as const
  ).map(([scenario, size, least]): Target => ({
    ...times,
    what: `CPU per message, Node net against level 2, ${size}, 50 connections`,
    limit: { least },
    read: against(scenario, 'net', 'echo', 'cpu'),
    inC: inC('against C', againstC(scenario, 'net', 'cpu')),
    why: reasons.COPYING,
  })),
  ...(
    [
      ['http50', 'http', 'Node http, 50 connections', 2.5],
      ['http1000', 'http', 'Node http, 1,000 connections', 3.5],
      ['http50', 'bun', 'Bun.serve, 50 connections', 1.2],
      ['http1000', 'bun', 'Bun.serve, 1,000 connections', 1.2],
      ['http50', 'go', 'Go net/http on one core, 50 connections', 2],
      ['http1000', 'go', 'Go net/http on one core, 1,000 connections', 2],
    ] as const
  ).map(([scenario, other, title, least]): Target => ({
    ...times,
    what: `HTTP requests per second, ours against ${title}`,
    limit: { least },
    read: against(scenario, 'run', other, 'throughput'),
    inC: inC('C, no parser', cOverServer(scenario, other, 'throughput')),
    why: reasons.HTTP,
  })),
  {
    ...times,
    what: 'password site, requests per second, ours against Go',
    limit: { least: 4 },
    read: against('passwords', 'run', 'go', 'throughput'),
    inC: inC('C, no passwords', cOverServer('passwords', 'go', 'throughput')),
    why: reasons.OPENING,
  },
  {
    ...times,
    what: 'password site, CPU per request, ours against Go',
    limit: { most: 0.3 },
    read: against('passwords', 'run', 'go', 'cpu'),
    inC: inC('C, no passwords', cOverServer('passwords', 'go', 'cpu')),
    why: reasons.OPENING,
  },
  {
    ...times,
    what: 'round trips per second on one connection, level 2 with spinUs 200 against C that blocks',
    limit: { least: 3.5 },
    read: againstC('64x1', 'spin', 'throughput'),
    inC: inC('C, spinning', againstC('64x1', 'c-spin', 'throughput')),
    why: reasons.WAKING,
  },
  ...(
    [
      ['echo', 'level 2', 350],
      ['run', 'level 4', 600],
    ] as const
  ).map(([server, level, most]): Target => ({
    what: `memory for each idle connection, ${level}`,
    limit: { most },
    unit: 'B',
    read: countOf('memory', server, 'B for each'),
    why: reasons.GROWING,
  })),
  {
    ...times,
    what: 'cost of a wait beside 19,900 idle descriptors against 10',
    limit: { most: 1.08 },
    read: flatness,
  },
  {
    what: 'garbage collections in a million messages, level 2',
    limit: { most: 0 },
    unit: 'collections',
    read: countOf('collections', 'echo', 'in a million'),
    why: reasons.COLLECTING,
  },
  ...['epoll_wait(0), none ready', 'recv -> EAGAIN', 'epoll_ctl MOD'].map((pass): Target => ({
    what: `cost of a call over C, ${pass}`,
    limit: { most: 60 },
    unit: 'ns',
    read: callOverC(pass, 'addon'),
    inC: inC('C, with a thread', callOverC(pass, 'c-thread')),
    why: reasons.CALL,
  })),
];

const isEven = (ratio: number): boolean =>
  ratio >= CONTROL_RANGE.least && ratio <= CONTROL_RANGE.most;

/** `1.0347` as `1.035`, `347.2` as `347`. */
function inWords(value: number, unit: Target['unit']): string {
  const digits = unit === 'times' ? 3 : 0;
  const number = String(Math.round(value * 10 ** digits) / 10 ** digits);
  return unit === 'times' || unit === 'collections' ? number : `${number} ${unit}`;
}

/** `against C: 1.91`; nothing if there is nothing to say. */
function describeInC({ inC, unit }: Target, results: Results): string {
  if (inC === undefined) return '';
  const value = inC.read(results);
  return value === undefined ? '' : `${inC.of}: ${inWords(value, unit)}`;
}

function judgeTarget(target: Target, results: Results): Verdict {
  const { what, limit, unit, read, why = '' } = target;
  const { value, controls, quiet } = read(results);
  const [sign, border] = 'least' in limit ? ['>=', limit.least] : ['<=', limit.most];
  const bound = `${sign} ${inWords(border, unit)}`;
  const start = { what, bound, inC: describeInC(target, results), why };
  if (value === undefined) return { ...start, measured: '–', outcome: 'not measured' };
  const measured = inWords(value, unit);
  if (!quiet || !controls.every(isEven)) return { ...start, measured, outcome: 'undecided' };
  const met = 'least' in limit ? value >= border : value <= border;
  return { ...start, measured, outcome: met ? 'met' : 'missed' };
}

/** Holds what was measured against the targets. */
export function judge(results: Results): readonly Verdict[] {
  return targets.map((target) => judgeTarget(target, results));
}

/** The scenarios in which C against C did not come out even, in words. */
function unevenControls({ loads }: Results): readonly string[] {
  return loads.flatMap(({ name, servers: { [CONTROL]: control } }) => {
    if (control === undefined) return [`${name} (not measured)`];
    const [throughput, cpu] = [control.throughput.median, control.cpu.median];
    if (isEven(throughput) && isEven(cpu)) return [];
    return [`${name} (throughput ${throughput.toFixed(3)}, CPU ${cpu.toFixed(3)})`];
  });
}

/** The share of all pairs that nothing else disturbed, in words. */
function describeQuiet({ loads }: Results): string {
  const servers = loads.flatMap((result) => Object.values(result.servers));
  const all = sum(servers.map(({ runs }) => runs.length));
  const quiet = sum(servers.map(({ quietPairs }) => quietPairs));
  return `${(all === 0 ? 0 : (100 * quiet) / all).toFixed(0)} % of the pairs were undisturbed`;
}

/** How quiet the machine was, in words, from the control and the pairs. */
export function describeNoise(results: Results): string {
  const { loads } = results;
  if (loads.length === 0) return 'no servers were compared, so there was no control';
  const range = `C against C within ${CONTROL_RANGE.least}…${CONTROL_RANGE.most}`;
  const uneven = unevenControls(results);
  const even = loads.length - uneven.length;
  const scenarios = `in ${even} of ${loads.length} scenarios`;
  const held = uneven.length === 0 ? 'the control held' : 'the control did NOT hold everywhere';
  const where = uneven.length === 0 ? '' : `, not in ${uneven.join(', ')}`;
  return `${held} (${range} ${scenarios}${where}); ${describeQuiet(results)}`;
}

function count(verdicts: readonly Verdict[], outcome: Outcome): string {
  const some = verdicts.filter((one) => one.outcome === outcome);
  const names = some.map(({ what, measured }) => `${what}: ${measured}`);
  const list = outcome === 'missed' && some.length > 0 ? ` (${names.join('; ')})` : '';
  return `${String(some.length)} ${outcome}${list}`;
}

/** One sentence at the end: whether the control held, and what was within target. */
export function describeVerdict(results: Results): string {
  const verdicts = judge(results);
  const measured = verdicts.filter(({ outcome }) => outcome !== 'not measured');
  const noise = describeNoise(results);
  const start = `${noise.charAt(0).toUpperCase()}${noise.slice(1)}`;
  const outcomes = (['met', 'missed', 'undecided'] as const).map((one) => count(verdicts, one));
  const hint =
    results.pairs < PAIRS_FOR_A_VERDICT
      ? `; with fewer than ${String(PAIRS_FOR_A_VERDICT)} pairs this is only a hint`
      : '';
  const of = `${String(measured.length)} of ${String(verdicts.length)} targets were measured`;
  return `${start}; ${of}: ${outcomes.join(', ')}${hint}.`;
}

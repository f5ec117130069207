/**
 * The benchmark: servers against C and against each other, and what single things cost.
 *
 *     npm run bench -- [--quick] [--only 64x50,http50] [--servers echo,net] [--pairs N]
 *                      [--slice-ms T] [--warmup-ms T] [--json FILE] [--report FOLDER] [--list]
 *
 * What is measured, how, and how to read it: bench/README.md. The exit code says whether the
 * benchmark could be run, not whether the targets were met.
 */

import { accessSync, closeSync, constants, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { hasAb } from './lib/ab.js';
import type { RunContext } from './lib/context.js';
import { describeMachine } from './lib/machine.js';
import { measureLoad } from './lib/measure-load.js';
import { measureProbe } from './lib/measure-probe.js';
import { optionsOrUsage, parseCount } from './lib/options.js';
import { choosePlacement, type Placement } from './lib/placement.js';
import { type Probe, probes } from './lib/probes.js';
import { Progress } from './lib/progress.js';
import { formatLoad, formatProbe } from './lib/report-text.js';
import type { LoadResult, ProbeResult, Results } from './lib/results.js';
import { type Scenario, scenarios } from './lib/scenarios.js';
import { CONTROL, serverNamed, servers, YARDSTICK } from './lib/servers.js';
import { describeVerdict, judge, PAIRS_FOR_A_VERDICT } from './lib/verdict.js';

/** The load generator goes on no longer. */
const MS_MAX = 60_000;

interface Options {
  readonly quick: boolean;
  readonly list: boolean;
  readonly scenarios: readonly Scenario[];
  readonly probes: readonly Probe[];
  /** `undefined`: those of the scenario. */
  readonly servers: readonly string[] | undefined;
  readonly pairs: number;
  readonly sliceMs: number;
  readonly warmupMs: number;
  readonly json: string | undefined;
  readonly report: string | undefined;
}

/** The names in an option that may be given several times, and with several names each time. */
function namesIn(
  option: string,
  given: readonly string[] | undefined,
): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const names = new Set(given.flatMap((one) => one.split(',')).filter((name) => name !== ''));
  if (names.size === 0) throw new RangeError(`--${option} names nothing`);
  return [...names];
}

/** What cannot be written is to be known before an hour of measuring, not after it. */
function checkOutputs(json: string | undefined, report: string | undefined): void {
  if (json !== undefined) closeSync(openSync(json, 'a'));
  if (report === undefined) return;
  mkdirSync(report, { recursive: true });
  accessSync(report, constants.W_OK);
}

function checkNames(only: readonly string[]): void {
  const known = [...scenarios, ...probes].map(({ name }) => name);
  for (const name of only) {
    if (!known.includes(name)) {
      throw new RangeError(`no scenario ${name}; there are: ${known.join(', ')}`);
    }
  }
}

/** Those that were asked for: by name, or else those of a quick or of a full run. */
function chosen<T extends { readonly name: string; readonly quick?: readonly string[] }>(
  all: readonly T[],
  only: readonly string[] | undefined,
  quick: boolean,
): readonly T[] {
  if (only !== undefined) return all.filter(({ name }) => only.includes(name));
  return quick ? all.filter((one) => one.quick !== undefined) : all;
}

function parseOptions(): Options {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      servers: { type: 'string', multiple: true },
      pairs: { type: 'string' },
      'slice-ms': { type: 'string' },
      'warmup-ms': { type: 'string' },
      json: { type: 'string' },
      report: { type: 'string' },
    },
  });
  const { quick, list, json, report } = values;
  const only = namesIn('only', values.only);
  const named = namesIn('servers', values.servers);
  checkNames(only ?? []);
  checkOutputs(json, report);
  return {
    quick,
    list,
    scenarios: chosen(scenarios, only, quick),
    probes: chosen(probes, only, quick),
    servers: named
      ?.map((name) => serverNamed(name).name)
      .filter((name) => name !== YARDSTICK && name !== CONTROL),
    pairs: parseCount('pairs', values.pairs ?? String(quick ? 3 : PAIRS_FOR_A_VERDICT)),
    sliceMs: parseCount('slice-ms', values['slice-ms'] ?? (quick ? '150' : '500'), MS_MAX),
    warmupMs: parseCount('warmup-ms', values['warmup-ms'] ?? (quick ? '100' : '200'), MS_MAX),
    json,
    report,
  };
}

/** The servers of a scenario that are asked for and are here. */
function serversFor(scenario: Scenario, options: Options): readonly string[] {
  const wanted = (options.quick ? scenario.quick : undefined) ?? scenario.servers;
  const asked = options.servers;
  const candidates = asked === undefined ? wanted : asked.filter((name) => serves(name, scenario));
  return candidates.filter((name) => serverNamed(name).absence() === undefined);
}

/** The contenders of a probe that are asked for: of those that are servers, the named ones. */
function contendersFor(probe: Probe, options: Options): readonly string[] {
  const { servers: asked, quick } = options;
  const wanted = (quick ? probe.quick : undefined) ?? probe.contenders.map(({ name }) => name);
  if (asked === undefined) return wanted;
  const others = servers.map(({ name }) => name).filter((name) => !asked.includes(name));
  const left = [YARDSTICK, CONTROL];
  return probe.contenders
    .map(({ name }) => name)
    .filter((name) => left.includes(name) || !others.includes(name));
}

function serves(name: string, { work }: Scenario): boolean {
  return serverNamed(name).serves[work] !== undefined;
}

/** Why a scenario cannot be measured here; `undefined`: it can. */
function absenceOf({ load }: Scenario): string | undefined {
  return 'ab' in load && !hasAb() ? 'ab (Debian: apache2-utils) is not here' : undefined;
}

function describeList(): string {
  const line = (name: string, text: string): string => `  ${name.padEnd(16)}${text}`;
  return [
    'scenarios:',
    ...scenarios.map((scenario) => {
      const why = absenceOf(scenario);
      const { name, title } = scenario;
      return line(name, why === undefined ? title : `${title} (left out: ${why})`);
    }),
    ...probes.map(({ name, title }) => line(name, title)),
    'servers:',
    ...servers.map(({ name, label, absence }) => {
      const why = absence();
      return line(name, why === undefined ? label : `${label} (left out: ${why})`);
    }),
  ].join('\n');
}

/** What has been measured so far. */
type Measured = Pick<Results, 'loads' | 'probes'>;

async function measureAll(
  options: Options,
  context: RunContext,
  progress: Progress,
  onMeasured: (measured: Measured) => void,
): Promise<Measured> {
  const loads: LoadResult[] = [];
  const probed: ProbeResult[] = [];
  // What cannot be measured at all does not keep the rest from being measured.
  const step = async (name: string, body: () => Promise<string>): Promise<void> => {
    progress.next(name);
    try {
      context.say(`${await body()}\n`);
      onMeasured({ loads, probes: probed });
    } catch (error) {
      context.say(`${name} could not be measured: ${String(error)}\n`);
      process.exitCode = 1;
    }
  };
  for (const scenario of options.scenarios.filter((one) => absenceOf(one) === undefined)) {
    await step(scenario.name, async () => {
      const result = await measureLoad(scenario, serversFor(scenario, options), context);
      loads.push(result);
      return formatLoad(result);
    });
  }
  for (const probe of options.probes) {
    await step(probe.name, async () => {
      const result = await measureProbe(probe, contendersFor(probe, options), context);
      probed.push(result);
      return formatProbe(result);
    });
  }
  return { loads, probes: probed };
}

/** Whether somebody failed of whom it was not to be expected. */
function hasFailed({ loads, probes: probed }: Measured): boolean {
  const unexpected = loads.some(({ name, failures }) => {
    const mayFail = scenarios.find((one) => one.name === name)?.mayFail ?? [];
    return Object.keys(failures).some((server) => !mayFail.includes(server));
  });
  return unexpected || probed.some(({ failures }) => Object.keys(failures).length > 0);
}

/** The servers of the table, for the report; those that are not here with the reason. */
function describeServers(): Results['servers'] {
  return servers.map(({ name, label, runtime, note, absence }) => {
    const why = absence();
    return { name, label, runtime, note, ...(why === undefined ? {} : { absence: why }) };
  });
}

function announce(options: Options, machine: Readonly<Record<string, string>>): void {
  const { pairs, sliceMs, warmupMs } = options;
  console.log(
    Object.entries(machine)
      .map(([name, value]) => `${name}: ${value}`)
      .join('\n'),
  );
  for (const { label, absence } of describeServers()) {
    if (absence !== undefined) console.log(`${label} is left out: ${absence}.`);
  }
  for (const scenario of options.scenarios) {
    const why = absenceOf(scenario);
    if (why !== undefined) console.log(`${scenario.name} is left out: ${why}.`);
  }
  console.log(
    `${String(pairs)} pairs of ${String(sliceMs)} ms after ${String(warmupMs)} ms of warm-up; ` +
      'median [least..greatest].\n',
  );
}

/** What was run, without where the results went. */
function describeCommand(args: readonly string[]): string {
  const told = args.filter((arg, i) => {
    const ofFile = /^--(json|report)$/;
    return !ofFile.test(arg) && !ofFile.test(args[i - 1] ?? '') && !/^--(json|report)=/.test(arg);
  });
  return ['npm run bench', ...(told.length > 0 ? ['--', ...told] : [])].join(' ');
}

/** A run that has everything but what is still to be measured. */
function resultsFrom(
  options: Options,
  machine: Readonly<Record<string, string>>,
): (measured: Measured) => Results {
  const { pairs, sliceMs, warmupMs } = options;
  const startedAt = new Date();
  return (measured) => ({
    startedAt: startedAt.toISOString(),
    seconds: Math.round((Date.now() - startedAt.getTime()) / 1000),
    command: describeCommand(process.argv.slice(2)),
    ...{ machine, pairs, sliceMs, warmupMs },
    servers: describeServers(),
    ...measured,
  });
}

function contextOf(options: Options, placement: Placement, progress: Progress): RunContext {
  const { pairs, sliceMs, warmupMs, quick } = options;
  return {
    ...{ placement, pairs, sliceMs, warmupMs, quick },
    share: quick ? 0.2 : 1,
    extras: !quick,
    progress: (text) => {
      progress.show(text);
    },
    say: (text) => {
      progress.say(text);
    },
  };
}

/** A run takes long: what there is of it is kept, in case that it is ended before its end. */
function save(results: Results, file: string | undefined): void {
  if (file === undefined) return;
  const content = { ...results, verdicts: judge(results) };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

async function conclude(results: Results, options: Options): Promise<void> {
  if (options.report !== undefined) {
    // What draws and formats takes long to load, and is not needed before.
    const { writeReport } = await import('./lib/report.js');
    console.log(`report: ${await writeReport(results, options.report)}`);
  }
  for (const { what, bound, measured, inC, outcome } of judge(results)) {
    if (outcome === 'not measured') continue;
    const beside = inC === '' ? bound : `${bound}; ${inC}`;
    console.log(`${outcome.padEnd(10)} ${what}: ${measured} (${beside})`);
  }
  console.log(describeVerdict(results));
  if (hasFailed(results)) process.exitCode = 1;
}

async function main(options: Options): Promise<void> {
  const placement = choosePlacement();
  const machine = describeMachine(placement);
  announce(options, machine);
  const progress = new Progress(options.scenarios.length + options.probes.length);
  const context = contextOf(options, placement, progress);
  const complete = resultsFrom(options, machine);
  const measured = await measureAll(options, context, progress, (some) => {
    save(complete(some), options.json);
  });
  await conclude(complete(measured), options);
}

const options = optionsOrUsage('bench', parseOptions);
if (options?.list === true) console.log(describeList());
else if (options !== undefined) await main(options);

/**
 * Compares the echo servers of the examples with an echo server in C and with `node:net`.
 *
 *     npm run bench:echo -- [--quick] [--only 64x50,4Kx50] [--pairs N] [--slice-ms T] [--json FILE]
 *     npm run bench:echo -- --gc [--messages N]
 *
 * What is measured, and how to read it: bench/README.md.
 */

import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { countCollectionsInSteadyState, type SteadyState } from './lib/collections.js';
import { optionsOrUsage, parseCount } from './lib/options.js';
import { runPairs } from './lib/pairs.js';
import { choosePlacement, type Placement } from './lib/placement.js';
import { formatScenario } from './lib/report.js';
import { type ScenarioResult, summarizeScenario } from './lib/results.js';
import { type Scenario, scenarios, selectScenarios } from './lib/scenarios.js';
import { isBuilt, serverLabels, type ServerName, withServers } from './lib/servers.js';
import { describeVerdict, type Findings, judge, judgeSteadyState } from './lib/verdict.js';

const SERVERS: readonly ServerName[] = ['c', 'sys', 'echo', 'run', 'runAsync', 'net', 'control'];

/** The conclusions are drawn at 50 connections; a quick run looks only there. */
const QUICK_SCENARIOS: readonly Scenario[] = scenarios.filter((one) => one.connections === 50);

/** Medians of fewer pairs move too much to hold them against a target. */
const PAIRS_FOR_A_VERDICT = 7;

interface Options {
  readonly gc: boolean;
  /** All scenarios, and the collections at the end. */
  readonly full: boolean;
  readonly messages: number;
  readonly pairs: number;
  readonly sliceMs: number;
  readonly warmupMs: number;
  readonly scenarios: readonly Scenario[];
  readonly json: string | undefined;
}

function parseOptions(): Options {
  const { values } = parseArgs({
    options: {
      gc: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      messages: { type: 'string', default: '1000000' },
      only: { type: 'string', multiple: true },
      pairs: { type: 'string' },
      'slice-ms': { type: 'string' },
      'warmup-ms': { type: 'string' },
      json: { type: 'string' },
    },
  });
  const { quick, only, json } = values;
  const all = quick ? QUICK_SCENARIOS : scenarios;
  return {
    gc: values.gc,
    full: !quick && only === undefined,
    messages: parseCount('messages', values.messages),
    pairs: parseCount('pairs', values.pairs ?? String(quick ? 3 : PAIRS_FOR_A_VERDICT)),
    sliceMs: parseCount('slice-ms', values['slice-ms'] ?? (quick ? '200' : '500')),
    warmupMs: parseCount('warmup-ms', values['warmup-ms'] ?? (quick ? '100' : '200')),
    scenarios: only === undefined ? all : selectScenarios(only),
    json,
  };
}

/** A sign of life on a terminal; nothing in a file. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function availableServers(): readonly ServerName[] {
  return SERVERS.filter((name) => {
    const built = isBuilt(name);
    if (!built) console.log(`${serverLabels[name]} is not built and is left out.`);
    return built;
  });
}

async function measureScenario(
  scenario: Scenario,
  names: readonly ServerName[],
  options: Options,
  placement: Placement,
): Promise<ScenarioResult> {
  const { pairs, sliceMs, warmupMs } = options;
  const load = { ...scenario, warmupMs, slice: { ms: sliceMs } };
  const onRound = (round: number): void => {
    showProgress(`${scenario.name}: round ${String(round + 1)} of ${String(pairs)}`);
  };
  const runs = await withServers(names, placement.server, (servers) =>
    runPairs(servers, { pairs, core: placement.load, load, onRound }),
  );
  showProgress('');
  return summarizeScenario(scenario, runs);
}

function writeJson(file: string, options: Options, findings: Findings): void {
  const machine = { node: process.version, kernel: release(), cpu: cpus()[0]?.model };
  const { pairs, sliceMs, warmupMs } = options;
  const content = { machine, pairs, sliceMs, warmupMs, ...findings, verdicts: judge(findings) };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

/** The collections in a million messages: the whole of `--gc`, and the end of a full run. */
async function countCollections(options: Options, placement: Placement): Promise<SteadyState> {
  showProgress('garbage collections in a steady state');
  const steadyState = await countCollectionsInSteadyState(options.messages, placement);
  showProgress('');
  console.log(`Garbage collections, 64 B, 50 connections:\n${steadyState.text}\n`);
  return steadyState;
}

async function compareServers(options: Options, placement: Placement): Promise<void> {
  const names = availableServers();
  const { pairs, sliceMs, warmupMs } = options;
  console.log(
    `${String(pairs)} pairs of ${String(sliceMs)} ms after ${String(warmupMs)} ms of warm-up; ` +
      'median [least..greatest].\n',
  );
  const results: ScenarioResult[] = [];
  for (const scenario of options.scenarios) {
    const result = await measureScenario(scenario, names, options, placement);
    results.push(result);
    console.log(`${formatScenario(result)}\n`);
  }
  const steadyState = options.full ? await countCollections(options, placement) : undefined;
  const findings = { results, steadyState };
  if (options.json !== undefined) writeJson(options.json, options, findings);
  console.log(describeVerdict(findings));
  if (pairs < PAIRS_FOR_A_VERDICT) {
    console.log(`(With fewer than ${String(PAIRS_FOR_A_VERDICT)} pairs this is only a hint.)`);
  }
}

async function main(options: Options): Promise<void> {
  const placement = choosePlacement();
  console.log(`Node ${process.version}, Linux ${release()}; ${placement.note}.`);
  if (options.gc) {
    const { text, outcome } = judgeSteadyState(await countCollections(options, placement));
    console.log(`Target ${outcome}: ${text}.`);
  } else {
    await compareServers(options, placement);
  }
}

const options = optionsOrUsage('bench:echo', parseOptions);
if (options !== undefined) await main(options);

/**
 * What a system call costs through the addon, over what it costs in C.
 *
 *     npm run bench:calls -- [--quick] [--rounds N] [--iterations N] [--repetitions N] [--json FILE]
 *
 * What is measured, and how to read it: bench/README.md.
 */

import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { parseArgs } from 'node:util';
import { runToEnd } from './lib/child.js';
import { compileC } from './lib/compile.js';
import { optionsOrUsage, parseCount } from './lib/options.js';
import { inRepository } from './lib/paths.js';
import { choosePlacement, pinned } from './lib/placement.js';
import { median } from './lib/statistics.js';
import { formatTable } from './lib/table.js';

/** What one call may cost more than in C, in nanoseconds. */
const LIMIT_NS = 80;

/** How long one run of either program may take. */
const RUN_LIMIT_MS = 120_000;

interface Options {
  readonly rounds: number;
  readonly iterations: number;
  readonly repetitions: number;
  readonly json: string | undefined;
}

/** Nanoseconds by the name of the pass, as both programs print them. */
type Costs = Readonly<Record<string, number>>;

/** A pass on both sides. */
interface Comparison {
  readonly name: string;
  /** System calls in one pass: the limit counts for each. */
  readonly calls: number;
  /** Least of all rounds. */
  readonly cNs: number;
  readonly addonNs: number;
  /** Addon over C, for each call: what the limit is about. */
  readonly extraNs: number;
  /** The same from each round by itself, and of these the median. */
  readonly medianExtraNs: number;
  /** The part of it that C pays as well once its process has a second, sleeping thread. */
  readonly threadsNs: number;
  /** Greatest minus least of the rounds in C, for each call: what the machine adds by itself. */
  readonly noiseNs: number;
}

function parseOptions(): Options {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      iterations: { type: 'string', default: '20000' },
      repetitions: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const { quick, json } = values;
  return {
    rounds: parseCount('rounds', values.rounds ?? (quick ? '2' : '7')),
    iterations: parseCount('iterations', values.iterations),
    repetitions: parseCount('repetitions', values.repetitions ?? (quick ? '5' : '15')),
    json,
  };
}

/** `send 64 + recv 64` is a pass of two calls. */
function callsIn(name: string): number {
  return name.split(' + ').length;
}

/** What the rounds of each program have shown. */
interface Rounds {
  readonly c: readonly Costs[];
  readonly cWithThread: readonly Costs[];
  readonly addon: readonly Costs[];
}

function compare(name: string, rounds: Rounds): Comparison {
  const calls = callsIn(name);
  const of = (costs: readonly Costs[]): number[] => costs.map((each) => each[name] ?? NaN);
  const c = of(rounds.c);
  const addon = of(rounds.addon);
  const cNs = Math.min(...c);
  const addonNs = Math.min(...addon);
  return {
    name,
    calls,
    cNs,
    addonNs,
    extraNs: (addonNs - cNs) / calls,
    medianExtraNs: median(addon.map((ns, round) => (ns - (c[round] ?? NaN)) / calls)),
    threadsNs: (Math.min(...of(rounds.cWithThread)) - cNs) / calls,
    noiseNs: (Math.max(...c) - cNs) / calls,
  };
}

/** Runs the programs in turn, on the same core: they never run at the same time. */
async function runRounds(
  options: Options,
  core: number | undefined,
): Promise<readonly Comparison[]> {
  const args = [
    `--iterations=${String(options.iterations)}`,
    `--repetitions=${String(options.repetitions)}`,
  ];
  const run = async (program: readonly string[]): Promise<Costs> =>
    JSON.parse(await runToEnd(pinned(core, [...program, ...args]), RUN_LIMIT_MS)) as Costs;
  const inC = compileC('calls');
  const throughAddon = inRepository('build', 'bench', 'calls-addon.js');

  const rounds = { c: [] as Costs[], cWithThread: [] as Costs[], addon: [] as Costs[] };
  for (let round = 0; round < options.rounds; round++) {
    rounds.c.push(await run([inC]));
    rounds.addon.push(await run([process.execPath, throughAddon]));
    rounds.cWithThread.push(await run([inC, '--idle-thread']));
  }
  return Object.keys(rounds.c[0] ?? {}).map((name) => compare(name, rounds));
}

function formatComparisons(comparisons: readonly Comparison[]): string {
  const heading = ['ns', 'C', 'addon', 'extra/call', 'median', 'threads', 'noise of C', ''];
  const rows = comparisons.map((one) => {
    const { cNs, addonNs, extraNs, medianExtraNs, threadsNs, noiseNs } = one;
    const costs = [cNs, addonNs, extraNs, medianExtraNs, threadsNs, noiseNs];
    const verdict = extraNs <= LIMIT_NS ? 'ok' : 'OVER';
    return [one.name, ...costs.map((ns) => ns.toFixed(1)), verdict];
  });
  return formatTable([heading, ...rows]);
}

function describe(comparisons: readonly Comparison[]): string {
  const limit = `${String(LIMIT_NS)} ns a call over C`;
  const over = comparisons.filter(({ extraNs }) => !(extraNs <= LIMIT_NS)).map(({ name }) => name);
  const total = String(comparisons.length);
  if (over.length === 0) return `All ${total} passes are within the limit of ${limit}.`;
  return `Over the limit of ${limit}: ${over.join('; ')} (of ${total} passes).`;
}

async function main(options: Options): Promise<void> {
  const placement = choosePlacement();
  const place = placement.server === undefined ? placement.note : 'both programs on the same core';
  console.log(`Node ${process.version}, Linux ${release()}; ${place}.`);
  console.log(
    `${String(options.rounds)} rounds of C and addon in turn, each the least of ` +
      `${String(options.repetitions)} loops of ${String(options.iterations)} passes.\n`,
  );
  const comparisons = await runRounds(options, placement.server);
  if (options.json !== undefined) {
    const machine = { node: process.version, kernel: release() };
    const content = { machine, limitNs: LIMIT_NS, rounds: options.rounds, comparisons };
    writeFileSync(options.json, `${JSON.stringify(content, null, 2)}\n`);
  }
  console.log(`${formatComparisons(comparisons)}\n\n${describe(comparisons)}`);
}

const options = optionsOrUsage('bench:calls', parseOptions);
if (options !== undefined) await main(options);

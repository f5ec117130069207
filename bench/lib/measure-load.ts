/** Runs one scenario with a load: starts its servers, measures them in pairs, and ends them. */

import { runAb } from './ab.js';
import type { BackgroundProcess } from './child.js';
import type { RunContext } from './context.js';
import { holdConnections, runLoad, type Slice } from './load.js';
import { type Outcome, runPairs } from './pairs.js';
import { compare, type Compared, type LoadResult, summarizeYardstick } from './results.js';
import { endServer, type RunningServer, startServer } from './running.js';
import type { Scenario } from './scenarios.js';
import { CONTROL, isOnNode, serverNamed, YARDSTICK } from './servers.js';
import { hasStrace, systemCallsPerMessage } from './system-calls.js';
import { hasWrk, requestsPerSecondByWrk } from './wrk.js';

/** A server with the idle connections that it has. */
interface Contender {
  readonly server: RunningServer;
  readonly holder: BackgroundProcess | undefined;
}

/** What is only asked once for each server, after the pairs. */
type Extras = Pick<Compared, 'systemCalls' | 'wrk'>;

async function start(name: string, scenario: Scenario, context: RunContext): Promise<Contender> {
  const { work, onPath = false, idle } = scenario;
  const { placement } = context;
  const server = await startServer(serverNamed(name), { work, core: placement.server, onPath });
  if (idle === undefined) return { server, holder: undefined };
  try {
    const holder = await holdConnections(server, placement.load, { connections: idle, size: 64 });
    return { server, holder };
  } catch (error) {
    await endServer(server);
    throw error;
  }
}

async function end({ server, holder }: Contender): Promise<void> {
  try {
    await endServer(server);
  } finally {
    await holder?.end();
  }
}

/** Until a server that is new has seen enough messages for its compilers. */
const SETTLE_MS = 500;

/** The processes of a scenario: of each server the newest one. */
class Contenders {
  readonly #scenario: Scenario;
  readonly #context: RunContext;
  readonly #all = new Map<string, Contender>();

  constructor(scenario: Scenario, context: RunContext) {
    this.#scenario = scenario;
    this.#context = context;
  }

  /** A new process for a server, under load until it has settled. */
  async renew(name: string): Promise<void> {
    this.#context.progress(`starting ${name}`);
    const old = this.#all.get(name);
    this.#all.set(name, await start(name, this.#scenario, this.#context));
    // Only now, or else the new one would get the very memory of the old one.
    if (old !== undefined) await end(old);
    await this.#load(name, 0, SETTLE_MS);
  }

  /** One slice of a server. */
  measure(name: string): Promise<Slice> {
    const { warmupMs, sliceMs } = this.#context;
    return this.#load(name, warmupMs, sliceMs);
  }

  running(name: string): RunningServer {
    return this.#all.get(name)!.server;
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#all.keys()].map((name) => this.#end(name)));
  }

  /** A server that fails is ended: nobody knows what else it does on the core of the others. */
  async #load(name: string, warmupMs: number, ms: number): Promise<Slice> {
    const { load, fewer } = this.#scenario;
    const { placement, share } = this.#context;
    const server = this.running(name);
    try {
      if (!('ab' in load)) {
        return await runLoad(server, placement.load, { ...load, warmupMs, slice: { ms } });
      }
      const requests = Math.ceil((fewer?.[name] ?? load.ab.requests) * share);
      return await runAb(server, placement.load, { ...load.ab, requests });
    } catch (error) {
      await this.#end(name);
      throw error;
    }
  }

  async #end(name: string): Promise<void> {
    const contender = this.#all.get(name);
    this.#all.delete(name);
    if (contender !== undefined) await end(contender);
  }
}

/** Why a server has no extra: it is told, and nothing depends on it. */
async function extra<T>(ask: () => Promise<T>, context: RunContext): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    context.say(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

async function askExtras(
  server: RunningServer,
  scenario: Scenario,
  context: RunContext,
): Promise<Extras> {
  const { load } = scenario;
  const core = context.placement.load;
  if ('ab' in load || !context.extras) return {};
  const { connections, target = '/' } = load;
  const systemCalls =
    scenario.systemCalls === true && hasStrace()
      ? await extra(() => systemCallsPerMessage(server, core, load), context)
      : undefined;
  const wrk =
    scenario.wrk === true && hasWrk()
      ? await extra(
          () => requestsPerSecondByWrk(server, core, { connections, seconds: 2, target }),
          context,
        )
      : undefined;
  return {
    ...(systemCalls === undefined ? {} : { systemCalls }),
    ...(wrk === undefined ? {} : { wrk }),
  };
}

/** Measures the servers with these names, and the yardstick and the control, which always belong. */
export async function measureLoad(
  scenario: Scenario,
  names: readonly string[],
  context: RunContext,
): Promise<LoadResult> {
  const { pairs } = context;
  const contenders = new Contenders(scenario, context);
  try {
    const outcomes = await runPairs([CONTROL, ...names], {
      pairs,
      yardstick: YARDSTICK,
      renew: (name) => contenders.renew(name),
      measure: (name) => contenders.measure(name),
      onRound: (round, name) => {
        context.progress(`round ${round + 1} of ${pairs}, ${name}`);
      },
    });
    const extras = new Map<string, Extras>();
    for (const name of [YARDSTICK, ...outcomes.keys()]) {
      const failed = outcomes.get(name);
      if (failed !== undefined && 'failure' in failed) continue;
      context.progress(`system calls and second opinions, ${name}`);
      extras.set(name, await askExtras(contenders.running(name), scenario, context));
    }
    return summarizeScenario(scenario, outcomes, extras);
  } finally {
    await contenders.endAll();
  }
}

function summarizeScenario(
  { name, title, section, unit }: Scenario,
  outcomes: ReadonlyMap<string, Outcome>,
  extras: ReadonlyMap<string, Extras>,
): LoadResult {
  const servers: Record<string, Compared> = {};
  const failures: Record<string, string> = {};
  for (const [server, outcome] of outcomes) {
    if ('failure' in outcome) {
      failures[server] = outcome.failure;
      continue;
    }
    if (outcome.runs.length === 0) continue;
    const { label } = serverNamed(server);
    const compared = compare(label, outcome.runs, isOnNode(serverNamed(server)));
    servers[server] = { ...compared, ...extras.get(server) };
  }
  const yardstick = {
    label: serverNamed(YARDSTICK).label,
    ...summarizeYardstick(outcomes.values()),
    ...extras.get(YARDSTICK),
  };
  return { name, title, section, unit, yardstick, servers, failures };
}

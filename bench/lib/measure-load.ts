/** Runs one scenario with a load: starts its servers, measures them in pairs, and ends them. */

import { runAb } from './ab.js';
import type { BackgroundProcess } from './child.js';
import type { RunContext } from './context.js';
import { holdConnections, type LoadOptions, runLoad, type Slice } from './load.js';
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
  await endServer(server);
  await holder?.end();
}

/** One slice of a server. */
function measure(server: RunningServer, scenario: Scenario, context: RunContext): Promise<Slice> {
  const { load, fewer } = scenario;
  const core = context.placement.load;
  const { warmupMs, sliceMs } = context;
  if (!('ab' in load)) {
    const options: LoadOptions = { ...load, warmupMs, slice: { ms: sliceMs } };
    return runLoad(server, core, options);
  }
  const requests = fewer?.[server.name] ?? load.ab.requests;
  return runAb(server, core, { ...load.ab, requests: Math.ceil(requests * context.share) });
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

/** Starts what can be started; what cannot is a failure of that server alone. */
async function startAll(
  names: readonly string[],
  scenario: Scenario,
  context: RunContext,
): Promise<{ contenders: Map<string, Contender>; failures: Record<string, string> }> {
  const contenders = new Map<string, Contender>();
  const failures: Record<string, string> = {};
  for (const name of names) {
    context.progress(`starting ${name}`);
    try {
      contenders.set(name, await start(name, scenario, context));
    } catch (error) {
      failures[name] = error instanceof Error ? error.message : String(error);
    }
  }
  return { contenders, failures };
}

async function runAllPairs(
  contenders: ReadonlyMap<string, Contender>,
  scenario: Scenario,
  context: RunContext,
): Promise<ReadonlyMap<string, Outcome>> {
  const { pairs } = context;
  return runPairs(
    [...contenders.keys()].filter((name) => name !== YARDSTICK),
    {
      pairs,
      yardstick: YARDSTICK,
      measure: (name) => measure(contenders.get(name)!.server, scenario, context),
      onRound: (round, name) => {
        context.progress(`${round < 0 ? 'warm-up' : `round ${round + 1} of ${pairs}`}, ${name}`);
      },
    },
  );
}

/** Measures the servers with these names, and the yardstick and the control, which always belong. */
export async function measureLoad(
  scenario: Scenario,
  names: readonly string[],
  context: RunContext,
): Promise<LoadResult> {
  const all = [YARDSTICK, CONTROL, ...names];
  const { contenders, failures } = await startAll(all, scenario, context);
  try {
    if (!contenders.has(YARDSTICK)) throw new Error(failures[YARDSTICK]);
    const outcomes = await runAllPairs(contenders, scenario, context);
    const extras = new Map<string, Extras>();
    for (const [name, { server }] of contenders) {
      context.progress(`system calls and second opinions, ${name}`);
      const failed = outcomes.get(name);
      if (failed !== undefined && 'failure' in failed) failures[name] = failed.failure;
      else extras.set(name, await askExtras(server, scenario, context));
    }
    return summarizeScenario(scenario, outcomes, extras, failures);
  } finally {
    await Promise.all([...contenders.values()].map(end));
  }
}

function summarizeScenario(
  { name, title, section, unit }: Scenario,
  outcomes: ReadonlyMap<string, Outcome>,
  extras: ReadonlyMap<string, Extras>,
  failures: Readonly<Record<string, string>>,
): LoadResult {
  const servers: Record<string, Compared> = {};
  for (const [server, outcome] of outcomes) {
    if (!('runs' in outcome) || outcome.runs.length === 0) continue;
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

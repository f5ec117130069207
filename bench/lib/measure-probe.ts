/** Runs one probe: its contenders in turn, as often as there are rounds. */

import type { RunContext } from './context.js';
import { rotated } from './pairs.js';
import type { Measures, Probe, ProbeContender } from './probes.js';
import type { ProbeResult, ProbeRow } from './results.js';

/** Those that are asked for and are here. */
function present(
  probe: Probe,
  names: readonly string[] | undefined,
  context: RunContext,
): readonly ProbeContender[] {
  const wanted = names ?? (context.quick ? probe.quick : undefined);
  return probe.contenders.filter(
    ({ name, absence }) =>
      (wanted === undefined || wanted.includes(name)) && absence?.() === undefined,
  );
}

/** Measures the contenders with these names; all of them if none are given. */
export async function measureProbe(
  probe: Probe,
  names: readonly string[] | undefined,
  context: RunContext,
): Promise<ProbeResult> {
  const contenders = present(probe, names, context);
  const measured = new Map(contenders.map(({ name }) => [name, [] as Measures[]]));
  const failures: Record<string, string> = {};
  const rounds = context.quick ? 1 : probe.rounds;
  for (let round = 0; round < rounds; round++) {
    for (const contender of rotated(contenders, round)) {
      if (contender.name in failures) continue;
      context.progress(`round ${round + 1} of ${rounds}, ${contender.name}`);
      try {
        measured.get(contender.name)?.push(await contender.measure(context));
      } catch (error) {
        failures[contender.name] = error instanceof Error ? error.message : String(error);
      }
    }
  }
  const { name, title, about, unit, statistic } = probe;
  const rows: Record<string, ProbeRow> = {};
  for (const contender of contenders) {
    if (contender.name in failures) continue;
    rows[contender.name] = { label: contender.label, rounds: measured.get(contender.name) ?? [] };
  }
  return { name, title, about, unit, statistic, rows, failures };
}

/** Runs one probe: its contenders in turn, as often as there are rounds. */

import type { RunContext } from './context.js';
import { rotated } from './pairs.js';
import type { Measures, Probe } from './probes.js';
import type { ProbeResult, ProbeRow } from './results.js';

/** Measures the contenders with these names that are here. */
export async function measureProbe(
  probe: Probe,
  names: readonly string[],
  context: RunContext,
): Promise<ProbeResult> {
  const contenders = probe.contenders.filter(
    ({ name, absence }) => names.includes(name) && absence?.() === undefined,
  );
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

/** The machine of a run, for the reader of its report. */

import { cpus, loadavg, release, totalmem } from 'node:os';
import type { Placement } from './placement.js';
import { runtimeVersions } from './servers.js';

/** Machine, kernel and versions, each in a few words. */
export function describeMachine(placement: Placement): Record<string, string> {
  const processors = cpus();
  return {
    processor: `${processors[0]?.model ?? 'unknown'}, ${String(processors.length)} cores`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    kernel: `Linux ${release()}, ${process.arch}`,
    placement: placement.note,
    'load average before the run': loadavg()[0]?.toFixed(2) ?? '',
    ...runtimeVersions(),
  };
}

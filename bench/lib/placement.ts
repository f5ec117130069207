/**
 * Which core runs what. The server has one core to itself and the load generator another: otherwise
 * the scheduler moves them about, and one run is not like the next.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The cores of a run. `undefined`: not pinned. */
export interface Placement {
  readonly server: number | undefined;
  readonly load: number | undefined;
  /** One line for the reader of the results. */
  readonly note: string;
}

/** The numbers in a list of the kernel's form `0-3,8`. */
function parseCoreList(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

function allowedCores(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
  return list === undefined ? [] : parseCoreList(list);
}

function hasTaskset(): boolean {
  return spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** The first two cores that this process may use; nothing is pinned where there is no choice. */
export function choosePlacement(): Placement {
  const [server, load] = allowedCores();
  const unpinned = { server: undefined, load: undefined };
  if (server === undefined || load === undefined) {
    return { ...unpinned, note: 'NOT pinned: only one core may be used; expect noise' };
  }
  if (!hasTaskset()) {
    return { ...unpinned, note: 'NOT pinned: taskset (util-linux) is missing; expect noise' };
  }
  const note = `server pinned to core ${String(server)}, load to core ${String(load)}`;
  return { server, load, note };
}

/** The command, run on one core. `taskset` becomes the command, so the process id is its own. */
export function pinned(core: number | undefined, command: readonly string[]): readonly string[] {
  return core === undefined ? command : ['taskset', '-c', String(core), ...command];
}

/** The command, run on the core of the server and that of the load. */
export function pinnedToBoth(placement: Placement, command: readonly string[]): readonly string[] {
  const { server, load } = placement;
  if (server === undefined || load === undefined) return command;
  return ['taskset', '-c', `${server},${load}`, ...command];
}

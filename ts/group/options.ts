import { availableParallelism } from 'node:os';
import type { WorkerOptions } from 'node:worker_threads';
import { checkInteger, checkOptions, INT_MAX, invalidArgType, outOfRange } from '../errors.js';
import { checkGrace } from '../loop/shutdown.js';
import { checkDelay } from '../loop/timers.js';

/** How a group answers the failure of a member. */
export type FailurePolicy = 'end' | 'restart';

/** How a group is shut down. */
export interface GroupShutdownOptions {
  /**
   * For how many milliseconds work in progress may go on; then the members end it by force. 0: at
   * once. `Infinity`: for as long as it takes.
   */
  readonly graceMs: number;
  /**
   * How many milliseconds later a member is terminated that has not ended: one that does not turn
   * its loop, or has not joined, 0 … 2 ** 53 - 1. Default: what the group was started with.
   */
  readonly forceMs?: number;
}

/** How a group is started. */
export interface LoopGroupOptions {
  /** How many members, 1 … 1,024. Default: as many as there are cores, `os.availableParallelism()`. */
  readonly size?: number;
  /**
   * - `end`: the others are shut down, and then `ended` rejects with the first failure
   * - `restart`: another worker takes its place; see `maxRestarts`
   *
   * Default: `end`.
   */
  readonly onFailure?: FailurePolicy;
  /**
   * How often a member is restarted within `restartWindowMs`, 0 … 2 ** 31 - 1. A failure after that
   * ends the group, so that a member that dies at once does not do so for ever. Default: 5.
   */
  readonly maxRestarts?: number;
  /** In whole milliseconds, 1 … 2 ** 53 - 1. Default: 60,000. */
  readonly restartWindowMs?: number;
  /** The `graceMs` of a shutdown that a failure begins, or the end of `await using`. Default: 5,000. */
  readonly graceMs?: number;
  /** The `forceMs` of those, and of a shutdown that names none. Default: 1,000. */
  readonly forceMs?: number;
  /**
   * What the members get as `data`, as `postMessage` copies it; or a function of the index that
   * makes it, called anew for each restart.
   */
  readonly workerData?: unknown;
  /** What else `new Worker` takes: `env`, `execArgv`, `resourceLimits` … */
  readonly workerOptions?: Omit<WorkerOptions, 'workerData' | 'transferList'>;
}

const MOST_MEMBERS = 1024;
const POLICIES: readonly unknown[] = ['end', 'restart'];

/** The options of a group, complete. @internal */
export interface GroupSettings {
  readonly size: number;
  readonly restarts: boolean;
  readonly maxRestarts: number;
  readonly restartWindowMs: number;
  readonly graceMs: number;
  readonly forceMs: number;
  readonly dataOf: (index: number) => unknown;
  readonly workerOptions: Omit<WorkerOptions, 'workerData' | 'transferList'>;
}

/** @internal */
export function readGroupOptions(options: LoopGroupOptions): GroupSettings {
  const { size = availableParallelism(), onFailure = 'end' } = checkOptions(options);
  const { graceMs = 5_000, forceMs = 1_000 } = options;
  const { maxRestarts = 5, restartWindowMs = 60_000, workerData, workerOptions = {} } = options;
  if (!POLICIES.includes(onFailure)) {
    throw outOfRange('options.onFailure', "'end' or 'restart'", onFailure);
  }
  return {
    size: checkInteger(size, 'options.size', 1, MOST_MEMBERS),
    restarts: onFailure === 'restart',
    maxRestarts: checkInteger(maxRestarts, 'options.maxRestarts', 0, INT_MAX),
    restartWindowMs: checkInteger(
      restartWindowMs,
      'options.restartWindowMs',
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    ...checkGroupShutdown({ graceMs }, forceMs),
    dataOf: isMaker(workerData) ? workerData : () => workerData,
    workerOptions: checkWorkerOptions(workerOptions),
  };
}

/** @internal */
export function checkGroupShutdown(
  options: GroupShutdownOptions,
  forceMsOtherwise: number,
): Required<GroupShutdownOptions> {
  const { forceMs = forceMsOtherwise } = checkOptions(options);
  return { graceMs: checkGrace(options), forceMs: checkDelay(forceMs, 'forceMs') };
}

/** A function cannot be posted, so that it can only be meant as one that makes the data. */
function isMaker(workerData: unknown): workerData is (index: number) => unknown {
  return typeof workerData === 'function';
}

function checkWorkerOptions(value: unknown): WorkerOptions {
  if (typeof value === 'object' && value !== null) return value;
  throw invalidArgType('options.workerOptions', 'object', value);
}

import { checkInteger, checkOptions, invalidArgType, invalidReturnValue } from '../errors.js';

/**
 * How a `drain` has ended: `drained` if there is nothing left, so that an edge will tell of more;
 * `budget` if there may be, and no edge will tell of it.
 */
export type DrainResult = 'drained' | 'budget';

/** How much one source may have in one turn. */
export interface DrainOptions {
  /** After so many bytes it is the turn of others, 1 … 2 ** 53 - 1. The last step may go beyond. */
  readonly maxBytes: number;
}

/**
 * Takes from a source until there is nothing left, or until it has had its share.
 *
 * In edge-triggered modes whoever stops before the kernel said `EAGAIN` hears no more of the rest;
 * and whoever goes on for as long as there is something serves nobody else while one client sends
 * as fast as it is read. In a handler of a loop use `ready.drain`, which also sees to it that the
 * handler runs again.
 *
 * @param step  Takes once, and answers how many bytes that were; what a `read` answers will do. It
 *              ends the draining with a number below 1 (`WOULD_BLOCK`, the end of the stream) or
 *              with null. For what is not counted in bytes (connections, datagrams that may be
 *              empty) answer 1 or more for each.
 * @throws `ERR_INVALID_RETURN_VALUE`: the step answered neither; `ERR_INVALID_ARG_TYPE`,
 *         `ERR_OUT_OF_RANGE`; and what the step throws.
 *
 * Memory: allocates nothing.
 */
export function drain(step: () => number | null, options: DrainOptions): DrainResult {
  if (typeof step !== 'function') throw invalidArgType('step', 'function', step);
  const { maxBytes } = checkOptions(options);
  checkInteger(maxBytes, 'maxBytes', 1, Number.MAX_SAFE_INTEGER);
  for (let bytes = 0; bytes < maxBytes;) {
    const taken = step();
    if (taken === null) return 'drained';
    if (typeof taken !== 'number') throw invalidReturnValue('step', 'number or null', taken);
    // Not `taken <= 0`, so that NaN ends it as well.
    if (!(taken > 0)) return 'drained';
    bytes += taken;
  }
  return 'budget';
}

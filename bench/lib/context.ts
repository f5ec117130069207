/** What every measurement of a run has in common. */

import type { Placement } from './placement.js';

/** How a run is made, and where it says how far it is. */
export interface RunContext {
  readonly placement: Placement;
  readonly pairs: number;
  readonly sliceMs: number;
  readonly warmupMs: number;
  readonly quick: boolean;
  /** The part of the requests and repetitions that a quick run makes do with. */
  readonly share: number;
  /** Whether what does not belong to the pairs is measured too: system calls, wrk. */
  readonly extras: boolean;
  /** A sign of life. */
  readonly progress: (text: string) => void;
  /** Something that the reader should know. */
  readonly say: (text: string) => void;
}

/**
 * Who has to pass the suite. A new backend is one line here, and no test.
 */
import type { Need } from './needs.js';

/** A backend, and in what ways it is judged. */
export interface Row {
  readonly backend: string;
  /** Values of `RAW_EPOLL_WITHOUT`: the second implementations that it has. The suite runs with each. */
  readonly without: readonly string[];
  /** What it cannot do; the reasons are in `needs.ts`. */
  readonly lacks: readonly Need[];
  /** A module that registers it, where it is none of the library's own. */
  readonly from?: string;
}

const ONLY_LEVEL: readonly Need[] = ['edge', 'edgeOneshot', 'exclusive', 'nested', 'remembers'];

export const rows: Row[] = [
  { backend: 'epoll', without: ['', 'eventfd', 'epoll_pwait2'], lacks: [] },
  {
    backend: 'kqueue',
    without: ['', 'EVFILT_USER', 'EVFILT_USER,eventfd'],
    lacks: ['exclusive', 'priority', 'unasked'],
  },
  { backend: 'poll', without: ['', 'eventfd', 'ppoll'], lacks: ONLY_LEVEL },
  {
    backend: 'select',
    without: ['', 'eventfd'],
    lacks: [...ONLY_LEVEL, 'hangup', 'unasked', 'readClosed'],
  },
];

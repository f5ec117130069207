/**
 * What one wait costs, with one descriptor ready beside ever more that are idle.
 *
 *     node build/bench/probes/wait-cost.js [--by Epoll|poll|select] [--rounds N]
 *
 * One descriptor may be in many sets: so all sets exist at once, and are measured in turn. `poll` and
 * `select` are backends of `Poller`; select ends at 1,023 descriptors.
 *
 * Prints {"<idle>": ns, …}, of each the median of the rounds.
 */

import { parseArgs } from 'node:util';
import {
  type BackendName,
  Epoll,
  EpollEvents,
  EventFd,
  Poller,
  PollerEvents,
  READABLE,
  SystemError,
} from 'raw-epoll';
import { EPOLLIN } from 'raw-epoll/constants';
import { optionsOrUsage, parseCount } from '../lib/options.js';
import { median } from '../lib/statistics.js';

const IDLE: readonly number[] = [10, 100, 1000, 10_000, 19_900];
/** How long one round goes on waiting, at least. */
const ROUND_MS = 20;
const BATCH = 8;

/** A set of descriptors, whatever it is made of. */
interface WaitingSet {
  readonly add: (descriptor: EventFd) => void;
  readonly wait: () => number;
  readonly descriptorMax: number;
  readonly close: () => void;
}

function openEpoll(): WaitingSet {
  const epoll = new Epoll();
  const events = new EpollEvents(BATCH);
  return {
    add: (descriptor) => {
      epoll.add(descriptor, EPOLLIN);
    },
    wait: () => epoll.wait(events),
    descriptorMax: Infinity,
    close: () => {
      epoll.close();
    },
  };
}

function openPoller(backend: BackendName): WaitingSet {
  const poller = new Poller({ backend });
  const events = new PollerEvents(BATCH);
  return {
    add: (descriptor) => {
      poller.add(descriptor, READABLE);
    },
    wait: () => poller.wait(events),
    descriptorMax: poller.supports.descriptorMax,
    close: () => {
      poller.close();
    },
  };
}

/** Opens descriptors up to a number; false if the process may not have so many. */
function grow(descriptors: EventFd[], count: number): boolean {
  try {
    while (descriptors.length < count) descriptors.push(new EventFd());
    return true;
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EMFILE') return false;
    throw error;
  }
}

/** Fills the sets that this process has room for: those, by their number of idle descriptors. */
function fill(sets: readonly WaitingSet[], descriptors: EventFd[]): Map<number, WaitingSet> {
  const filled = new Map<number, WaitingSet>();
  for (const [i, idle] of IDLE.entries()) {
    const set = sets[i];
    if (set === undefined || !grow(descriptors, idle + 1)) break;
    if (descriptors.some(({ fd }) => fd > set.descriptorMax)) break;
    for (const descriptor of descriptors) set.add(descriptor);
    filled.set(idle, set);
  }
  return filled;
}

/**
 * Nanoseconds of processor time for each of as many waits as fit. None of them blocks: one
 * descriptor is ready.
 */
function oneRound(set: WaitingSet): number {
  const before = process.cpuUsage();
  const started = performance.now();
  let waits = 0;
  do {
    for (let i = 0; i < BATCH; i++) if (set.wait() !== 1) throw new Error('not one is ready');
    waits += BATCH;
  } while (performance.now() - started < ROUND_MS);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1e3) / waits;
}

function medianCosts(
  sets: ReadonlyMap<number, WaitingSet>,
  rounds: number,
): Record<string, number> {
  const costs = new Map([...sets.keys()].map((idle) => [idle, [] as number[]]));
  for (const set of sets.values()) oneRound(set); // for the compiler and the caches
  for (let round = 0; round < rounds; round++) {
    for (const [idle, set] of sets) costs.get(idle)?.push(oneRound(set));
  }
  return Object.fromEntries([...costs].map(([idle, values]) => [String(idle), median(values)]));
}

function measure(by: string, rounds: number): Record<string, number> {
  // Opened before the descriptors: what wakes a set of select must have a low number too.
  const open = by === 'Epoll' ? openEpoll : (): WaitingSet => openPoller(by as BackendName);
  const sets = IDLE.map(open);
  const descriptors = [new EventFd({ initialValue: 1 })];
  try {
    return medianCosts(fill(sets, descriptors), rounds);
  } finally {
    for (const owner of [...sets, ...descriptors]) owner.close();
  }
}

const options = optionsOrUsage('wait-cost', () => {
  const { values } = parseArgs({
    options: {
      by: { type: 'string', default: 'Epoll' },
      rounds: { type: 'string', default: '15' },
    },
  });
  return { by: values.by, rounds: parseCount('rounds', values.rounds) };
});
if (options !== undefined) console.log(JSON.stringify(measure(options.by, options.rounds)));

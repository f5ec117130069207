/** The table of probes: what is measured without a load on a server. */

import { type BackgroundProcess, runToEnd } from './child.js';
import { compileC } from './compile.js';
import type { RunContext } from './context.js';
import { countCollections, holdConnections, runLoad, sampleServer } from './load.js';
import { inRepository } from './paths.js';
import { pinned, pinnedToBoth } from './placement.js';
import { withServer } from './running.js';
import { CONTROL, isOnNode, serverNamed, YARDSTICK } from './servers.js';

/** How long one run of one program may take. */
const RUN_LIMIT_MS = 180_000;

/** Values by what was measured. */
export type Measures = Readonly<Record<string, number>>;

/** Somebody who is measured. */
interface ProbeContender {
  readonly name: string;
  readonly label: string;
  /** Why it cannot be measured here. */
  readonly absence?: () => string | undefined;
  readonly measure: (context: RunContext) => Promise<Measures>;
}

/** Something that is measured, of several contenders in turn. */
export interface Probe {
  readonly name: string;
  readonly title: string;
  /** What was done, for the reader of the report. */
  readonly about: string;
  readonly unit: string;
  /** Which of the rounds counts: what disturbs a tight loop can only make it slower. */
  readonly statistic: 'least' | 'median';
  readonly rounds: number;
  /** The contenders of a quick run, which makes one round; none: it is not in it. */
  readonly quick?: readonly string[];
  readonly contenders: readonly ProbeContender[];
}

type Cores = 'one' | 'both';

/** A program that prints its measures as JSON. `often`: the option that says how often, and its value. */
function program(
  name: string,
  label: string,
  command: () => readonly string[],
  often: readonly [option: string, count: number],
  cores: Cores = 'one',
): ProbeContender {
  return {
    name,
    label,
    measure: async ({ placement, share }) => {
      const [option, count] = often;
      const repeated = [...command(), option, String(Math.ceil(count * share))];
      const placed =
        cores === 'both' ? pinnedToBoth(placement, repeated) : pinned(placement.server, repeated);
      return JSON.parse(await runToEnd(placed, RUN_LIMIT_MS)) as Measures;
    },
  };
}

const onNode =
  (file: string, ...args: readonly string[]) =>
  (): readonly string[] => [
    process.execPath,
    inRepository('build', 'bench', 'probes', file),
    ...args,
  ];

const inC =
  (name: string, ...args: readonly string[]) =>
  (): readonly string[] => [compileC(name), ...args];

/** The same program in C twice: how far they are apart is the noise. */
function yardsticks(
  name: string,
  often: readonly [option: string, count: number],
  cores: Cores = 'one',
): readonly ProbeContender[] {
  return [
    program(YARDSTICK, 'C', inC(name), often, cores),
    program(CONTROL, 'C (control)', inC(name), often, cores),
  ];
}

const calls: Probe = {
  name: 'calls',
  title: 'A system call',
  about:
    'A tight loop around one call (two where the name has a +), the same in C and through level 1. ' +
    '“C with a thread” has a second thread that sleeps: the kernel then counts references on each ' +
    'descriptor, as it does in every Node process.',
  unit: 'ns for each pass',
  statistic: 'least',
  rounds: 7,
  quick: [YARDSTICK, CONTROL, 'addon'],
  contenders: [
    ...yardsticks('calls', ['--repetitions', 15]),
    program('c-thread', 'C with a thread', inC('calls', '--idle-thread'), ['--repetitions', 15]),
    program('addon', 'level 1', onNode('calls.js'), ['--repetitions', 15]),
  ],
};

const waitCost: Probe = {
  name: 'wait-cost',
  title: 'A wait beside idle descriptors',
  about:
    'One wait with one descriptor ready, beside as many as the column says that are idle. poll and ' +
    'select hand the kernel all of them with every wait; epoll told it once.',
  unit: 'ns for each wait',
  statistic: 'median',
  rounds: 3,
  quick: [YARDSTICK, CONTROL, 'epoll'],
  contenders: [
    ...yardsticks('wait_cost', ['--rounds', 15]),
    program('epoll', 'level 2, Epoll', onNode('wait-cost.js', '--by', 'Epoll'), ['--rounds', 15]),
    program('poll', 'level 3 on poll', onNode('wait-cost.js', '--by', 'poll'), ['--rounds', 15]),
    program('select', 'level 3 on select', onNode('wait-cost.js', '--by', 'select'), [
      '--rounds',
      15,
    ]),
  ],
};

const wake: Probe = {
  name: 'wake',
  title: 'One thread wakes another',
  about:
    'Half of a round trip between two threads that wait for each other. Atomics wait for a word of ' +
    'memory and could wait for nothing else at the same time.',
  unit: 'µs',
  statistic: 'median',
  rounds: 5,
  quick: [YARDSTICK, CONTROL, 'waker', 'port'],
  contenders: [
    ...yardsticks('wake', ['--rounds', 2000], 'both'),
    program(
      'waker',
      'level 2, Waker',
      onNode('wake.js', '--by', 'Waker'),
      ['--rounds', 2000],
      'both',
    ),
    program(
      'port',
      'Node MessagePort',
      onNode('wake.js', '--by', 'MessagePort'),
      ['--rounds', 2000],
      'both',
    ),
    program(
      'atomics',
      'Node Atomics',
      onNode('wake.js', '--by', 'Atomics'),
      ['--rounds', 2000],
      'both',
    ),
  ],
};

const timerAccuracy: Probe = {
  name: 'timers',
  title: 'How late timers are',
  about:
    'Timers of 1, 2, 5 and 10 ms, one after the other, in a program that does nothing else. ' +
    '“early” counts those that came before their time.',
  unit: 'µs',
  statistic: 'median',
  rounds: 3,
  contenders: [
    ...yardsticks('timer_accuracy', ['--timers', 200]),
    ...(['wait', 'run', 'runAsync', 'setTimeout'] as const).map((by) => {
      const labels = {
        wait: 'level 2, limit of wait',
        run: 'level 4, run()',
        runAsync: 'level 4, runAsync()',
        setTimeout: 'Node setTimeout',
      };
      const command = onNode('timer-accuracy.js', '--by', by);
      return program(by, labels[by], command, ['--timers', 200]);
    }),
  ],
};

/**
 * Beside how many connections the memory of a server is looked at, in quick runs too: what the heaps of
 * runtimes grow by at a time would be most of what fewer connections take.
 */
const FIRST_CONNECTIONS = 1000;
const MORE_CONNECTIONS = 9000;

/** One that has served a thousand connections has loaded and compiled what it needs for more. */
function memoryOf(name: string): ProbeContender {
  const server = serverNamed(name);
  return {
    name,
    label: server.label,
    absence: server.absence,
    measure: ({ placement }) =>
      withServer(
        server,
        { work: 'echo', core: placement.server, onPath: false },
        async (running) => {
          const residentBytes = async (): Promise<number> =>
            (await sampleServer(running)).residentBytes;
          const holders: BackgroundProcess[] = [];
          const hold = async (connections: number): Promise<number> => {
            const load = { connections, size: 64 };
            holders.push(await holdConnections(running, placement.load, load));
            return residentBytes();
          };
          const none = await residentBytes();
          try {
            const few = await hold(FIRST_CONNECTIONS);
            const many = await hold(MORE_CONNECTIONS);
            return {
              'B for each': (many - few) / MORE_CONNECTIONS,
              'MB at the start': none / 1e6,
            };
          } finally {
            await Promise.all(holders.map((holder) => holder.end()));
          }
        },
      ),
  };
}

const memory: Probe = {
  name: 'memory',
  title: 'Memory of idle connections',
  about:
    'How much the resident memory of a server grows from 1,000 connections to 10,000, for each, when ' +
    'each has sent one message of 64 B. What the kernel keeps for a connection comes on top, the ' +
    'same for all.',
  unit: 'bytes',
  statistic: 'median',
  rounds: 7,
  quick: [YARDSTICK, CONTROL, 'echo', 'run', 'net'],
  contenders: [YARDSTICK, CONTROL, 'echo', 'run', 'net', 'go', 'bun', 'deno', 'asyncio'].map(
    memoryOf,
  ),
};

/**
 * A steady state begins when V8 has done with the start of the program: not only its compilers, but
 * also its memory reducer, which some eight seconds after the start makes up to three collections
 * (`Mark-Compact (reduce)` in the log), whatever the program does.
 */
const STEADY_MS = 12_000;
const MILLION = 1_000_000;
/** `net` collects often: a part of the messages is enough to see that counting works. */
const NET_SHARE = 0.1;

function collectionsOf(name: string): ProbeContender {
  const server = serverNamed(name);
  if (!isOnNode(server)) throw new Error(`${name} logs no collections`);
  return {
    name,
    label: server.label,
    measure: ({ placement }) =>
      withServer(
        server,
        { work: 'echo', core: placement.server, onPath: false },
        async (running) => {
          const slice = await runLoad(running, placement.load, {
            connections: 50,
            size: 64,
            warmupMs: STEADY_MS,
            slice: { messages: name === 'net' ? MILLION * NET_SHARE : MILLION },
          });
          // Starting a program takes some, and net goes on with it: a 0 is only worth something if
          // they were seen.
          const counted =
            name === 'net' ? slice.collections : countCollections(running.process.log());
          if (counted === 0) {
            throw new Error('no collection was seen where there are some: counting is broken');
          }
          return { 'in a million': (slice.collections * MILLION) / slice.messages };
        },
      ),
  };
}

const collections: Probe = {
  name: 'collections',
  title: 'Garbage collections in a steady state',
  about:
    'A million messages of 64 B on 50 connections, after a warm-up of 12 s. (Of net a tenth: it is ' +
    'here to show that the counting works.)',
  unit: 'collections',
  statistic: 'median',
  rounds: 1,
  contenders: ['echo', 'run', 'runAsync', 'net'].map(collectionsOf),
};

/** All probes, in the order of the report. */
export const probes: readonly Probe[] = [calls, waitCost, wake, timerAccuracy, memory, collections];

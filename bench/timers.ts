/**
 * What timers cost in the heap of the loop, and in a hierarchical timing wheel: `npm run
 * bench:timers`. Clock and callbacks are left out, the loop around it is a column of its own.
 *
 * Time is a number that the program counts up. Heap and wheel do the same in turn, round by round,
 * so that whatever else the machine does meets both; the medians count, of processor time.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Loop } from '../ts/index.js';
import { NOWHERE, TimerHeap, type HeapItem } from '../ts/loop/timer-heap.js';
import { optionsOrUsage, parseCount } from './lib/options.js';
import { median } from './lib/statistics.js';
import { TimingWheel, WheelItem } from './lib/timing-wheel.js';

/** How long an idle connection may stay. */
const IDLE_MS = 30_000;
/** How much time an operation takes in the world of the program. */
const STEP_MS = 0.002;
/** After so many operations a turn ends: the next time is asked for, and what is due is taken. */
const TURN = 16;

interface Item {
  due: number;
}

interface Queue<T extends Item> {
  readonly nextDue: number;
  readonly nextOrder: number;
  insert: (item: T) => void;
  remove: (item: T) => void;
  takeDue: (now: number, order: number) => T | undefined;
}

class InHeap implements HeapItem {
  due: number;
  order = 0;
  place: number = NOWHERE;

  constructor(due: number) {
    this.due = due;
  }
}

interface Kind<T extends Item> {
  readonly queue: () => Queue<T>;
  readonly item: (due: number) => T;
}

const heap: Kind<InHeap> = { queue: () => new TimerHeap(), item: (due) => new InHeap(due) };
const wheel: Kind<WheelItem> = {
  queue: () => new TimingWheel(0),
  item: (due) => new WheelItem(due),
};

/** The same numbers for both. */
class Numbers {
  #state = 88_172_645;

  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % limit;
  }
}

/** Nanoseconds of processor time for each operation. */
function timed(operations: number, body: () => void): number {
  const before = process.cpuUsage();
  body();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / operations;
}

/** `count` timers of what `delay` says. */
function filled<T extends Item>(
  { queue, item }: Kind<T>,
  count: number,
  delay: () => number,
): [Queue<T>, T[]] {
  const timers = queue();
  const items = Array.from({ length: count }, () => item(delay()));
  for (const each of items) timers.insert(each);
  return [timers, items];
}

type Scenario = <T extends Item>(kind: Kind<T>, count: number, operations: number) => number;

/** Arms all, and cancels all in the order of arming. One operation: a timer. */
const armCancel: Scenario = ({ queue, item }, count, operations) => {
  const rounds = Math.max(1, Math.round(operations / count));
  return timed(rounds * count, () => {
    for (let round = 0; round < rounds; round++) {
      const timers = queue();
      const items = Array.from({ length: count }, (_, i) => item(IDLE_MS + i * STEP_MS));
      for (const each of items) timers.insert(each);
      for (const each of items) timers.remove(each);
    }
  });
};

/** Some connection is heard of: its timer is cancelled, and another armed. */
const idle: Scenario = (kind, count, operations) => {
  const numbers = new Numbers();
  const [timers, items] = filled(kind, count, () => IDLE_MS + numbers.below(IDLE_MS));
  return timed(operations, () => {
    for (let i = 0; i < operations; i++) {
      const at = numbers.below(count);
      timers.remove(items[at] as (typeof items)[number]);
      const armed = kind.item(i * STEP_MS + 2 * IDLE_MS);
      items[at] = armed;
      timers.insert(armed);
      if (i % TURN === 0 && timers.nextDue <= i * STEP_MS) throw new Error('due too early');
    }
  });
};

/** Timers of all lengths up to ten seconds; each is armed again when it has run. */
const fire: Scenario = (kind, count, operations) => {
  const numbers = new Numbers();
  const length = (): number => numbers.below(10_000_000) / 1000;
  const [timers] = filled(kind, count, length);
  return timed(operations, () => {
    let fired = 0;
    // As many come due in a step as in a turn under load.
    const step = (TURN * 5000) / count;
    for (let now = 0; fired < operations; now = Math.max(now + step, timers.nextDue)) {
      const order = timers.nextOrder;
      for (let item; (item = timers.takeDue(now, order)) !== undefined; fired++) {
        if (item.due > now) throw new Error('early');
        timers.insert(kind.item(now + length()));
      }
    }
  });
};

/** Nine of ten are cancelled and armed again; the tenth is short, and runs. */
const mixed: Scenario = (kind, count, operations) => {
  const numbers = new Numbers();
  const [timers, items] = filled(kind, count, () => IDLE_MS + numbers.below(IDLE_MS));
  return timed(operations, () => {
    for (let i = 0; i < operations; i++) {
      const now = i * STEP_MS;
      if (i % 10 === 0) {
        timers.insert(kind.item(now + numbers.below(20)));
      } else {
        const at = numbers.below(count);
        timers.remove(items[at] as (typeof items)[number]);
        const armed = kind.item(now + IDLE_MS + numbers.below(IDLE_MS));
        items[at] = armed;
        timers.insert(armed);
      }
      if (i % TURN > 0 || timers.nextDue > now) continue;
      const order = timers.nextOrder;
      while (timers.takeDue(now, order) !== undefined);
    }
  });
};

const scenarios: Readonly<Record<string, Scenario>> = {
  'arm all, cancel all': armCancel,
  'idle: cancel, arm': idle,
  'arm, fire': fire,
  mixed: mixed,
};

/** `setTimeout` and `cancel` of a whole loop, in place of the heap alone. */
function throughLoop(count: number, operations: number): number {
  const rounds = Math.max(1, Math.round(operations / count));
  using loop = new Loop();
  return timed(rounds * count, () => {
    for (let round = 0; round < rounds; round++) {
      const timers = Array.from({ length: count }, () => loop.setTimeout(IDLE_MS, () => undefined));
      for (const timer of timers) timer.cancel();
    }
  });
}

function compare(scenario: Scenario, count: number, operations: number, rounds: number): string {
  const results: [heap: number[], wheel: number[], ratio: number[]] = [[], [], []];
  for (let round = -1; round < rounds; round++) {
    const first = scenario(heap, count, operations);
    const second = scenario(wheel, count, operations);
    if (round < 0) continue; // warm
    for (const [i, value] of [first, second, first / second].entries()) results[i]?.push(value);
  }
  const [inHeap, inWheel, ratio] = results.map(median) as [number, number, number];
  const columns = [inHeap.toFixed(0), inWheel.toFixed(0), ratio.toFixed(2)];
  return columns.map((column) => column.padStart(9)).join('');
}

function main(operations: number, rounds: number): void {
  console.log('ns of processor time for each timer\n');
  console.log(`${''.padEnd(22)}${'timers'.padStart(10)}     heap    wheel    ratio`);
  for (const [name, scenario] of Object.entries(scenarios)) {
    for (const count of [1000, 100_000, 1_000_000]) {
      const columns = compare(scenario, count, operations, rounds);
      console.log(`${name.padEnd(22)}${String(count).padStart(10)}${columns}`);
    }
  }
  console.log('\nthe whole loop, setTimeout and cancel:');
  for (const count of [1000, 100_000, 1_000_000]) {
    throughLoop(count, operations);
    const values = Array.from({ length: rounds }, () => throughLoop(count, operations));
    console.log(
      `${''.padEnd(22)}${String(count).padStart(10)}${median(values).toFixed(0).padStart(9)}`,
    );
  }
}

const options = optionsOrUsage('bench:timers', () => {
  const { values } = parseArgs({
    options: {
      operations: { type: 'string', default: '300000' },
      rounds: { type: 'string', default: '7' },
    },
  });
  return {
    operations: parseCount('operations', values.operations),
    rounds: parseCount('rounds', values.rounds),
  };
});
if (options !== undefined) main(options.operations, options.rounds);

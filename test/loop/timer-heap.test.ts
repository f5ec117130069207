/** The heap under the timers of a loop: what it costs is counted, not timed. */
import test from 'ava';
import { NOWHERE, TimerHeap, type HeapItem } from '../../ts/loop/timer-heap.js';
import { Random } from '../support/random.js';

const COUNT = 100_000;
const DEPTH = Math.ceil(Math.log2(COUNT));

/** What all items of a test have gone through. */
class Work {
  moves = 0;
  comparisons = 0;
}

class Counted implements HeapItem {
  order = 0;
  readonly #work: Work;
  readonly #due: number;
  #place: number = NOWHERE;

  constructor(work: Work, due: number) {
    this.#work = work;
    this.#due = due;
  }

  get due(): number {
    this.#work.comparisons++;
    return this.#due;
  }

  get place(): number {
    return this.#place;
  }

  set place(place: number) {
    this.#work.moves++;
    this.#place = place;
  }
}

/** The most that one call of `body` has cost. */
function mostOf(work: Work, times: number, body: (i: number) => void): Work {
  const most = new Work();
  for (let i = 0; i < times; i++) {
    work.moves = 0;
    work.comparisons = 0;
    body(i);
    most.moves = Math.max(most.moves, work.moves);
    most.comparisons = Math.max(most.comparisons, work.comparisons);
  }
  return most;
}

function shuffle(random: Random, items: Counted[]): void {
  for (let i = items.length - 1; i > 0; i--) {
    const other = random.integer(0, i);
    [items[i], items[other]] = [items[other] as Counted, items[i] as Counted];
  }
}

const orders: Readonly<Record<string, (i: number, random: Random) => number>> = {
  'of one moment': () => 1,
  'ever later': (i) => i,
  'ever earlier': (i) => -i,
  'of any moment': (_, random) => random.integer(0, 1_000_000),
};

for (const [name, due] of Object.entries(orders)) {
  test(`no arming, cancelling or taking costs more than the depth of the heap: timers ${name}`, (t) => {
    const random = new Random();
    t.log(`RAW_EPOLL_SEED=${random.seed}`);
    const work = new Work();
    const heap = new TimerHeap<Counted>();
    const items = Array.from({ length: COUNT }, (_, i) => new Counted(work, due(i, random)));
    const within = (cost: Work, what: string): void => {
      t.true(cost.moves <= DEPTH + 3, `${what}: ${cost.moves} moves`);
      // A comparison reads two times, twice if they are the same; sinking compares twice for each level.
      t.true(cost.comparisons <= 8 * (DEPTH + 1), `${what}: ${cost.comparisons} comparisons`);
    };
    within(
      mostOf(work, COUNT, (i) => {
        heap.insert(items[i] as Counted);
      }),
      'arming',
    );
    t.is(heap.size, COUNT);
    shuffle(random, items);
    const half = items.splice(0, COUNT / 2);
    within(
      mostOf(work, half.length, (i) => {
        heap.remove(half[i] as Counted);
      }),
      'cancelling',
    );
    t.is(heap.size, items.length);
    within(
      mostOf(work, items.length, () => {
        heap.takeDue(Number.POSITIVE_INFINITY, heap.nextOrder);
      }),
      'taking',
    );
    t.is(heap.size, 0);
    t.is(heap.nextDue, Number.POSITIVE_INFINITY);
  });
}

test('against a sorted list: whatever is armed and cancelled, the next one is the right one', (t) => {
  const random = new Random();
  t.log(`RAW_EPOLL_SEED=${random.seed}`);
  const heap = new TimerHeap<HeapItem>();
  let model: HeapItem[] = [];
  for (let step = 0; step < 20_000; step++) {
    if (random.next() < 0.55) {
      const item = { due: random.integer(0, 100), order: 0, place: NOWHERE };
      heap.insert(item);
      model.push(item);
    } else if (random.next() < 0.5 && model.length > 0) {
      const [item] = model.splice(random.integer(0, model.length - 1), 1) as [HeapItem];
      heap.remove(item);
      heap.remove(item);
      t.is(item.place, NOWHERE);
    } else {
      const [first] = [...model].sort((a, b) => a.due - b.due || a.order - b.order);
      t.is(heap.nextDue, first?.due ?? Number.POSITIVE_INFINITY);
      t.is(heap.takeDue(Number.POSITIVE_INFINITY, heap.nextOrder), first);
      model = model.filter((item) => item !== first);
    }
    if (heap.size !== model.length) t.is(heap.size, model.length);
  }
});

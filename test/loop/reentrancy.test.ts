/**
 * Whatever a loop calls may take anything away, put anything in, and close anything, the loop
 * included: each kind of call, with each of these deeds, on each backend, in turns of our own and in
 * those of `runAsync()`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import {
  EventFd,
  Loop,
  Poller,
  READABLE,
  UnixStream,
  WOULD_BLOCK,
  WRITABLE,
  type BackendName,
  type ConnectionHandlers,
  type LoopRegistration,
  type Scope,
  type Timer,
} from '../../ts/index.js';
import { testedBackends } from '../support/backends.js';
import { countDescriptors } from '../support/descriptors.js';
import { eventually } from '../support/eventually.js';
import { raise } from '../support/signals.js';

/** How many others are ready beside the one that acts, before it and after it. */
const OTHERS = 3;

/** A loop with others in it that are all ready, due and deferred in the turn that counts. */
class World implements Disposable {
  readonly loop: Loop;
  /** Of the one that acts. */
  readonly mine: Scope;
  readonly others: Scope;
  readonly eventFds: EventFd[] = [];
  readonly registrations: LoopRegistration[] = [];
  readonly timers: Timer[] = [];
  /** How often one of the others has run. */
  runs = 0;
  acted = 0;
  /** What a place has to have done again and again until it is called. */
  step: () => void = () => undefined;
  readonly #resources: Disposable[] = [];

  constructor(backend: BackendName) {
    this.loop = new Loop({ backend });
    this.others = this.loop.scope('others');
    this.mine = this.loop.scope('mine');
  }

  use<T extends Disposable>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  /** An eventfd that stays ready. */
  newReady(): EventFd {
    return this.use(new EventFd({ initialValue: 1 }));
  }

  pair(): [UnixStream, UnixStream] {
    const [left, right] = UnixStream.pair();
    return [this.use(left), this.use(right)];
  }

  addOthers(): void {
    const run = (): void => {
      this.runs++;
    };
    for (let i = 0; i < OTHERS; i++) {
      const eventFd = this.newReady();
      this.eventFds.push(eventFd);
      this.registrations.push(this.others.register(eventFd, READABLE, run));
      this.timers.push(this.others.setInterval(0, run));
    }
  }

  [Symbol.dispose](): void {
    this.loop.close();
    for (const resource of this.#resources) resource[Symbol.dispose]();
  }
}

type Act = () => void;

/** A connection, and the other end of its stream. */
function connect(world: World, handlers: Partial<ConnectionHandlers>): UnixStream {
  const [left, right] = world.pair();
  const connection = world.mine.connection(
    left,
    { data: () => undefined, ...handlers },
    { highWaterMark: 1 },
  );
  if (handlers.drain !== undefined) {
    const buffer = Buffer.alloc(2 ** 20);
    connection.write(Buffer.alloc(2 ** 20));
    world.step = () => {
      if (!right.closed) right.read(buffer);
    };
  }
  if (handlers.close !== undefined) {
    world.mine.defer(() => {
      connection.destroy();
    });
  }
  return right;
}

/** How each kind of call is brought about. */
const places: Readonly<Record<string, (world: World, act: Act) => void>> = {
  'a handler': (world, act) => {
    world.mine.register(world.newReady(), READABLE, act);
  },
  'a handler that runs again': (world, act) => {
    const eventFd = world.newReady();
    const registration = world.mine.register(eventFd, READABLE, () => {
      if (eventFd.read() === WOULD_BLOCK) act();
      else registration.again();
    });
  },
  'a timer': ({ mine }, act) => {
    mine.setTimeout(0, act);
  },
  'an interval': ({ mine }, act) => {
    mine.setInterval(0, act);
  },
  'a deferred call': ({ mine }, act) => {
    mine.defer(act);
  },
  'a signal': ({ mine }, act) => {
    mine.onSignal('SIGUSR2', act);
    raise('SIGUSR2');
  },
  data: (world, act) => {
    connect(world, { data: act }).write(Buffer.from('x'));
  },
  end: (world, act) => {
    connect(world, { end: act }).shutdown('write');
  },
  drain: (world, act) => {
    connect(world, { drain: act });
  },
  close: (world, act) => {
    connect(world, { close: act });
  },
  onError: ({ mine }, act) => {
    mine.onError = act;
    mine.defer(() => {
      throw new Error('on purpose');
    });
  },
  onDrain: ({ loop, mine, others }, act) => {
    mine.onDrain = act;
    for (const scope of [mine, others]) scope.hold();
    mine.defer(() => {
      loop.shutdown({ graceMs: 60_000 });
    });
  },
  'an abort listener': ({ mine }, act) => {
    mine.signal.addEventListener('abort', act);
    mine.defer(() => {
      mine.close();
    });
  },
  'a disposal': ({ mine }, act) => {
    mine.own({ [Symbol.dispose]: act });
    mine.defer(() => {
      mine.close();
    });
  },
};

/** What is done there, and what is so afterwards. `alone`: none of the others runs any more. */
interface Deed {
  readonly alone: boolean;
  readonly act: (world: World) => void;
  readonly check?: (t: ExecutionContext, world: World, place: string) => void;
}

const deeds: Readonly<Record<string, Deed>> = {
  'takes the others out': {
    alone: true,
    act: ({ registrations, timers }) => {
      for (const registration of registrations) registration.deregister();
      for (const timer of timers) timer.cancel();
    },
  },
  'closes the descriptors of the others': {
    alone: true,
    act: ({ eventFds, timers }) => {
      for (const eventFd of eventFds) eventFd.close();
      for (const timer of timers) timer.cancel();
    },
    check: (t, { registrations }) => {
      t.false(registrations.some(({ active }) => active));
    },
  },
  'closes the scope of the others': {
    alone: true,
    act: ({ others }) => {
      others.close();
    },
  },
  'modifies the others': {
    alone: false,
    act: ({ registrations }) => {
      for (const registration of registrations) registration.modify(WRITABLE);
    },
    check: (t, { registrations }) => {
      t.true(registrations.every(({ active, interest }) => active && interest === WRITABLE));
    },
  },
  'puts others in': {
    alone: false,
    act: (world) => {
      world.addOthers();
    },
    check: (t, { registrations }) => {
      t.is(registrations.filter(({ active }) => active).length % OTHERS, 0);
    },
  },
  'puts others in the places of those it takes out': {
    alone: false,
    act: (world) => {
      for (const registration of world.registrations) registration.deregister();
      for (const eventFd of world.eventFds) {
        world.others.register(eventFd, READABLE, () => {
          world.runs++;
        });
      }
    },
  },
  'closes its own scope': {
    alone: false,
    act: ({ mine }) => {
      mine.close();
    },
    check: (t, { mine }) => {
      t.true(mine.closed);
      t.deepEqual([...mine.entries()], []);
    },
  },
  stops: {
    alone: false,
    act: ({ loop }) => {
      loop.stop();
    },
  },
  'shuts down': {
    alone: true,
    act: ({ loop }) => {
      loop.shutdown({ graceMs: 0 });
    },
    check: (t, { loop }) => {
      t.deepEqual([...loop.entries()], []);
      t.false(loop.closed);
    },
  },
  'closes the loop': {
    alone: true,
    act: ({ loop }) => {
      loop.close();
    },
    check: (t, { loop }) => {
      t.true(loop.closed);
    },
  },
};

/** Turns until it has acted, and some turns more. */
type Drive = (world: World) => Promise<void>;

const turns: Drive = async (world) => {
  const deadline = performance.now() + 20_000;
  for (let more = 3; more > 0 && !world.loop.closed; more -= world.acted > 0 ? 1 : 0) {
    world.step();
    world.loop.turn(0);
    if (performance.now() > deadline) throw new Error('it was not called');
  }
  await Promise.resolve();
};

const runAsync: Drive = async (world) => {
  const { loop } = world;
  let over = false;
  const running = loop.runAsync().finally(() => {
    over = true;
  });
  const called = await eventually(() => {
    world.step();
    return over || world.acted > 0;
  }, true);
  if (!called) throw new Error('it was not called');
  await delay(1);
  loop.stop();
  await running;
};

async function tryDeed(
  t: ExecutionContext,
  world: World,
  place: string,
  { alone, act, check }: Deed,
  drive: Drive,
): Promise<void> {
  let runsThen = 0;
  world.addOthers();
  places[place]?.(world, () => {
    if (++world.acted > 1) return; // An interval, and what stays ready.
    act(world);
    runsThen = world.runs;
  });
  world.addOthers();
  await drive(world);
  t.true(world.acted > 0);
  if (alone) t.is(world.runs, runsThen, 'nothing runs that was taken away');
  else t.true(world.runs > 0);
  check?.(t, world, place);
  world.loop.close();
  t.is(world.loop.size, 0);
  t.is(world.loop.buffers.lent, 0);
  t.deepEqual([...world.loop.entries()], []);
}

for (const backend of testedBackends as BackendName[]) {
  using probe = new Poller({ backend });
  const drives = { turns, ...(probe.supports.nested ? { runAsync } : {}) };
  for (const [driver, drive] of Object.entries(drives)) {
    for (const place of Object.keys(places)) {
      test.serial(`${place} may do anything (${backend}, ${driver})`, async (t) => {
        const before = countDescriptors();
        for (const [name, deed] of Object.entries(deeds)) {
          t.log(name);
          using world = new World(backend);
          await tryDeed(t, world, place, deed, drive);
        }
        t.true(await eventually(() => countDescriptors() <= before, true));
      });
    }
  }
}

/** Names for a loop that has the thread: a thread of its own looks them up. */
import workerThreads, { type Worker } from 'node:worker_threads';
import { syncBuiltinESMExports } from 'node:module';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { connect, Loop, Resolver, Scope, type TcpStream } from '../../ts/index.js';
import { fixture, runNode } from '../support/child.js';
import { countDescriptors } from '../support/descriptors.js';
import { closing } from '../support/pairs.js';
import { places } from '../support/places.js';
import { backends, peerOf, Trial } from './kit.js';

/** getaddrinfo(3) reads it as 127.0.0.1, and asks nobody; to us it is a name. */
const NAME = '127.1';

/** Long enough for the modules of a thread to be loaded, also where that is slow. */
const MODULES_LOADED_MS = 60;

type WorkerClass = typeof Worker;

/** Runs something while threads are started by another class. */
function withWorkerClass<T>(make: (original: WorkerClass) => WorkerClass, then: () => T): T {
  const { Worker: original } = workerThreads;
  workerThreads.Worker = make(original);
  syncBuiltinESMExports();
  try {
    return then();
  } finally {
    workerThreads.Worker = original;
    syncBuiltinESMExports();
  }
}

/** Opens one, and answers its thread as well. */
function openWithThread(scope: Scope): { resolver: Resolver; thread: Worker } {
  const threads: Worker[] = [];
  const recording = (original: WorkerClass): WorkerClass =>
    class extends original {
      constructor(...args: ConstructorParameters<WorkerClass>) {
        super(...args);
        threads.push(this);
      }
    };
  const resolver = withWorkerClass(recording, () => Resolver.open(scope));
  return { resolver, thread: threads[0] as Worker };
}

/** Its end, with an error or without: one that was closed too early has nothing to begin with. */
async function exitOf(thread: Worker): Promise<void> {
  thread.ref(); // It keeps nobody else.
  await new Promise((resolve) => thread.once('exit', resolve));
}

for (const backend of backends) {
  test.serial(`a name is looked up while run() has the thread (${backend})`, (t) => {
    const { port } = places(t, { '127.0.0.1': 'listens' });
    const trial = new Trial(t, backend);
    const { lookup } = Resolver.open(trial.loop.scope('names'));
    trial.connect({ host: NAME, port, lookup });
    trial.loop.run(); // It ends: a resolver that is not asked keeps nothing going.
    t.is(peerOf(trial.stream), '127.0.0.1');
  });
}

test.serial('one that is opened in a handler of run() is as good', (t) => {
  const { port } = places(t, { '127.0.0.1': 'listens' });
  const loop = closing(t, new Loop());
  let stream: TcpStream | undefined;
  loop.defer(() => {
    const { lookup } = Resolver.open(loop.root);
    connect(loop.root, { host: NAME, port, lookup }, (_, connected) => {
      stream = connected;
    });
  });
  loop.run();
  t.is(peerOf(stream as TcpStream), '127.0.0.1');
});

test.serial('a name that does not exist has the error of node:dns', (t) => {
  const trial = new Trial(t);
  const { lookup } = Resolver.open(trial.scope);
  trial.connect({ host: 'a..b', port: 1, lookup });
  trial.loop.run();
  t.is(trial.error.code, 'ENOTFOUND');
  t.is(trial.error.message, 'getaddrinfo ENOTFOUND a..b');
});

test.serial('questions by the hundred are each answered once', (t) => {
  const loop = closing(t, new Loop());
  const resolver = Resolver.open(loop.root);
  const answers = new Map<number, number>();
  for (let i = 0; i < 300; i++) {
    resolver.lookup(`127.${i % 200}`, 4, (error, addresses) => {
      t.deepEqual([error, addresses], [null, [`127.0.0.${i % 200}`]]);
      answers.set(i, (answers.get(i) ?? 0) + 1);
    });
  }
  loop.run();
  t.is(answers.size, 300);
  t.true([...answers.values()].every((count) => count === 1));
});

test.serial(
  'closed at any moment of its beginning it leaves no file of its modules open',
  async (t) => {
    const loop = closing(t, new Loop());
    const openAndClose = async (afterMs: number): Promise<void> => {
      const { resolver, thread } = openWithThread(loop.scope('client'));
      const exit = exitOf(thread);
      await once(thread, 'online'); // Node begins to load its modules.
      await setTimeout(afterMs);
      resolver.close();
      await exit;
    };
    await openAndClose(0);
    const before = countDescriptors();
    for (let ms = 0; ms < MODULES_LOADED_MS; ms += 2) await openAndClose(ms);
    t.is(countDescriptors(), before);
  },
);

test.serial('closing its scope ends the thread, tells who waits, and leaves nothing', async (t) => {
  const loop = closing(t, new Loop());
  const scope = loop.scope('client');
  const { resolver, thread } = openWithThread(scope);
  const exit = exitOf(thread);
  const told: unknown[] = [];
  resolver.lookup(NAME, 4, (error) => told.push((error as { code?: unknown } | null)?.code));
  t.deepEqual(
    [...scope.entries()].map(({ kind }) => kind),
    ['Receiver', 'thread', 'timer'],
  );
  scope.close();
  t.true(resolver.closed);
  t.deepEqual(told, ['ERR_CLOSED']);
  t.deepEqual([...loop.entries()], []);
  await exit;
  t.throws(
    () => {
      resolver.lookup(NAME, 4, () => undefined);
    },
    { code: 'ERR_CLOSED' },
  );
  const trial = new Trial(t).connect({ host: NAME, port: 1, lookup: resolver.lookup }).untilTold();
  t.is(trial.error.code, 'ERR_CLOSED');
});

test.serial('fifty of them leave no descriptor', async (t) => {
  const loop = closing(t, new Loop());
  const cycle = async (): Promise<void> => {
    const { resolver, thread } = openWithThread(loop.root);
    const exit = exitOf(thread);
    resolver.lookup(NAME, 4, () => undefined);
    loop.turn(0);
    resolver.close();
    await exit;
  };
  await cycle(); // What Node and libuv open for the first time stays open.
  const before = countDescriptors();
  await Promise.all(Array.from({ length: 50 }, cycle));
  t.is(countDescriptors(), before);
});

test.serial('a connect that waits for a name is told when the resolver is closed', (t) => {
  const trial = new Trial(t);
  const resolver = Resolver.open(trial.loop.scope('names'));
  trial.connect({ host: NAME, port: 1, lookup: resolver.lookup });
  trial.loop.turn(0);
  resolver.close();
  trial.untilTold();
  t.is(trial.error.code, 'ERR_CLOSED');
});

test.serial('a thread that ends by itself: who waits is told', (t) => {
  const trial = new Trial(t);
  const { resolver, thread } = openWithThread(trial.loop.root);
  resolver.lookup(NAME, 4, () => {
    // The thread is up, and has its end of the channel.
    trial.connect({ host: NAME, port: 1, lookup: resolver.lookup });
    void thread.terminate();
  });
  trial.loop.run();
  t.true(resolver.closed);
  t.is(trial.told.length, 1);
});

test.serial('a thread that dies before it has begun: run() hears of it by its silence', (t) => {
  const loop = closing(t, new Loop());
  const { prototype } = Scope;
  const original = Object.getOwnPropertyDescriptor(prototype, 'setTimeout');
  const waits: number[] = [];
  prototype.setTimeout = function (ms, callback, options) {
    waits.push(ms);
    return this.loop.setTimeout(20, callback, { ...options, scope: this });
  };
  t.teardown(() => Object.defineProperty(prototype, 'setTimeout', original ?? {}));
  const { resolver, thread } = openWithThread(loop.root);
  void thread.terminate();
  const told: unknown[] = [];
  resolver.lookup(NAME, 4, (error) => told.push((error as { code?: unknown } | null)?.code));
  loop.run();
  t.deepEqual(told, ['ERR_INVALID_STATE']);
  t.deepEqual(waits, [30_000]);
  t.deepEqual([...loop.entries()], []);
});

for (const [end, code] of [
  ['closed', 'ERR_CLOSED'],
  ['runAsync', 'ERR_INVALID_STATE'],
] as const) {
  test.serial(`no descriptor is left for the thread: who waits is told (${end})`, async (t) => {
    const child = await runNode(fixture('resolver-full-table'), { args: [end] });
    t.is(child.stdout, `${code}\n`, child.stderr);
    t.is(child.code, 0, child.stderr);
  });
}

test.serial('no thread is to be had: nothing is left', (t) => {
  const loop = closing(t, new Loop());
  const before = countDescriptors();
  const failing = (original: WorkerClass): WorkerClass =>
    class extends original {
      constructor(...[file]: ConstructorParameters<WorkerClass>) {
        super(file, { execArgv: ['--no-such-option'] }); // is refused
      }
    };
  t.throws(() => withWorkerClass(failing, () => Resolver.open(loop.root)), {
    code: 'ERR_WORKER_INVALID_EXEC_ARGV',
  });
  t.is(countDescriptors(), before);
  t.deepEqual([...loop.entries()], []);
});

test.serial('one that throws when it is told keeps it from nobody', (t) => {
  const loop = closing(t, new Loop());
  const resolver = Resolver.open(loop.root);
  let told = 0;
  for (let i = 0; i < 3; i++) {
    resolver.lookup(NAME, 4, () => {
      told++;
      if (i < 2) throw new Error(`of ${i}`);
    });
  }
  const error = t.throws<AggregateError>(() => {
    resolver.close();
  });
  t.is(told, 3);
  t.deepEqual(
    error.errors.map((one) => (one as Error).message),
    ['of 0', 'of 1'],
  );
});

for (const end of [
  'end with the resolver open',
  'end with a question open',
  'process.exit() in run()',
  'an uncaught error',
  'in a worker',
  'in a worker that is terminated',
]) {
  test.serial(`the process ends: ${end}`, async (t) => {
    const child = await runNode(fixture('connect-resolver'), { args: [end] });
    t.is(child.stdout, '127.0.0.1\n', child.stderr);
    t.deepEqual([child.code, child.signal], [end === 'an uncaught error' ? 1 : 0, null]);
  });
}

test.serial('what is no question is refused', (t) => {
  const loop = closing(t, new Loop());
  const resolver = Resolver.open(loop.root);
  const refused = (code: string, ...args: readonly unknown[]): void => {
    t.throws(
      () => {
        Reflect.apply(resolver.lookup, undefined, args);
      },
      { code },
    );
  };
  refused('ERR_INVALID_ARG_TYPE', 7, 4, () => undefined);
  refused('ERR_INVALID_ARG_TYPE', NAME, '4', () => undefined);
  for (const family of [0, 5, 46]) refused('ERR_OUT_OF_RANGE', NAME, family, () => undefined);
  refused('ERR_INVALID_ARG_TYPE', NAME, 4);
  t.throws(() => Resolver.open({} as never), { code: 'ERR_INVALID_ARG_TYPE' });
  const scope = loop.scope('closed');
  scope.close();
  t.throws(() => Resolver.open(scope), { code: 'ERR_CLOSED' });
});

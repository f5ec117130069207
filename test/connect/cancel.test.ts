/** Connecting that ends before it has connected: exactly one outcome, and nothing is left. */
import test, { type ExecutionContext } from 'ava';
import {
  connect,
  Loop,
  type ConnectOptions,
  type TcpListener,
  type TcpStream,
} from '../../ts/index.js';
import { countDescriptors } from '../support/descriptors.js';
import { runNode, fixture } from '../support/child.js';
import { acceptOne, closing } from '../support/pairs.js';
import { places } from '../support/places.js';
import { backends, HeldLookup, peerOf, Trial } from './kit.js';

const FOREVER = { attemptDelayMs: 2000, resolutionDelayMs: 1e9 };

/** How far it gets, and how to get it there. */
const PHASES: Readonly<Record<string, (trial: Trial, held: HeldLookup) => void>> = {
  'before it has begun': () => undefined,
  'while it looks up': (trial, held) => {
    trial.until(() => held.asked.length === 2);
  },
  'while IPv4 waits for IPv6': (trial, held) => {
    trial.until(() => held.asked.length === 2);
    held.answer(4, '127.0.0.1');
    trial.loop.turn(0);
  },
  'in its first attempt': (trial, held) => {
    trial.until(() => held.asked.length === 2);
    held.answer(6, '::1');
    trial.untilAttempts(1);
  },
  'in its second attempt': (trial, held) => {
    trial.until(() => held.asked.length === 2);
    held.answer(6, '::1');
    held.answer(4, '127.0.0.1');
    trial.untilAttempts(2);
  },
};

/** How it is ended, and what is told then. */
const WAYS: Readonly<
  Record<
    string,
    { options?: (abort: AbortController) => Partial<ConnectOptions>; end: End; told: Told }
  >
> = {
  'its scope is closed': {
    end: ({ connecting }) => connecting?.close(),
    told: { name: 'AbortError', message: /^connect name:\d+: given up$/ },
  },
  "the caller's scope is closed": {
    end: ({ scope }) => {
      scope.close(new Error('mock'));
    },
    told: { message: /^mock$/ },
  },
  'the loop is closed': {
    end: ({ loop }) => {
      loop.close();
    },
    told: { name: 'AbortError' },
  },
  'its signal is aborted': {
    options: ({ signal }) => ({ signal }),
    end: (_, abort) => {
      abort.abort(new Error('enough'));
    },
    told: { message: /^enough$/ },
  },
  'its sibling fails': {
    end: (trial) => {
      trial.scope.defer(() => {
        throw new Error('of a sibling');
      });
      try {
        trial.loop.turn();
      } catch {
        return; // It rises to the root, too.
      }
    },
    told: { message: /^of a sibling$/ },
  },
  'a shutdown begins': {
    end: (trial) => {
      trial.loop.shutdown({ graceMs: 1e9 });
      trial.loop.turn(0);
    },
    told: { name: 'AbortError' },
  },
};

type End = (trial: Trial, abort: AbortController) => void;

interface Told {
  readonly name?: string;
  readonly message?: RegExp;
}

function checkTold(
  t: ExecutionContext,
  trial: Trial,
  { name = 'Error', message = /./ }: Told,
): void {
  t.is(trial.told.length, 1);
  t.is(trial.error.name, name);
  t.regex(trial.error.message, message);
}

for (const [phase, bring] of Object.entries(PHASES)) {
  for (const [way, { options, end, told }] of Object.entries(WAYS)) {
    test(`${way} ${phase}: it is told once, and nothing is left`, (t) => {
      const { port } = places(t, { '::1': 'silent', '127.0.0.1': 'silent' });
      const trial = new Trial(t);
      const before = countDescriptors();
      const held = new HeldLookup();
      const abort = new AbortController();
      trial.connect({
        ...{ host: 'name', port, lookup: held.lookup, ...FOREVER, attemptDelayMs: 10 },
        ...options?.(abort),
      });
      bring(trial, held);
      end(trial, abort);
      checkTold(t, trial, told);
      t.deepEqual([...trial.loop.entries()], []);
      if (!trial.loop.closed) t.is(countDescriptors(), before);
      // What comes later comes too late.
      held.answer(6, '::1');
      held.answer(4, '127.0.0.1');
      trial.connecting?.close();
      if (!trial.loop.closed) trial.loop.turn(0);
      t.is(trial.loop.size, 0);
      t.is(trial.told.length, 1);
      t.deepEqual([...trial.loop.entries()], []);
    });
  }

  test(`the time is up ${phase}: a TimeoutError, never early`, (t) => {
    const { port } = places(t, { '::1': 'silent', '127.0.0.1': 'silent' });
    const trial = new Trial(t);
    const before = countDescriptors();
    const held = new HeldLookup();
    trial.connect({
      ...{ host: 'name', port, lookup: held.lookup, ...FOREVER, attemptDelayMs: 10 },
      timeoutMs: 60,
    });
    bring(trial, held);
    trial.untilTold();
    checkTold(t, trial, { name: 'TimeoutError', message: /connect name:\d+: 60 ms have passed/ });
    t.true(performance.now() - trial.begun >= 60);
    t.deepEqual([...trial.loop.entries()], []);
    t.is(countDescriptors(), before);
  });
}

test('a signal that is aborted already: nothing is begun', (t) => {
  const trial = new Trial(t);
  const signal = AbortSignal.abort(new Error('before'));
  t.throws(() => trial.connect({ port: 1, signal }), { message: 'before' });
  t.deepEqual([...trial.loop.entries()], []);
  trial.loop.turn(0);
  t.deepEqual(trial.told, []);
});

test('a reason that is no error is the cause of an AbortError', (t) => {
  const trial = new Trial(t).connect({ port: 1 });
  trial.connecting?.close('text');
  t.is(trial.error.name, 'AbortError');
  t.is(trial.error.cause, 'text');
});

test('until it is told, the list of what is open shows who connects', (t) => {
  const { port } = places(t, { '::1': 'silent', '127.0.0.1': 'silent' });
  const held = new HeldLookup();
  const trial = new Trial(t).connect({ host: 'name', port, lookup: held.lookup, ...FOREVER });
  const labels = (): string[] =>
    [...trial.scope.entries()].map(({ kind, label }) => `${kind} ${label}`);
  trial.until(() => held.asked.length === 2);
  t.deepEqual(labels(), [`connect name:${port}`, 'timer lookup']);
  held.answer(6, '::1');
  trial.untilAttempts(1);
  t.true(labels().includes(`TcpStream [::1]:${port}`));
  trial.scope.close();
});

for (const backend of backends) {
  test(`the callback may close its scope, or the loop (${backend})`, (t) => {
    for (const manner of ['listens', 'refuses'] as const) {
      for (const what of ['scope', 'loop'] as const) {
        const { port } = places(t, { '::1': manner, '127.0.0.1': 'silent' });
        const loop = closing(t, new Loop({ backend }));
        const scope = loop.scope('client');
        const before = countDescriptors();
        let told = 0;
        let stream: TcpStream | undefined;
        const options = { host: '::1', port };
        connect(scope, options, (_error, connected) => {
          told++;
          stream = connected;
          (what === 'scope' ? scope : loop).close();
        });
        loop.run();
        t.is(told, 1);
        t.is(stream?.closed, manner === 'listens' ? true : undefined);
        if (what === 'scope') t.is(countDescriptors(), before);
      }
    }
  });

  test(`what the callback throws goes to the caller's scope, and keeps the stream there (${backend})`, (t) => {
    for (const manner of ['listens', 'refuses'] as const) {
      const { port } = places(t, { '127.0.0.1': manner });
      const loop = closing(t, new Loop({ backend }));
      const scope = loop.scope('client');
      const errors: unknown[] = [];
      scope.onError = (error, from) => errors.push(error, from.name);
      const options = { host: '127.0.0.1', port };
      connect(scope, options, () => {
        throw new Error('of the callback');
      });
      loop.run();
      t.is((errors[0] as Error).message, 'of the callback');
      t.is(errors.length, 2);
      t.false(scope.closed);
      t.is([...scope.entries()].length, manner === 'listens' ? 1 : 0);
    }
  });
}

test('what the callback throws at a cancellation leaves through close(), or goes to the scope', (t) => {
  const loop = closing(t, new Loop());
  const fail = (): never => {
    throw new Error('of the callback');
  };
  const byHand = loop.scope('client');
  connect(byHand, { port: 1 }, fail);
  t.throws(
    () => {
      byHand.close();
    },
    { message: 'of the callback' },
  );
  const { port } = places(t, { '127.0.0.1': 'silent' });
  const byTime = loop.scope('client');
  const errors: unknown[] = [];
  byTime.onError = (error) => errors.push(error);
  connect(byTime, { host: '127.0.0.1', port, timeoutMs: 10 }, fail);
  loop.run();
  t.is((errors[0] as Error).message, 'of the callback');
});

test('the loop goes on as long as it connects, and no longer', (t) => {
  const { port, listeners } = places(t, { '::1': 'silent', '127.0.0.1': 'listens' });
  const loop = closing(t, new Loop());
  const held = new HeldLookup();
  const scope = loop.scope('client');
  let stream: TcpStream | undefined;
  connect(scope, { host: 'name', port, lookup: held.lookup }, (_, connected) => {
    stream = connected;
  });
  // Not by a timer of the test that counts as work.
  loop
    .setTimeout(20, () => {
      held.answer(6, '::1');
      held.answer(4, '127.0.0.1');
    })
    .unref();
  loop.run();
  t.is(peerOf(stream as TcpStream), '127.0.0.1');
  acceptOne(listeners['127.0.0.1'] as TcpListener).close();
});

test.serial(
  'without a descriptor left each attempt fails with EMFILE, and nothing is lost',
  async (t) => {
    const child = await runNode(fixture('connect-full-table'));
    t.is(child.code, 0, child.stderr);
    t.deepEqual(JSON.parse(child.stdout), {
      codes: ['EMFILE', 'EMFILE', 'EMFILE'],
      again: '127.0.0.1',
      leaked: 0,
    });
  },
);

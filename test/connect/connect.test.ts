/** Connecting by name: the order of attempts, their delays, and what is told. */
import { AsyncLocalStorage } from 'node:async_hooks';
import test, { type ExecutionContext } from 'ava';
import {
  connect,
  connectAsync,
  Loop,
  Poller,
  READABLE,
  TcpListener,
  type BackendName,
  type ConnectOptions,
  type TcpStream,
} from '../../ts/index.js';
import { acceptOne, closing } from '../support/pairs.js';
import { places } from '../support/places.js';
import { backends, HeldLookup, lookupOf, peerOf, Trial } from './kit.js';

type Drive = 'turn' | 'run' | 'runAsync';

function drivesOf(backend: BackendName): Drive[] {
  using poller = new Poller({ backend });
  return poller.supports.nested ? ['turn', 'run', 'runAsync'] : ['turn', 'run'];
}

async function drive(loop: Loop, how: Drive): Promise<void> {
  if (how === 'run') loop.run();
  else if (how === 'runAsync') await loop.runAsync();
  else while (loop.size > 0) loop.turn();
}

for (const backend of backends) {
  for (const how of drivesOf(backend)) {
    test(`the stream is connected, and belongs to the caller's scope (${backend}, ${how})`, async (t) => {
      const { port, listeners } = places(t, { '127.0.0.1': 'listens' });
      const loop = closing(t, new Loop({ backend }));
      const scope = loop.scope('client');
      let stream: TcpStream | undefined;
      connect(scope, { host: '127.0.0.1', port }, (error, connected) => {
        t.is(error, null);
        stream = connected;
      });
      t.is(stream, undefined, 'nothing is told before connect() has returned');
      await drive(loop, how); // It ends: nothing is left that keeps it going.
      const server = closing(t, acceptOne(listeners['127.0.0.1'] as TcpListener));
      stream?.write(Buffer.from('hello'));
      const buffer = Buffer.alloc(5);
      loop.register(server, READABLE, () => {
        if (server.read(buffer) > 0) loop.stop();
      });
      loop.run();
      t.is(buffer.toString(), 'hello');
      const open = [...scope.entries()].map(({ kind, label }) => [kind, label]);
      t.deepEqual(open, [['TcpStream', `127.0.0.1:${port}`]]);
      scope.close();
      t.true(stream?.closed);
    });
  }

  for (const listening of ['127.0.0.1', '::1']) {
    test(`localhost connects with only ${listening} listening (${backend})`, (t) => {
      const other = listening === '::1' ? '127.0.0.1' : '::1';
      const { port } = places(t, { [listening]: 'listens', [other]: 'refuses' });
      const trial = new Trial(t, backend).connect({ port }).untilTold();
      t.is(peerOf(trial.stream), listening);
    });
  }

  test(`families are tried in turn, IPv6 first, and the first to connect wins (${backend})`, (t) => {
    const { port } = places(t, {
      '::1': 'silent',
      '127.0.0.1': 'silent',
      '127.0.0.2': 'silent',
      '127.0.0.3': 'listens',
    });
    const lookup = lookupOf(['127.0.0.1', '127.0.0.2', '127.0.0.3', '::1']);
    const trial = new Trial(t, backend);
    trial.connect({ host: 'name', port, lookup, attemptDelayMs: 30 }).untilTold();
    t.is(peerOf(trial.stream), '127.0.0.3');
    const order = trial.attempts.map(({ place }) => place);
    const wanted = [`[::1]:${port}`, `127.0.0.1:${port}`, `127.0.0.2:${port}`, `127.0.0.3:${port}`];
    // The last one may have connected in the turn that saw it.
    t.deepEqual(order.slice(0, 3), wanted.slice(0, 3));
    for (const [i, { at }] of trial.attempts.entries()) {
      t.true(at - trial.begun >= i * 30, `attempt ${i} began after ${at - trial.begun} ms`);
    }
    t.deepEqual(trial.open, [], 'the others are closed');
    t.is([...trial.scope.entries()].length, 1);
  });

  test(`the next attempt begins at once when one fails (${backend})`, (t) => {
    const manners = { '::1': 'refuses', '127.0.0.1': 'refuses', '127.0.0.2': 'listens' } as const;
    const { port } = places(t, manners);
    const lookup = lookupOf(Object.keys(manners));
    const trial = new Trial(t, backend);
    trial.connect({ host: 'name', port, lookup, attemptDelayMs: 2000 }).untilTold();
    t.is(peerOf(trial.stream), '127.0.0.2');
    t.true(performance.now() - trial.begun < 2000);
  });

  test(`when all fail the error has each address, and all errors (${backend})`, (t) => {
    const { port } = places(t, { '::1': 'refuses', '127.0.0.1': 'refuses' });
    const trial = new Trial(t, backend).connect({ host: 'localhost', port }).untilTold();
    t.true(trial.error instanceof AggregateError);
    t.is(trial.error.code, 'ECONNREFUSED');
    const refused = 'ECONNREFUSED: connection refused, connect';
    t.is(
      trial.error.message,
      `could not connect to localhost:${port}: ${refused} [::1]:${port}; ${refused} 127.0.0.1:${port}`,
    );
    t.deepEqual([...trial.scope.entries()], []);
  });
}

test('an address alone has its own error', (t) => {
  const { port } = places(t, { '127.0.0.1': 'refuses' });
  const trial = new Trial(t).connect({ host: '127.0.0.1', port }).untilTold();
  t.is(trial.error.name, 'SystemError');
  t.is(trial.error.message, `ECONNREFUSED: connection refused, connect 127.0.0.1:${port}`);
});

test('what the kernel refuses at once is a failed attempt as any other', (t) => {
  const { port } = places(t, { '127.0.0.1': 'listens' });
  // Broadcast, and a link-local address without its link.
  const lookup = lookupOf(['fe80::1', '255.255.255.255', '127.0.0.1']);
  const trial = new Trial(t).connect({ host: 'name', port, lookup }).untilTold();
  t.is(peerOf(trial.stream), '127.0.0.1');
  const none = new Trial(t).connect({
    ...{ host: 'name', port, lookup: lookupOf(['fe80::1', '255.255.255.255']) },
  });
  none.untilTold();
  t.regex(none.error.message, /EINVAL: .*\[fe80::1\]:\d+; E\w+: .*255\.255\.255\.255:\d+/);
});

test('what a lookup answers that is no address is a failed attempt', (t) => {
  const { port } = places(t, { '127.0.0.1': 'listens' });
  const lookup = lookupOf(['no address', '127.0.0.1']);
  const trial = new Trial(t).connect({ host: 'name', port, lookup }).untilTold();
  t.is(peerOf(trial.stream), '127.0.0.1');
});

test('the second attempt is not before 250 ms unless asked otherwise', (t) => {
  const { port } = places(t, { '::1': 'silent', '127.0.0.1': 'listens' });
  const trial = new Trial(t).connect({ port }).untilTold();
  t.is(peerOf(trial.stream), '127.0.0.1');
  t.true(performance.now() - trial.begun >= 250);
});

test('an attempt that was slow still wins', (t) => {
  const { port, listeners } = places(t, { '::1': 'silent', '127.0.0.1': 'silent' });
  const trial = new Trial(t).connect({ port, attemptDelayMs: 10 }).untilAttempts(2);
  acceptOne(listeners['::1'] as TcpListener).close(); // room for the next SYN that comes
  trial.untilTold();
  t.is(peerOf(trial.stream), '::1');
});

test('both families are asked for, IPv6 first, and a name is asked for once', (t) => {
  const { port } = places(t, { '127.0.0.1': 'listens' });
  const held = new HeldLookup();
  const trial = new Trial(t).connect({ host: 'name', port, lookup: held.lookup });
  t.deepEqual(held.asked, [], 'nothing is asked before connect() has returned');
  trial.until(() => held.asked.length > 0);
  t.deepEqual(held.asked, ['name 6', 'name 4']);
  held.answer(6);
  held.answer(4, '127.0.0.1');
  held.answer(4, '127.0.0.9'); // the first answer counts
  trial.untilTold();
  t.is(peerOf(trial.stream), '127.0.0.1');
});

for (const host of ['127.0.0.1', '::1', 'localhost', 'LOCALHOST', 'localhost.', 'api.localhost']) {
  test(`${host} is not looked up`, (t) => {
    const { port } = places(t, { '::1': 'listens', '127.0.0.1': 'listens' });
    const trial = new Trial(t).connect({ host, port, lookup: () => t.fail() }).untilTold();
    t.is(peerOf(trial.stream), host === '127.0.0.1' ? host : '::1');
  });
}

test('a name that only ends in the letters of localhost is looked up', (t) => {
  const { port } = places(t, { '127.0.0.1': 'listens' });
  const lookup = lookupOf(['127.0.0.1']);
  const trial = new Trial(t).connect({ host: 'notlocalhost', port, lookup }).untilTold();
  t.is(peerOf(trial.stream), '127.0.0.1');
});

function heldTrial(
  t: ExecutionContext,
  options: Partial<ConnectOptions> = {},
): { trial: Trial; held: HeldLookup; port: number } {
  const { port } = places(t, { '::1': 'listens', '127.0.0.1': 'silent' });
  const held = new HeldLookup();
  const trial = new Trial(t).connect({ host: 'name', port, lookup: held.lookup, ...options });
  trial.until(() => held.asked.length === 2);
  return { trial, held, port };
}

test('addresses of IPv4 that come first wait for those of IPv6, and no longer than the delay', (t) => {
  const { trial, held, port } = heldTrial(t, { resolutionDelayMs: 60 });
  const answered = performance.now();
  held.answer(4, '127.0.0.1');
  trial.untilAttempts(1);
  t.is(trial.attempts[0]?.place, `127.0.0.1:${port}`);
  t.true((trial.attempts[0]?.at ?? 0) - answered >= 60);
  held.answer(6, '::1'); // late, and still of use
  trial.untilTold();
  t.is(peerOf(trial.stream), '::1');
});

test('addresses of IPv6 that come within the delay are tried first', (t) => {
  const { trial, held, port } = heldTrial(t, { resolutionDelayMs: 1e6 });
  held.answer(4, '127.0.0.1');
  trial.loop.turn(0);
  t.deepEqual(trial.open, []);
  held.answer(6, '::1');
  trial.untilTold();
  t.is(peerOf(trial.stream), '::1');
  t.false(trial.attempts.some(({ place }) => place === `127.0.0.1:${port}`));
});

test('addresses of IPv4 need not wait once there are none of IPv6', (t) => {
  for (const none of [
    (held: HeldLookup) => {
      held.answer(6);
    },
    (held: HeldLookup) => {
      held.fail(6, 'ENOTFOUND');
    },
  ]) {
    const { trial, held } = heldTrial(t, { resolutionDelayMs: 1e6 });
    held.answer(4, '127.0.0.1');
    none(held);
    trial.untilAttempts(1);
    const second = heldTrial(t, { resolutionDelayMs: 1e6 });
    none(second.held);
    second.held.answer(4, '127.0.0.1');
    second.trial.untilAttempts(1);
  }
  t.pass();
});

test('addresses of IPv6 do not wait for those of IPv4', (t) => {
  const { trial, held } = heldTrial(t);
  held.answer(6, '::1');
  trial.untilTold();
  t.is(peerOf(trial.stream), '::1');
});

test('when all addresses of one family have failed, those of the other are waited for', (t) => {
  const { port } = places(t, { '::1': 'refuses', '127.0.0.1': 'listens' });
  const held = new HeldLookup();
  const trial = new Trial(t).connect({ host: 'name', port, lookup: held.lookup });
  trial.until(() => held.asked.length === 2);
  held.answer(6, '::1');
  trial.untilAttempts(1).until(() => trial.open.length === 0);
  t.deepEqual(trial.told, []);
  held.answer(4, '127.0.0.1');
  trial.untilTold();
  t.is(peerOf(trial.stream), '127.0.0.1');
});

test('no address at all: the error of the lookup, or ENOTFOUND', (t) => {
  const outcomes = (['fail', 'mixed', 'empty'] as const).map((way) => {
    const { trial, held } = heldTrial(t);
    if (way === 'empty') held.answer(6);
    else held.fail(6, 'ENOTFOUND');
    if (way === 'empty') held.answer(4);
    else held.fail(4, way === 'fail' ? 'ENOTFOUND' : 'EAI_AGAIN');
    trial.untilTold();
    return trial.error;
  });
  t.deepEqual(
    outcomes.map(({ code }) => code),
    ['ENOTFOUND', 'ENOTFOUND', 'ENOTFOUND'],
  );
  t.is(outcomes[0]?.message, 'ENOTFOUND of 4');
  t.regex(outcomes[1]?.message ?? '', /ENOTFOUND of 6; EAI_AGAIN of 4/);
  t.is(outcomes[2]?.message, 'ENOTFOUND: name has no address');
});

test('a lookup that throws, or answers nonsense, has failed', (t) => {
  const nonsense: unknown[] = [undefined, null, 'text', [1], {}, 7];
  for (const answer of nonsense) {
    const lookup = (_n: string, _f: number, give: (e: null, a: never) => void): void => {
      give(null, answer as never);
    };
    const trial = new Trial(t).connect({ host: 'name', port: 1, lookup }).untilTold();
    t.is(trial.error.code, 'ERR_INVALID_RETURN_VALUE');
  }
  const lookup = (): never => {
    throw new Error('mock');
  };
  t.regex(
    new Trial(t).connect({ host: 'name', port: 1, lookup }).untilTold().error.message,
    /mock/,
  );
});

test('a hundred connects at a time', (t) => {
  const { port, listeners } = places(t, { '127.0.0.1': 'listens', '::1': 'refuses' });
  const loop = closing(t, new Loop());
  const scope = loop.scope('clients');
  const streams: TcpStream[] = [];
  for (let i = 0; i < 100; i++) {
    connect(scope, { port }, (error, stream) => {
      if (error !== null) throw error;
      streams.push(stream);
    });
  }
  loop.run();
  t.is(streams.length, 100);
  t.is([...scope.entries()].length, 100);
  const listener = listeners['127.0.0.1'] as TcpListener;
  for (let i = 0; i < 100; i++) acceptOne(listener).close();
});

test('the values of AsyncLocalStorage are those of the scope', (t) => {
  const { port } = places(t, { '127.0.0.1': 'listens' });
  const storage = new AsyncLocalStorage<string>();
  const loop = closing(t, new Loop());
  const scope = storage.run('request 7', () => loop.scope('client', { inheritContext: true }));
  const seen: unknown[] = [];
  connect(scope, { host: '127.0.0.1', port }, () => seen.push(storage.getStore()));
  loop.run();
  connect(scope, { host: '127.0.0.1', port }, () => seen.push(storage.getStore()));
  scope.close();
  t.deepEqual(seen, ['request 7', 'request 7']);
});

test('as a promise, beside Node', async (t) => {
  const { port } = places(t, { '127.0.0.1': 'listens', '::1': 'refuses' });
  const refusing = places(t, { '127.0.0.1': 'refuses', '::1': 'refuses' });
  const loop = closing(t, new Loop());
  const scope = loop.scope('client');
  const both = Promise.all([
    connectAsync(scope, { port }),
    t.throwsAsync(connectAsync(scope, { port: refusing.port }), { code: 'ECONNREFUSED' }),
    t.throwsAsync(connectAsync(scope, { port: 0 }), { code: 'ERR_OUT_OF_RANGE' }),
  ]);
  await loop.runAsync();
  const [stream] = await both;
  t.is(peerOf(stream), '127.0.0.1');
});

test('what is no option is refused before anything is begun', (t) => {
  const loop = closing(t, new Loop());
  const scope = loop.scope('client');
  const nothing = (): void => undefined;
  const refused = (options: unknown, code: string): void => {
    t.throws(() => connect(scope, options as ConnectOptions, nothing), { code });
  };
  for (const options of [null, 7, 'x', undefined]) refused(options, 'ERR_INVALID_ARG_TYPE');
  for (const port of [0, -1, 65_536, 1.5, Number.NaN]) refused({ port }, 'ERR_OUT_OF_RANGE');
  for (const port of [undefined, '80', null]) refused({ port }, 'ERR_INVALID_ARG_TYPE');
  const wrong: [object, string][] = [
    [{ host: 7 }, 'ERR_INVALID_ARG_TYPE'],
    [{ host: '' }, 'ERR_OUT_OF_RANGE'],
    [{ timeoutMs: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ timeoutMs: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ timeoutMs: '1' }, 'ERR_INVALID_ARG_TYPE'],
    [{ attemptDelayMs: 9 }, 'ERR_OUT_OF_RANGE'],
    [{ attemptDelayMs: 2001 }, 'ERR_OUT_OF_RANGE'],
    [{ attemptDelayMs: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ attemptDelayMs: null }, 'ERR_INVALID_ARG_TYPE'],
    [{ resolutionDelayMs: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ resolutionDelayMs: '1' }, 'ERR_INVALID_ARG_TYPE'],
    [{ signal: {} }, 'ERR_INVALID_ARG_TYPE'],
    [{ lookup: 'dns' }, 'ERR_INVALID_ARG_TYPE'],
  ];
  for (const [option, code] of wrong) refused({ port: 1, ...option }, code);
  t.throws(() => connect({} as never, { port: 1 }, nothing), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => connect(scope, { port: 1 }, 7 as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.deepEqual([...loop.entries()], []);
  scope.close();
  t.throws(() => connect(scope, { port: 1 }, nothing), { code: 'ERR_CLOSED' });
});

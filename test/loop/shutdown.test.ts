/** The end of a loop's work: listeners, what is idle, what is busy, and the deadline. */
import { connect } from 'node:net';
import { once } from 'node:events';
import process from 'node:process';
import test from 'ava';
import { Loop, READABLE, TcpListener, type Scope, type Shutdown } from '../../ts/index.js';
import { closing, newEventFd, portOf, unixPair, type Teardown } from '../support/pairs.js';

const newLoop = (t: Teardown): Loop => closing(t, new Loop());

/** Its error would leave through the turn. */
const unexpected = (): never => {
  throw new Error('ran unexpectedly');
};

/** A scope that has something to do for ever. */
function openScope(t: Teardown, parent: Scope, name: string): Scope {
  const scope = parent.scope(name);
  scope.own(newEventFd(t));
  scope.register(newEventFd(t), READABLE, unexpected);
  return scope;
}

test('listeners are closed at once, idle scopes at the end of the turn, busy ones when they are done', (t) => {
  const loop = newLoop(t);
  const server = loop.scope('server');
  const listener = server.own(TcpListener.listen());
  server.register(listener, READABLE, unexpected);
  const idle = openScope(t, server, 'idle');
  const busy = openScope(t, server, 'busy');
  const under = openScope(t, busy, 'under busy');
  const work = busy.hold();
  const seen: string[] = [];
  let shutdown: Shutdown | undefined;
  loop.setTimeout(0, () => {
    t.false(loop.draining);
    shutdown = loop.shutdown({ graceMs: 3_600_000 });
    t.true(listener.closed);
    t.true(busy.draining);
    seen.push(`idle ${String(idle.closed)}`);
    busy.setTimeout(0, () => {
      seen.push(`idle ${String(idle.closed)}, busy ${String(busy.closed || under.closed)}`);
      work.release();
      seen.push(`busy ${String(busy.closed)}`);
    });
  });
  loop.run();
  t.deepEqual(seen, ['idle false', 'idle true, busy false', 'busy false']);
  for (const scope of [idle, busy, under, server]) t.true(scope.closed);
  t.true(shutdown?.done);
  t.deepEqual(shutdown?.forced, []);
  t.deepEqual([...loop.entries()], []);
  t.false(loop.closed);
});

test('a listener that is only registered is deregistered, and stays open', (t) => {
  const loop = newLoop(t);
  const listener = closing(t, TcpListener.listen());
  const registration = loop.register(listener, READABLE, unexpected);
  const work = loop.scope('busy').hold();
  loop.shutdown({ graceMs: 1000 });
  t.false(registration.active);
  t.false(listener.closed);
  work.release();
  loop.run();
});

test('what is not done at the deadline is forced, not earlier, and reported', (t) => {
  const loop = newLoop(t);
  const server = loop.scope('server');
  server.setInterval(3_600_000, t.fail, { label: 'not busy itself' });
  const slow = openScope(t, server, 'slow');
  const slower = slow.scope('slower');
  slower.hold();
  slow.hold();
  const [left] = unixPair(t);
  slower.own(left, { label: 'stuck' });
  const started = performance.now();
  const shutdown = loop.shutdown({ graceMs: 30 });
  loop.run();
  t.true(performance.now() - started >= 30);
  t.true(shutdown.done);
  t.deepEqual(
    shutdown.forced.map(({ kind, label, scope }) => [kind, label, scope]),
    [
      ['EventFd', '', 'root/server/slow'],
      ['registration', '', 'root/server/slow'],
      ['UnixStream', 'stuck', 'root/server/slow/slower'],
    ],
  );
  t.true(left.closed);
  t.is(loop.size, 0);
});

test('asked again, the earlier deadline counts, and 0 forces at once', (t) => {
  const loop = newLoop(t);
  const busy = openScope(t, loop.root, 'busy');
  busy.hold();
  const shutdown = loop.shutdown({ graceMs: Number.POSITIVE_INFINITY });
  t.is(loop.shutdown({ graceMs: 3_600_000 }), shutdown);
  loop.shutdown({ graceMs: Number.POSITIVE_INFINITY });
  loop.turn(0);
  t.false(busy.closed);
  loop.shutdown({ graceMs: 0 });
  t.true(busy.closed);
  t.true(shutdown.done);
  t.is(shutdown.forced.length, 2);
  loop.run();
  loop.shutdown({ graceMs: 0 });
  t.is(shutdown.forced.length, 2);
});

test('each scope is told once that the end has begun, and may go on until its work is done', async (t) => {
  const loop = newLoop(t);
  const told: string[] = [];
  const server = loop.scope('server');
  server.onDrain = () => told.push('server');
  const connection = openScope(t, server, 'connection');
  connection.onDrain = () => {
    told.push('connection');
    const work = connection.hold();
    connection.setTimeout(5, () => {
      told.push('answered');
      work.release();
    });
  };
  const running = loop.runAsync();
  const shutdown = loop.shutdown({ graceMs: 3_600_000 });
  loop.shutdown({ graceMs: 3_600_000 });
  t.is(await shutdown.ended, shutdown);
  await running;
  t.deepEqual(told, ['server', 'connection', 'answered']);
});

test('what onDrain throws goes to its scope', (t) => {
  const loop = newLoop(t);
  const heard: unknown[] = [];
  const scope = loop.scope('s');
  scope.onError = (error) => heard.push((error as Error).message);
  scope.onDrain = () => {
    throw new Error('no time');
  };
  loop.shutdown({ graceMs: 1000 });
  loop.run();
  t.deepEqual(heard, ['no time']);
});

test('a hold is released once, and one of a scope that is closed meanwhile counts no more', (t) => {
  const loop = newLoop(t);
  const parent = loop.scope('parent');
  const child = parent.scope('child');
  const [first, second, above] = [child.hold(), child.hold(), parent.hold()];
  first.release();
  first.release();
  child.close();
  second.release();
  const shutdown = loop.shutdown({ graceMs: 3_600_000 });
  loop.turn(0);
  t.false(shutdown.done);
  above[Symbol.dispose]();
  loop.turn(0);
  t.true(shutdown.done);
});

test('the loop may be closed in the middle of a shutdown', async (t) => {
  const loop = new Loop();
  openScope(t, loop.root, 'busy').hold();
  const shutdown = loop.shutdown({ graceMs: 3_600_000 });
  loop.close();
  await shutdown.ended;
  t.true(shutdown.done);
  t.throws(() => loop.shutdown({ graceMs: 1 }), { code: 'ERR_CLOSED' });
});

test('a client whose answer is under way gets it, a new one is refused', async (t) => {
  const loop = newLoop(t);
  const server = loop.scope('server');
  const listener = server.own(TcpListener.listen());
  const port = portOf(listener);
  server.register(listener, READABLE, () => {
    const stream = listener.accept();
    if (stream === null) return;
    const connection = server.scope('connection');
    connection.own(stream);
    const work = connection.hold();
    connection.setTimeout(20, () => {
      stream.write(Buffer.from('answer'));
      work.release();
    });
    loop.shutdown({ graceMs: 3_600_000 });
  });
  const running = loop.runAsync();
  const client = connect(port);
  let text = '';
  client.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(client, 'close');
  t.is(text, 'answer');
  await running;
  const refused = connect(port);
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNREFUSED');
});

for (const driver of ['run', 'runAsync'] as const) {
  test.serial(`the first signal begins a shutdown, the second forces it (${driver})`, async (t) => {
    const loop = newLoop(t);
    const busy = openScope(t, loop.root, 'busy');
    busy.hold();
    const seen: string[] = [];
    busy.onDrain = () => {
      seen.push('draining');
      busy.setTimeout(0, () => {
        seen.push(`closed ${String(busy.closed)}`);
        process.kill(process.pid, 'SIGUSR2');
      });
    };
    loop.shutdownOn(['SIGUSR2', 'SIGHUP'], { graceMs: 3_600_000 });
    t.false(loop.draining);
    process.kill(process.pid, 'SIGHUP');
    await loop[driver]();
    t.deepEqual(seen, ['draining', 'closed false']);
    t.true(busy.closed);
    t.deepEqual([...loop.entries()], []);
  });
}

test('a busy scope that is closed has done its work', (t) => {
  const loop = newLoop(t);
  loop.register(newEventFd(t), READABLE, unexpected);
  const busy = openScope(t, loop.root, 'busy');
  const late = loop.scope('late', { timeoutMs: 1 });
  busy.hold();
  late.hold();
  const shutdown = loop.shutdown({ graceMs: Number.POSITIVE_INFINITY });
  loop.setTimeout(1, () => {
    busy.close();
  });
  loop.run();
  t.true(shutdown.done);
  t.deepEqual([...loop.entries()], []);
});

test('work that is released while the loop is closed ends nothing twice', (t) => {
  const loop = newLoop(t);
  const busy = loop.scope('busy');
  const work = busy.hold();
  loop.scope('closed before').own({
    [Symbol.dispose]: () => {
      work.release();
    },
  });
  busy.scope('under').hold();
  const shutdown = loop.shutdown({ graceMs: 1000 });
  t.notThrows(() => {
    loop.close();
  });
  t.true(shutdown.done);
});

test('who puts something in the place of what a shutdown ends is refused', (t) => {
  const loop = newLoop(t);
  const refused: (string | undefined)[] = [];
  let disposed = 0;
  const attempts: (() => void)[] = [
    () => loop.scope('again'),
    () => loop.setTimeout(1, t.fail),
    () => loop.register(newEventFd(t), READABLE, unexpected),
    () => loop.onSignal('SIGUSR2', t.fail),
    () => loop.connection(unixPair(t)[0], { data: unexpected }),
    () => loop.root.own({ [Symbol.dispose]: () => disposed++ }),
  ];
  for (const attempt of attempts) {
    loop.root.own({
      [Symbol.dispose]: () => {
        refused.push(t.throws<Error & { code?: string }>(attempt).code);
      },
    });
  }
  loop.shutdown({ graceMs: 0 });
  t.deepEqual(refused, Array<string>(attempts.length).fill('ERR_CLOSED'));
  t.is(disposed, 1);
  t.deepEqual([...loop.entries()], []);
  loop.setTimeout(0, t.pass); // The loop itself can be used again.
  loop.run();
});

test('a client that connects again when it was closed does not keep a shutdown from its end', (t) => {
  const loop = newLoop(t);
  const connect = (): void => {
    loop.connection(unixPair(t)[0], { data: unexpected, close: connect });
  };
  connect();
  const shutdown = loop.shutdown({ graceMs: 1000 });
  t.throws(
    () => {
      loop.run();
    },
    { code: 'ERR_CLOSED' },
  );
  t.true(shutdown.done);
  t.deepEqual([...loop.entries()], []);
});

test('of signals that cannot all be watched none is', (t) => {
  const loop = newLoop(t);
  const grace = { graceMs: 1 };
  t.throws(
    () => {
      loop.shutdownOn(['SIGUSR2', 'SIGKILL'], grace);
    },
    { code: 'EINVAL' },
  );
  t.throws(
    () => {
      loop.shutdownOn('SIGUSR2' as never, grace);
    },
    { code: 'ERR_INVALID_ARG_TYPE' },
  );
  t.deepEqual([...loop.entries()], []);
});

test('a grace that is no time is refused, and nothing has begun', (t) => {
  const loop = newLoop(t);
  t.throws(() => loop.shutdown(undefined as never), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => loop.shutdown({} as never), { code: 'ERR_INVALID_ARG_TYPE' });
  for (const graceMs of [-1, Number.NaN]) {
    t.throws(() => loop.shutdown({ graceMs }), { code: 'ERR_OUT_OF_RANGE' });
  }
  t.false(loop.draining);
});

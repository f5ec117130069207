/** Scopes: who owns what, in which order it ends, and where an error goes. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { closeSync } from 'node:fs';
import test from 'ava';
import { EventFd, Loop, READABLE, TcpListener, UnixStream, type Scope } from '../../ts/index.js';
import { countDescriptors } from '../support/descriptors.js';
import { closing, newEventFd, tcpPair, unixPair, type Teardown } from '../support/pairs.js';

const newLoop = (t: Teardown): Loop => closing(t, new Loop());

/** Its error would leave through the turn. */
const unexpected = (): never => {
  throw new Error('ran unexpectedly');
};

/** Tells when it is disposed of. */
function telling(list: string[], name: string): Disposable {
  return { [Symbol.dispose]: () => list.push(name) };
}

/** A descriptor that is ready at once, with its handler, in a scope. */
function readyIn(t: Teardown, scope: Scope, handler: () => void): void {
  scope.register(newEventFd(t, 1), READABLE, handler);
}

test('what a scope owns ends in reverse order of its coming, the scopes under it too', (t) => {
  const loop = newLoop(t);
  const ends: string[] = [];
  const outer = loop.scope('outer');
  outer.own(telling(ends, 'first'));
  const inner = outer.scope('inner');
  inner.own(telling(ends, 'in inner, first'));
  inner.own(telling(ends, 'in inner, second'));
  outer.own(telling(ends, 'last'));
  outer.close();
  t.deepEqual(ends, ['last', 'in inner, second', 'in inner, first', 'first']);
  t.true(inner.closed);
  outer.close();
  t.is(ends.length, 4);
});

test('a closed scope leaves nothing behind', (t) => {
  const before = countDescriptors();
  const loop = new Loop();
  const withLoop = countDescriptors();
  const scope = loop.scope('server');
  const [left, right] = UnixStream.pair();
  scope.own(left);
  scope.own(right);
  scope.register(left, READABLE, unexpected);
  scope.setTimeout(0, t.fail);
  scope.setInterval(0, t.fail);
  scope.defer(t.fail);
  scope.scope('child').own(TcpListener.listen());
  right.write(Buffer.from('x'));
  scope.close();
  t.is(countDescriptors(), withLoop);
  t.true(left.closed);
  loop.turn(0);
  t.is(loop.size, 0);
  t.notThrows(() => {
    loop.assertEmpty();
  });
  loop.close();
  t.is(countDescriptors(), before);
});

test('a descriptor that is closed or released leaves its scope, and with it its registration', (t) => {
  const loop = newLoop(t);
  const [left, right] = unixPair(t);
  const scope = loop.scope('s');
  scope.register(scope.own(left), READABLE, unexpected);
  scope.register(scope.own(right), READABLE, unexpected);
  t.is([...scope.entries()].length, 2);
  left.close();
  t.deepEqual(
    [...scope.entries()].map(({ fd }) => fd),
    [right.fd],
  );
  const number = right.release();
  t.deepEqual([...scope.entries()], []);
  t.is(loop.size, 0);
  scope.close();
  t.notThrows(() => {
    UnixStream.adopt(number).close();
  });
});

test('a registration leaves its scope with the descriptor, however the descriptor goes', (t) => {
  const loop = newLoop(t);
  for (let i = 0; i < 3; i++) {
    const eventFd = new EventFd();
    loop.register(eventFd, READABLE, unexpected);
    eventFd.close();
  }
  t.deepEqual([...loop.entries()], []);
  t.is(loop.size, 0);
});

test('what another scope owns moves, what is disowned stays open', (t) => {
  const loop = newLoop(t);
  const [from, to] = [loop.scope('from'), loop.scope('to')];
  const ends: string[] = [];
  const [moved, kept] = [telling(ends, 'moved'), telling(ends, 'kept')];
  const eventFd = from.own(newEventFd(t));
  to.own(from.own(moved));
  from.own(kept);
  to.own(eventFd);
  t.true(from.disown(kept));
  t.false(from.disown(kept));
  t.false(from.disown(moved));
  from.close();
  t.deepEqual(ends, []);
  t.false(eventFd.closed);
  to.close();
  t.deepEqual(ends, ['moved']);
  t.true(eventFd.closed);
});

test('a resource stays where it is if the one that wants it asks in the wrong way', (t) => {
  const loop = newLoop(t);
  const [here, there] = [loop.scope('here'), loop.scope('there')];
  const eventFd = here.own(newEventFd(t));
  for (const options of [{ label: 5 }, { kind: null }, 'label']) {
    t.throws(() => there.own(eventFd, options as never), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  here.close();
  t.true(eventFd.closed);
});

test('what has no class is owned as an object', (t) => {
  const loop = newLoop(t);
  const resource = Object.create(null) as Disposable;
  resource[Symbol.dispose] = (): void => undefined;
  loop.root.own(resource);
  t.deepEqual(
    [...loop.entries()].map(({ kind }) => kind),
    ['object'],
  );
});

test('what throws when a signal closes its scope rises, and does not end the process', (t) => {
  const loop = newLoop(t);
  const abort = new AbortController();
  const outer = loop.scope('outer');
  const heard: unknown[] = [];
  outer.onError = (error) => heard.push(error);
  const scope = outer.scope('scope', { signal: abort.signal });
  const error = new Error('at its disposal');
  scope.own({
    [Symbol.dispose]: () => {
      throw error;
    },
  });
  abort.abort();
  t.true(scope.closed);
  t.is(scope.reason, abort.signal.reason);
  t.deepEqual(heard, [error]);
});

test('a closed scope takes nothing, and disposes of what it is given', (t) => {
  const loop = newLoop(t);
  const scope = loop.scope('s');
  scope.close();
  const ends: string[] = [];
  const eventFd = newEventFd(t);
  const closed = { code: 'ERR_CLOSED' };
  t.throws(() => scope.own(telling(ends, 'late')), closed);
  t.deepEqual(ends, ['late']);
  t.throws(() => scope.own(eventFd), closed);
  t.true(eventFd.closed);
  t.throws(() => scope.register(newEventFd(t), READABLE, unexpected), closed);
  t.throws(() => scope.setTimeout(1, t.fail), closed);
  t.throws(() => scope.setInterval(1, t.fail), closed);
  t.throws(() => {
    scope.defer(t.fail);
  }, closed);
  t.throws(() => scope.scope('child'), closed);
  t.throws(() => scope.hold(), closed);
  t.is(loop.size, 0);
});

test('an error closes the siblings and rises to the root, which stays open', (t) => {
  const loop = newLoop(t);
  const group = loop.scope('group');
  const task = group.scope('task');
  const sibling = group.scope('sibling');
  const aside = loop.scope('aside');
  const failure = new Error('task failed');
  readyIn(t, task, () => {
    throw failure;
  });
  t.is(
    t.throws(() => loop.turn()),
    failure,
  );
  for (const scope of [task, sibling, group]) {
    t.true(scope.closed);
    t.is(scope.reason, failure);
  }
  t.false(aside.closed);
  t.false(loop.closed);
  t.is(loop.turn(0), 0);
});

test('a scope that handles an error stays open, and those above hear nothing', (t) => {
  const loop = newLoop(t);
  const server = loop.scope('server');
  const heard: unknown[] = [];
  server.onError = (error, from) => heard.push((error as Error).message, from.name);
  loop.root.onError = unexpected;
  const connection = server.scope('connection');
  const other = server.scope('other');
  let runs = 0;
  readyIn(t, other, () => runs++);
  readyIn(t, connection, () => {
    throw new Error('reset');
  });
  loop.turn();
  t.deepEqual(heard, ['reset', 'connection']);
  t.true(connection.closed);
  t.false(other.closed);
  t.is(runs, 1);
});

test('what onError throws rises, and an error in a closed scope is not lost', (t) => {
  const loop = newLoop(t);
  const heard: string[] = [];
  loop.root.onError = (error) => heard.push((error as Error).message);
  const first = loop.scope('first');
  first.onError = () => {
    throw new Error('second thoughts');
  };
  first.fail(new Error('once'));
  t.true(first.closed);
  const second = loop.scope('second');
  readyIn(t, second, () => {
    second.close();
    throw new Error('after the close');
  });
  loop.turn();
  t.deepEqual(heard, ['second thoughts', 'after the close']);
});

test('errors of timers and deferred calls go to their scopes too', (t) => {
  const loop = newLoop(t);
  const heard: string[] = [];
  for (const [name, start] of [
    ['timer', (scope: Scope, run: () => void) => scope.setTimeout(0, run)],
    ['interval', (scope: Scope, run: () => void) => scope.setInterval(0, run)],
    [
      'deferred',
      (scope: Scope, run: () => void) => {
        scope.defer(run);
      },
    ],
  ] as const) {
    const scope = loop.scope(name);
    scope.onError = (error) => {
      heard.push((error as Error).message);
      scope.close(error);
    };
    start(scope, () => {
      throw new Error(name);
    });
  }
  loop.run();
  t.deepEqual(heard.sort(), ['deferred', 'interval', 'timer']);
});

test('fail() from outside a turn is thrown by the next one, also by a run of nothing else', async (t) => {
  const loop = newLoop(t);
  const failure = new Error('elsewhere');
  loop.scope('a').fail(failure);
  t.is(
    t.throws(() => loop.turn()),
    failure,
  );
  loop.scope('b').fail(failure);
  t.is(
    t.throws(() => {
      loop.run();
    }),
    failure,
  );
  const scope = loop.scope('c');
  scope.setTimeout(3_600_000, t.fail);
  const running = loop.runAsync();
  setImmediate(() => {
    scope.fail(failure);
  });
  t.is(await t.throwsAsync(running), failure);
});

test('what was failed with just before the end, or by it, is thrown by close', (t) => {
  const failure = new Error('just before');
  const loop = new Loop();
  loop.scope('s').fail(failure);
  t.is(
    t.throws(() => {
      loop.close();
    }),
    failure,
  );
  t.true(loop.closed);
});

test('a registration can be taken out although its number was closed behind its back', (t) => {
  const loop = newLoop(t);
  const fd = new EventFd().release();
  const registration = loop.register(fd, READABLE, unexpected);
  closeSync(fd);
  registration.deregister();
  t.false(registration.active);
  t.is(loop.size, 0);
  loop.run();
});

test('what throws at its disposal keeps nothing else from ending, and no error is lost', (t) => {
  const loop = newLoop(t);
  const ends: string[] = [];
  const throwing = (message: string): Disposable => ({
    [Symbol.dispose]: () => {
      throw new Error(message);
    },
  });
  const one = loop.scope('one');
  one.own(telling(ends, 'one'));
  one.own(throwing('x'));
  t.throws(
    () => {
      one.close();
    },
    { message: 'x' },
  );
  const two = loop.scope('two');
  two.own(throwing('x'));
  two.own(telling(ends, 'two'));
  two.own(throwing('y'));
  const both = t.throws<AggregateError>(() => {
    two.close();
  });
  t.deepEqual(
    both.errors.map((error: Error) => error.message),
    ['y', 'x'],
  );
  const failing = loop.scope('failing');
  failing.own(throwing('at the end'));
  readyIn(t, failing, () => {
    throw new Error('in the handler');
  });
  const all = t.throws<AggregateError>(() => loop.turn());
  t.deepEqual(all.errors.map((error: Error) => error.message).sort(), [
    'at the end',
    'in the handler',
  ]);
  t.deepEqual(ends, ['one', 'two']);
});

test('the signal of a scope is aborted once, with the reason, before what it owns ends', (t) => {
  const loop = newLoop(t);
  const parent = loop.scope('parent');
  const child = parent.scope('child');
  const order: string[] = [];
  child.own(telling(order, 'disposed'));
  child.signal.addEventListener('abort', () => {
    order.push('aborted');
    t.false(loop.closed);
  });
  const reason = new Error('enough');
  parent.close(reason);
  child.close();
  t.deepEqual(order, ['aborted', 'disposed']);
  t.is(child.signal.reason, reason);
  const late = loop.scope('late');
  late.close(reason);
  t.true(late.signal.aborted);
  t.is(late.signal.reason, reason);
});

test('a scope ends with the signal that it was given, and lets go of it when it ends before', (t) => {
  const loop = newLoop(t);
  const controller = new AbortController();
  const { signal } = controller;
  const listening: string[] = [];
  const [add, remove] = [signal.addEventListener, signal.removeEventListener];
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listening.push('on');
    add.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listening.push('off');
    remove.apply(signal, args);
  };
  loop.scope('before', { signal }).close();
  t.deepEqual(listening, ['on', 'off']);
  const scope = loop.scope('with', { signal });
  const reason = new Error('away');
  controller.abort(reason);
  t.true(scope.closed);
  t.is(scope.reason, reason);
  const born = loop.scope('closed from birth', { signal });
  t.true(born.closed);
  t.is(born.reason, reason);
});

test('a scope with a timeout is closed when it has passed, not earlier, and nothing rises', (t) => {
  const loop = newLoop(t);
  const started = performance.now();
  const scope = loop.scope('request', { timeoutMs: 20 });
  const reasons: unknown[] = [];
  scope.signal.addEventListener('abort', () => reasons.push((scope.reason as Error).name));
  scope.register(newEventFd(t), READABLE, unexpected);
  loop.run();
  t.true(performance.now() - started >= 20);
  t.deepEqual(reasons, ['TimeoutError']);
});

test('the deadline of a scope does not keep a loop running', (t) => {
  const loop = newLoop(t);
  const scope = loop.scope('request', { timeoutMs: 3_600_000 });
  t.is(loop.size, 0);
  loop.run();
  scope.close();
  t.is(loop.size, 0);
});

test('timers and registrations can be unreferenced, and referenced again', (t) => {
  const loop = newLoop(t);
  const timer = loop.setTimeout(3_600_000, t.fail);
  const registration = loop.register(newEventFd(t), READABLE, unexpected);
  t.true(timer.hasRef());
  t.is(loop.size, 2);
  t.is(timer.unref().unref(), timer);
  registration.unref();
  t.false(registration.hasRef());
  t.is(loop.size, 0);
  loop.run();
  timer.ref();
  t.is(loop.size, 1);
  timer.unref();
  timer.cancel();
  timer.ref();
  t.is(loop.size, 0);
  registration.deregister();
  t.is(loop.size, 0);
  const once = loop.setTimeout(0, () => undefined).unref();
  while (once.active) loop.turn();
  t.is(loop.size, 0);
});

test('a scope sees the AsyncLocalStorage of where it was made, if it asks for it', async (t) => {
  const loop = newLoop(t);
  const request = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const see = (): void => {
    seen.push(request.getStore());
  };
  const run = (scope: Scope): void => {
    readyIn(t, scope, see);
    scope.setTimeout(0, see);
    scope.defer(see);
    loop.turn();
    scope.close();
  };
  request.run('a', () => {
    run(loop.scope('with', { inheritContext: true }).scope('child'));
  });
  const bound = request.run('b', () => loop.scope('with', { inheritContext: true }));
  run(bound);
  run(request.run('c', () => loop.scope('without')));
  t.deepEqual(seen, ['a', 'a', 'a', 'b', 'b', 'b', undefined, undefined, undefined]);
  const later = request.run('d', () => loop.scope('async', { inheritContext: true }));
  const asked = new Promise<string | undefined>((resolve) => {
    later.setTimeout(0, () => {
      void Promise.resolve().then(() => {
        resolve(request.getStore());
      });
    });
  });
  await loop.runAsync();
  t.is(await asked, 'd');
});

test('closing a scope in its own handler, or the one above, ends what is ready of it in this turn', (t) => {
  const loop = newLoop(t);
  const parent = loop.scope('parent');
  let runs = 0;
  for (let i = 0; i < 3; i++) {
    const child = parent.scope(`child ${String(i)}`);
    readyIn(t, child, () => {
      runs++;
      parent.close();
    });
    child.setTimeout(0, t.fail);
  }
  loop.turn();
  t.is(runs, 1);
  t.is(loop.size, 0);
});

test('the list of what is open names descriptor, kind, label, interest, age, bytes and scope', (t) => {
  const loop = newLoop(t);
  const { client, server } = tcpPair(t);
  const scope = loop.scope('server').scope('connection');
  scope.own(server, { label: 'of a client' });
  scope.register(server, READABLE, () => undefined);
  loop.register(client, READABLE, () => undefined, { label: 'client' });
  scope.setTimeout(1000, t.fail, { label: 'idle' });
  client.write(Buffer.alloc(1000));
  server.write(Buffer.alloc(10));
  const buffer = Buffer.alloc(2000);
  t.is(server.read(buffer), 1000);
  const entries = [...loop.entries()];
  const unseen = { ageMs: undefined, bytes: undefined, line: undefined };
  t.deepEqual(
    entries.map((entry) => ({ ...entry, ageMs: undefined, bytes: undefined })),
    [
      {
        ...{ fd: server.fd, kind: 'TcpStream', label: 'of a client', interest: READABLE },
        ...{ ...unseen, pending: 0, scope: 'root/server/connection' },
      },
      {
        ...{ fd: -1, kind: 'timer', label: 'idle', interest: 0, pending: 0 },
        ...{ ...unseen, scope: 'root/server/connection' },
      },
      {
        ...{ fd: client.fd, kind: 'registration', label: 'client', interest: READABLE },
        ...{ ...unseen, pending: 0, scope: 'root' },
      },
    ],
  );
  t.is(entries[0]?.bytes?.received, 1000);
  for (const { ageMs } of entries) t.true(ageMs >= 0);
  t.is([...scope.entries()].length, 2);
});

test('with tracking on, an entry names the line that made it', (t) => {
  const loop = closing(t, new Loop({ track: true }));
  loop.setTimeout(1000, t.fail);
  loop.scope('s').own(newEventFd(t));
  for (const { line } of loop.entries()) t.regex(line ?? '', /scope\.test\.[jt]s:\d+:\d+/);
});

test('assertEmpty names what is open, empty scopes too', (t) => {
  const loop = closing(t, new Loop({ track: true }));
  const scope = loop.scope('forgotten');
  const eventFd = newEventFd(t);
  scope.register(eventFd, READABLE, unexpected, { label: 'tick' });
  const error = t.throws(
    () => {
      loop.assertEmpty();
    },
    { code: 'ERR_ASSERTION' },
  );
  t.regex(error.message, /^2 open in root:/);
  t.regex(
    error.message,
    new RegExp(
      `registration fd ${String(eventFd.fd)} "tick" in root/forgotten, made at .*scope.test`,
    ),
  );
  t.regex(error.message, /scope root\/forgotten, made at/);
  scope.close();
  t.notThrows(() => {
    loop.assertEmpty();
  });
});

test('what is no scope, no name and no resource is refused', (t) => {
  const loop = newLoop(t);
  const other = newLoop(t);
  const wrong = { code: 'ERR_INVALID_ARG_TYPE' };
  t.throws(() => loop.scope(1 as never), wrong);
  t.throws(() => loop.scope('a', 1 as never), wrong);
  t.throws(() => loop.scope('a', { signal: {} as never }), wrong);
  t.throws(() => loop.scope('a', { timeoutMs: '1' as never }), wrong);
  t.throws(() => loop.scope('a', { timeoutMs: Number.NaN }), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => loop.scope('a', { inheritContext: 1 as never }), wrong);
  t.throws(() => loop.root.own({} as never), wrong);
  t.throws(() => loop.root.own(undefined as never), wrong);
  t.throws(() => loop.root.own(loop.scope('b')), { code: 'ERR_INVALID_STATE' });
  t.throws(() => loop.root.own(newEventFd(t), { label: 1 as never }), wrong);
  t.throws(() => loop.setTimeout(1, t.fail, { scope: other.root }), wrong);
  t.throws(() => loop.setTimeout(1, t.fail, { label: 1 as never }), wrong);
  t.throws(() => loop.register(newEventFd(t), READABLE, unexpected, { scope: {} as never }), wrong);
  t.throws(() => loop.register(newEventFd(t), READABLE, unexpected, { label: 1 as never }), wrong);
  t.throws(() => new Loop({ track: 1 as never }), wrong);
  t.is(loop.size, 0);
});

test('ten thousand scopes come and go without a trace', (t) => {
  const loop = newLoop(t);
  const server = loop.scope('server');
  for (let i = 0; i < 10_000; i++) {
    const scope = server.scope('connection', { timeoutMs: 1000 });
    scope.hold().release();
    scope.close();
  }
  t.deepEqual([...loop.entries()], []);
  t.is(loop.size, 0);
  server.close();
  loop.assertEmpty();
  t.pass();
});

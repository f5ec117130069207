/** What is ended, asked for or closed while something else ends. */
import { AsyncLocalStorage } from 'node:async_hooks';
import process from 'node:process';
import test from 'ava';
import {
  Loop,
  WOULD_BLOCK,
  type Connection,
  type ConnectionHandlers,
  type Scope,
  type Stream,
} from '../../ts/index.js';
import { newLoop, unixPair } from '../support/pairs.js';

const MIB = 1024 * 1024;
const ignore: ConnectionHandlers = { data: () => undefined };

/** The codes of the errors that `close` gets, in the order of its coming. */
function closes(): { codes: unknown[]; handlers: ConnectionHandlers } {
  const codes: unknown[] = [];
  const close = (_: Connection, error: Error | undefined): void => {
    codes.push((error as NodeJS.ErrnoException | undefined)?.code);
  };
  return { codes, handlers: { ...ignore, close } };
}

/** All that has come, and whether the stream has ended. */
function taken(peer: Stream): { bytes: number; ended: boolean } {
  const buffer = Buffer.alloc(MIB);
  let bytes = 0;
  for (let length; (length = peer.read(buffer)) !== WOULD_BLOCK; bytes += length) {
    if (length === 0) return { bytes, ended: true };
  }
  return { bytes, ended: false };
}

for (const [what, use] of [
  [
    'destroyed',
    (connection) => {
      connection.destroy();
    },
  ],
  [
    'ended',
    (connection) => {
      connection.end('bye');
    },
  ],
  [
    'written to',
    (connection) => {
      connection.write('bye');
    },
  ],
  [
    'paused',
    (connection) => {
      connection.pause();
    },
  ],
] as [string, (connection: Connection) => void][]) {
  for (const gather of [false, true]) {
    test(`a connection that is ${what} while its loop closes another is closed like all others${gather ? ', gathering' : ''}`, (t) => {
      const loop = new Loop();
      const [[stream, peer], [other]] = [unixPair(t), unixPair(t)];
      const { codes, handlers } = closes();
      const connection = loop.scope('front').connection(stream, handlers, { gather });
      loop.scope('back').connection(other, {
        ...ignore,
        close() {
          use(connection);
        },
      });
      loop.close();
      t.deepEqual(codes, [undefined]);
      t.true(stream.closed);
      t.deepEqual(taken(peer), {
        bytes: what === 'ended' || what === 'written to' ? 3 : 0,
        ended: true,
      });
      t.is(loop.buffers.lent, 0);
    });
  }
}

test('a connection of a peer that has gone, written to while its loop closes another, leaves no descriptor', (t) => {
  const loop = new Loop();
  const [[stream, peer], [other]] = [unixPair(t), unixPair(t)];
  const { codes, handlers } = closes();
  const connection = loop.scope('front').connection(stream, handlers);
  peer.close();
  loop.scope('back').connection(other, {
    ...ignore,
    close() {
      connection.write('bye');
    },
  });
  loop.close();
  t.deepEqual(codes, ['EPIPE']);
  t.true(stream.closed);
});

test('one that is destroyed by the signal of a scope while the loop is closed in a handler', (t) => {
  const loop = new Loop();
  const [[stream], [other, peer]] = [unixPair(t), unixPair(t)];
  const { codes, handlers } = closes();
  const connection = loop.scope('front').connection(stream, handlers);
  const back = loop.scope('back');
  back.signal.addEventListener('abort', () => {
    connection.destroy();
  });
  back.connection(other, {
    data() {
      loop.close();
    },
  });
  peer.write(Buffer.from('x'));
  loop.run();
  t.deepEqual(codes, [undefined]);
  t.true(stream.closed);
});

for (const [what, before] of [
  ['idle', () => undefined],
  [
    'paused',
    (connection) => {
      connection.pause();
    },
  ],
  [
    'with output that waits',
    (connection) => {
      connection.write(Buffer.alloc(4 * MIB));
    },
  ],
  [
    'ending, with output that waits',
    (connection) => {
      connection.end(Buffer.alloc(4 * MIB));
    },
  ],
] as [string, (connection: Connection) => void][]) {
  test(`a stream that is closed behind a connection, ${what}, is told in the next turn; nothing stays`, (t) => {
    const loop = newLoop(t);
    const [stream] = unixPair(t);
    const { codes, handlers } = closes();
    const scope = loop.scope('server');
    const connection = scope.connection(stream, handlers);
    before(connection);
    stream.close();
    t.true(connection.closed);
    t.is(loop.buffers.lent, 0);
    loop.turn(0);
    t.deepEqual(codes, ['ERR_CLOSED']);
    scope.assertEmpty();
    const shutdown = loop.shutdown({ graceMs: Infinity });
    loop.run();
    t.true(shutdown.done);
    t.is(codes.length, 1);
  });
}

test('a stream of a connection is nobody else’s: no scope takes it, nor another connection', (t) => {
  const loop = newLoop(t);
  const [stream] = unixPair(t);
  const connection = loop.connection(stream, ignore);
  const scope = loop.scope('other');
  t.throws(() => scope.own(stream), { code: 'ERR_INVALID_STATE' });
  t.throws(() => loop.connection(stream, ignore), { code: 'ERR_INVALID_STATE' });
  t.false(scope.disown(stream));
  scope.close();
  t.false(connection.closed);
  t.false(stream.closed);
});

test('what Node refuses stays with its connection, which still hears of the end of its stream', (t) => {
  const loop = newLoop(t);
  const [stream] = unixPair(t);
  const { codes, handlers } = closes();
  const connection = loop.connection(stream, handlers);
  t.throws(() => connection.toNetSocket({ allowHalfOpen: 1 as unknown as boolean }));
  t.false(connection.closed);
  stream.close();
  loop.turn(0);
  t.deepEqual(codes, ['ERR_CLOSED']);
});

for (const [first, second] of [
  [0, 1000],
  [0, 0],
  [Infinity, 1000],
  [1000, 10],
  [5, 0],
] as const) {
  test(`a shutdown with ${first} ms of grace is asked for again, with ${second}, as it closes a connection`, (t) => {
    const loop = newLoop(t);
    const [stream] = unixPair(t);
    const asked: unknown[] = [];
    loop.connection(stream, {
      ...ignore,
      close() {
        asked.push(loop.shutdown({ graceMs: second }));
      },
    });
    const shutdown = loop.shutdown({ graceMs: first });
    loop.run();
    t.true(shutdown.done);
    t.deepEqual(asked, [shutdown]);
    loop.assertEmpty();
  });
}

test('what was forced is told, also if somebody asks for force as it is closed', (t) => {
  const loop = newLoop(t);
  const busy = loop.scope('busy');
  busy.hold();
  busy.setTimeout(1e6, () => undefined, { label: 'timer' });
  for (const scope of [busy, loop.scope('idle')]) {
    scope.connection(unixPair(t)[0], {
      ...ignore,
      close() {
        loop.shutdown({ graceMs: 0 });
      },
    });
  }
  const shutdown = loop.shutdown({ graceMs: 5 });
  loop.run();
  t.deepEqual(
    shutdown.forced.map(({ kind }) => kind),
    ['timer', 'UnixStream'],
  );
});

test('a loop that is used again after a shutdown can be shut down again', (t) => {
  const loop = newLoop(t);
  const first = loop.shutdown({ graceMs: 10 });
  t.true(loop.draining);
  loop.run();
  t.true(first.done);
  t.false(loop.draining);
  t.is(loop.shutdown({ graceMs: 10 }), first); // nothing has come since

  const scope = loop.scope('again');
  const { codes, handlers } = closes();
  scope.connection(unixPair(t)[0], handlers);
  let drained = 0;
  scope.onDrain = () => drained++;
  const second = loop.shutdown({ graceMs: 10 });
  t.not(second, first);
  t.true(loop.draining);
  loop.run();
  t.true(second.done);
  t.is(drained, 1);
  t.deepEqual(codes, [undefined]);
  t.true(scope.closed);
});

test('and its signals shut it down again', (t) => {
  const loop = newLoop(t);
  loop.shutdown({ graceMs: 0 });
  loop.run();
  loop.shutdownOn(['SIGUSR2'], { graceMs: 10 });
  const scope = loop.scope('again');
  scope.setTimeout(0, () => process.kill(process.pid, 'SIGUSR2'));
  scope.setInterval(1000, () => undefined);
  loop.run();
  t.true(scope.closed);
});

test('what is written and gathered goes out, also after the handler has begun a shutdown', (t) => {
  for (const order of ['write first', 'shutdown first']) {
    const loop = newLoop(t);
    const [stream, peer] = unixPair(t);
    const write = (connection: Connection): boolean => connection.write('bye');
    const data = (_: Buffer, connection: Connection): void => {
      if (order === 'write first') write(connection);
      loop.shutdown({ graceMs: 100 });
      if (order === 'shutdown first') write(connection);
    };
    loop.scope('server').connection(stream, { data }, { gather: true });
    peer.write(Buffer.from('x'));
    loop.run();
    t.deepEqual(taken(peer), { bytes: 3, ended: true }, order);
  }
});

test('onError and onDrain of a scope with a context of its own run in it', (t) => {
  const loop = newLoop(t);
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const scope = storage.run('request', () => loop.scope('request', { inheritContext: true }));
  scope.onError = function (this: Scope, error, from) {
    seen.push([storage.getStore(), this === scope, from === scope, error]);
  };
  scope.onDrain = () => seen.push(storage.getStore());
  const failure = new Error('broken');
  scope.fail(failure);
  loop.shutdown({ graceMs: 0 });
  t.deepEqual(seen, [['request', true, true, failure], 'request']);
});

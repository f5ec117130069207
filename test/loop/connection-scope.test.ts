/** Whose a connection is, and what becomes of it with its owner. */
import { AsyncLocalStorage } from 'node:async_hooks';
import test from 'ava';
import {
  Loop,
  READABLE,
  WOULD_BLOCK,
  type Connection,
  type ConnectionHandlers,
  type Stream,
} from '../../ts/index.js';
import { newLoop, tcpPair, unixPair } from '../support/pairs.js';

const MIB = 1024 * 1024;
const ignore: ConnectionHandlers = { data: () => undefined };

/** Handlers that write down how often `close` came, and with what. */
function closes(): { errors: (Error | undefined)[]; handlers: ConnectionHandlers } {
  const errors: (Error | undefined)[] = [];
  const close = (_: Connection, error: Error | undefined): void => {
    errors.push(error);
  };
  return { errors, handlers: { ...ignore, close } };
}

/** Reads until the end of the stream while the loop turns. */
function takeAll(loop: Loop, peer: Stream): number {
  const buffer = Buffer.alloc(MIB);
  let bytes = 0;
  for (;;) {
    loop.turn(5);
    for (let taken; (taken = peer.read(buffer)) !== WOULD_BLOCK; bytes += taken) {
      if (taken === 0) return bytes;
    }
  }
}

test('a connection is closed with its scope, and told at once, with the reason', (t) => {
  const loop = newLoop(t);
  const [stream, peer] = unixPair(t);
  const { errors, handlers } = closes();
  const scope = loop.scope('server').scope('one');
  const connection = scope.connection(stream, handlers);
  t.is(connection.scope, scope);
  connection.write(Buffer.alloc(4 * MIB));
  t.true(loop.buffers.lent > 0);
  const reason = new Error('enough');
  scope.close(reason);
  t.deepEqual(errors, [reason]);
  t.true(stream.closed);
  t.is(loop.buffers.lent, 0);
  loop.turn(0);
  t.is(errors.length, 1);
  loop.scope('other').close();
  for (const [close, wanted] of [
    ['no error', undefined],
    [new Error('late'), 'late'],
  ] as const) {
    const other = loop.scope('other');
    const told = closes();
    const destroyed = other.connection(unixPair(t)[0], told.handlers);
    destroyed.destroy(close instanceof Error ? close : undefined);
    other.close('the scope');
    t.is(told.errors.length, 1, 'destroyed before, told now');
    t.is(told.errors[0]?.message, wanted);
    loop.turn(0);
    t.is(told.errors.length, 1);
  }
  peer.close();
});

test('what a handler throws closes the scope, and its connections with the error', (t) => {
  const loop = newLoop(t);
  const scope = loop.scope('server');
  const failure = new Error('on purpose');
  const [stream, peer] = unixPair(t);
  const first = closes();
  const second = closes();
  scope.connection(stream, {
    ...first.handlers,
    data() {
      throw failure;
    },
  });
  scope.connection(unixPair(t)[0], second.handlers);
  peer.write(Buffer.from('x'));
  t.throws(() => loop.turn(), { is: failure });
  t.deepEqual([first.errors, second.errors], [[failure], [failure]]);
  t.is(scope.reason, failure);
  loop.assertEmpty();
});

test('an error that the scope handles leaves the connection open', (t) => {
  const loop = newLoop(t);
  const scope = loop.scope('server');
  const handled: unknown[] = [];
  scope.onError = (error) => handled.push(error);
  const [stream, peer] = unixPair(t);
  let chunks = 0;
  const connection = scope.connection(stream, {
    data() {
      chunks++;
      throw new Error('on purpose');
    },
    close() {
      throw new Error('at the end');
    },
  });
  peer.write(Buffer.from('x'));
  loop.turn();
  peer.write(Buffer.from('x'));
  loop.turn();
  t.is(chunks, 2);
  connection.destroy();
  loop.turn();
  t.is(handled.length, 3);
});

test('who is open: the connection is one line, under the name of its stream', (t) => {
  const loop = newLoop(t);
  const { client, server } = tcpPair(t);
  const [stream] = unixPair(t);
  const scope = loop.scope('server');
  const connection = scope.connection(server, ignore, { label: 'a client' });
  const other = loop.connection(stream, ignore);
  other.write(Buffer.alloc(4 * MIB));
  client.write(Buffer.from('12345'));
  loop.turn();
  // In the order of their making, scope by scope.
  const [first, second, ...rest] = [...loop.entries()];
  t.deepEqual(rest, []);
  t.like(first, { kind: 'TcpStream', label: 'a client', fd: server.fd, interest: READABLE });
  t.like(first, { scope: 'root/server', pending: 0 });
  t.is(first?.bytes?.received, 5);
  t.like(second, { kind: 'UnixStream', label: '', scope: 'root', pending: other.pending });
  connection.pause();
  t.is([...scope.entries()][0]?.interest, 0);
  connection.destroy();
  loop.turn(0);
  scope.assertEmpty();
});

test('a connection stays where it was made, and a stream that was owned moves to it', (t) => {
  const loop = newLoop(t);
  const [one, two] = [loop.scope('one'), loop.scope('two')];
  const [stream] = unixPair(t);
  one.own(stream);
  const connection = two.connection(stream, ignore);
  t.false(one.disown(stream));
  t.throws(() => one.own(connection), { code: 'ERR_INVALID_STATE' });
  t.false(two.disown(connection));
  one.close();
  t.false(connection.closed);
  two.close();
  t.true(connection.closed);
  t.throws(() => two.connection(unixPair(t)[0], ignore), { code: 'ERR_CLOSED' });
  const [refused] = unixPair(t);
  t.throws(() => loop.connection(refused, ignore, { scope: new Loop().root }), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
  t.false(refused.closed);
});

test('a shutdown waits for output that is pending after end, and for nothing else', async (t) => {
  const loop = newLoop(t);
  const [stream, peer] = unixPair(t);
  const [idleStream, idlePeer] = unixPair(t);
  const busy = closes();
  const idle = closes();
  const connection = loop.scope('busy').connection(stream, busy.handlers);
  loop.scope('idle').connection(idleStream, idle.handlers).write('not ended');
  connection.end(Buffer.alloc(4 * MIB));
  const shutdown = loop.shutdown({ graceMs: 60_000 });
  loop.turn();
  t.deepEqual([busy.errors.length, idle.errors.length], [0, 1]);
  const buffer = Buffer.alloc(100);
  t.is(idlePeer.read(buffer), 9);
  t.is(idlePeer.read(buffer), 0);
  t.is(takeAll(loop, peer), 4 * MIB);
  loop.run();
  t.true(shutdown.done);
  t.deepEqual(shutdown.forced, []);
  t.deepEqual(busy.errors, [undefined]);
  await shutdown.ended;
});

test('a shutdown waits no more for a connection that breaks', (t) => {
  const loop = newLoop(t);
  const [stream, peer] = unixPair(t);
  const { errors, handlers } = closes();
  loop.connection(stream, handlers).end(Buffer.alloc(4 * MIB));
  const shutdown = loop.shutdown({ graceMs: 3_600_000 });
  loop.turn(0);
  peer.close();
  loop.run();
  t.true(shutdown.done);
  t.deepEqual(shutdown.forced, []);
  t.is(errors.length, 1);
  t.is((errors[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
});

test('at the deadline a connection that nobody reads is forced, and named', (t) => {
  const loop = newLoop(t);
  const [stream] = unixPair(t);
  const { errors, handlers } = closes();
  const connection = loop.connection(stream, handlers, { label: 'stuck' });
  connection.end(Buffer.alloc(4 * MIB));
  const { pending, fd } = connection;
  const shutdown = loop.shutdown({ graceMs: 20 });
  loop.run();
  t.true(shutdown.done);
  t.is(errors.length, 1);
  t.like(shutdown.forced[0], { label: 'stuck', kind: 'UnixStream', pending, fd });
  loop.assertEmpty();
});

test('onDrain may say goodbye: what it ends goes out before the end', (t) => {
  const loop = newLoop(t);
  const [stream, peer] = unixPair(t);
  const connection = loop.connection(stream, ignore, { gather: true });
  loop.root.onDrain = () => {
    connection.write(Buffer.alloc(MIB));
    connection.end('goodbye');
  };
  loop.shutdown({ graceMs: 60_000 });
  t.is(takeAll(loop, peer), MIB + 7);
});

test('handlers have the values of the scope', (t) => {
  const loop = newLoop(t);
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const see = (name: string) => () => {
    seen.push(`${name} ${String(storage.getStore())}`);
  };
  for (const closesScope of [false, true]) {
    const [stream, peer] = unixPair(t);
    const scope = storage.run('mine', () => loop.scope('server', { inheritContext: true }));
    const connection = scope.connection(stream, {
      data: see('data'),
      end: see('end'),
      drain: see('drain'),
      close: see('close'),
    });
    connection.write(Buffer.alloc(MIB));
    peer.write(Buffer.from('x'));
    const buffer = Buffer.alloc(MIB);
    while (!seen.includes('drain mine')) {
      loop.turn(5);
      peer.read(buffer);
    }
    peer.shutdown('write');
    loop.turn();
    if (closesScope) scope.close();
    else connection.destroy();
    loop.turn(0);
    t.deepEqual(seen.splice(0).sort(), ['close mine', 'data mine', 'drain mine', 'end mine']);
  }
});

test.serial('a connection that ends makes an error only if there is one to tell of', (t) => {
  const loop = newLoop(t);
  const make = Error;
  let made = 0;
  const ends = (end: (connection: Connection) => void): number => {
    const [ours] = unixPair(t);
    const connection = loop.connection(ours, ignore);
    made = 0;
    // Each `new Error` of the library asks for the global one. All of this is in one turn.
    globalThis.Error = class extends make {
      constructor(message?: string) {
        super(message);
        made++;
      }
    } as ErrorConstructor;
    try {
      end(connection);
    } finally {
      globalThis.Error = make;
    }
    return made;
  };
  t.is(
    ends((connection) => {
      connection.destroy();
    }),
    0,
  );
  t.is(
    ends(({ stream }) => {
      stream.close();
    }),
    1,
  );
});

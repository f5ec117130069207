/** A connection of a loop that goes on as a `net.Socket` of Node. */
import { once } from 'node:events';
import type net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import {
  EventFd,
  Loop,
  Poller,
  type BackendName,
  type Connection,
  type ConnectionHandlers,
  type ConnectionOptions,
  type Stream,
} from '../../ts/index.js';
import { O_CLOEXEC } from '../../ts/sys/constants.js';
import { dup3 } from '../../ts/sys/index.js';
import { countDescriptors } from '../support/descriptors.js';
import { isOpen } from '../support/kernel-view.js';
import { closing, tcpPair, unixPair } from '../support/pairs.js';
import { readAll } from '../support/read-all.js';

const MIB = 1024 * 1024;

interface World {
  readonly loop: Loop;
  readonly connection: Connection;
  readonly peer: Stream;
  /** What `close` was called with, each time. */
  readonly closes: (Error | undefined)[];
}

function newWorld(
  t: ExecutionContext,
  [stream, peer]: readonly [Stream, Stream],
  handlers: Partial<ConnectionHandlers> = {},
  options: ConnectionOptions & { readonly backend?: BackendName } = {},
): World {
  const { backend = 'auto', ...rest } = options;
  const loop = closing(t, new Loop({ backend }));
  const closes: (Error | undefined)[] = [];
  const connection = loop.connection(
    stream,
    { data: () => undefined, close: (_, error) => closes.push(error), ...handlers },
    rest,
  );
  return { loop, connection, peer, closes };
}

/** Reads what comes until the end of the stream, beside Node's own loop. */
async function readToEnd(peer: Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(MIB);
    const length = peer.read(chunk);
    if (length === 0) return Buffer.concat(chunks);
    if (length > 0) chunks.push(chunk.subarray(0, length));
    else await setImmediate();
  }
}

for (const backend of Poller.backends() as BackendName[]) {
  for (const transport of ['TCP', 'Unix']) {
    test(`${backend}, ${transport}: what data has brought goes back, and the loop is empty then`, async (t) => {
      const { client, server } = tcpPair(t);
      const ends = transport === 'TCP' ? ([client, server] as const) : unixPair(t);
      let socket: net.Socket | undefined;
      const data: ConnectionHandlers['data'] = (chunk, connection) => {
        socket = connection.toNetSocket({ unread: chunk, allowHalfOpen: true });
      };
      const { loop, connection, peer, closes } = newWorld(t, ends, { data }, { backend });
      const { fd } = connection;
      peer.write(Buffer.from('first, '));
      loop.turn(10_000);
      t.true(connection.closed && connection.stream.closed && connection.fd === -1);
      t.deepEqual(closes, [undefined]);
      t.is(loop.size, 0);
      t.is(loop.registrationOf(fd), undefined);
      t.deepEqual([...loop.entries()], []);
      peer.write(Buffer.from('second'));
      peer.shutdown('write');
      t.is(await readAll(socket as net.Socket), 'first, second');
      socket?.end('answer');
      t.is((await readToEnd(peer)).toString(), 'answer');
    });
  }
}

for (const gather of [false, true]) {
  test(`pending output goes with the connection, before what the socket writes${gather ? ', gathered' : ''}`, async (t) => {
    const { loop, connection, peer, closes } = newWorld(t, unixPair(t), {}, { gather });
    const long = Buffer.alloc(3 * MIB + 7, 'abcdefghijk');
    t.false(connection.write(long));
    t.true(connection.write('') || connection.pending > 0);
    connection.write('and a little');
    t.true(loop.buffers.lent > 0);
    const socket = connection.toNetSocket();
    t.is(connection.pending, 0);
    t.is(loop.buffers.lent, 0);
    socket.end(', and the last');
    const expected = Buffer.concat([long, Buffer.from('and a little, and the last')]);
    t.true((await readToEnd(peer)).equals(expected));
    loop.turn(0);
    t.deepEqual(closes, [undefined]);
  });
}

test('the socket does not end with the scope, and what the scope waited for is no more', async (t) => {
  const loop = closing(t, new Loop());
  const [stream, peer] = unixPair(t);
  const scope = loop.scope('server');
  const connection = scope.connection(stream, { data: () => undefined });
  const socket = connection.toNetSocket();
  loop.turn(0);
  scope.assertEmpty();
  scope.close(new Error('enough'));
  peer.write(Buffer.from('still '));
  peer.write(Buffer.from('there'));
  peer.shutdown('write');
  t.is(await readAll(socket), 'still there');
});

test('a scope can be made to end the socket', async (t) => {
  const loop = closing(t, new Loop());
  const [stream, peer] = unixPair(t);
  const scope = loop.scope('server');
  const socket = scope.connection(stream, { data: () => undefined }).toNetSocket();
  scope.own({
    [Symbol.dispose]: () => {
      socket.destroy();
    },
  });
  scope.close();
  await once(socket, 'close');
  t.is((await readToEnd(peer)).length, 0);
});

test('a closed connection, and one that is ending, is not handed over', (t) => {
  const { connection, loop, peer } = newWorld(t, unixPair(t));
  connection.write(Buffer.alloc(4 * MIB));
  connection.end();
  t.throws(() => connection.toNetSocket(), { code: 'ERR_INVALID_STATE' });
  t.false(connection.closed);
  t.true(connection.pending > 0);
  connection.destroy();
  t.throws(() => connection.toNetSocket(), { code: 'ERR_CLOSED' });
  loop.turn(0);
  t.true(peer.read(Buffer.alloc(8)) > 0);
});

test('a connection whose peer has ended can be handed over in its end handler', async (t) => {
  let socket: net.Socket | undefined;
  const end = (connection: Connection): void => {
    socket = connection.toNetSocket({ allowHalfOpen: true });
  };
  const { loop, peer, closes } = newWorld(t, unixPair(t), { end });
  peer.shutdown('write');
  loop.turn(10_000);
  t.deepEqual(closes, [undefined]);
  t.is(await readAll(socket as net.Socket), '');
  socket?.end('answer');
  t.is((await readToEnd(peer)).toString(), 'answer');
});

test('one that Node does not take goes on in the loop', (t) => {
  const [stream, peer] = unixPair(t);
  const eventFd = closing(t, new EventFd());
  const received: string[] = [];
  const data = (chunk: Buffer): number => received.push(chunk.toString());
  const { connection, loop } = newWorld(t, [stream, peer], { data });
  t.throws(() => connection.toNetSocket({ unread: 7 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  peer.write(Buffer.from('x'));
  loop.turn(10_000);
  t.deepEqual(received, ['x']);
  const { fd } = stream;
  t.is(dup3(eventFd.fd, fd, O_CLOEXEC), fd); // What Node cannot read from is behind the number.
  t.throws(() => connection.toNetSocket(), { code: 'ERR_INVALID_FD_TYPE' });
  t.false(connection.closed);
  connection.destroy();
  t.false(isOpen(fd));
});

test.serial('a thousand connections that go to Node leave no descriptor', async (t) => {
  const loop = closing(t, new Loop());
  const before = countDescriptors();
  for (let i = 0; i < 1000; i++) {
    const [stream, peer] = unixPair(t);
    const socket = loop.connection(stream, { data: () => undefined }).toNetSocket();
    peer.close();
    const closed = once(socket.resume(), 'close');
    await closed;
  }
  t.is(countDescriptors(), before);
});

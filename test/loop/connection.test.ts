/** Streams in a loop, on every backend. The other end is a bare stream, or a program of its own. */
import net from 'node:net';
import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import {
  Connection,
  Loop,
  Poller,
  READABLE,
  TcpListener,
  TcpStream,
  UnixStream,
  WOULD_BLOCK,
  type BackendName,
  type ConnectionHandlers,
  type ConnectionOptions,
  type LoopOptions,
  type Stream,
} from '../../ts/index.js';
import { EPOLLIN } from '../../ts/sys/constants.js';
import { run } from '../support/child.js';
import { countDescriptors } from '../support/descriptors.js';
import { isOpen } from '../support/kernel-view.js';
import {
  awaitReady,
  closing,
  newEventFd,
  portOf,
  tcpPair,
  unixPair,
  waitFor,
} from '../support/pairs.js';
import { testWithPrograms } from '../support/programs.js';
import { Random } from '../support/random.js';

const MIB = 1024 * 1024;
const backends = Poller.backends() as BackendName[];

/** What a connection has told, and what it was told. */
class Log implements ConnectionHandlers {
  readonly received: Buffer[] = [];
  readonly events: string[] = [];
  error: Error | undefined;

  data(chunk: Buffer): void {
    this.received.push(Buffer.from(chunk));
  }

  drain(): void {
    this.events.push('drain');
  }

  close(_: Connection, error: Error | undefined): void {
    this.error = error;
    this.events.push('close');
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }
}

/** A connection in a loop of its own, and the bare stream at the other end. */
interface World {
  readonly loop: Loop;
  readonly connection: Connection;
  readonly log: Log;
  readonly peer: Stream;
  /** Turns the loop until something is so. */
  readonly until: (isSo: () => boolean) => void;
}

interface WorldOptions {
  readonly handlers?: Partial<ConnectionHandlers>;
  readonly connection?: ConnectionOptions;
  readonly loop?: LoopOptions;
}

function turnUntil(loop: Loop, isSo: () => boolean): void {
  const deadline = performance.now() + 20_000;
  while (!isSo()) {
    loop.turn(5);
    if (performance.now() > deadline) throw new Error(`not so: ${String(isSo)}`);
  }
}

/** What has come, without waiting; undefined at the end of the stream. */
function takeNow(stream: Stream, length = MIB): Buffer | undefined {
  const buffer = Buffer.alloc(length);
  const taken = stream.read(buffer);
  if (taken === 0) return undefined;
  return buffer.subarray(0, Math.max(taken, 0));
}

/** Reads a stream to its end while the loop turns. */
function takeAll({ loop, peer }: World): Buffer {
  const all: Buffer[] = [];
  turnUntil(loop, () => {
    for (;;) {
      const chunk = takeNow(peer);
      if (chunk === undefined) return true;
      if (chunk.length === 0) return false;
      all.push(chunk);
    }
  });
  return Buffer.concat(all);
}

/** Writes until a stream takes no more, and answers how many bytes it took. */
function fill(stream: Stream): number {
  const chunk = Buffer.alloc(MIB);
  let bytes = 0;
  for (let before = -1; before < bytes;) {
    before = bytes;
    for (let sent; (sent = stream.write(chunk)) !== WOULD_BLOCK;) bytes += sent;
    untilAcknowledged(stream);
  }
  return bytes;
}

/** What the other end has taken makes room when it says so, which may be some milliseconds later. */
function untilAcknowledged(stream: Stream): void {
  if (!(stream instanceof TcpStream)) return;
  while (stream.info().unacked > 0) waitFor(stream, 0, 1);
}

/** Counts the system calls that change what is watched for. */
function countModifies(body: () => void): number {
  const original = Poller.prototype.modify;
  let count = 0;
  Poller.prototype.modify = function modify(...args) {
    count++;
    original.apply(this, args);
  };
  try {
    body();
  } finally {
    Poller.prototype.modify = original;
  }
  return count;
}

for (const backend of backends) {
  for (const transport of ['TCP', 'Unix'] as const) {
    const newWorld = (t: ExecutionContext, options: WorldOptions = {}): World => {
      const loop = closing(t, new Loop({ backend, ...options.loop }));
      const ends = transport === 'TCP' ? Object.values(tcpPair(t)) : unixPair(t);
      const [peer, stream] = ends as [Stream, Stream];
      const log = new Log();
      const handlers = Object.assign(log, options.handlers);
      const connection = loop.connection(stream, handlers, options.connection);
      return {
        ...{ loop, connection, log, peer },
        until: (isSo) => {
          turnUntil(loop, isSo);
        },
      };
    };
    const on = `(${backend}, ${transport})`;

    test(`bytes go both ways, each once and in order ${on}`, (t) => {
      const random = new Random();
      t.log(`seed ${random.seed}`);
      const bytes = random.bytes(4 * MIB);
      const world = newWorld(t, {
        handlers: {
          data(chunk, connection) {
            if (!connection.write(chunk)) connection.pause();
          },
          drain(connection) {
            connection.resume();
          },
        },
      });
      const { loop, peer, connection, log } = world;
      const back: Buffer[] = [];
      let sent = 0;
      let received = 0;
      turnUntil(loop, () => {
        const end = Math.min(bytes.length, sent + random.integer(1, 300_000));
        if (sent < end) sent += Math.max(peer.write(bytes, sent, end - sent), 0);
        const chunk = takeNow(peer, random.integer(1, 200_000)) as Buffer;
        back.push(chunk);
        received += chunk.length;
        return received === bytes.length;
      });
      t.true(Buffer.concat(back).equals(bytes));
      t.is(connection.pending, 0);
      t.is(loop.buffers.lent, 0);
      peer.close();
      turnUntil(loop, () => connection.closed && log.events.includes('close'));
      t.is(loop.size, 0);
    });

    test(`what the kernel takes at once waits nowhere, and changes nothing ${on}`, (t) => {
      const world = newWorld(t);
      const { loop, connection } = world;
      const modifies = countModifies(() => {
        for (let i = 0; i < 100; i++) {
          t.true(connection.write(Buffer.from(`${i};`)));
          t.is(connection.pending, 0);
          loop.turn(0);
        }
      });
      t.is(modifies, 0);
      t.is(loop.buffers.lent, 0);
      const text = Array.from({ length: 100 }, (_, i) => `${i};`).join('');
      t.is(takeRest(world, text.length).toString(), text);
    });

    test(`one call to watch for room, and one when all has gone ${on}`, (t) => {
      const world = newWorld(t);
      const { loop, connection, log } = world;
      const bytes = new Random(1).bytes(16 * MIB);
      let all = Buffer.alloc(0);
      const modifies = countModifies(() => {
        t.false(connection.write(bytes));
        t.true(connection.pending > 0 && connection.pending < bytes.length);
        t.is(loop.buffers.lent, Math.ceil(connection.pending / 65_536));
        t.deepEqual(log.events, [], 'not in the middle of write');
        connection.write(Buffer.alloc(0));
        const parts: Buffer[] = [];
        turnUntil(loop, () => {
          parts.push(takeNow(world.peer) as Buffer);
          return log.events.includes('drain');
        });
        t.is(connection.pending, 0);
        parts.push(takeRest(world, bytes.length - Buffer.concat(parts).length));
        all = Buffer.concat(parts);
      });
      t.is(modifies, 2);
      t.true(all.equals(bytes));
      t.deepEqual(log.events, ['drain']);
      t.is(loop.buffers.lent, 0);
    });

    test(`drain comes at the low-water mark, once for each false ${on}`, (t) => {
      let atDrain = -1;
      const world = newWorld(t, {
        connection: { highWaterMark: MIB, lowWaterMark: 100_000 },
        handlers: {
          drain(connection) {
            atDrain = connection.pending;
          },
        },
      });
      const { connection, peer, loop } = world;
      fill(connection.stream);
      t.true(connection.write(Buffer.alloc(MIB - 1)), 'below the mark');
      t.false(connection.write(Buffer.alloc(1)), 'at the mark');
      t.false(connection.write(Buffer.alloc(1)));
      turnUntil(loop, () => {
        takeNow(peer, 50_000);
        return atDrain >= 0;
      });
      t.true(atDrain <= 100_000);
      atDrain = -1;
      turnUntil(loop, () => {
        takeNow(peer);
        return connection.pending === 0;
      });
      loop.turn(0);
      t.is(atDrain, -1, 'nobody had been told to wait');
    });

    test(`strings are sent as UTF-8, whatever their length ${on}`, (t) => {
      const world = newWorld(t);
      const { connection } = world;
      const texts = [
        '',
        'plain',
        'Grüße, 世界 🎉',
        '\ud800 alone',
        'ä🎉x'.repeat(30_000),
        '€'.repeat(21_845),
      ];
      for (const text of texts) connection.write(text);
      connection.end('the end ✓');
      t.is(takeAll(world).toString(), Buffer.from(`${texts.join('')}the end ✓`).toString());
    });

    test(`any view is sent as its bytes; nothing of it is kept ${on}`, (t) => {
      const world = newWorld(t);
      const { connection } = world;
      const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(0x61);
      connection.write(shared);
      connection.write(new Uint16Array([0x6262, 0x6262]) as unknown as Uint8Array);
      connection.write(new DataView(Buffer.from('xccx').buffer, 0, 0) as unknown as Uint8Array);
      const filled = fill(connection.stream);
      const bytes = Buffer.from('kept as it was');
      connection.write(bytes);
      bytes.fill(0);
      connection.end();
      const all = takeAll(world);
      t.is(all.subarray(0, 7).toString(), 'aaabbbb');
      t.is(all.subarray(7 + filled).toString(), 'kept as it was');
    });

    test(`many small writes lie in one buffer ${on}`, (t) => {
      const world = newWorld(t);
      const { connection, loop } = world;
      const filled = fill(connection.stream);
      for (let i = 0; i < 6000; i++) connection.write('0123456789');
      t.is(connection.pending, 60_000);
      t.is(loop.buffers.lent, 1);
      connection.end();
      t.is(takeAll(world).subarray(filled).toString(), '0123456789'.repeat(6000));
      t.is(loop.buffers.lent, 0);
    });

    test(`gathered writes go out at the end of the turn, with one call ${on}`, (t) => {
      const world = newWorld(t, { connection: { gather: true } });
      const { connection, loop, peer } = world;
      const { stream } = connection;
      const lengths: number[] = [];
      const original = stream.write.bind(stream);
      stream.write = (buffer, offset, length) => {
        lengths.push(length ?? Number.NaN);
        return original(buffer, offset, length);
      };
      loop.defer(() => {
        for (let i = 0; i < 1000; i++) t.true(connection.write('0123456789'));
        t.is(connection.pending, 10_000);
      });
      loop.turn();
      loop.turn();
      t.deepEqual(lengths, [10_000]);
      t.is(connection.pending, 0);
      t.is(loop.buffers.lent, 0);
      // What fills a buffer goes at once.
      connection.write(Buffer.alloc(60_000));
      connection.write(Buffer.alloc(10_000));
      t.deepEqual(lengths.slice(1), [60_000, 10_000]);
      connection.write('x');
      connection.end('y');
      t.deepEqual(lengths.slice(3), [2]);
      t.is(takeAll(world).length, 80_002);
      peer.close();
      turnUntil(loop, () => connection.closed);
    });

    test(`end sends what is pending, and reading goes on after it ${on}`, (t) => {
      const world = newWorld(t);
      const { connection, loop, peer, log } = world;
      const bytes = new Random(2).bytes(8 * MIB);
      connection.write(bytes.subarray(0, bytes.length - 10));
      connection.end(bytes.subarray(bytes.length - 10));
      connection.end();
      t.true(connection.pending > 0);
      t.true(takeAll(world).equals(bytes));
      t.false(connection.closed);
      peer.write(Buffer.from('still there'));
      turnUntil(loop, () => log.bytes.toString() === 'still there');
      peer.shutdown('write');
      turnUntil(loop, () => log.events.length > 0);
      t.deepEqual(log.events, ['close'], 'no drain after the end');
      t.is(log.error, undefined);
      t.true(connection.closed);
      t.is(connection.fd, -1);
      t.is(loop.size, 0);
    });

    test(`the end of the peer ends the connection, unless a handler says otherwise ${on}`, (t) => {
      const simple = newWorld(t);
      simple.peer.write(Buffer.from('last'));
      simple.peer.shutdown('write');
      simple.until(() => simple.log.events.length > 0);
      t.is(simple.log.bytes.toString(), 'last');
      t.deepEqual(simple.log.events, ['close']);
      t.is(takeNow(simple.peer), undefined, 'and the peer reads the end');

      let ends = 0;
      const { connection, peer, until, log, loop } = newWorld(t, {
        handlers: {
          end() {
            ends++;
          },
        },
      });
      peer.shutdown('write');
      until(() => ends > 0);
      for (let i = 0; i < 3; i++) loop.turn(0);
      t.is(ends, 1);
      t.false(connection.closed);
      connection.write('an answer');
      awaitReady(peer, EPOLLIN);
      t.is(takeNow(peer)?.toString(), 'an answer');
      connection.end();
      t.true(connection.closed, 'both directions are done');
      t.deepEqual(log.events, []);
      loop.turn();
      t.deepEqual(log.events, ['close']);
    });

    test(`write after end is an error of the caller, after the peer’s it is in vain ${on}`, (t) => {
      const own = newWorld(t);
      own.connection.end();
      t.throws(() => own.connection.write('x'), { code: 'ERR_STREAM_WRITE_AFTER_END' });
      t.throws(
        () => {
          own.connection.end('x');
        },
        { code: 'ERR_STREAM_WRITE_AFTER_END' },
      );
      own.connection.end();
      own.peer.shutdown('write');
      own.until(() => own.log.events.length > 0);
      t.throws(() => own.connection.write('x'), { code: 'ERR_STREAM_WRITE_AFTER_END' });

      const others = newWorld(t);
      others.peer.shutdown('write');
      others.until(() => others.connection.closed);
      t.false(others.connection.write('x'));
      const destroyed = newWorld(t);
      destroyed.connection.destroy();
      t.false(destroyed.connection.write('x'));
      destroyed.connection.end();
      destroyed.connection.pause();
      destroyed.connection.resume();
      destroyed.connection.destroy(new Error('too late'));
      destroyed.until(() => destroyed.log.events.length > 0);
      t.is(destroyed.log.error, undefined);
    });

    test(`a peer that has gone is told by close, once, and not in the middle of write ${on}`, (t) => {
      const { connection, peer, log, loop } = newWorld(t);
      connection.pause();
      if (peer instanceof TcpStream) peer.setLinger(0);
      peer.close();
      const broken: boolean[] = [];
      loop.defer(() => {
        for (let i = 0; i < 10; i++) {
          broken.push(connection.write('x'.repeat(100_000)));
          t.deepEqual(log.events, []);
        }
      });
      loop.turn(0);
      loop.turn(0);
      loop.turn(0);
      t.false(broken.at(-1));
      t.true(connection.closed);
      t.deepEqual(log.events, ['close']);
      t.regex(String((log.error as NodeJS.ErrnoException).code), /^(EPIPE|ECONNRESET)$/);
      t.is(loop.buffers.lent, 0);
    });

    test(`a paused connection hears nothing and loses nothing ${on}`, (t) => {
      const { connection, peer, log, loop, until } = newWorld(t);
      connection.pause();
      connection.pause();
      t.true(connection.paused);
      peer.write(Buffer.from('one'));
      t.is(loop.turn(20), 0);
      connection.resume();
      t.false(connection.paused);
      until(() => log.bytes.toString() === 'one');
      peer.write(Buffer.from('two'));
      awaitReady(connection, EPOLLIN);
      // Paused by another handler of the same batch.
      loop.register(newEventFd(t, 1), READABLE, ({ registration }) => {
        registration?.deregister();
        connection.pause();
      });
      loop.turn(0);
      loop.turn(0);
      t.true(['one', 'onetwo'].includes(log.bytes.toString()));
      connection.resume();
      until(() => log.bytes.toString() === 'onetwo');
    });

    test(`paused in its own data handler, it reads what it was about to later ${on}`, (t) => {
      const chunks: number[] = [];
      const { connection, peer, loop, until } = newWorld(t, {
        loop: { buffers: { bufferBytes: 10 } },
        handlers: {
          data(chunk, self) {
            chunks.push(chunk.length);
            self.pause();
          },
        },
      });
      peer.write(Buffer.alloc(25));
      until(() => chunks.length > 0);
      t.is(loop.turn(20), 0);
      t.deepEqual(chunks, [10]);
      connection.resume();
      until(() => chunks.length > 1);
      connection.resume();
      until(() => chunks.length > 2);
      t.deepEqual(chunks, [10, 10, 5]);
    });

    test(`a paused connection whose peer has gone does not spin, and reads it all in the end ${on}`, (t) => {
      const { connection, peer, log, loop, until } = newWorld(t);
      connection.end();
      connection.pause();
      peer.write(Buffer.from('last words'));
      takeNow(peer);
      peer.close();
      loop.setTimeout(1e6, () => undefined);
      loop.turn(20);
      const before = process.cpuUsage().user;
      t.is(loop.turn(100), 0, 'nothing is left to tell');
      connection.pause();
      // It has left the loop, where the kernel goes on reporting the end: the timer is alone.
      t.is(loop.size, backend === 'select' ? 2 : 1);
      t.true(process.cpuUsage().user - before < 90_000);
      connection.resume();
      until(() => log.events.length > 0);
      t.is(log.bytes.toString(), 'last words');
      t.deepEqual(log.events, ['close']);
    });

    test(`a connection that only writes hears of the end of its peer ${on}`, (t) => {
      const { peer, log, until } = newWorld(t, {
        handlers: { end: () => undefined },
      });
      peer.shutdown('write');
      if (peer instanceof TcpStream) peer.setLinger(0);
      until(() => log.events.length === 0);
      peer.close();
      if (backend === 'select') {
        t.pass(); // select(2) has no word for it: the next write tells
        return;
      }
      until(() => log.events.length > 0);
      t.deepEqual(log.events, ['close']);
    });

    test(`destroy is possible in every handler ${on}`, (t) => {
      const provoke: Record<keyof ConnectionHandlers, (world: World) => void> = {
        data: ({ peer }) => {
          peer.write(Buffer.from('x'));
        },
        end: ({ peer }) => {
          peer.shutdown('write');
        },
        drain: (world) => {
          fill(world.connection.stream);
          world.connection.write(Buffer.alloc(65_536));
          world.until(() => {
            takeNow(world.peer);
            return world.connection.closed;
          });
        },
        close: ({ connection }) => {
          connection.destroy();
        },
      };
      for (const handler of ['data', 'end', 'drain', 'close'] as const) {
        const error = new Error(handler);
        const destroy = (...args: [unknown, unknown?]): void => {
          const connection = args.find((value) => value instanceof Connection);
          connection?.write('x');
          connection?.destroy(error);
          connection?.destroy();
          connection?.end();
        };
        let closes = 0;
        const world = newWorld(t, { handlers: { [handler]: destroy } });
        const { close } = world.log;
        world.log.close = function (connection, reason) {
          closes++;
          close.call(this, connection, reason);
        };
        provoke[handler](world);
        world.until(() => closes > 0);
        world.loop.turn(0);
        t.is(closes, 1, handler);
        if (handler !== 'close') t.is(world.log.error, error, handler);
        t.is(world.loop.size, 0);
        t.is(world.loop.buffers.lent, 0);
      }
    });

    test(`what a handler throws leaves by the turn, and the connection goes on ${on}`, (t) => {
      const fail = (): never => {
        throw new Error('on purpose');
      };
      const { connection, peer, loop, until, log } = newWorld(t, {
        handlers: { data: fail, end: fail, drain: fail, close: fail },
      });
      const failure = { message: 'on purpose' };
      const throwing = (): void => {
        t.throws(() => {
          until(() => {
            takeNow(peer);
            return false;
          });
        }, failure);
      };
      peer.write(Buffer.from('x'));
      throwing();
      t.false(connection.closed);
      log.data = Log.prototype.data;
      fill(connection.stream);
      t.false(connection.write(Buffer.alloc(100_000)));
      throwing();
      t.is(connection.pending, 0);
      peer.write(Buffer.from('still read'));
      until(() => log.bytes.toString() === 'still read');
      peer.shutdown('write');
      throwing();
      connection.write('still written');
      connection.destroy();
      throwing();
      t.is(loop.turn(0), 0, 'close was called, once');
      t.is(loop.size, 0);
    });

    test(`closing the loop closes its connections, and each is told ${on}`, (t) => {
      const { connection, peer, loop, log } = newWorld(t, {
        handlers: {
          data() {
            loop.close();
            log.events.push('closed the loop');
          },
        },
      });
      const fd = connection.fd;
      const dying = loop.connection(unixPair(t)[0], { data: () => undefined });
      let told = 0;
      const failing = loop.connection(unixPair(t)[0], {
        data: () => undefined,
        close() {
          told++;
          throw new Error('on purpose');
        },
      });
      fill(dying.stream);
      dying.write(Buffer.alloc(100_000));
      failing.destroy();
      peer.write(Buffer.from('x'));
      awaitReady(connection, EPOLLIN);
      t.throws(
        () => {
          loop.run();
        },
        { message: 'on purpose' },
      );
      t.deepEqual(log.events, ['close', 'closed the loop']);
      t.is(told, 1);
      t.true(connection.closed && dying.closed);
      t.is(loop.buffers.lent, 0);
      t.false(isOpen(fd) && connection.fd === fd);
      t.throws(() => loop.connection(peer, { data: () => undefined }), { code: 'ERR_CLOSED' });
      t.false(peer.closed, 'it stays the caller’s');
    });

    test(`a pool without a buffer ends who wants one, and nobody else ${on}`, (t) => {
      const { connection, loop, log, peer } = newWorld(t, {
        loop: { buffers: { bufferBytes: 1000, maxBuffers: 3 } },
      });
      const [stream, far] = unixPair(t);
      const other = new Log();
      const second = loop.connection(stream, other);
      fill(connection.stream);
      t.true(connection.write(Buffer.alloc(2500)));
      t.is(loop.buffers.free, 0);
      t.true(second.write('the kernel has room'));
      far.write(Buffer.from('read as ever'));
      turnUntil(loop, () => other.bytes.length > 0);
      t.true(connection.write(Buffer.alloc(500)), 'there is room in its own last buffer');
      fill(second.stream);
      t.false(second.write('x'));
      t.true(second.closed);
      t.deepEqual(other.events, []);
      turnUntil(loop, () => other.events.length > 0);
      t.is((other.error as NodeJS.ErrnoException).code, 'ENOBUFS');
      t.false(connection.write('x'), 'it asks for more itself');
      turnUntil(loop, () => log.events.length > 0);
      t.is((log.error as NodeJS.ErrnoException).code, 'ENOBUFS');
      t.is(loop.buffers.lent, 0);
      peer.close();
    });

    test(`gathering without a buffer sends at once ${on}`, (t) => {
      const world = newWorld(t, {
        loop: { buffers: { bufferBytes: 1000, maxBuffers: 1 } },
        connection: { gather: true },
      });
      const { loop, connection } = world;
      const buffer = loop.buffers.lend() as Buffer;
      t.true(connection.write('at once'));
      t.is(connection.pending, 0);
      loop.buffers.giveBack(buffer);
      connection.end(' and later');
      t.is(takeAll(world).toString(), 'at once and later');
    });
  }
}

/** So many bytes more from the other end. */
function takeRest(world: World, length: number): Buffer {
  const parts: Buffer[] = [];
  let bytes = 0;
  turnUntil(world.loop, () => {
    const chunk = takeNow(world.peer) as Buffer;
    parts.push(chunk);
    bytes += chunk.length;
    return bytes >= length;
  });
  return Buffer.concat(parts);
}

const ignore: ConnectionHandlers = { data: () => undefined };

test('a connection that another handler of the turn has paused stays in the loop', (t) => {
  const loop = closing(t, new Loop());
  const pairs = [unixPair(t), unixPair(t)];
  let chunks = 0;
  const connections: Connection[] = pairs.map(([stream]) =>
    loop.connection(stream, {
      data() {
        chunks++;
        for (const connection of connections) connection.pause();
      },
    }),
  );
  for (const [, peer] of pairs) peer.write(Buffer.from('x'));
  loop.turn();
  t.is(chunks, 1);
  t.is(loop.size, 2);
  for (const connection of connections) connection.resume();
  loop.turn();
  t.is(chunks, 2);
});

test('the end of a connection that was reset meanwhile is told by close', (t) => {
  const loop = closing(t, new Loop());
  const { client, server } = tcpPair(t);
  const log = new Log();
  const connection = loop.connection(server, log);
  connection.pause();
  client.setLinger(0);
  client.close();
  awaitReady(server, EPOLLIN);
  connection.end();
  turnUntil(loop, () => log.events.length > 0);
  t.is((log.error as NodeJS.ErrnoException).code, 'ECONNRESET');
});

test('a reset is ECONNRESET, after what came before it', (t) => {
  const loop = closing(t, new Loop());
  const { client, server } = tcpPair(t);
  const log = new Log();
  loop.connection(server, log);
  client.write(Buffer.from('before'));
  awaitReady(server, EPOLLIN);
  client.setLinger(0);
  client.close();
  turnUntil(loop, () => log.events.length > 0);
  t.is((log.error as NodeJS.ErrnoException).code, 'ECONNRESET');
  t.is(log.bytes.toString(), 'before');
});

test('a stream that is connecting keeps what is written, and its end', async (t) => {
  const loop = closing(t, new Loop());
  const listener = closing(t, TcpListener.listen({ port: 0 }));
  const log = new Log();
  const connection = loop.connection(TcpStream.connect({ port: portOf(listener) }), log);
  connection.write('hello');
  connection.end(' and goodbye');
  awaitReady(listener, EPOLLIN);
  const accepted = closing(t, listener.accept() as TcpStream);
  const world = { loop, connection, log, peer: accepted, until: () => undefined };
  t.is(takeAll(world).toString(), 'hello and goodbye');
  accepted.close();
  turnUntil(loop, () => log.events.length > 0);
  t.is(log.error, undefined);
  await Promise.resolve();
});

test('a connect that is refused is told by close', (t) => {
  const loop = closing(t, new Loop());
  const listener = TcpListener.listen({ port: 0 });
  const port = portOf(listener);
  listener.close();
  for (const paused of [false, true]) {
    const log = new Log();
    let stream;
    try {
      stream = TcpStream.connect({ port });
    } catch (error) {
      t.is((error as NodeJS.ErrnoException).code, 'ECONNREFUSED'); // the kernel knew at once
      continue;
    }
    const connection = loop.connection(stream, log);
    if (paused) connection.pause();
    connection.end('x');
    turnUntil(loop, () => log.events.length > 0);
    t.deepEqual(log.events, ['close']);
    t.is((log.error as NodeJS.ErrnoException).code, 'ECONNREFUSED');
  }
});

test('a stream that was closed behind the back is told by close', (t) => {
  const loop = closing(t, new Loop());
  for (const use of [
    (connection: Connection) => connection.write('x'),
    (connection: Connection) => {
      connection.pause();
    },
    (connection: Connection) => {
      connection.end();
    },
  ]) {
    const [stream] = unixPair(t);
    const log = new Log();
    const connection = loop.connection(stream, log);
    const { fd } = stream;
    stream.close();
    // Somebody else has the number, and a registration of his own.
    const [successor] = unixPair(t);
    t.is(successor.fd, fd);
    const registration = loop.register(successor, READABLE, () => undefined);
    use(connection);
    turnUntil(loop, () => log.events.length > 0);
    t.is((log.error as NodeJS.ErrnoException).code, 'ERR_CLOSED');
    t.is(registration.interest, READABLE);
    t.true(registration.active);
    registration.deregister();
  }
});

test('a chunk whose memory was taken away does not hurt the next one', (t) => {
  const loop = closing(t, new Loop());
  const [stream, peer] = unixPair(t);
  const { port1, port2 } = new MessageChannel();
  const texts: string[] = [];
  loop.connection(stream, {
    data(chunk) {
      texts.push(chunk.toString());
      port1.postMessage(chunk, [chunk.buffer as ArrayBuffer]);
      t.is(chunk.length, 0);
    },
  });
  for (const text of ['one', 'two', 'six']) {
    peer.write(Buffer.from(text));
    loop.turn();
  }
  t.deepEqual(texts, ['one', 'two', 'six']);
  port1.close();
  port2.close();
});

test('what is no stream, handlers, bytes or mark is refused, and the stream stays', (t) => {
  const loop = closing(t, new Loop());
  const [stream] = unixPair(t);
  const type = { code: 'ERR_INVALID_ARG_TYPE' };
  const range = { code: 'ERR_OUT_OF_RANGE' };
  for (const wrong of [undefined, null, 1, {}, newEventFd(t)]) {
    t.throws(() => loop.connection(wrong as Stream, ignore), type);
  }
  for (const wrong of [undefined, null, 1, {}, { data: 1 }, { ...ignore, end: 1 }]) {
    t.throws(() => loop.connection(stream, wrong as unknown as ConnectionHandlers), type);
  }
  for (const highWaterMark of [0, -1, 0.5, Number.NaN, Infinity]) {
    t.throws(() => loop.connection(stream, ignore, { highWaterMark }), range);
  }
  for (const lowWaterMark of [-1, 0.5, 10, Number.NaN]) {
    t.throws(() => loop.connection(stream, ignore, { highWaterMark: 10, lowWaterMark }), range);
  }
  t.throws(() => loop.connection(stream, ignore, null as unknown as object), type);
  t.is(loop.size, 0);
  const connection = loop.connection(stream, ignore);
  t.throws(() => loop.connection(stream, ignore), { code: 'ERR_INVALID_STATE' });
  for (const wrong of [undefined, null, 1, {}, []]) {
    t.throws(() => connection.write(wrong as string), type);
  }
  t.false(connection.closed);
});

test.serial('a thousand connections leave no descriptor and no buffer', (t) => {
  const loop = closing(t, new Loop());
  const before = countDescriptors();
  let closed = 0;
  for (let i = 0; i < 1000; i++) {
    const [left, right] = UnixStream.pair();
    const handlers = { ...ignore, close: () => closed++ };
    const connections = [loop.connection(left, handlers), loop.connection(right, handlers)];
    connections[i % 2]?.write(Buffer.alloc(i % 3 === 0 ? 500_000 : 10));
    if (i % 5 === 0) connections[0]?.destroy();
    else connections[0]?.end();
    turnUntil(loop, () => connections.every((connection) => connection.closed));
    loop.turn(0);
  }
  t.is(closed, 2000);
  t.is(loop.size, 0);
  t.is(loop.buffers.lent, 0);
  t.is(countDescriptors(), before);
});

test.serial('messages of a size that recurs allocate nothing', (t) => {
  const loop = closing(t, new Loop());
  const [left, right] = UnixStream.pair();
  let messages = 0;
  let wanted = 0;
  const echo: ConnectionHandlers = {
    data(chunk, connection) {
      if (++messages >= wanted) loop.stop();
      connection.write(chunk);
    },
  };
  const first = loop.connection(left, echo);
  loop.connection(right, echo);
  const runFor = (count: number): number => {
    wanted = messages + count;
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    loop.run();
    return (process.memoryUsage().heapUsed - before) / count;
  };
  first.write(Buffer.alloc(64));
  runFor(100_000);
  // Whatever is allocated for a message has 12 bytes at least.
  const bytes = Math.min(...[1, 2, 3].map(() => runFor(100_000)));
  t.log(`${bytes.toFixed(2)} bytes a message`);
  t.true(bytes < 6);
});

test('runAsync: a client of Node and a connection exchange 10 MiB', async (t) => {
  const loop = closing(t, new Loop());
  const listener = closing(t, TcpListener.listen({ port: 0 }));
  loop.register(listener, READABLE, () => {
    const stream = listener.accept();
    if (stream === null) return;
    loop.connection(stream, {
      data(chunk, connection) {
        if (!connection.write(chunk)) connection.pause();
      },
      drain(connection) {
        connection.resume();
      },
    });
  });
  const running = loop.runAsync();
  const bytes = new Random(3).bytes(10 * MIB);
  const socket = net.connect({ port: portOf(listener), host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.end(bytes);
  await once(socket, 'end');
  t.true(Buffer.concat(chunks).equals(bytes));
  loop.stop();
  await running;
});

test('runAsync: what is written from outside a turn goes out, and is told when it has', async (t) => {
  const loop = closing(t, new Loop());
  const [left, right] = unixPair(t);
  let drained = 0;
  const connection = loop.connection(left, { ...ignore, drain: () => drained++ });
  const running = loop.runAsync();
  await new Promise((resolve) => setImmediate(resolve));
  t.false(connection.write(Buffer.alloc(4 * MIB)));
  let taken = 0;
  while (taken < 4 * MIB) {
    taken += (takeNow(right) as Buffer).length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  while (drained === 0) await new Promise((resolve) => setImmediate(resolve));
  t.is(drained, 1);
  connection.destroy();
  await running;
  t.is(loop.size, 0);
});

testWithPrograms(['nc'], 'nc gets everything that a connection wrote before its end', async (t) => {
  const loop = closing(t, new Loop());
  const listener = closing(t, TcpListener.listen({ port: 0 }));
  const text = 'line of text\n'.repeat(500_000);
  let received = '';
  const registration = loop.register(listener, READABLE, () => {
    const stream = listener.accept();
    if (stream === null) return;
    registration.deregister();
    const connection = loop.connection(stream, {
      data: (chunk) => (received += chunk.toString()),
      end: () => undefined,
    });
    connection.end(text);
  });
  const client = run('nc', ['-N', '127.0.0.1', String(portOf(listener))], { input: 'from nc' });
  await loop.runAsync();
  const { stdout } = await client;
  t.true(stdout === text);
  t.is(received, 'from nc');
});

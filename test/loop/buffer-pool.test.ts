/** Buffers that are lent and come back. */
import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import { BufferPool, Loop } from '../../ts/index.js';
import { closing } from '../support/pairs.js';

test('it lends so many buffers, and none more until one comes back', (t) => {
  const pool = new BufferPool({ bufferBytes: 100, maxBuffers: 3 });
  const lent = [pool.lend(), pool.lend(), pool.lend()];
  t.deepEqual(
    lent.map((buffer) => buffer?.length),
    [100, 100, 100],
  );
  t.is(new Set(lent.map((buffer) => buffer?.buffer)).size, 3, 'each has memory of its own');
  t.deepEqual([pool.lent, pool.free], [3, 0]);
  t.is(pool.lend(), undefined);
  pool.giveBack(lent[1] as Buffer);
  t.deepEqual([pool.lent, pool.free], [2, 1]);
  t.is(pool.lend(), lent[1], 'it is used again');
  t.is(pool.lend(), undefined);
});

test('a buffer comes back once, and only where it is from', (t) => {
  const pool = new BufferPool({ bufferBytes: 100 });
  const buffer = pool.lend() as Buffer;
  const state = { code: 'ERR_INVALID_STATE' };
  const giveBack = (what: unknown) => () => {
    pool.giveBack(what as Buffer);
  };
  t.throws(giveBack(buffer.subarray(0, 100)), state);
  t.throws(giveBack(new BufferPool().lend()), state);
  for (const what of [undefined, null, {}, new Uint8Array(100), 'x']) {
    t.throws(giveBack(what), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  t.is(pool.lent, 1);
  pool.giveBack(buffer);
  t.throws(giveBack(buffer), state);
  t.is(pool.lent, 0);
});

test('a buffer whose memory went to another thread is not lent again', (t) => {
  const pool = new BufferPool({ bufferBytes: 100, maxBuffers: 2 });
  const { port1, port2 } = new MessageChannel();
  const gone = pool.lend() as Buffer;
  port1.postMessage(gone, [gone.buffer as ArrayBuffer]);
  t.is(gone.length, 0);
  pool.giveBack(gone);
  const next = [pool.lend(), pool.lend()];
  t.deepEqual(
    next.map((buffer) => buffer?.length),
    [100, 100],
  );
  t.is(pool.lend(), undefined);
  port1.close();
  port2.close();
});

test('what is no size is refused', (t) => {
  for (const bufferBytes of [0, -1, 1.5, Number.NaN, 2 ** 30 + 1]) {
    t.throws(() => new BufferPool({ bufferBytes }), { code: 'ERR_OUT_OF_RANGE' });
    t.throws(() => new Loop({ buffers: { bufferBytes } }), { code: 'ERR_OUT_OF_RANGE' });
  }
  for (const maxBuffers of [0, -1, 1.5, Number.NaN, 2 ** 31]) {
    t.throws(() => new BufferPool({ maxBuffers }), { code: 'ERR_OUT_OF_RANGE' });
  }
  for (const wrong of ['1', null, {}, 1n]) {
    t.throws(() => new BufferPool({ bufferBytes: wrong as number }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
  }
  t.throws(() => new BufferPool(null as unknown as object), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('a loop has a pool as it was asked for', (t) => {
  const { buffers } = closing(t, new Loop({ buffers: { bufferBytes: 512, maxBuffers: 7 } }));
  t.deepEqual([buffers.bufferBytes, buffers.maxBuffers, buffers.free], [512, 7, 7]);
  const standard = closing(t, new Loop()).buffers;
  t.deepEqual([standard.bufferBytes, standard.maxBuffers, standard.lent], [65_536, 1024, 0]);
});

/** Channels of values. */
import test from 'ava';
import { Channel, Receiver, Sender } from '../../ts/index.js';
import { closing } from '../support/pairs.js';

test('values come as they were: copies, in order', (t) => {
  const { sender, receiver } = Channel.open();
  closing(t, sender);
  closing(t, receiver);
  const self: { name: string; self?: unknown } = { name: 'a' };
  self.self = self;
  const values: unknown[] = [
    ...[0, -0, Number.NaN, 2n ** 80n, '', 'ü', true, null, undefined],
    ...[[1, [2]], { a: { b: 1 } }, new Map([[1, new Set([2])]]), new Date(5), /x/g],
    ...[new Uint8Array([1, 2, 3]), new Float64Array([0.5]), new TypeError('no')],
  ];
  for (const value of values) t.true(sender.trySend(value));
  t.true(sender.trySend(self));
  for (const value of values) {
    t.deepEqual(receiver.tryReceive(), { done: false, value } as never);
  }
  const came = receiver.tryReceive()?.value as typeof self;
  t.is(came.self, came);
  t.not(came, self);
  t.is(receiver.tryReceive(), undefined);
  sender.close();
  t.deepEqual(receiver.tryReceive(), { done: true, value: undefined });
});

test('typed arrays of values are not overwritten by later values', (t) => {
  const { sender, receiver } = Channel.open<Float64Array>();
  closing(t, sender);
  closing(t, receiver);
  const came: Float64Array[] = [];
  for (let i = 0; i < 50; i++) {
    sender.trySend(new Float64Array([i, i]));
    came.push(receiver.tryReceive()?.value as Float64Array);
  }
  for (const [i, value] of came.entries()) t.deepEqual([...value], [i, i]);
});

test('what cannot be cloned throws at send, and nothing is sent', (t) => {
  const { sender, receiver } = Channel.open();
  closing(t, sender);
  closing(t, receiver);
  for (const value of [() => 1, Symbol('a'), { a: () => 1 }, new WeakMap()]) {
    t.throws(() => sender.trySend(value), { message: /could not be cloned/ });
  }
  const bad = {
    get a() {
      throw new RangeError('mine');
    },
  };
  t.throws(() => sender.trySend(bad), { message: 'mine' });
  t.is(receiver.tryReceive(), undefined);
});

test('large values: the receiver makes room for them, up to maxMessageBytes', (t) => {
  const { sender, receiver } = Channel.open<string>({ maxMessageBytes: 100_000 });
  closing(t, sender);
  closing(t, receiver);
  for (const length of [1, 90_000, 5]) {
    sender.trySend('x'.repeat(length));
    t.is(receiver.tryReceive()?.value?.length, length);
  }
  t.throws(() => sender.trySend('x'.repeat(100_001)), { code: 'ERR_OUT_OF_RANGE' });
  t.is(receiver.tryReceive(), undefined);
});

test('shares of values are claimed by their own classes', (t) => {
  const { sender, receiver } = Channel.open<number>();
  closing(t, sender);
  closing(t, receiver);
  const otherSender = closing(t, Sender.from<number>(sender.share()));
  const otherReceiver = closing(t, Receiver.from<number>(receiver.share()));
  otherSender.trySend(1);
  t.deepEqual(otherReceiver.tryReceive(), { done: false, value: 1 });
  t.throws(() => Sender.from(receiver.share()), { code: 'ERR_INVALID_ARG_TYPE' });
});

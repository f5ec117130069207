/** Byte channels: what each call answers, what the descriptors show, what closing does. */
import test from 'ava';
import type { ExecutionContext } from 'ava';
import {
  ByteChannel,
  ByteReceiver,
  ByteSender,
  CHANNEL_END,
  Poller,
  PollerEvents,
  READABLE,
  WOULD_BLOCK,
  type ByteChannelEnds,
  type ChannelOptions,
  type HasFd,
} from '../../ts/index.js';
import { closing } from '../support/pairs.js';

function open(t: ExecutionContext, options: ChannelOptions = {}): ByteChannelEnds {
  const ends = ByteChannel.open(options);
  closing(t, ends.sender);
  closing(t, ends.receiver);
  return ends;
}

/** What a descriptor shows, to a set that has just been told of it. */
function isReadable(end: HasFd): boolean {
  using poller = new Poller();
  poller.add(end, READABLE);
  return poller.wait(new PollerEvents(1), 0) === 1;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test('messages come in order, each whole, and empty ones are messages', (t) => {
  const { sender, receiver } = open(t);
  t.true(sender.trySend(bytes(1, 2, 3)));
  t.true(sender.trySend(bytes()));
  t.true(sender.trySend(bytes(4)));
  const buffer = new Uint8Array(8);
  t.is(receiver.tryReceive(buffer), 3);
  t.deepEqual(buffer.subarray(0, 3), bytes(1, 2, 3));
  t.is(receiver.tryReceive(buffer), 0);
  t.is(receiver.tryReceive(buffer), 1);
  t.is(buffer[0], 4);
  t.is(receiver.tryReceive(buffer), WOULD_BLOCK);
});

test('slices: what is sent and where it lands', (t) => {
  const { sender, receiver } = open(t);
  t.true(sender.trySend(bytes(9, 1, 2, 9), 1, 2));
  t.true(sender.trySend(new DataView(bytes(7, 8).buffer)));
  t.true(sender.trySend(new Uint8Array(new SharedArrayBuffer(2))));
  const buffer = bytes(0, 0, 0, 0);
  t.is(receiver.tryReceive(buffer, 1, 2), 2);
  t.deepEqual(buffer, bytes(0, 1, 2, 0));
  t.is(receiver.tryReceive(buffer, 2), 2);
  t.deepEqual(buffer, bytes(0, 1, 7, 8));
  t.is(receiver.tryReceive(buffer, 0, 2), 2);
});

test('a channel holds as many messages as its capacity, and no more', (t) => {
  for (const capacity of [1, 3, 64, 65_536]) {
    const { sender, receiver } = ByteChannel.open({ capacity });
    t.is(sender.capacity, capacity);
    const message = new Uint32Array(1);
    for (let i = 0; i < capacity; i++) {
      message[0] = i;
      if (!sender.trySend(message)) t.fail(`full with ${i}`);
    }
    t.false(sender.trySend(message));
    for (let i = 0; i < capacity; i++) {
      if (receiver.tryReceive(message) !== 4 || message[0] !== i) t.fail(`message ${i}`);
    }
    t.is(receiver.tryReceive(message), WOULD_BLOCK);
    sender.close();
    receiver.close();
  }
});

test('a receiver is readable while there is something, a sender while there is room', (t) => {
  const { sender, receiver } = open(t, { capacity: 2 });
  const buffer = new Uint8Array(1);
  t.false(isReadable(receiver));
  t.true(isReadable(sender));
  sender.trySend(bytes(1));
  sender.trySend(bytes(2));
  t.true(isReadable(receiver));
  t.false(sender.trySend(bytes(3)));
  t.false(isReadable(sender));
  receiver.tryReceive(buffer);
  t.true(isReadable(sender));
  t.true(isReadable(receiver));
  receiver.tryReceive(buffer);
  t.is(receiver.tryReceive(buffer), WOULD_BLOCK);
  t.false(isReadable(receiver));
  sender.trySend(bytes(4));
  t.true(isReadable(receiver));
});

test('the receivers see the end once everything was taken, and see it ever after', (t) => {
  const { sender, receiver } = open(t);
  const other = closing(t, ByteSender.from(sender.share()));
  sender.trySend(bytes(1));
  sender.close();
  const buffer = new Uint8Array(1);
  t.is(receiver.tryReceive(buffer), 1);
  t.is(receiver.tryReceive(buffer), WOULD_BLOCK, 'one sender is left');
  other.trySend(bytes(2));
  other.close();
  t.is(receiver.nextLength, 1);
  t.is(receiver.tryReceive(buffer), 1);
  for (let i = 0; i < 3; i++) {
    t.is(receiver.nextLength, CHANNEL_END);
    t.is(receiver.tryReceive(buffer), CHANNEL_END);
    t.true(isReadable(receiver));
  }
});

test('a sender without receivers: EPIPE, and its descriptor shows it, empty or full', (t) => {
  for (const fill of [0, 1]) {
    const { sender, receiver } = open(t, { capacity: 1 });
    const other = ByteReceiver.from(receiver.share());
    if (fill === 1) t.true(sender.trySend(bytes(1)));
    receiver.close();
    t.is(sender.trySend(bytes(1)), fill === 0);
    t.false(sender.trySend(bytes(1)));
    t.false(isReadable(sender));
    other.close();
    t.true(isReadable(sender));
    for (let i = 0; i < 2; i++) {
      t.throws(() => sender.trySend(bytes(1)), { code: 'EPIPE', message: /send fd \d+$/ });
    }
    t.true(isReadable(sender));
  }
});

test('a message that is longer than the buffer stays, and the error names its length', (t) => {
  const { sender, receiver } = open(t);
  t.is(receiver.nextLength, WOULD_BLOCK);
  sender.trySend(bytes(1, 2, 3));
  for (let i = 0; i < 2; i++) {
    t.throws(() => receiver.tryReceive(new Uint8Array(2)), {
      code: 'ERR_OUT_OF_RANGE',
      message: /It must be >= 3, the length of the message. Received 2/,
    });
  }
  t.is(receiver.nextLength, 3);
  const buffer = new Uint8Array(receiver.nextLength);
  t.is(receiver.tryReceive(buffer), 3);
  t.deepEqual(buffer, bytes(1, 2, 3));
});

test('a message longer than maxMessageBytes is refused, and nothing is sent', (t) => {
  const { sender, receiver } = open(t, { maxMessageBytes: 8 });
  t.is(sender.maxMessageBytes, 8);
  t.true(sender.trySend(new Uint8Array(8)));
  t.throws(() => sender.trySend(new Uint8Array(9)), {
    code: 'ERR_OUT_OF_RANGE',
    message: /<= 8, maxMessageBytes. Received 9/,
  });
  t.is(receiver.tryReceive(new Uint8Array(8)), 8);
  t.is(receiver.tryReceive(new Uint8Array(8)), WOULD_BLOCK);
});

test('options out of range, of the wrong type, or none', (t) => {
  const range = { code: 'ERR_OUT_OF_RANGE' };
  for (const capacity of [-1, 65_537, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => ByteChannel.open({ capacity }), range);
  }
  for (const maxMessageBytes of [0, -1, 2 ** 30 + 1, Number.NaN]) {
    t.throws(() => ByteChannel.open({ maxMessageBytes }), range);
  }
  const type = { code: 'ERR_INVALID_ARG_TYPE' };
  t.throws(() => ByteChannel.open({ capacity: '1' } as never), type);
  t.throws(() => ByteChannel.open(1 as never), type);
  t.throws(() => ByteChannel.open(null as never), type);
});

test('what is no slice of a buffer is refused, and nothing is lost', (t) => {
  const { sender, receiver } = open(t);
  const detached = new Uint8Array(4);
  structuredClone(detached, { transfer: [detached.buffer] });
  for (const end of [
    (...args: never[]) => sender.trySend(...(args as unknown as [Uint8Array])),
    (...args: never[]) => receiver.tryReceive(...(args as unknown as [Uint8Array])),
  ] as ((...args: unknown[]) => unknown)[]) {
    const type = { code: 'ERR_INVALID_ARG_TYPE' };
    for (const nonsense of [undefined, null, 1, 'bytes', {}, new ArrayBuffer(4)]) {
      t.throws(() => end(nonsense), type);
      t.throws(() => end(nonsense, 0, 1), type);
    }
    const range = { code: 'ERR_OUT_OF_RANGE' };
    for (const slice of [[5], [-1], [0.5], [Number.NaN], [0, 5], [4, 1], [0, -1]]) {
      t.throws(() => end(new Uint8Array(4), ...slice), range, slice.join());
    }
    t.throws(() => end(detached, 0, 4), range);
  }
  sender.trySend(detached); // A detached view has no bytes: an empty message, as a write of none.
  t.is(receiver.tryReceive(new Uint8Array(0)), 0);
});

test('after close() and release(): ERR_CLOSED', (t) => {
  const closed = { code: 'ERR_CLOSED' };
  const first = ByteChannel.open();
  first.sender.close();
  first.receiver.close();
  first.sender.close();
  t.is(first.sender.fd, -1);
  t.true(first.receiver.closed);
  t.throws(() => first.sender.trySend(bytes(1)), closed);
  t.throws(() => first.sender.share(), closed);
  t.throws(() => first.receiver.tryReceive(bytes(1)), closed);
  t.throws(() => first.receiver.nextLength, closed);
  t.throws(() => first.receiver.share(), closed);
});

test('a share is claimed once, by its own class, and nothing else is taken for one', (t) => {
  const { sender, receiver } = open(t);
  const share = receiver.share();
  const type = { code: 'ERR_INVALID_ARG_TYPE' };
  t.throws(() => ByteSender.from(share), type);
  const posted = structuredClone(share);
  t.throws(() => ByteSender.from({ ...posted, kind: 'ByteSender' }), type, 'a lie');
  const other = closing(t, ByteReceiver.from(posted));
  t.throws(() => ByteReceiver.from(share), { code: 'ERR_CLOSED' });
  sender.trySend(bytes(5));
  t.is(other.tryReceive(bytes(0)), 1);
  for (const junk of [undefined, null, 1, {}, { kind: 'ByteReceiver' }, { share: 1 }]) {
    t.throws(() => ByteReceiver.from(junk as never), type);
  }
  for (const id of [0, -1, 1.5, Number.NaN, '1', 2 ** 60]) {
    t.throws(() => ByteReceiver.from({ kind: 'ByteReceiver', share: id } as never), type);
  }
  const never = { kind: 'ByteReceiver', share: Number.MAX_SAFE_INTEGER } as const;
  t.throws(() => ByteReceiver.from(never), { code: 'ERR_CLOSED' });
});

test('a share counts as an end before it is claimed', (t) => {
  const { sender, receiver } = open(t);
  const share = sender.share();
  sender.close();
  t.is(receiver.tryReceive(bytes(0)), WOULD_BLOCK);
  ByteSender.from(share).close();
  t.is(receiver.tryReceive(bytes(0)), CHANNEL_END);
});

test('every end has a descriptor of its own', (t) => {
  const { sender, receiver } = open(t);
  const other = closing(t, ByteReceiver.from(receiver.share()));
  t.is(new Set([sender.fd, receiver.fd, other.fd]).size, 3);
  sender.trySend(bytes(1));
  t.true(isReadable(receiver));
  t.true(isReadable(other));
  receiver.close();
  t.true(isReadable(other));
});

test('a closed end leaves its sets', (t) => {
  const { sender, receiver } = open(t);
  const poller = closing(t, new Poller());
  poller.add(receiver, READABLE);
  poller.add(sender, READABLE);
  receiver.close();
  t.is(poller.size, 1);
  sender.close();
  t.is(poller.size, 0);
  t.is(poller.wait(new PollerEvents(1), 0), 0);
});

/** Sends and receives that wait, by a promise or on the thread, with a buffer and without. */
import { once } from 'node:events';
import { setImmediate as turnOfNode } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import {
  ByteChannel,
  ByteReceiver,
  ByteSender,
  Channel,
  Pipe,
  Poller,
  PollerEvents,
  READABLE,
  Receiver,
  Sender,
  WOULD_BLOCK,
  type ChannelEnd,
  type ChannelEnds,
} from '../../ts/index.js';
import { close } from '../../ts/sys/index.js';
import { fixture, runNode } from '../support/child.js';
import { closing } from '../support/pairs.js';

/** So long that a test which needed it has failed. */
const FAR_MS = 30_000;

function open<T>(t: ExecutionContext, capacity: number): ChannelEnds<T> {
  const ends = Channel.open<T>({ capacity });
  closing(t, ends.sender);
  closing(t, ends.receiver);
  return ends;
}

/** Fills a channel up to its capacity. */
function fill(sender: Sender, value: unknown): void {
  for (let i = 0; i < sender.capacity; i++) sender.trySend(value);
}

/** The number of an end, which is closed without its knowledge. */
function closedBehind({ fd }: ChannelEnd): number {
  close(fd);
  return fd;
}

function closesLate(t: ExecutionContext, end: ChannelEnd): void {
  t.throws(
    () => {
      end.close();
    },
    { code: 'EBADF' },
  );
}

const item = <T>(value: T): IteratorResult<T> => ({ done: false, value });
const END = { done: true, value: undefined };

for (const capacity of [0, 1, 64]) {
  const title = capacity === 0 ? 'without a buffer' : `capacity ${String(capacity)}`;

  test(`${title}: receives that wait are answered in their order`, async (t) => {
    const { sender, receiver } = open<number>(t, capacity);
    const received = [receiver.receive(), receiver.receive(), receiver.receive()];
    for (let i = 0; i < 3; i++) t.true(await sender.send(i));
    t.deepEqual(await Promise.all(received), [item(0), item(1), item(2)]);
  });

  test(`${title}: sends that wait go out in their order, none overtakes`, async (t) => {
    const { sender, receiver } = open<string>(t, capacity);
    fill(sender, 'first');
    const sent = [sender.send('a'), sender.send('b'), sender.send('c')];
    t.false(sender.trySend('d'));
    for (let i = 0; i < capacity; i++) t.deepEqual(receiver.tryReceive(), item('first'));
    t.false(sender.trySend('d'), 'there may be room, but others were first');
    const came = [await receiver.receive(), await receiver.receive(), await receiver.receive()];
    t.deepEqual(came, [item('a'), item('b'), item('c')]);
    t.deepEqual(await Promise.all(sent), [true, true, true]);
  });

  test(`${title}: a receive that waits sees the end`, async (t) => {
    const { sender, receiver } = open(t, capacity);
    const received = [receiver.receive(), receiver.receive()];
    await turnOfNode();
    sender.close();
    t.deepEqual(await Promise.all(received), [END, END]);
    t.deepEqual(await receiver.receive(), END);
    t.deepEqual(receiver.receiveSync(), END);
  });

  test(`${title}: a send that waits sees that no receiver is left`, async (t) => {
    const { sender, receiver } = open(t, capacity);
    fill(sender, 0);
    const sent = [sender.send(1), sender.send(2)];
    await turnOfNode();
    receiver.close();
    for (const promise of sent) await t.throwsAsync(promise, { code: 'EPIPE' });
    await t.throwsAsync(sender.send(3), { code: 'EPIPE' });
    t.throws(() => sender.sendSync(3), { code: 'EPIPE' });
  });

  test(`${title}: closing an end rejects who waits for it`, async (t) => {
    const { sender, receiver } = open(t, capacity);
    const received = receiver.receive();
    const next = receiver[Symbol.asyncIterator]().next();
    receiver.close();
    await t.throwsAsync(received, { code: 'ERR_CLOSED' });
    await t.throwsAsync(next, { code: 'ERR_CLOSED' });
    await t.throwsAsync(receiver.receive(), { code: 'ERR_CLOSED' });
    const full = open(t, capacity);
    fill(full.sender, 0);
    const sent = full.sender.send(1);
    full.sender.close();
    await t.throwsAsync(sent, { code: 'ERR_CLOSED' });
    await t.throwsAsync(full.sender.send(2), { code: 'ERR_CLOSED' });
    t.throws(() => full.sender.sendSync(2), { code: 'ERR_CLOSED' });
    t.throws(() => receiver.receiveSync(), { code: 'ERR_CLOSED' });
    t.is(sender.closed, false);
  });

  test(`${title}: a time that is over, not early, and what was withdrawn is not sent`, async (t) => {
    const { sender, receiver } = open(t, capacity);
    const started = performance.now();
    t.is(await receiver.receive({ timeoutMs: 20.5 }), undefined);
    t.is(receiver.receiveSync({ timeoutMs: 20.5 }), undefined);
    fill(sender, 0);
    t.false(await sender.send(1, { timeoutMs: 20.5 }));
    t.false(sender.sendSync(1, { timeoutMs: 20.5 }));
    t.true(performance.now() - started >= 82);
    for (let i = 0; i < capacity; i++) t.deepEqual(receiver.tryReceive(), item(0));
    t.is(receiver.tryReceive(), undefined);
    t.is(await receiver.receive({ timeoutMs: 0 }), undefined);
    t.is(receiver.receiveSync({ timeoutMs: 0 }), undefined);
  });

  test(`${title}: a signal ends a wait with its reason`, async (t) => {
    const { sender, receiver } = open(t, capacity);
    const abort = new AbortController();
    const received = receiver.receive({ signal: abort.signal });
    const reason = new RangeError('enough');
    abort.abort(reason);
    t.is(await t.throwsAsync(received), reason);
    t.is(await t.throwsAsync(receiver.receive({ signal: abort.signal })), reason);
    fill(sender, 0);
    const later = new AbortController();
    const sent = sender.send(1, { signal: later.signal });
    later.abort(reason);
    t.is(await t.throwsAsync(sent), reason);
    t.is(await t.throwsAsync(sender.send(1, { signal: later.signal })), reason);
    for (let i = 0; i < capacity; i++) t.deepEqual(receiver.tryReceive(), item(0));
    t.is(receiver.tryReceive(), undefined, 'neither was sent');
    const next = receiver.receive();
    t.true(await sender.send(2));
    t.deepEqual(await next, item(2), 'and what was withdrawn takes nothing');
  });

  test(`${title}: for await ends with the channel, and leaving it leaves it open`, async (t) => {
    const { sender, receiver } = open<number>(t, capacity);
    const producer = (async () => {
      for (let i = 0; i < 10; i++) await sender.send(i);
      sender.close();
    })();
    const came: number[] = [];
    for await (const value of receiver) {
      came.push(value);
      if (value === 3) break;
    }
    for await (const value of receiver) came.push(value);
    await producer;
    t.deepEqual(came, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test(`${title}: calls of both kinds between two ends of one thread`, async (t) => {
    const { sender, receiver } = open<number>(t, capacity);
    const received = receiver.receive();
    t.true(sender.sendSync(1), 'somebody waits');
    t.deepEqual(await received, item(1));
    const sent = sender.send(2);
    t.deepEqual(receiver.receiveSync(), item(2));
    t.true(await sent);
  });

  test(`${title}: a call that blocks does not overtake one that waits`, (t) => {
    const { sender, receiver } = open(t, capacity);
    const received = receiver.receive();
    t.throws(() => receiver.receiveSync(), { code: 'ERR_INVALID_STATE' });
    receiver.close();
    const full = open(t, capacity);
    fill(full.sender, 0);
    const sent = full.sender.send(1);
    t.throws(() => full.sender.sendSync(2), { code: 'ERR_INVALID_STATE' });
    full.sender.close();
    sender.close();
    return Promise.all([
      t.throwsAsync(received, { code: 'ERR_CLOSED' }),
      t.throwsAsync(sent, { code: 'ERR_CLOSED' }),
    ]).then(() => undefined);
  });
}

test('tryReceive does not overtake receives that wait', async (t) => {
  const bytes = ByteChannel.open({ capacity: 2 });
  const values = Channel.open<number>({ capacity: 2 });
  const first = [bytes.receiver.receive(), values.receiver.receive()];
  bytes.sender.trySend(Uint8Array.of(1));
  values.sender.trySend(1);
  t.is(bytes.receiver.tryReceive(new Uint8Array(1)), WOULD_BLOCK);
  t.is(values.receiver.tryReceive(), undefined);
  t.deepEqual(await Promise.all(first), [item(Uint8Array.of(1)), item(1)]);
  values.sender.trySend(2);
  t.deepEqual(values.receiver.tryReceive(), item(2));
  for (const { sender, receiver } of [bytes, values]) {
    sender.close();
    receiver.close();
  }
});

test('calls that need not wait are answered in their order, however many', async (t) => {
  const most = 5000;
  const { sender, receiver } = Channel.open<number>({ capacity: most });
  const sent: number[] = [];
  const received: number[] = [];
  const numbers = Array.from({ length: most }, (_, i) => i);
  await Promise.all(numbers.map((i) => sender.send(i).then(() => sent.push(i))));
  await Promise.all(
    numbers.map(() => receiver.receive().then(({ value }) => received.push(value as number))),
  );
  t.deepEqual(sent, numbers);
  t.deepEqual(received, numbers);
  sender.close();
  receiver.close();
});

test('an end whose descriptor was adopted is closed', async (t) => {
  const { sender, receiver } = ByteChannel.open({ capacity: 1 });
  const waiting = receiver.receive();
  using adopted = Pipe.adopt(receiver);
  t.false(adopted.closed);
  await t.throwsAsync(waiting, { any: true, code: 'ERR_CLOSED' });
  t.throws(() => sender.trySend(Uint8Array.of(1)), { code: 'EPIPE' });
  sender.close();
});

test('without a buffer: trySend needs somebody who waits, and a readable sender says so', async (t) => {
  const { sender, receiver } = open<number>(t, 0);
  const poller = closing(t, new Poller());
  const events = new PollerEvents(2);
  poller.add(sender, READABLE);
  t.false(sender.trySend(1));
  t.is(poller.wait(events, 0), 0);
  const received = receiver.receive();
  t.is(poller.wait(events, 0), 1);
  t.true(sender.trySend(1));
  t.false(sender.trySend(2), 'one waits, one was sent');
  t.is(poller.wait(events, 0), 0);
  t.deepEqual(await received, item(1));
  t.false(sender.trySend(2));
});

test('without a buffer: a receiver is readable while somebody holds a message out', async (t) => {
  const { sender, receiver } = open<number>(t, 0);
  const poller = closing(t, new Poller());
  const events = new PollerEvents(2);
  poller.add(receiver, READABLE);
  t.is(poller.wait(events, 0), 0);
  const sent = sender.send(1);
  t.is(poller.wait(events, 0), 1);
  t.deepEqual(receiver.tryReceive(), item(1));
  t.is(receiver.tryReceive(), undefined);
  t.is(poller.wait(events, 0), 0);
  t.true(await sent);
});

test('without a buffer: a receive that was sent to is not withdrawn, whatever its signal says', async (t) => {
  const { sender, receiver } = open<number>(t, 0);
  const abort = new AbortController();
  const received = receiver.receive({ signal: abort.signal });
  t.true(sender.trySend(1));
  abort.abort();
  t.deepEqual(await received, item(1));
});

test('without a buffer: an offer that was taken is not withdrawn, whatever its signal says', async (t) => {
  const { sender, receiver } = open<number>(t, 0);
  const abort = new AbortController();
  const sent = sender.send(1, { signal: abort.signal });
  t.deepEqual(receiver.tryReceive(), item(1));
  abort.abort();
  t.true(await sent);
});

test('without a buffer: of three that wait the second gives up, and the others are answered', async (t) => {
  const { sender, receiver } = open<number>(t, 0);
  const abort = new AbortController();
  const { signal } = abort;
  const received = [receiver.receive(), receiver.receive({ signal }), receiver.receive()];
  t.true(sender.trySend(1));
  abort.abort();
  t.true(sender.trySend(2));
  t.false(sender.trySend(3));
  t.deepEqual(await received[0], item(1));
  t.deepEqual(await received[2], item(2));
  await t.throwsAsync(received[1] as Promise<unknown>, { any: true, name: 'AbortError' });
  const sent = [sender.send(1), sender.send(2, { signal: AbortSignal.timeout(1) }), sender.send(3)];
  await t.throwsAsync(sent[1] as Promise<unknown>, { any: true, name: 'TimeoutError' });
  t.deepEqual(await receiver.receive(), item(1));
  t.deepEqual(await receiver.receive(), item(3));
  t.deepEqual([await sent[0], await sent[2]], [true, true]);
});

test('bytes that wait are those of the moment of the call, and come as arrays of their own', async (t) => {
  for (const capacity of [0, 1]) {
    const { sender, receiver } = ByteChannel.open({ capacity });
    const message = Uint8Array.of(1, 2);
    const sent = [sender.send(message), sender.send(message.subarray(1))];
    message.fill(9);
    const first = (await receiver.receive()).value;
    const second = (await receiver.receive()).value;
    t.deepEqual([first, second], [Uint8Array.of(1, 2), Uint8Array.of(2)]);
    await Promise.all(sent);
    sender.close();
    receiver.close();
  }
});

test('misuse rejects, and nothing waits', async (t) => {
  const { sender, receiver } = ByteChannel.open({ capacity: 1, maxMessageBytes: 4 });
  closing(t, sender);
  closing(t, receiver);
  const type = { code: 'ERR_INVALID_ARG_TYPE' };
  const range = { code: 'ERR_OUT_OF_RANGE' };
  await t.throwsAsync(sender.send('bytes' as never), type);
  for (const options of [null, 1, { signal: {} }, { timeoutMs: '1' }]) {
    await t.throwsAsync(receiver.receive(options as never), type);
    await t.throwsAsync(sender.send(new Uint8Array(1), options as never), type);
  }
  for (const timeoutMs of [-1, Number.NaN]) {
    await t.throwsAsync(receiver.receive({ timeoutMs } as never), range);
    await t.throwsAsync(sender.send(new Uint8Array(1), { timeoutMs }), range);
    t.throws(() => receiver.receiveSync({ timeoutMs }), range);
    t.throws(() => sender.sendSync(new Uint8Array(1), { timeoutMs }), range);
  }
  t.true(sender.trySend(new Uint8Array(4)));
  await t.throwsAsync(sender.send(new Uint8Array(5)), range, 'full, and too long');
  const { sender: values } = open(t, 0);
  await t.throwsAsync(
    values.send(() => 1),
    { message: /could not be cloned/ },
  );
  t.is(receiver.receiveSync().value?.length, 4);
  t.is(receiver.receiveSync({ timeoutMs: 0 }), undefined);
});

test('a call that blocks is told when somebody else has closed its number', (t) => {
  const { sender, receiver } = Channel.open<string>({ capacity: 1 });
  fill(sender, 'first');
  const number = closedBehind(sender);
  const message = `EBADF: bad file descriptor, poll fd ${String(number)}`;
  t.throws(() => sender.sendSync('second'), { code: 'EBADF', message });
  t.deepEqual(receiver.tryReceive(), item('first'));
  closedBehind(receiver);
  t.throws(() => receiver.receiveSync(), { code: 'EBADF' });
  t.true(sender.trySend('third'), 'the channel itself is whole');
  t.deepEqual(receiver.receiveSync(), item('third'));
  closesLate(t, sender);
  closesLate(t, receiver);

  const { sender: giver, receiver: taker } = Channel.open<string>({ capacity: 0 });
  closedBehind(taker);
  t.throws(() => taker.receiveSync({ timeoutMs: FAR_MS }), { code: 'EBADF' });
  t.false(giver.trySend('fourth'), 'nobody waits any more');
  closesLate(t, taker);
  giver.close();
});

test('a channel that always has something does not keep timers of Node from running', async (t) => {
  const { sender, receiver } = open<number>(t, 2);
  const seen = { turns: 0 };
  setImmediate(() => {
    seen.turns++;
  });
  const limit = 100_000;
  let rounds = 0;
  for (; seen.turns === 0 && rounds < limit; rounds++) {
    await sender.send(rounds);
    await receiver.receive();
  }
  t.is(seen.turns, 1, `not within ${String(limit)} messages`);
});

test('a receive that waits keeps the process alive, unless unref() was called', async (t) => {
  const { code, stdout } = await runNode(fixture('channel-ref'), { args: ['unref'] });
  t.deepEqual([code, stdout], [0, 'end\n']);
  const kept = await runNode(fixture('channel-ref'), { args: ['ref'] });
  t.deepEqual([kept.code, kept.stdout], [0, 'end\nreceived 1\n']);
});

for (const capacity of [0, 1]) {
  test.serial(
    `threads that block in each other's channels: 1,000 there and back (capacity ${String(capacity)})`,
    async (t) => {
      const there = open<number>(t, capacity);
      const back = open<number>(t, capacity);
      const worker = new Worker(fixture('channel-blocking'), {
        workerData: { from: there.receiver.share(), to: back.sender.share() },
      });
      back.sender.close();
      there.receiver.close();
      for (let i = 0; i < 1000; i++) {
        t.true(there.sender.sendSync(i, { timeoutMs: FAR_MS }));
        t.deepEqual(back.receiver.receiveSync({ timeoutMs: FAR_MS }), item(i));
      }
      there.sender.close();
      t.deepEqual(back.receiver.receiveSync({ timeoutMs: FAR_MS }), END);
      await once(worker, 'exit');
    },
  );
}

test('classes of all four kinds wait alike', async (t) => {
  const bytes = ByteChannel.open({ capacity: 0 });
  const values = open<number>(t, 0);
  const byteSender = closing(t, ByteSender.from(bytes.sender.share()));
  const byteReceiver = closing(t, ByteReceiver.from(bytes.receiver.share()));
  const sender = closing(t, Sender.from<number>(values.sender.share()));
  const receiver = closing(t, Receiver.from<number>(values.receiver.share()));
  closing(t, bytes.sender);
  closing(t, bytes.receiver);
  const sent = [byteSender.send(Uint8Array.of(1)), sender.send(1)];
  t.deepEqual(await byteReceiver.receive(), item(Uint8Array.of(1)));
  t.deepEqual(await receiver.receive(), item(1));
  t.deepEqual(await Promise.all(sent), [true, true]);
});

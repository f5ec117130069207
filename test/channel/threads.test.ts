/** Channels between threads: each message once, in order, and what happens when a thread ends. */
import { once } from 'node:events';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { setImmediate as turnOfNode, setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import {
  ByteChannel,
  Channel,
  CHANNEL_END,
  Poller,
  PollerEvents,
  READABLE,
  WOULD_BLOCK,
} from '../../ts/index.js';
import type { RandomOrder } from '../fixtures/channel-random.js';
import type { ChannelOrder } from '../fixtures/channel-worker.js';
import { fixture } from '../support/child.js';
import { countDescriptors } from '../support/descriptors.js';
import { eventually } from '../support/eventually.js';
import { closing } from '../support/pairs.js';
import { Random } from '../support/random.js';
import { lastWordOf, timeTermination } from '../support/workers.js';

const MESSAGES = Number(process.env['RAW_EPOLL_CHANNEL_MESSAGES'] ?? '200000');
/** How many workers are terminated, of each kind. */
const ROUNDS = Number(process.env['RAW_EPOLL_CHANNEL_ROUNDS'] ?? '10');

function start(order: ChannelOrder): Worker {
  return new Worker(fixture('channel-worker'), { workerData: order });
}

const answerOf = lastWordOf<Record<number, number[]>>;

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

for (const capacity of [1, 64]) {
  test.serial(
    `between two workers each message comes once and in order (capacity ${capacity})`,
    async (t) => {
      const count = capacity === 1 ? MESSAGES / 20 : MESSAGES;
      const { sender, receiver } = ByteChannel.open({ capacity });
      const consumer = start({ role: 'consume', ends: [receiver.share()] });
      const producer = start({ role: 'produce', ends: [sender.share()], count, mark: 7 });
      receiver.close();
      sender.close();
      const [came] = await Promise.all([answerOf(consumer), once(producer, 'exit')]);
      t.deepEqual(Object.keys(came), ['7']);
      t.deepEqual(came[7], upTo(count));
    },
  );
}

for (const [senders, receivers] of [
  [1, 1],
  [8, 1],
  [1, 8],
] as const) {
  test.serial(
    `without a buffer, ${senders} to ${receivers}: everything once, the order of each sender kept`,
    async (t) => {
      const count = MESSAGES / (senders === receivers ? 4 : 40);
      const { sender, receiver } = ByteChannel.open({ capacity: 0 });
      const consumers = upTo(receivers).map(() =>
        start({ role: 'takeSync', ends: [receiver.share()] }),
      );
      const producers = upTo(senders).map((mark) =>
        start({ role: 'handOver', ends: [sender.share()], count: count / senders, mark }),
      );
      sender.close();
      receiver.close();
      const [came] = await Promise.all([
        Promise.all(consumers.map(answerOf)),
        ...producers.map((producer) => once(producer, 'exit')),
      ]);
      for (const mark of upTo(senders)) {
        const numbers = came.map((of) => of[mark] ?? []);
        for (const of of numbers)
          t.deepEqual(
            of,
            [...of].sort((a, b) => a - b),
          );
        t.deepEqual(
          numbers.flat().sort((a, b) => a - b),
          upTo(count / senders),
        );
      }
    },
  );
}

test.serial(
  '8 senders to 1 receiver: everything once, the order of each sender kept',
  async (t) => {
    const count = MESSAGES / 40;
    const { sender, receiver } = ByteChannel.open({ capacity: 16 });
    const producers = upTo(8).map((mark) =>
      start({ role: 'produce', ends: [sender.share()], count, mark }),
    );
    const consumer = start({ role: 'consume', ends: [receiver.share()] });
    sender.close();
    receiver.close();
    const [came] = await Promise.all([
      answerOf(consumer),
      ...producers.map((producer) => once(producer, 'exit')),
    ]);
    for (const mark of upTo(8)) t.deepEqual(came[mark], upTo(count), String(mark));
  },
);

test.serial('1 sender to 8 receivers: everything once, each sees it in order', async (t) => {
  const { sender, receiver } = ByteChannel.open({ capacity: 16 });
  const consumers = upTo(8).map(() => start({ role: 'consume', ends: [receiver.share()] }));
  const producer = start({ role: 'produce', ends: [sender.share()], count: MESSAGES / 4, mark: 0 });
  sender.close();
  receiver.close();
  const [came] = await Promise.all([
    Promise.all(consumers.map(async (consumer) => (await answerOf(consumer))[0] ?? [])),
    once(producer, 'exit'),
  ]);
  for (const numbers of came)
    t.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    );
  t.deepEqual(
    came.flat().sort((a, b) => a - b),
    upTo(MESSAGES / 4),
  );
});

test.serial('values go to a worker and back', async (t) => {
  const there = Channel.open<{ n: number }>();
  const back = Channel.open<{ n: number }>();
  const receiver = closing(t, back.receiver);
  const worker = start({ role: 'echo', ends: [there.receiver.share(), back.sender.share()] });
  back.sender.close();
  there.receiver.close();
  for (let n = 0; n < 10; n++) t.true(there.sender.trySend({ n }));
  there.sender.close();
  await once(worker, 'exit');
  for (let n = 0; n < 10; n++) t.deepEqual(receiver.tryReceive(), { done: false, value: { n } });
  t.deepEqual(receiver.tryReceive(), { done: true, value: undefined });
});

test.serial('a worker that ends, or is terminated, closes its ends', async (t) => {
  const before = countDescriptors();
  for (const role of ['hold', 'idle'] as const) {
    const a = ByteChannel.open({ capacity: 1 });
    const b = ByteChannel.open({ capacity: 1 });
    const worker = start({ role, ends: [a.sender.share(), b.receiver.share()] });
    const ended = once(worker, 'exit');
    a.sender.close();
    b.receiver.close();
    t.is(a.receiver.tryReceive(new Uint8Array(1)), WOULD_BLOCK);
    t.true(b.sender.trySend(new Uint8Array(1)));
    await once(worker, 'message');
    if (role === 'hold') {
      await worker.terminate();
      t.is(a.receiver.tryReceive(new Uint8Array(1)), CHANNEL_END);
      t.throws(() => b.sender.trySend(new Uint8Array(1)), { code: 'EPIPE' });
    } else {
      // It has claimed nothing: the shares are still of this thread.
      await ended;
      t.is(a.receiver.tryReceive(new Uint8Array(1)), WOULD_BLOCK);
    }
    a.receiver.close();
    b.sender.close();
  }
  // What nobody claimed stays until the end of the thread: the flags of two channels.
  t.is(countDescriptors(), before + 4);
});

for (const capacity of [0, 1, 8]) {
  for (const blocks of [true, false]) {
    const how = blocks ? 'blocks' : 'waits by promises';
    test.serial(
      `a worker terminated at any moment leaves the other end whole (capacity ${String(capacity)}, it ${how})`,
      async (t) => {
        const random = new Random();
        t.log(`seed ${String(random.seed)}`);
        for (let round = 0; round < ROUNDS; round++)
          await terminateAtAnyMoment(t, capacity, blocks, random);
      },
    );
  }
}

/** Sends to a worker, and receives from it, until it is terminated. */
async function terminateAtAnyMoment(
  t: ExecutionContext,
  capacity: number,
  blocks: boolean,
  random: Random,
): Promise<void> {
  const descriptors = countDescriptors();
  const there = Channel.open<number>({ capacity });
  const back = Channel.open<number>({ capacity });
  const order: RandomOrder = { from: there.receiver.share(), to: back.sender.share(), blocks };
  const worker = new Worker(fixture('channel-random'), { workerData: order });
  there.receiver.close();
  back.sender.close();
  await once(worker, 'message');
  const sending = (async () => {
    for (let i = 0; ; i++) await there.sender.send(i);
  })();
  const receiving = (async () => {
    let next = 0;
    for await (const value of back.receiver)
      if (value !== next++) return `${value}, not ${next - 1}`;
    return 'the end';
  })();
  await delay(random.integer(0, 20));
  const ms = await timeTermination(worker);
  t.true(ms < 5000);
  t.is(await receiving, 'the end');
  await t.throwsAsync(sending, { code: 'EPIPE' });
  there.sender.close();
  back.receiver.close();
  await turnOfNode();
  t.is(await eventually(countDescriptors, descriptors), descriptors);
}

test.serial('the end of a worker wakes who waits in a set', async (t) => {
  const { sender, receiver } = ByteChannel.open();
  closing(t, receiver);
  const worker = start({ role: 'hold', ends: [sender.share()] });
  sender.close();
  const poller = closing(t, new Poller());
  const events = new PollerEvents(1);
  poller.add(receiver, READABLE);
  await once(worker, 'message');
  const turns = poller.turns()[Symbol.asyncIterator]();
  const turn = turns.next();
  await worker.terminate();
  t.is((await turn).value?.length, 1);
  await turns.return?.();
  t.is(poller.wait(events, 0), 1);
  t.is(receiver.tryReceive(new Uint8Array(1)), CHANNEL_END);
});

/**
 * Channels: the patterns of Go's channels, between threads, each in a few lines.
 *
 *     node build/examples/channels.js                     all of them
 *     node build/examples/channels.js --show select       one of them
 *
 * A channel has two ends, and each end is a descriptor. So what Go has the keyword `select` for is a
 * set like any other here: a channel, a socket and a timer are waited for in one call.
 */
import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import {
  Channel,
  Poller,
  PollerEvents,
  READABLE,
  Receiver,
  Sender,
  TimerFd,
  UnixStream,
  type SharedEnd,
} from 'raw-epoll';
import { leave, ownOptions } from './lib/command-line.js';

const say = console.log;

/** Holds nothing: who sends and who receives meet. What was sent has been received. */
async function unbuffered(): Promise<void> {
  const { sender, receiver } = Channel.open<string>({ capacity: 0 });
  say(`nobody waits to receive: ${sender.trySend('hello')}`);
  const received = receiver.receive();
  say(`somebody waits: ${sender.trySend('hello')}`);
  say(`received ${String((await received).value)}`);
  sender.close();
  receiver.close();
}

/** Holds so many messages: who sends goes on until it is full. What was sent may never be received. */
function buffered(): void {
  const { sender, receiver } = Channel.open<number>({ capacity: 2 });
  say(`sent: ${[1, 2, 3].map((n) => sender.trySend(n)).join(' ')}`);
  say(`received ${String(receiver.tryReceive()?.value)}`);
  say(`sent: ${sender.trySend(3)}`);
  sender.close();
  receiver.close();
}

/** Who finds it full drops what it has, and goes on: for what is worth nothing later. */
function drop(): void {
  const { sender, receiver } = Channel.open<number>({ capacity: 2 });
  const dropped = [1, 2, 3, 4, 5].filter((n) => !sender.trySend(n));
  say(`dropped ${dropped.join(' ')}`);
  sender.close();
  receiver.close();
}

/** Nobody waits longer than it wants to. */
function timeout(): void {
  const { sender, receiver } = Channel.open<string>();
  using poller = new Poller();
  poller.add(receiver, READABLE);
  const ready = poller.wait(new PollerEvents(1), 50);
  say(ready === 0 ? 'nothing came in 50 ms' : 'something came');
  sender.close();
  receiver.close();
}

/** Numbers go to a thread that squares them, and come back. Each stage closes what it sends to. */
async function pipeline(): Promise<void> {
  const numbers = Channel.open<number>();
  const squares = Channel.open<number>();
  void startThread('squareAll', numbers.receiver.share(), squares.sender.share());
  numbers.receiver.close(); // ours: the thread has its own
  squares.sender.close();
  for (const n of [1, 2, 3, 4, 5]) await numbers.sender.send(n);
  numbers.sender.close();
  for await (const square of squares.receiver) say(square);
  squares.receiver.close();
}

/** One channel to many threads, and one back from all of them. It ends when the last has closed it. */
async function fan(): Promise<void> {
  const numbers = Channel.open<number>();
  const squares = Channel.open<number>();
  for (let i = 0; i < 3; i++) {
    void startThread('squareAll', numbers.receiver.share(), squares.sender.share());
  }
  numbers.receiver.close();
  squares.sender.close();
  for (let n = 1; n <= 100; n++) await numbers.sender.send(n);
  numbers.sender.close();
  let [count, sum] = [0, 0];
  for await (const square of squares.receiver) [count, sum] = [count + 1, sum + square];
  squares.receiver.close();
  say(`${count} squares from 3 threads; their sum is ${sum}`);
}

/** Who has enough closes its end; who sends is told, and ends. */
async function cancellation(): Promise<void> {
  const naturals = Channel.open<number>({ capacity: 0 });
  const ended = startThread('countForEver', naturals.sender.share());
  naturals.sender.close();
  for await (const n of naturals.receiver) {
    say(n);
    if (n === 5) break;
  }
  naturals.receiver.close();
  say(`the thread has ended with exit code ${await ended}`);
}

/** One wait for a channel, a socket and a timer, whichever comes first. */
function select(): void {
  const { sender, receiver } = Channel.open<string>();
  const [socket, peer] = UnixStream.pair();
  using timer = new TimerFd();
  using poller = new Poller<() => void>();
  const buffer = Buffer.alloc(64);
  poller.add(receiver, READABLE, {
    data: () => {
      const next = receiver.tryReceive();
      if (next === undefined) return; // readable for nothing, as any descriptor may be
      say(`channel: ${String(next.value)}`);
      peer.write(Buffer.from('ping'));
    },
  });
  poller.add(socket, READABLE, {
    data: () => {
      say(`socket: ${buffer.toString('utf8', 0, socket.read(buffer))}`);
      timer.set({ valueNs: 1_000_000 });
    },
  });
  poller.add(timer, READABLE, {
    data: () => {
      say(`timer: ${timer.read()}`);
      receiver.close();
    },
  });
  sender.trySend('go');
  const events = new PollerEvents<() => void>();
  while (!receiver.closed) {
    const n = poller.wait(events);
    for (let i = 0; i < n; i++) events.data(i)?.();
  }
  for (const end of [sender, socket, peer]) end.close();
}

/** The sender closes: it alone knows that nothing more comes. What is in the channel is not lost. */
function senderCloses(): void {
  const { sender, receiver } = Channel.open<string>();
  const second = Sender.from<string>(sender.share());
  sender.trySend('first');
  sender.close();
  second.trySend('second');
  second.close();
  for (let next; (next = receiver.tryReceive()) !== undefined && next.done !== true;) {
    say(`received ${next.value}`);
  }
  say(`then the end: ${receiver.tryReceive()?.done}`);
  try {
    sender.trySend('third');
  } catch (error) {
    say((error as NodeJS.ErrnoException).code);
  }
  receiver.close();
}

/** What runs on threads, which may block. */
const STAGES = {
  squareAll: (from: SharedEnd, to: SharedEnd): void => {
    const [receiver, sender] = [Receiver.from<number>(from), Sender.from<number>(to)];
    for (let next; (next = receiver.receiveSync()).done !== true;) {
      sender.sendSync(next.value * next.value);
    }
    sender.close();
    receiver.close();
  },
  countForEver: (to: SharedEnd): void => {
    const sender = Sender.from<number>(to);
    try {
      for (let n = 1; ; n++) sender.sendSync(n);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error; // nobody receives any more
    }
  },
};

type Stage = keyof typeof STAGES;

interface Orders {
  readonly stage: Stage;
  readonly ends: readonly [SharedEnd, SharedEnd];
}

/** Answers the exit code of the thread, once it has ended. */
async function startThread(stage: Stage, ...ends: readonly SharedEnd[]): Promise<number> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { stage, ends } });
  const [code] = (await once(worker, 'exit')) as [number];
  return code;
}

const SHOWS = {
  ...{ unbuffered, buffered, drop, timeout, pipeline, fan, cancellation, select },
  'sender-closes': senderCloses,
};

if (isMainThread) {
  const names = Object.keys(SHOWS);
  const { show } = ownOptions('channels', {
    show: `--show NAME         ${names.join(', ')} (all)`,
  });
  if (show !== undefined && !names.includes(show)) {
    leave('channels', `--show must be one of ${names.join(', ')}, not '${show}'`, 2);
  }
  for (const [name, call] of Object.entries(SHOWS)) {
    if (show !== undefined && show !== name) continue;
    say(`-- ${name}`);
    await call();
  }
} else {
  const { stage, ends } = workerData as Orders;
  STAGES[stage](...ends);
}

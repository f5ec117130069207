/** One end of a channel, or of a `MessagePort`, on a thread of its own. Data: a {@link ChannelJob}. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import {
  ByteReceiver,
  ByteSender,
  CHANNEL_END,
  Poller,
  PollerEvents,
  READABLE,
  type SharedEnd,
} from '../../ts/index.js';

/** What the worker is to do. */
export interface ChannelJob {
  readonly role: 'sender' | 'receiver';
  readonly messages: number;
  readonly end: SharedEnd | undefined;
  readonly port: MessagePort | undefined;
}

/** Of 64 bytes. The number of the message is in the first eight. */
const WORDS = 8;
/** How many messages go through a port before its sender waits for an answer. */
const BATCH = 1024;

const { role, messages, end, port } = workerData as ChannelJob;

function waiting(fd: number): () => void {
  const poller = new Poller();
  const events = new PollerEvents(1);
  poller.add(fd, READABLE);
  return () => void poller.wait(events);
}

function checkNumber(received: number | undefined, expected: number): void {
  if (received !== expected) throw new Error(`${String(received)}, not ${String(expected)}`);
}

function send(shared: SharedEnd): () => void {
  const sender = ByteSender.from(shared);
  const message = new Float64Array(WORDS);
  if (sender.capacity === 0) {
    return () => {
      for (let i = 0; i < messages; i++) {
        message[0] = i;
        sender.sendSync(message);
      }
      sender.close();
    };
  }
  const wait = waiting(sender.fd);
  return () => {
    for (let i = 0; i < messages; i++) {
      message[0] = i;
      while (!sender.trySend(message)) wait();
    }
    sender.close();
  };
}

function receive(shared: SharedEnd): () => void {
  const receiver = ByteReceiver.from(shared);
  const message = new Float64Array(WORDS);
  const wait = waiting(receiver.fd);
  return () => {
    for (let next = 0; ;) {
      const length = receiver.tryReceive(message);
      if (length === CHANNEL_END) {
        checkNumber(next, messages);
        return;
      }
      if (length < 0) wait();
      else checkNumber(message[0], next++);
    }
  };
}

async function sendTo(to: MessagePort): Promise<void> {
  const answered = { resolve: (): void => undefined };
  to.on('message', () => {
    answered.resolve();
  });
  for (let i = 0; i < messages;) {
    const answer = new Promise<void>((resolve) => (answered.resolve = resolve));
    for (const last = Math.min(i + BATCH, messages); i < last; i++) {
      const message = new Float64Array(WORDS);
      message[0] = i;
      to.postMessage(message);
    }
    await answer;
  }
  to.close();
}

function receiveFrom(from: MessagePort): Promise<void> {
  return new Promise((resolve) => {
    let next = 0;
    from.on('message', (message: Float64Array) => {
      checkNumber(message[0], next++);
      if (next % BATCH === 0 || next === messages) from.postMessage('go on');
      if (next === messages) resolve();
    });
  });
}

function prepare(): () => void | Promise<void> {
  if (end !== undefined) return role === 'sender' ? send(end) : receive(end);
  const given = port as MessagePort;
  return () => (role === 'sender' ? sendTo(given) : receiveFrom(given));
}

const work = prepare();
parentPort?.once('message', () => {
  void Promise.resolve(work()).then(() => {
    parentPort?.postMessage('done');
  });
});
parentPort?.postMessage('ready');

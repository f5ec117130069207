/**
 * Messages between two threads: `npm run bench:channels`.
 *
 * `--messages` of 64 bytes go from one worker to another, through a channel with a buffer, through
 * one without, and through a `MessagePort`, each the usual way: who has to wait does so; the port
 * has its `message` event, and its sender waits for an answer after each batch, without which all
 * messages would be in memory at once. What is measured is the processor time of the whole process
 * in between, both threads in it. The receiver checks that each number comes once and in order.
 */
import { once } from 'node:events';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { ByteChannel } from '../ts/index.js';
import { optionsOrUsage, parseCount } from './lib/options.js';
import { inRepository } from './lib/paths.js';
import { formatCount, formatTable } from './lib/table.js';
import type { ChannelJob } from './workers/channel-end.js';

interface Options {
  readonly messages: number;
  readonly unbuffered: number;
  readonly port: number;
  readonly capacity: number;
}

interface Result {
  readonly name: string;
  readonly messages: number;
  readonly seconds: number;
  readonly cpuNs: number;
}

function startWorker(job: ChannelJob, transferList: MessagePort[] = []): Worker {
  const file = inRepository('build', 'bench', 'workers', 'channel-end.js');
  return new Worker(file, { workerData: job, transferList });
}

/** Starts both when both are there, and measures until the receiver has all. */
async function measure(
  name: string,
  messages: number,
  ends: readonly [Worker, Worker],
): Promise<Result> {
  await Promise.all(ends.map((worker) => once(worker, 'message')));
  const cpu = process.cpuUsage();
  const started = performance.now();
  const done = Promise.all(ends.map((worker) => once(worker, 'message')));
  for (const worker of ends) worker.postMessage('start');
  const answers = await done;
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  for (const [answer] of answers)
    if (answer !== 'done') throw new Error(`${name}: ${String(answer)}`);
  await Promise.all(ends.map((worker) => worker.terminate()));
  return { name, messages, seconds, cpuNs: (1000 * (user + system)) / messages };
}

async function channel(name: string, messages: number, capacity: number): Promise<Result> {
  const { sender, receiver } = ByteChannel.open({ capacity });
  const job = { messages, port: undefined };
  const ends = [
    startWorker({ ...job, role: 'receiver', end: receiver.share() }),
    startWorker({ ...job, role: 'sender', end: sender.share() }),
  ] as const;
  sender.close();
  receiver.close();
  return measure(name, messages, ends);
}

async function port(name: string, messages: number): Promise<Result> {
  const { port1, port2 } = new MessageChannel();
  const job = { messages, end: undefined };
  return measure(name, messages, [
    startWorker({ ...job, role: 'receiver', port: port1 }, [port1]),
    startWorker({ ...job, role: 'sender', port: port2 }, [port2]),
  ]);
}

function parse(): Options {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '10000000' },
      unbuffered: { type: 'string', default: '10000000' },
      port: { type: 'string', default: '1000000' },
      capacity: { type: 'string', default: '1024' },
    },
  });
  return {
    messages: parseCount('messages', values.messages),
    unbuffered: parseCount('unbuffered', values.unbuffered),
    port: parseCount('port', values.port),
    capacity: parseCount('capacity', values.capacity),
  };
}

async function main(options: Options): Promise<void> {
  const results = [
    await channel(`channel, ${options.capacity} slots`, options.messages, options.capacity),
    await port('MessagePort', options.port),
    await channel('channel, no buffer', options.unbuffered, 0),
  ];
  const yardstick = results[1]?.cpuNs ?? 0;
  const rows = results.map(({ name, messages, seconds, cpuNs }) => [
    ...[name, formatCount(messages), formatCount(messages / seconds), formatCount(cpuNs)],
    `1/${(yardstick / cpuNs).toFixed(1)}`,
  ]);
  const titles = ['', 'messages', 'messages/s', 'CPU ns/message', 'of MessagePort'];
  console.log(formatTable([titles, ...rows]));
}

const options = optionsOrUsage('channels', parse);
if (options !== undefined) await main(options);

import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { untilAsleep, type ThreadName } from './threads.js';

/** A promise that takes so long is taken for one that never settles. */
const HANG_MS = 5000;

/** A termination makes the waits of other workers short for 100 ms: it seldom comes alone. */
const HURRY_MS = 150;

/** Waits until the worker has posted its thread and that thread is blocked. */
export async function untilBlocked(worker: Worker): Promise<void> {
  const [thread] = (await once(worker, 'message')) as [ThreadName];
  await untilAsleep(thread);
}

/**
 * What a worker posts, once it has ended. Both can come in one go: who waits for the one, and then
 * for the other, may be too late.
 */
export async function lastWordOf<T>(worker: Worker): Promise<T> {
  const [message] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return message[0] as T;
}

/** How long `worker.terminate()` takes that comes alone, in milliseconds; Infinity if it hangs. */
export async function timeLoneTermination(worker: Worker): Promise<number> {
  await delay(HURRY_MS);
  return timeTermination(worker);
}

/** How long `worker.terminate()` takes, in milliseconds; Infinity if it hangs. */
export async function timeTermination(worker: Worker): Promise<number> {
  const started = performance.now();
  const settled = new AbortController();
  const ended = worker.terminate().then(() => performance.now() - started);
  const hang = delay(HANG_MS, Number.POSITIVE_INFINITY, { signal: settled.signal });
  hang.catch(() => undefined); // aborted
  const ms = await Promise.race([ended, hang]);
  settled.abort();
  return ms;
}

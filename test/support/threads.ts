/** Threads as the kernel sees them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A thread: `<pid>/task/<tid>`, the name of its folder under /proc. */
export type ThreadName = string;

/** The thread that calls this. Post it to whoever wants to know what the thread is doing. */
export function thisThread(): ThreadName {
  return readlinkSync('/proc/thread-self');
}

/** The threads of this process. */
export function threads(): string[] {
  return readdirSync('/proc/self/task');
}

/**
 * Waits until a thread sleeps in the kernel. With a thread that has announced what it does next,
 * that is the call which blocks; the second look leaves out a lock held for a moment.
 */
export async function untilAsleep(thread: ThreadName): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (let sightings = 0; sightings < 2;) {
    sightings = isAsleep(thread) ? sightings + 1 : 0;
    if (performance.now() > deadline) throw new Error(`thread ${thread} does not block`);
    await delay(1);
  }
}

function isAsleep(thread: ThreadName): boolean {
  const stat = readFileSync(`/proc/${thread}/stat`, 'latin1');
  // The name of the thread stands in parentheses before its state, and may hold any character.
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('S');
}

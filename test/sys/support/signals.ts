/** Signals of another process, as the kernel shows them. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

/** A mask of proc_pid_status(5), of the main thread: `SigCgt`, `SigBlk`, `SigIgn`. */
function mask(pid: number, field: 'SigCgt' | 'SigBlk'): bigint {
  const status = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/status`, 'latin1');
  const digits = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1];
  return BigInt(`0x${digits ?? '0'}`);
}

function bit(signal: NodeJS.Signals): bigint {
  return 1n << BigInt(os.constants.signals[signal] - 1);
}

/** Whether a process has a handler for a signal. */
export function catches(pid: number, signal: NodeJS.Signals): boolean {
  return (mask(pid, 'SigCgt') & bit(signal)) !== 0n;
}

/**
 * Whether the main thread of a process blocks this signal, and no other, at this moment: so does a
 * wait with a mask. While a thread starts, and in handlers, all are blocked at once.
 */
export function blocksOnly(pid: number, signal: NodeJS.Signals): boolean {
  return mask(pid, 'SigBlk') === bit(signal);
}

/** `S` while the main thread of a process sleeps in a call, `T` while it is stopped. proc_pid_stat(5) */
export function state(pid: number): string {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).charAt(0);
}

/** Looks at a child again and again, until it has ended. */
export function whileItRuns(child: ChildProcess, look: (pid: number) => void): void {
  const timer = setInterval(() => {
    try {
      if (child.pid !== undefined) look(child.pid);
    } catch {
      return; // it has just ended
    }
  }, 5);
  child.once('exit', () => {
    clearInterval(timer);
  });
}

/** Sends a signal again and again, as soon as there is a handler and until the child has ended. */
export function keepSignalling(child: ChildProcess, signal: NodeJS.Signals): void {
  whileItRuns(child, (pid) => {
    if (catches(pid, signal)) child.kill(signal);
  });
}

/** Signals of this process, as the kernel sees them. */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import process from 'node:process';

/** The signals that have a handler in a process: bit 0 is signal 1. */
export function caughtSignals(pid: number | 'self' = 'self'): bigint {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1');
  const [, mask = ''] = /^SigCgt:\s*(\w+)$/m.exec(status) ?? [];
  return BigInt(`0x${mask}`);
}

/** Whether a signal has a handler in this process. */
export function isCaught(signal: NodeJS.Signals): boolean {
  return (caughtSignals() & (1n << BigInt(constants.signals[signal] - 1))) !== 0n;
}

/** Sends signals to this process, one after the other. */
export function raise(...signals: readonly NodeJS.Signals[]): void {
  for (const signal of signals) process.kill(process.pid, signal);
}

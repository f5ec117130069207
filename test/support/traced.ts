import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { ExecutionContext } from 'ava';
import { run } from './child.js';

/** What a program said, as JSON, and its calls as strace(1) writes them. */
export interface Traced {
  readonly said: unknown;
  readonly calls: readonly string[];
}

/** Runs a Node program under strace(1), which looks for a system call, or `all`, in each of its threads. */
export async function traced(
  t: ExecutionContext,
  file: string,
  call: string,
  options: readonly string[] = [],
  args: readonly string[] = [],
): Promise<Traced> {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-strace-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const trace = path.join(folder, 'calls');
  const child = await run('strace', [
    ...['-f', '-qq', '-o', trace, '-e', `trace=${call}`, '-e', 'signal=none', ...options],
    ...[process.execPath, file, ...args],
  ]);
  const lines = readFileSync(trace, 'latin1').trim().split('\n');
  // A call that another thread's came into has a second line for its end.
  const calls = lines.filter((line) => !line.includes(' resumed>'));
  return { said: child.stdout === '' ? child.stderr : JSON.parse(child.stdout), calls };
}

import { spawn, type ChildProcess } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from './emulator.js';

/** How a child ended, and what it said. */
export interface ChildResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From start to end, in milliseconds. */
  readonly ms: number;
}

export interface ChildOptions {
  readonly args?: readonly string[];
  /** Options of Node itself: `--expose-gc`. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What the child reads from stdin before its end. Default: nothing. */
  readonly input?: string;
  /** The child is killed (SIGKILL) after so long: a hang is a failure, not a wait. Default: 60 s. */
  readonly timeoutMs?: number;
  /** Called once the child runs. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** The compiled file of `test/fixtures/<name>.ts`. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}.js`, import.meta.url));
}

/** Runs a command to its end. */
export function run(
  command: string,
  args: readonly string[],
  options: Omit<ChildOptions, 'args' | 'nodeArgs'> = {},
): Promise<ChildResult> {
  const { env = {}, input, timeoutMs = 60_000, onStart } = options;
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    const watchdog = setTimeout(() => child.kill('SIGKILL'), timeoutMs * PATIENCE);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(watchdog);
      resolve({ code, signal, ...output, ms: performance.now() - started });
    });
    // EPIPE: a child may leave without reading.
    child.stdin.on('error', () => undefined).end(input);
    onStart?.(child);
  });
}

/** Runs a Node program to its end: `runNode(fixture('wait-forever'))`. */
export function runNode(file: string, options: ChildOptions = {}): Promise<ChildResult> {
  const { nodeArgs = [], args = [], ...rest } = options;
  return run(process.execPath, [...nodeArgs, file, ...args], rest);
}

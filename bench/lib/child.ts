/**
 * Child processes that never outlive the benchmark: each is ended by its own process id when its
 * work is done, on failure, and when the benchmark itself is interrupted. (Of SIGKILL nobody is told.)
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { inRepository } from './paths.js';

/** How long a process that was asked to end may take before it is killed. */
const END_LIMIT_MS = 5_000;

/** How often the log of a starting process is looked at. */
const LOOK_MS = 5;

/** As a shell has the exit codes: 128 and the number of the signal. SIGHUP: the terminal is gone. */
const ENDING_SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** "[4130:0x1661dc00]       34 ms: Scavenge 4.1 (4.2) -> 3.3 (5.2) MB, …": of `--trace-gc`. */
export const COLLECTION_LINE: RegExp = /^\[\d+:[^\]]+\]\s+\d+ ms: .*\n?/gm;

const living = new Set<ChildProcess>();
const files = new Set<string>();
let watching = false;

function leaveNothing(): void {
  for (const child of living) child.kill('SIGKILL');
  for (const file of files) rmSync(file, { force: true });
}

function watchForTheEnd(): void {
  if (watching) return;
  watching = true;
  process.on('exit', leaveNothing);
  for (const [signal, code] of Object.entries(ENDING_SIGNALS)) {
    process.on(signal, () => process.exit(code));
  }
}

/** A file that a child makes and that has to go with it, whatever way this process ends. */
export function adoptFile(file: string): void {
  watchForTheEnd();
  files.add(file);
}

/** Registers a child, and sees to it that no way out of this process leaves it behind. */
function adopt(child: ChildProcess): void {
  watchForTheEnd();
  living.add(child);
  child.once('exit', () => living.delete(child));
  child.once('error', () => living.delete(child));
}

function split(command: readonly string[]): [string, readonly string[]] {
  const [program, ...args] = command;
  if (program === undefined) throw new RangeError('an empty command');
  return [program, args];
}

/** A command for a message, which may become part of a report: its files as in the repository. */
function told(command: readonly string[]): string {
  return command.join(' ').replaceAll(inRepository(), '');
}

/** What a process has said, without what V8 says of its collections: that would be all of it. */
function withoutTraces(log: string): string {
  return log.replaceAll(COLLECTION_LINE, '').slice(-2_000);
}

/** How a process ended, for a message. */
function describeEnd(child: ChildProcess): string {
  return child.signalCode ?? `exit code ${String(child.exitCode)}`;
}

/** A process that runs until it is told to end, and writes what it prints to a file. */
export class BackgroundProcess {
  readonly pid: number;
  readonly logPath: string;
  readonly #child: ChildProcess;
  readonly #name: string;

  /**
   * The output goes to a file rather than a pipe: nobody has to read it during the measurement, and
   * another process can note how long it was at a given moment.
   */
  static async start(command: readonly string[], logPath: string): Promise<BackgroundProcess> {
    const [program, args] = split(command);
    const log = openSync(logPath, 'w');
    const child = spawn(program, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    adopt(child);
    await once(child, 'spawn');
    return new BackgroundProcess(child, told(command), logPath);
  }

  private constructor(child: ChildProcess, name: string, logPath: string) {
    if (child.pid === undefined) throw new Error(`not started: ${name}`);
    this.#child = child;
    this.#name = name;
    this.pid = child.pid;
    this.logPath = logPath;
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  log(): string {
    return readFileSync(this.logPath, 'utf8');
  }

  /** Throws, with what the process printed, if it has ended. */
  assertRunning(): void {
    if (!this.#ended) return;
    const said = withoutTraces(this.log());
    throw new Error(`${this.#name} ended (${describeEnd(this.#child)}):\n${said}`);
  }

  /** Waits until the process has printed a line that matches. */
  async waitForLine(pattern: RegExp, limitMs: number): Promise<RegExpExecArray> {
    const deadline = performance.now() + limitMs;
    for (;;) {
      const match = pattern.exec(this.log());
      if (match !== null) return match;
      this.assertRunning();
      if (performance.now() > deadline) {
        throw new Error(`${this.#name} did not print ${String(pattern)}:\n${this.log()}`);
      }
      await sleep(LOOK_MS);
    }
  }

  /** Ends the process by its id and waits until it is gone. */
  async end(): Promise<void> {
    if (this.#ended) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), END_LIMIT_MS);
    try {
      await gone;
    } finally {
      clearTimeout(limit);
    }
  }
}

/** Runs a program to its end and returns what it printed. Its error output ends in the error. */
export async function runToEnd(command: readonly string[], limitMs: number): Promise<string> {
  const [program, args] = split(command);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: limitMs });
  adopt(child);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  await once(child, 'close');
  if (child.exitCode !== 0) {
    throw new Error(`${told(command)} failed (${describeEnd(child)}):\n${errors}`);
  }
  return output;
}

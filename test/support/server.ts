import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** An example that listens. */
export interface RunningServer {
  /** What it printed after `listening on `. */
  readonly address: string;
  /** The port of that, or NaN for a path. */
  readonly port: number;
  readonly pid: number;
  /** What it has written to stdout, up to the last line end. */
  readonly stdout: () => string;
  /** What it has written to stderr. */
  readonly stderr: () => string;
  /** Its exit code and signal, once it has left. */
  readonly ended: Promise<[number | null, NodeJS.Signals | null]>;
  /** Asks it to leave (SIGTERM unless said otherwise) and answers its exit code and signal. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<[number | null, NodeJS.Signals | null]>;
}

/** The compiled file of `examples/<name>.ts`. */
export function exampleFile(name: string): string {
  return fileURLToPath(new URL(`../../examples/${name}.js`, import.meta.url));
}

/**
 * Starts an example and waits for its `listening on <address>` line.
 *
 * @param through  A command that becomes the command given to it: `['prlimit', '--nofile=64']`.
 */
export async function startExample(
  name: string,
  args: readonly string[] = [],
  nodeArgs: readonly string[] = [],
  through: readonly string[] = [],
): Promise<RunningServer> {
  const command = [...through, process.execPath, ...nodeArgs, exampleFile(name), ...args];
  const child = spawn(command[0] as string, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const address = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      stdout += `${line}\n`;
      const match = /^listening on (.+)$/.exec(line);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
    void ended.then(([code]) => {
      reject(new Error(`${name} left with ${String(code)} before it listened: ${stderr}`));
    });
  });
  return {
    address,
    port: Number(address.split(':').at(-1)),
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}

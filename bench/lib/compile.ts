/** Compiles the programs of the benchmark that are not in TypeScript, on the spot. */

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { inRepository } from './paths.js';

function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
}

/** A program in C is a file of its name, or a folder of its name with several. */
function sourcesInC(name: string): readonly string[] {
  const folder = inRepository('bench', 'c', name);
  if (!existsSync(folder)) return [`${folder}.c`];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.c'))
    .map((file) => `${folder}/${file}`);
}

/** All of them, because each may include any header. */
function newestInC(): number {
  const files = readdirSync(inRepository('bench', 'c'), { recursive: true, encoding: 'utf8' });
  return Math.max(...files.map((file) => modifiedAt(inRepository('bench', 'c', file))));
}

/**
 * Runs a compiler, with `%o` for the path of the program, unless the program is newer than its
 * sources and was compiled by the same command. The finished program is moved into place, so that an
 * interrupted compilation leaves nothing that looks up to date.
 */
function compile(name: string, changedAt: number, command: readonly string[]): string {
  const program = inRepository('build', 'bench', 'bin', name);
  const note = `${program}.command`; // another compiler, or other flags, make another program
  const line = `${command.join(' ')}\n`;
  const isSame = existsSync(note) && readFileSync(note, 'utf8') === line;
  if (isSame && modifiedAt(program) > changedAt) return program;
  mkdirSync(inRepository('build', 'bench', 'bin'), { recursive: true });
  const unfinished = `${program}.${String(process.pid)}`;
  const [compiler = '', ...args] = command;
  const { status, error } = spawnSync(
    compiler,
    args.map((arg) => (arg === '%o' ? unfinished : arg)),
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (error !== undefined) throw new Error(`cannot run ${compiler}: ${error.message}`);
  if (status !== 0) throw new Error(`${compiler} failed on ${name}`);
  rmSync(note, { force: true });
  renameSync(unfinished, program);
  writeFileSync(note, line);
  return program;
}

/**
 * Compiles `bench/c/<name>.c`, or the files of `bench/c/<name>/`, and returns the path of the
 * program. `CC` chooses another compiler.
 */
export function compileC(name: string, libraries: readonly string[] = []): string {
  const flags = ['-O2', '-std=c11', '-pthread', '-Wall', '-Wextra'];
  const link = libraries.map((library) => `-l${library}`);
  const compiler = process.env['CC'] ?? 'cc';
  return compile(name, newestInC(), [compiler, ...flags, '-o', '%o', ...sourcesInC(name), ...link]);
}

/** Compiles `bench/servers/go/<name>.go` and returns the path of the program. */
export function compileGo(name: string): string {
  const source = inRepository('bench', 'servers', 'go', `${name}.go`);
  return compile(`go-${name}`, modifiedAt(source), ['go', 'build', '-o', '%o', source]);
}

/** Whether a header is where the C compiler looks for headers. */
export function hasHeader(header: string): boolean {
  const compiler = process.env['CC'] ?? 'cc';
  const { status } = spawnSync(compiler, ['-E', '-x', 'c', '-'], {
    input: `#include <${header}>\n`,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  return status === 0;
}

/** Compiles the C programs of the benchmark on the spot. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { inRepository } from './paths.js';

function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity;
}

/**
 * Compiles `bench/c/<name>.c` unless the program is newer than its source, and returns the path of
 * the program. `CC` chooses another compiler.
 *
 * The finished program is moved into place, so that an interrupted compilation leaves nothing that
 * looks up to date.
 */
export function compileC(name: string): string {
  const source = inRepository('bench', 'c', `${name}.c`);
  const program = inRepository('build', 'bench', 'bin', name);
  if (modifiedAt(program) > modifiedAt(source)) return program;

  mkdirSync(inRepository('build', 'bench', 'bin'), { recursive: true });
  const compiler = process.env['CC'] ?? 'cc';
  const flags = ['-O2', '-std=c11', '-pthread', '-Wall', '-Wextra'];
  const unfinished = `${program}.${String(process.pid)}`;
  const { status, error } = spawnSync(compiler, [...flags, '-o', unfinished, source], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error !== undefined) throw new Error(`cannot run ${compiler}: ${error.message}`);
  if (status !== 0) throw new Error(`${compiler} failed on ${source}`);
  renameSync(unfinished, program);
  return program;
}

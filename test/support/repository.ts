import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the checkout. */
export const repositoryRoot: string = fileURLToPath(new URL('../../../', import.meta.url));

const GENERATED = new Set(['.git', 'node_modules', 'build', 'prebuilds']);

function walk(folder: string): string[] {
  return readdirSync(path.join(repositoryRoot, folder)).flatMap((name) => {
    const file = path.join(folder, name);
    if (GENERATED.has(name)) return [];
    return statSync(path.join(repositoryRoot, file)).isDirectory() ? walk(file) : [file];
  });
}

/** The files of the repository by their paths: what git tracks, or all of an unpacked archive. */
export function repositoryFiles(): string[] {
  if (!existsSync(path.join(repositoryRoot, '.git'))) return walk('.');
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: repositoryRoot,
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .filter((file) => file !== '' && existsSync(path.join(repositoryRoot, file)));
}

export function readRepositoryFile(file: string): string {
  return readFileSync(path.join(repositoryRoot, file), 'utf8');
}

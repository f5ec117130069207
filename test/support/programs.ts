import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import test, { type ExecutionContext } from 'ava';

/** The path of an installed program, or undefined. */
export function findProgram(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * A test that talks to independent programs. Skipped by name where one is not installed; with
 * `RAW_EPOLL_REQUIRE_PROGRAMS=1`, as in CI, it then fails instead.
 */
export function testWithPrograms(
  programs: readonly string[],
  title: string,
  body: (t: ExecutionContext) => Promise<void> | void,
): void {
  const missing = programs.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) {
    // One after the other: programs that compete for the processor would only wait for each other.
    test.serial(title, body);
  } else if (process.env['RAW_EPOLL_REQUIRE_PROGRAMS'] === '1') {
    test(title, (t) => {
      t.fail(`not installed: ${missing.join(', ')}`);
    });
  } else {
    test.skip(`${title} (not installed: ${missing.join(', ')})`, body);
  }
}

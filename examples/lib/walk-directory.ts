import { opendirSync, type Dir, type Dirent } from 'node:fs';
import path from 'node:path';

/** What a walk has come to. */
export interface Visited {
  readonly path: string;
  readonly isDirectory: boolean;
  /** Why a directory could not be read, or not to its end. It was visited before, without this. */
  readonly error?: NodeJS.ErrnoException;
  /** Of a directory: it is not walked into. */
  skip(): void;
}

/**
 * Walks a directory and all below it: a directory comes before what is in it, links are not followed.
 *
 * It does nothing by itself: each step is taken when the caller asks for the next one, on the
 * caller's thread and in its time. Whoever leaves the loop, or calls `return()`, has ended it,
 * and no directory stays open. What cannot be read is told like anything else, so the end of the
 * walk means that there is no more, never that something went wrong.
 */
export function* walkDirectory(root: string): Generator<Visited, void, undefined> {
  let dir: Dir;
  try {
    dir = opendirSync(root);
  } catch (error) {
    yield failed(root, error);
    return;
  }
  try {
    for (let entry; (entry = readFrom(dir)) !== null;) {
      if (entry instanceof Error) {
        yield failed(root, entry);
        return;
      }
      yield* visit(path.join(root, entry.name), entry);
    }
  } finally {
    dir.closeSync();
  }
}

function* visit(file: string, entry: Dirent): Generator<Visited, void, undefined> {
  const isDirectory = entry.isDirectory();
  let wanted = isDirectory;
  const skip = (): void => {
    wanted = false;
  };
  yield { path: file, isDirectory, skip };
  if (wanted) yield* walkDirectory(file);
}

function readFrom(dir: Dir): Dirent | Error | null {
  try {
    return dir.readSync();
  } catch (error) {
    return error as Error;
  }
}

function failed(file: string, error: unknown): Visited {
  const skip = (): void => undefined;
  return { path: file, isDirectory: true, error: error as NodeJS.ErrnoException, skip };
}

// Finds Node's own headers beside its executable, so that a build needs no download.
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder that node-gyp takes as --nodedir, or undefined if this Node came without headers. */
export function nodeHeadersFolder(execPath = process.execPath) {
  const prefix = path.resolve(execPath, '../..');
  return existsSync(path.join(prefix, 'include/node/node.h')) ? prefix : undefined;
}

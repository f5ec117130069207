/** Where things are: the compiled benchmark runs from `build/bench`, its C sources stay put. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. This file runs as `build/bench/lib/paths.js`. */
const root: string = fileURLToPath(new URL('../../../', import.meta.url));

/** A path inside the repository. */
export function inRepository(...parts: readonly string[]): string {
  return join(root, ...parts);
}

import process from 'node:process';
import { isMainThread } from 'node:worker_threads';
import { binding } from '../native.js';

let installed = false;

/**
 * Has the exit of the main thread wake every set of the process: the workers that wait in them
 * would otherwise only notice at the end of a slice. Installed with the first set, because an
 * import must do nothing; on a worker, `exit` is only the worker's own.
 * @internal
 */
export function wakeAllAtExit(): void {
  if (installed || !isMainThread) return;
  installed = true;
  process.once('exit', () => {
    binding.wake.wakeAllForExit();
  });
}

import { Loop, type BackendName, type LoopOptions } from 'raw-epoll';
import { leave } from './command-line.js';

/** What a loop runs on. */
export const BACKENDS = ['auto', 'epoll', 'kqueue', 'poll', 'select'] as const;

/** Opens a loop; leaves with code 1 and the reason if this system does not have its backend. */
export function openLoop(
  program: string,
  options: Omit<LoopOptions, 'backend'> & { readonly backend: string },
): Loop {
  try {
    return new Loop({ ...options, backend: options.backend as BackendName });
  } catch (error) {
    leave(program, (error as Error).message, 1);
  }
}

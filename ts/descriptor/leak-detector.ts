import process from 'node:process';
import { binding } from '../native.js';
import { stackOfCaller } from './made-at.js';
import { leaveSets } from './open-sets.js';

/** Whether lines are remembered. @internal */
export function isTracking(): boolean {
  return tracking;
}

/** What the collector finds when it takes an object that nobody closed. */
interface Held {
  readonly fd: number;
  /** Where the object was made; only with tracking on. */
  readonly madeAt?: string;
  /** Closes what else belonged to the object. Must not hold the object itself. */
  readonly alsoClose?: () => void;
}

let tracking = process.env['RAW_EPOLL_TRACK'] === '1';

/**
 * Remembers, from now on, the line that makes each descriptor, for the report of those that are
 * garbage-collected without `close()`. `RAW_EPOLL_TRACK=1` turns it on from the start. A stack
 * trace costs some microseconds for each descriptor; off, it costs nothing.
 */
export function trackDescriptors(on: boolean): void {
  tracking = on;
}

/**
 * Reports, once, each owned object that is collected without `close()`, and closes its
 * descriptor. One detector a class: most objects are then held by their number alone.
 *
 * The collector reports between turns of Node's own loop: a thread that never returns to it is
 * told nothing.
 * @internal
 */
export class LeakDetector {
  readonly #kind: string;
  readonly #registry: FinalizationRegistry<number | Held>;

  constructor(kind: string) {
    this.#kind = kind;
    this.#registry = new FinalizationRegistry((held) => {
      this.#found(typeof held === 'number' ? { fd: held } : held);
    });
  }

  watch(object: object, fd: number, alsoClose?: () => void): void {
    const held = !tracking && alsoClose === undefined ? fd : describe(fd, alsoClose);
    this.#registry.register(object, held, object);
  }

  forget(object: object): void {
    this.#registry.unregister(object);
  }

  #found({ fd, madeAt, alsoClose }: Held): void {
    leaveSets(fd);
    alsoClose?.();
    binding.owned.close(fd);
    process.emitWarning(`${this.#kind} (fd ${String(fd)}) was garbage-collected without close()`, {
      type: 'DescriptorLeakWarning',
      code: 'RAW_EPOLL_LEAK',
      detail: madeAt ?? 'Run with RAW_EPOLL_TRACK=1 to see the line that made it.',
    });
  }
}

function describe(fd: number, alsoClose: (() => void) | undefined): Held {
  return {
    fd,
    ...(alsoClose === undefined ? {} : { alsoClose }),
    ...(tracking ? { madeAt: stackOfCaller() } : {}),
  };
}

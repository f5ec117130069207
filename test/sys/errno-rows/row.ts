import type { Descriptors, SystemCall } from '../support/kernel.js';

/** One documented errno of one system call, and how to get it from the kernel. */
export interface ErrnoRow {
  readonly call: SystemCall;
  readonly expected: string;
  /** The situation, as the documentation has it. */
  readonly why: string;
  /** Makes the situation and answers what the call answers in it. */
  readonly run: (open: Descriptors) => number;
  /** What the kernel must have for it. */
  readonly needs?: { readonly feature: string; readonly isThere: boolean };
}

/** A row, in one line where it fits. */
export function row(
  call: SystemCall,
  expected: string,
  why: string,
  run: (open: Descriptors) => number,
  needs?: ErrnoRow['needs'],
): ErrnoRow {
  return { call, expected, why, run, ...(needs === undefined ? {} : { needs }) };
}

/** A row whose errno is put into the kernel's mouth by strace: the machine cannot be brought there. */
export interface InjectedRow extends ErrnoRow {
  /** The kernel's own name of the call, which can differ: `recvfrom` for recv. */
  readonly syscall: string;
  /**
   * Which calls of the main thread are answered with the errno.
   * `all`: all, since Node itself makes none before the row has run.
   * `later`: from the fiftieth on, since Node makes some while it starts; the row asks until then.
   * `fifo`: only those on the FIFO at {@link FIFO}.
   */
  readonly which: 'all' | 'later' | 'fifo';
}

/** The environment variable that names the FIFO of `fifo` rows. */
export const FIFO = 'RAW_EPOLL_TEST_FIFO';

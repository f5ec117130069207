import process from 'node:process';
import {
  CLOCK_MONOTONIC,
  EV_ADD,
  EVFILT_READ,
  POLLIN,
  TFD_NONBLOCK,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';
import { Descriptors, hasKqueue, must } from './kernel.js';

const events = new sys.EpollEventArray(1);

/** A wait on an empty set, and what must have passed by its end. */
interface Timeout {
  readonly name: string;
  readonly wait: (epfd: number) => number;
  readonly atLeastNs: bigint;
}

/** The result of a wait in another thread. */
export interface TimeoutResult {
  readonly name: string;
  readonly answer: number;
  readonly expected: number;
  readonly lateByNs: bigint;
}

const MS = 1_000_000n;

const kevents = new sys.KeventArray(1);

/** What `kevent` answers of a queue that watches the set. */
function kqueued(epfd: number, timeoutNs: number | bigint | null): number {
  using open = new Descriptors();
  const kq = open.own(sys.kqueue());
  kevents.set(0, epfd, EVFILT_READ, EV_ADD);
  return sys.kevent(kq, kevents, 1, kevents, 1, timeoutNs);
}

/** A set of epoll is a descriptor too: readable while it has something to report. */
function polled(epfd: number): sys.PollFdArray {
  const fds = new sys.PollFdArray(1);
  fds.set(0, epfd, POLLIN);
  return fds;
}

/** What `select` answers, if its set agrees. */
function selected(epfd: number, timeoutUs: number | bigint | null): number {
  const set = new sys.FdSet();
  set.set(epfd);
  const answer = sys.select(epfd + 1, set, null, null, timeoutUs);
  return set.isSet(epfd) === (answer === 1) ? answer : Number.NaN;
}

function milliseconds(ms: number): Timeout[] {
  return [
    {
      name: `epoll_wait for ${ms} ms`,
      wait: (epfd) => sys.epoll_wait(epfd, events, 1, ms),
      atLeastNs: BigInt(ms) * MS,
    },
    {
      name: `epoll_pwait for ${ms} ms`,
      wait: (epfd) => sys.epoll_pwait(epfd, events, 1, ms, []),
      atLeastNs: BigInt(ms) * MS,
    },
    {
      name: `poll for ${ms} ms`,
      wait: (epfd) => sys.poll(polled(epfd), 1, ms),
      atLeastNs: BigInt(ms) * MS,
    },
  ];
}

function nanoseconds(ns: number): Timeout[] {
  return [
    {
      name: `epoll_pwait2 for ${ns} ns`,
      wait: (epfd) => sys.epoll_pwait2(epfd, events, 1, ns),
      atLeastNs: BigInt(ns),
    },
    {
      name: `epoll_pwait2 for ${ns}n ns`,
      wait: (epfd) => sys.epoll_pwait2(epfd, events, 1, BigInt(ns), null),
      atLeastNs: BigInt(ns),
    },
    {
      name: `ppoll for ${ns} ns`,
      wait: (epfd) => sys.ppoll(polled(epfd), 1, ns),
      atLeastNs: BigInt(ns),
    },
    ...(hasKqueue
      ? [
          {
            name: `kevent for ${ns} ns`,
            wait: (epfd: number): number => kqueued(epfd, ns),
            atLeastNs: BigInt(ns),
          },
        ]
      : []),
    {
      name: `select for ${ns} ns, in microseconds`,
      wait: (epfd) => selected(epfd, BigInt(Math.ceil(ns / 1_000))),
      atLeastNs: BigInt(ns),
    },
  ];
}

/** Waits that end by themselves. 70 ms is longer than a worker waits in one piece. */
export const timeouts: readonly Timeout[] = [
  ...[1, 2, 7, 70].flatMap(milliseconds),
  ...[1, 999, 50_000, 300_000, 1_000_001, 2_500_000, 70_000_001].flatMap(nanoseconds),
];

/** Waits that never end by themselves. */
export const FOREVER: Readonly<Record<string, (epfd: number) => number>> = {
  'epoll_wait(-1)': (epfd) => sys.epoll_wait(epfd, events, 1, -1),
  'epoll_wait(-(2 ** 31))': (epfd) => sys.epoll_wait(epfd, events, 1, -(2 ** 31)),
  'epoll_pwait(-1)': (epfd) => sys.epoll_pwait(epfd, events, 1, -1, null),
  'epoll_pwait(-2)': (epfd) => sys.epoll_pwait(epfd, events, 1, -2, []),
  'epoll_pwait2(null)': (epfd) => sys.epoll_pwait2(epfd, events, 1, null),
  ...(hasKqueue && {
    'kevent(null)': (epfd: number): number => kqueued(epfd, null),
    'kevent(2n ** 63n - 1n)': (epfd: number): number => kqueued(epfd, 2n ** 63n - 1n),
  }),
  'poll(-1)': (epfd) => sys.poll(polled(epfd), 1, -1),
  'poll(-(2 ** 31))': (epfd) => sys.poll(polled(epfd), 1, -(2 ** 31)),
  'ppoll(null)': (epfd) => sys.ppoll(polled(epfd), 1, null),
  'ppoll(2n ** 63n - 1n)': (epfd) => sys.ppoll(polled(epfd), 1, 2n ** 63n - 1n),
  'select(null)': (epfd) => selected(epfd, null),
  'select(2n ** 63n - 1n)': (epfd) => selected(epfd, 2n ** 63n - 1n),
  'epoll_pwait2(null, [])': (epfd) => sys.epoll_pwait2(epfd, events, 1, null, []),
};

/** A timer that fires once, and when it does on the clock of `process.hrtime`. */
export function armedTimer(
  open: Descriptors,
  afterNs: bigint,
): { readonly fd: number; readonly firesAtNs: bigint } {
  const fd = open.own(sys.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
  const firesAtNs = process.hrtime.bigint() + afterNs;
  must(sys.timerfd_settime(fd, 0, { valueNs: afterNs }));
  return { fd, firesAtNs };
}

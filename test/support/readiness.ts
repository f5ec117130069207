/** Looking at what a set reports, in words that a failed assertion can show. */
import { EpollEvents, type Epoll, type FdLike } from '../../ts/index.js';
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
} from '../../ts/sys/constants.js';

const NAMES: readonly (readonly [number, string])[] = [
  [EPOLLIN, 'IN'],
  [EPOLLPRI, 'PRI'],
  [EPOLLOUT, 'OUT'],
  [EPOLLERR, 'ERR'],
  [EPOLLHUP, 'HUP'],
  [EPOLLRDHUP, 'RDHUP'],
];

/** How long a condition that is bound to come may take on a machine with other things to do. */
const PATIENCE_MS = 10_000;

/** Everything that can be asked for, level-triggered. */
export const ALL_CONDITIONS: number = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP;

/** `IN|OUT` for a mask; `-` for none. Bits without a name are shown in hexadecimal. */
export function showMask(mask: number): string {
  const known = NAMES.filter(([bit]) => (mask & bit) !== 0);
  const rest = known.reduce((left, [bit]) => left & ~bit, mask) >>> 0;
  const names = known.map(([, name]) => name);
  if (rest !== 0) names.push(`0x${rest.toString(16)}`);
  return names.length === 0 ? '-' : names.join('|');
}

/** What a set reports now, without waiting: descriptor → conditions. */
export function reportedNow(epoll: Epoll): Map<number, string> {
  const events = new EpollEvents(4096);
  epoll.wait(events, 0);
  return new Map([...events].map((event) => [event.fd, showMask(event.events)]));
}

/** What a set reports now about one descriptor: `IN|OUT`, or `-`. */
export function conditionsOf(epoll: Epoll, fd: FdLike): string {
  return reportedNow(epoll).get(typeof fd === 'number' ? fd : fd.fd) ?? '-';
}

/**
 * Waits until a level-triggered descriptor shows these conditions, and answers what it showed
 * last. What a peer does arrives soon and not at once, so earlier conditions may show first.
 */
export function awaitConditions(epoll: Epoll, fd: FdLike, wanted: string): string {
  const number = typeof fd === 'number' ? fd : fd.fd;
  const events = new EpollEvents(64);
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    epoll.wait(events, 20);
    const event = [...events].find((candidate) => candidate.fd === number);
    const shown = event === undefined ? '-' : showMask(event.events);
    if (shown === wanted || performance.now() > deadline) return shown;
  }
}

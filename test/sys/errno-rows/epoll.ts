import { openSync } from 'node:fs';
import {
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLRDHUP,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';
import {
  type Descriptors,
  fillTable,
  must,
  NOT_OPEN,
  pipe,
  regularFile,
} from '../support/kernel.js';
import { type ErrnoRow, row } from './row.js';

function openSet(open: Descriptors): number {
  return open.own(sys.epoll_create1(0));
}

/** The innermost of `depth` sets, each inside the one before it. */
function nest(open: Descriptors, depth: number): { outermost: number; innermost: number } {
  const outermost = openSet(open);
  let innermost = outermost;
  for (let i = 1; i < depth; i++) {
    const next = openSet(open);
    must(sys.epoll_ctl(innermost, EPOLL_CTL_ADD, next, EPOLLIN));
    innermost = next;
  }
  return { outermost, innermost };
}

const controls: readonly ErrnoRow[] = [
  row('epoll_ctl', 'EBADF', '`epfd` is not open', (open) =>
    sys.epoll_ctl(NOT_OPEN, EPOLL_CTL_ADD, pipe(open)[0], EPOLLIN),
  ),
  row('epoll_ctl', 'EBADF', '`fd` is not open', (open) =>
    sys.epoll_ctl(openSet(open), EPOLL_CTL_ADD, NOT_OPEN, EPOLLIN),
  ),
  row('epoll_ctl', 'EBADF', '`fd` is -1', (open) =>
    sys.epoll_ctl(openSet(open), EPOLL_CTL_ADD, -1, EPOLLIN),
  ),
  row('epoll_ctl', 'EBADF', 'DEL of a number that has been closed', (open) => {
    const [epfd, fd] = [openSet(open), pipe(open)[0]];
    must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN));
    open.close(fd);
    return sys.epoll_ctl(epfd, EPOLL_CTL_DEL, fd);
  }),
  row('epoll_ctl', 'EEXIST', 'ADD of what is there', (open) => {
    const [epfd, fd] = [openSet(open), pipe(open)[0]];
    must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN));
    return sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN);
  }),
  row('epoll_ctl', 'EINVAL', '`epfd` is no set', (open) => {
    const [reader, writer] = pipe(open);
    return sys.epoll_ctl(reader, EPOLL_CTL_ADD, writer, EPOLLIN);
  }),
  row('epoll_ctl', 'EINVAL', '`epfd` is `fd`', (open) => {
    const epfd = openSet(open);
    return sys.epoll_ctl(epfd, EPOLL_CTL_ADD, epfd, EPOLLIN);
  }),
  row('epoll_ctl', 'EINVAL', 'unknown `op`', (open) =>
    sys.epoll_ctl(openSet(open), 9, pipe(open)[0], EPOLLIN),
  ),
  row('epoll_ctl', 'ENOENT', 'MOD of what is not there', (open) =>
    sys.epoll_ctl(openSet(open), EPOLL_CTL_MOD, pipe(open)[0], EPOLLIN),
  ),
  row('epoll_ctl', 'ENOENT', 'DEL of what is not there', (open) =>
    sys.epoll_ctl(openSet(open), EPOLL_CTL_DEL, pipe(open)[0]),
  ),
  row('epoll_ctl', 'EPERM', 'a regular file', (open) =>
    sys.epoll_ctl(openSet(open), EPOLL_CTL_ADD, regularFile(open), EPOLLIN),
  ),
  row('epoll_ctl', 'EPERM', 'a directory', (open) =>
    sys.epoll_ctl(openSet(open), EPOLL_CTL_ADD, open.own(openSync('/', 'r')), EPOLLIN),
  ),
];

const exclusive: readonly ErrnoRow[] = [
  row('epoll_ctl', 'EINVAL', 'EPOLLEXCLUSIVE with MOD', (open) => {
    const [epfd, fd] = [openSet(open), pipe(open)[0]];
    must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN));
    return sys.epoll_ctl(epfd, EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLEXCLUSIVE);
  }),
  row('epoll_ctl', 'EINVAL', 'MOD of what was added with EPOLLEXCLUSIVE', (open) => {
    const [epfd, fd] = [openSet(open), pipe(open)[0]];
    must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET));
    return sys.epoll_ctl(epfd, EPOLL_CTL_MOD, fd, EPOLLIN);
  }),
  ...[EPOLLONESHOT, EPOLLRDHUP].map((flag) =>
    row('epoll_ctl', 'EINVAL', `EPOLLEXCLUSIVE with 0x${flag.toString(16)}`, (open) =>
      sys.epoll_ctl(openSet(open), EPOLL_CTL_ADD, pipe(open)[0], EPOLLIN | EPOLLEXCLUSIVE | flag),
    ),
  ),
  row('epoll_ctl', 'EINVAL', 'EPOLLEXCLUSIVE for a set', (open) =>
    sys.epoll_ctl(openSet(open), EPOLL_CTL_ADD, openSet(open), EPOLLIN | EPOLLEXCLUSIVE),
  ),
];

const nesting: readonly ErrnoRow[] = [
  row('epoll_ctl', 'ELOOP', 'a cycle of sets', (open) => {
    const { outermost, innermost } = nest(open, 3);
    return sys.epoll_ctl(innermost, EPOLL_CTL_ADD, outermost, EPOLLIN);
  }),
  row('epoll_ctl', 'ELOOP', 'a sixth set inside five', (open) => {
    const { innermost } = nest(open, 5); // five are accepted
    return sys.epoll_ctl(innermost, EPOLL_CTL_ADD, openSet(open), EPOLLIN);
  }),
];

const events = new sys.EpollEventArray(4);

/** The three waits, with a timeout of 0. */
const waits: readonly {
  readonly call: 'epoll_wait' | 'epoll_pwait' | 'epoll_pwait2';
  readonly wait: (epfd: number, maxevents: number) => number;
}[] = [
  { call: 'epoll_wait', wait: (epfd, max) => sys.epoll_wait(epfd, events, max, 0) },
  { call: 'epoll_pwait', wait: (epfd, max) => sys.epoll_pwait(epfd, events, max, 0, []) },
  { call: 'epoll_pwait2', wait: (epfd, max) => sys.epoll_pwait2(epfd, events, max, 0) },
];

const waitRows: readonly ErrnoRow[] = waits.flatMap(({ call, wait }) => [
  row(call, 'EBADF', '`epfd` is not open', () => wait(NOT_OPEN, 1)),
  row(call, 'EBADF', '`epfd` is -1', () => wait(-1, 1)),
  row(call, 'EINVAL', '`epfd` is no set', (open) => wait(pipe(open)[0], 1)),
  row(call, 'EINVAL', '`maxevents` is 0', (open) => wait(openSet(open), 0)),
  row(call, 'EINVAL', '`maxevents` is negative', (open) => wait(openSet(open), -1)),
]);

/** Errnos of epoll(7) that a plain process gets. */
export const epollRows: readonly ErrnoRow[] = [
  row('epoll_create1', 'EINVAL', 'unknown flags', () => sys.epoll_create1(1)),
  ...controls,
  ...exclusive,
  ...nesting,
  ...waitRows,
  row('epoll_pwait2', 'EINVAL', '`timeoutNs` is negative', (open) =>
    sys.epoll_pwait2(openSet(open), events, 1, -1),
  ),
  row('epoll_pwait2', 'EINVAL', '`timeoutNs` is a negative bigint', (open) =>
    sys.epoll_pwait2(openSet(open), events, 1, -(2n ** 63n)),
  ),
];

/** In a process with a low limit of descriptors. */
export const epollRowsOfFullTable: readonly ErrnoRow[] = [
  row('epoll_create1', 'EMFILE', 'the process is out of descriptors', (open) => {
    fillTable(open);
    return sys.epoll_create1(0);
  }),
];

/** While signals arrive. */
export const epollRowsOfSignals: readonly ErrnoRow[] = [
  row('epoll_wait', 'EINTR', 'a signal handler ran', (open) =>
    sys.epoll_wait(openSet(open), events, 4, -1),
  ),
  row('epoll_pwait', 'EINTR', 'a signal handler ran', (open) =>
    sys.epoll_pwait(openSet(open), events, 4, -1, null),
  ),
  row('epoll_pwait2', 'EINTR', 'a signal handler ran', (open) =>
    sys.epoll_pwait2(openSet(open), events, 4, null),
  ),
];

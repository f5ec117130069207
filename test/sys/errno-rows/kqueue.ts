import {
  EV_ADD,
  EV_DELETE,
  EV_ENABLE,
  EVFILT_READ,
  EVFILT_USER,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';
import { type Descriptors, fillTable, KQUEUE, NOT_OPEN, pipe } from '../support/kernel.js';
import { type ErrnoRow, row } from './row.js';

const changes = new sys.KeventArray(1);
const events = new sys.KeventArray(4);
const NO_KQUEUE = { feature: 'system without kqueue', isThere: !KQUEUE.isThere };

/** Makes one change, with no room for an answer. */
function change(kq: number, ident: number, filter: number, flags: number): number {
  changes.set(0, ident, filter, flags);
  return sys.kevent(kq, changes, 1, null, 0, 0);
}

function queue(open: Descriptors): number {
  return open.own(sys.kqueue());
}

function kevents(expected: string, why: string, run: ErrnoRow['run']): ErrnoRow {
  return row('kevent', expected, why, run, KQUEUE);
}

/** Errnos of kqueue(2) that a plain process gets. */
export const kqueueRows: readonly ErrnoRow[] = [
  row('kqueue', 'ENOSYS', 'this system has no kqueue', () => sys.kqueue(), NO_KQUEUE),
  row(
    'kevent',
    'ENOSYS',
    'this system has no kqueue',
    () => sys.kevent(-1, null, 0, events, 4, null),
    NO_KQUEUE,
  ),
  kevents('EBADF', '`kq` is not open', () => sys.kevent(NOT_OPEN, null, 0, events, 4, 0)),
  kevents('EBADF', '`kq` is -1', () => sys.kevent(-1, null, 0, events, 4, 0)),
  kevents('EBADF', '`kq` is no queue', (open) => sys.kevent(pipe(open)[0], null, 0, events, 4, 0)),
  kevents('EBADF', 'a change names a descriptor that is not open', (open) =>
    change(queue(open), NOT_OPEN, EVFILT_READ, EV_ADD),
  ),
  kevents('EINVAL', 'a filter that nobody knows', (open) => change(queue(open), 1, -99, EV_ADD)),
  kevents('EINVAL', '`timeoutNs` is negative', (open) =>
    sys.kevent(queue(open), null, 0, events, 4, -1),
  ),
  kevents('EINVAL', '`timeoutNs` is a negative bigint', (open) =>
    sys.kevent(queue(open), null, 0, events, 4, -(2n ** 63n)),
  ),
  ...Object.entries({ EV_DELETE, EV_ENABLE }).map(([name, flag]) =>
    kevents('ENOENT', `${name} of what is not there`, (open) =>
      change(queue(open), pipe(open)[0], EVFILT_READ, flag),
    ),
  ),
  kevents('ENOENT', 'EV_DELETE of an event of the user that is not there', (open) =>
    change(queue(open), 1, EVFILT_USER, EV_DELETE),
  ),
];

/** In a process with a low limit of descriptors. */
export const kqueueRowsOfFullTable: readonly ErrnoRow[] = [
  row(
    'kqueue',
    'EMFILE',
    'the process is out of descriptors',
    (open) => {
      fillTable(open);
      return sys.kqueue();
    },
    KQUEUE,
  ),
];

/** While signals arrive. */
export const kqueueRowsOfSignals: readonly ErrnoRow[] = [
  kevents('EINTR', 'a signal handler ran', (open) =>
    sys.kevent(queue(open), null, 0, events, 4, null),
  ),
];

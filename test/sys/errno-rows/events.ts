/** eventfd and timerfd. */
import {
  CLOCK_BOOTTIME_ALARM,
  CLOCK_MONOTONIC,
  EFD_NONBLOCK,
  TFD_NONBLOCK,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';
import { type Descriptors, fillTable, must, NOT_OPEN, pipe } from '../support/kernel.js';
import { type ErrnoRow, row } from './row.js';

const value = new BigUint64Array(1);
const MOST = 2n ** 64n - 2n;

function counter(open: Descriptors, initval = 0): number {
  return open.own(sys.eventfd(initval, EFD_NONBLOCK));
}

function timer(open: Descriptors): number {
  return open.own(sys.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
}

/** Errnos of eventfd(2) and timerfd_create(2) that a plain process gets. */
export const eventRows: readonly ErrnoRow[] = [
  row('eventfd', 'EINVAL', 'unknown flags', () => sys.eventfd(0, 0x40)),
  row('eventfd_read', 'EAGAIN', 'the counter is 0', (open) =>
    sys.eventfd_read(counter(open), value),
  ),
  row('eventfd_read', 'EBADF', '`fd` is not open', () => sys.eventfd_read(NOT_OPEN, value)),
  row('eventfd_read', 'EBADF', '`fd` is not open for reading', (open) =>
    sys.eventfd_read(pipe(open)[1], value),
  ),
  row('eventfd_read', 'EINVAL', '`fd` is no eventfd: a set', (open) =>
    sys.eventfd_read(open.own(sys.epoll_create1(0)), value),
  ),
  row('eventfd_read', 'EINVAL', '`fd` is no eventfd: it has fewer than eight bytes', (open) => {
    const [reader, writer] = pipe(open);
    must(sys.write(writer, new Uint8Array(7), 0, 7));
    return sys.eventfd_read(reader, value);
  }),
  row('eventfd_write', 'EAGAIN', 'the sum would not fit', (open) =>
    sys.eventfd_write(counter(open, 1), MOST),
  ),
  row('eventfd_write', 'EBADF', '`fd` is not open', () => sys.eventfd_write(NOT_OPEN, 1)),
  row('eventfd_write', 'EBADF', '`fd` is not open for writing', (open) =>
    sys.eventfd_write(pipe(open)[0], 1),
  ),
  row('eventfd_write', 'EINVAL', '`value` is 2 ** 64 - 1', (open) =>
    sys.eventfd_write(counter(open), MOST + 1n),
  ),
  row('eventfd_write', 'EINVAL', '`fd` takes no eight bytes', (open) =>
    sys.eventfd_write(open.own(sys.epoll_create1(0)), 1),
  ),
  row('timerfd_create', 'EINVAL', 'unknown clock', () => sys.timerfd_create(99, 0)),
  row('timerfd_create', 'EINVAL', 'unknown flags', () => sys.timerfd_create(CLOCK_MONOTONIC, 1)),
  row('timerfd_settime', 'EBADF', '`fd` is not open', () =>
    sys.timerfd_settime(NOT_OPEN, 0, { valueNs: 0 }),
  ),
  row('timerfd_settime', 'EINVAL', '`fd` is no timer', (open) =>
    sys.timerfd_settime(pipe(open)[0], 0, { valueNs: 0 }),
  ),
  row('timerfd_settime', 'EINVAL', 'a negative time', (open) =>
    sys.timerfd_settime(timer(open), 0, { valueNs: -1 }),
  ),
  row('timerfd_settime', 'EINVAL', 'a negative interval', (open) =>
    sys.timerfd_settime(timer(open), 0, { valueNs: 1, intervalNs: -1_000_000_000n }),
  ),
  row('timerfd_settime', 'EINVAL', 'unknown flags', (open) =>
    sys.timerfd_settime(timer(open), 0x100, { valueNs: 0 }),
  ),
  row('timerfd_gettime', 'EBADF', '`fd` is not open', () => sys.timerfd_gettime(NOT_OPEN, {})),
  row('timerfd_gettime', 'EINVAL', '`fd` is no timer', (open) =>
    sys.timerfd_gettime(pipe(open)[0], {}),
  ),
];

/** In a process that is not root. */
export const eventRowsOfNobody: readonly ErrnoRow[] = [
  row('timerfd_create', 'EPERM', 'an alarm clock without CAP_WAKE_ALARM', () =>
    sys.timerfd_create(CLOCK_BOOTTIME_ALARM, 0),
  ),
];

/** In a process with a low limit of descriptors. */
export const eventRowsOfFullTable: readonly ErrnoRow[] = [
  row('eventfd', 'EMFILE', 'out of descriptors', (open) => {
    fillTable(open);
    return sys.eventfd(0, 0);
  }),
  row('timerfd_create', 'EMFILE', 'out of descriptors', (open) => {
    fillTable(open);
    return sys.timerfd_create(CLOCK_MONOTONIC, 0);
  }),
];

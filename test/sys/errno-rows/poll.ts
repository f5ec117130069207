import * as sys from '../../../ts/sys/index.js';
import { pipe } from '../support/kernel.js';
import { type ErrnoRow, row } from './row.js';

const fds = new sys.PollFdArray(201);

/** Errnos of poll(2) and select(2) that a plain process gets. */
export const pollRows: readonly ErrnoRow[] = [
  row('ppoll', 'EINVAL', '`timeoutNs` is negative', () => sys.ppoll(fds, 1, -1)),
  row('ppoll', 'EINVAL', '`timeoutNs` is a negative bigint', () =>
    sys.ppoll(fds, 1, -(2n ** 63n), []),
  ),
  row('select', 'EBADF', 'a descriptor in `readfds` is not open', (open) => {
    const [fd] = pipe(open);
    const set = new sys.FdSet();
    set.set(fd);
    open.close(fd);
    return sys.select(fd + 1, set, null, null, 0);
  }),
  row('select', 'EBADF', 'a descriptor in `exceptfds` is not open', (open) => {
    const [fd] = pipe(open);
    const set = new sys.FdSet();
    set.set(fd);
    open.close(fd);
    return sys.select(fd + 1, null, new sys.FdSet(), set, 0);
  }),
  row('select', 'EINVAL', '`nfds` is negative', () => sys.select(-1, null, null, null, 0)),
  row('select', 'EINVAL', '`timeoutUs` is negative', () => sys.select(0, null, null, null, -1)),
  row('select', 'EINVAL', '`timeoutUs` is a negative bigint', () =>
    sys.select(0, new sys.FdSet(), null, null, -(2n ** 63n)),
  ),
];

/** In a process that may have 200 descriptors. */
export const pollRowsOfFullTable: readonly ErrnoRow[] = [
  row('poll', 'EINVAL', '`nfds` is above the limit of descriptors', () => sys.poll(fds, 201, 0)),
  row('ppoll', 'EINVAL', '`nfds` is above the limit of descriptors', () => sys.ppoll(fds, 201, 0)),
];

/** While signals arrive. */
export const pollRowsOfSignals: readonly ErrnoRow[] = [
  row('poll', 'EINTR', 'a signal handler ran', () => sys.poll(fds, 4, -1)),
  row('ppoll', 'EINTR', 'a signal handler ran', () => sys.ppoll(fds, 4, null, null)),
  row('select', 'EINTR', 'a signal handler ran', (open) => {
    const [fd] = pipe(open);
    const set = new sys.FdSet();
    set.set(fd);
    const answer = sys.select(fd + 1, set, null, null, null);
    // The set is as it was.
    return set.isSet(fd) ? answer : 0;
  }),
];

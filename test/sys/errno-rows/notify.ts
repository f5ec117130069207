/** sendfile, splice, ioctl, inotify, pidfd. */
import { openSync } from 'node:fs';
import process from 'node:process';
import {
  AF_UNIX,
  FIONREAD,
  IN_CREATE,
  IN_MASK_CREATE,
  IN_ONLYDIR,
  SOCK_STREAM,
  SPLICE_F_NONBLOCK,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';
import {
  type Descriptors,
  fill,
  fillTable,
  listener,
  must,
  NOT_OPEN,
  pipe,
  regularFile,
  unixPair,
} from '../support/kernel.js';
import { type ErrnoRow, row } from './row.js';

/** A pipe without a reader. */
function broken(open: Descriptors): number {
  const [reader, writer] = pipe(open);
  open.close(reader);
  return writer;
}

const moving: readonly ErrnoRow[] = [
  row('sendfile', 'EAGAIN', 'no room', (open) => {
    const [fd] = unixPair(open);
    fill(fd);
    return sys.sendfile(fd, regularFile(open), 0, 65_536);
  }),
  row('sendfile', 'EBADF', '`inFd` is not open', (open) =>
    sys.sendfile(unixPair(open)[0], NOT_OPEN, null, 1),
  ),
  row('sendfile', 'EBADF', '`outFd` is not open for writing', (open) =>
    sys.sendfile(regularFile(open), regularFile(open), null, 1),
  ),
  row('sendfile', 'EINVAL', '`inFd` cannot be mapped', (open) =>
    sys.sendfile(unixPair(open)[0], open.own(sys.eventfd(1, 0)), null, 1),
  ),
  row('sendfile', 'EINVAL', '`outFd` is open for appending', (open) => {
    const file = open.own(openSync(`${open.folder()}/file`, 'a'));
    return sys.sendfile(file, regularFile(open), null, 1);
  }),
  row('sendfile', 'EINVAL', 'a negative offset', (open) =>
    sys.sendfile(unixPair(open)[0], regularFile(open), -1, 1),
  ),
  row('sendfile', 'EPIPE', 'nobody reads any more', (open) =>
    sys.sendfile(broken(open), regularFile(open), null, 1),
  ),
  row('sendfile', 'ESPIPE', 'an offset, and `inFd` has none', (open) =>
    sys.sendfile(unixPair(open)[0], pipe(open)[0], 0, 1),
  ),
  row('splice', 'EAGAIN', 'nothing to move', (open) =>
    sys.splice(pipe(open)[0], null, unixPair(open)[0], null, 1, SPLICE_F_NONBLOCK),
  ),
  row('splice', 'EBADF', '`fdIn` is not open', (open) =>
    sys.splice(NOT_OPEN, null, pipe(open)[1], null, 1, 0),
  ),
  row('splice', 'EBADF', 'the end of a pipe for writing', (open) =>
    sys.splice(pipe(open)[1], null, pipe(open)[1], null, 1, 0),
  ),
  row('splice', 'EINVAL', 'neither is a pipe', (open) => {
    const [a, b] = unixPair(open);
    return sys.splice(a, null, b, null, 1, 0);
  }),
  row('splice', 'EINVAL', 'unknown flags', (open) =>
    sys.splice(pipe(open)[0], null, pipe(open)[1], null, 1, 1 << 20),
  ),
  row('splice', 'ESPIPE', 'an offset for a pipe', (open) =>
    sys.splice(pipe(open)[0], 0, pipe(open)[1], null, 1, 0),
  ),
];

const asking: readonly ErrnoRow[] = [
  row('ioctl', 'EBADF', '`fd` is not open', () => sys.ioctl(NOT_OPEN, FIONREAD, new Int32Array(1))),
  row('ioctl', 'EINVAL', 'an unknown request', (open) => sys.ioctl(pipe(open)[0], 0x5413)),
  row('ioctl', 'EINVAL', 'not for a listener', (open) =>
    sys.ioctl(listener(open).fd, FIONREAD, new Int32Array(1)),
  ),
  row('ioctl', 'ENOTTY', 'the request does not fit the descriptor', (open) =>
    sys.ioctl(open.own(sys.eventfd(0, 0)), FIONREAD, new Int32Array(1)),
  ),
];

function watched(open: Descriptors, path: string, mask: number): number {
  return sys.inotify_add_watch(open.own(sys.inotify_init1(0)), path, mask);
}

const watching: readonly ErrnoRow[] = [
  row('inotify_init1', 'EINVAL', 'unknown flags', () => sys.inotify_init1(1)),
  row('inotify_add_watch', 'EBADF', '`fd` is not open', () =>
    sys.inotify_add_watch(NOT_OPEN, '/', IN_CREATE),
  ),
  row('inotify_add_watch', 'EEXIST', 'watched already, with IN_MASK_CREATE', (open) => {
    const fd = open.own(sys.inotify_init1(0));
    const folder = open.folder();
    must(sys.inotify_add_watch(fd, folder, IN_CREATE));
    return sys.inotify_add_watch(fd, folder, IN_CREATE | IN_MASK_CREATE);
  }),
  row('inotify_add_watch', 'EINVAL', '`fd` is no inotify', (open) =>
    sys.inotify_add_watch(pipe(open)[0], '/', IN_CREATE),
  ),
  row('inotify_add_watch', 'EINVAL', 'no event in the mask', (open) => watched(open, '/', 0)),
  row('inotify_add_watch', 'ENAMETOOLONG', 'the path is too long', (open) =>
    watched(open, 'x'.repeat(5_000), IN_CREATE),
  ),
  row('inotify_add_watch', 'ENOENT', 'no such file', (open) =>
    watched(open, `${open.folder()}/none`, IN_CREATE),
  ),
  row('inotify_add_watch', 'ENOTDIR', 'no folder, with IN_ONLYDIR', (open) =>
    watched(open, process.execPath, IN_CREATE | IN_ONLYDIR),
  ),
  row('inotify_rm_watch', 'EBADF', '`fd` is not open', () => sys.inotify_rm_watch(NOT_OPEN, 1)),
  row('inotify_rm_watch', 'EINVAL', '`fd` is no inotify', (open) =>
    sys.inotify_rm_watch(open.own(sys.socket(AF_UNIX, SOCK_STREAM, 0)), 1),
  ),
  row('inotify_rm_watch', 'EINVAL', 'no such watch', (open) =>
    sys.inotify_rm_watch(open.own(sys.inotify_init1(0)), 1),
  ),
  row('pidfd_open', 'EINVAL', '`pid` is not above 0', () => sys.pidfd_open(0, 0)),
  row('pidfd_open', 'EINVAL', 'unknown flags', () => sys.pidfd_open(process.pid, 1)),
  row('pidfd_open', 'ESRCH', 'no such process', () => sys.pidfd_open(2 ** 31 - 1, 0)),
];

/** Errnos that a plain process gets. */
export const notifyRows: readonly ErrnoRow[] = [...moving, ...asking, ...watching];

/** In a process with a low limit of descriptors. */
export const notifyRowsOfFullTable: readonly ErrnoRow[] = [
  row('inotify_init1', 'EMFILE', 'out of descriptors', (open) => {
    fillTable(open);
    return sys.inotify_init1(0);
  }),
  row('pidfd_open', 'EMFILE', 'out of descriptors', (open) => {
    fillTable(open);
    return sys.pidfd_open(process.pid, 0);
  }),
];

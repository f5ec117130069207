import { closeSync, openSync } from 'node:fs';
import {
  F_ADD_SEALS,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GET_SEALS,
  F_GETFD,
  F_GETPIPE_SZ,
  F_SETFL,
  F_SETPIPE_SZ,
  O_CLOEXEC,
  O_NOATIME,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';
import { fill, fillTable, must, NOT_OPEN, pipe, regularFile } from '../support/kernel.js';
import { type ErrnoRow, row } from './row.js';

/** Errnos of descriptors that a plain process gets. */
export const descriptorRows: readonly ErrnoRow[] = [
  row('close', 'EBADF', '`fd` is not open', () => sys.close(NOT_OPEN)),
  row('close', 'EBADF', '`fd` is -1', () => sys.close(-1)),
  row('close', 'EBADF', '`fd` has been closed', (open) => {
    const fd = sys.dup(pipe(open)[0]);
    must(sys.close(fd));
    return sys.close(fd);
  }),
  row('dup', 'EBADF', '`fd` is not open', () => sys.dup(NOT_OPEN)),
  row('dup2', 'EBADF', '`oldfd` is not open', (open) => sys.dup2(NOT_OPEN, pipe(open)[0])),
  row('dup2', 'EBADF', '`newfd` is no number for a descriptor', (open) =>
    sys.dup2(pipe(open)[0], -1),
  ),
  row('dup3', 'EBADF', '`oldfd` is not open', (open) =>
    sys.dup3(NOT_OPEN, pipe(open)[0], O_CLOEXEC),
  ),
  row('dup3', 'EBADF', '`newfd` is above the limit', (open) =>
    sys.dup3(pipe(open)[0], 2 ** 31 - 1, O_CLOEXEC),
  ),
  row('dup3', 'EINVAL', 'equal numbers', (open) => {
    const [fd] = pipe(open);
    return sys.dup3(fd, fd, O_CLOEXEC);
  }),
  row('dup3', 'EINVAL', 'unknown flags', (open) => {
    const [a, b] = pipe(open);
    return sys.dup3(a, b, 1);
  }),
  row('pipe2', 'EINVAL', 'unknown flags', () => sys.pipe2(new Int32Array(2), 1)),
  row('fcntl', 'EBADF', '`fd` is not open', () => sys.fcntl(NOT_OPEN, F_GETFD)),
  row('fcntl', 'EBADF', 'F_GETPIPE_SZ of what is no pipe', (open) =>
    sys.fcntl(regularFile(open), F_GETPIPE_SZ),
  ),
  row('fcntl', 'EPERM', 'F_ADD_SEALS on what is not open for writing', (open) =>
    sys.fcntl(regularFile(open), F_ADD_SEALS, 0),
  ),
  row('fcntl', 'EINVAL', 'the command is none of these', (open) =>
    sys.fcntl(pipe(open)[0], 1_000_000),
  ),
  row('fcntl', 'EINVAL', 'the command does not fit the descriptor', (open) =>
    sys.fcntl(regularFile(open), F_GET_SEALS),
  ),
  row('fcntl', 'EINVAL', 'the argument does not fit the command', (open) =>
    sys.fcntl(pipe(open)[0], F_DUPFD, -1),
  ),
  row('fcntl', 'EBUSY', 'F_SETPIPE_SZ below what is in the pipe', (open) => {
    const [reader, writer] = pipe(open);
    fill(writer);
    return sys.fcntl(reader, F_SETPIPE_SZ, 4_096);
  }),
];

/** In a process with a low limit of descriptors. */
export const descriptorRowsOfFullTable: readonly ErrnoRow[] = [
  row('dup', 'EMFILE', 'out of descriptors', (open) => {
    fillTable(open);
    return sys.dup(0);
  }),
  row('pipe2', 'EMFILE', 'out of descriptors', (open) => {
    fillTable(open);
    return sys.pipe2(new Int32Array(2), 0);
  }),
  row('pipe2', 'EMFILE', 'one descriptor is left', (open) => {
    const last = sys.dup(0);
    fillTable(open);
    must(sys.close(last));
    return sys.pipe2(new Int32Array(2), 0);
  }),
  row('fcntl', 'EMFILE', 'F_DUPFD: out of descriptors', (open) => {
    fillTable(open);
    return sys.fcntl(0, F_DUPFD, 0);
  }),
  row('fcntl', 'EMFILE', 'F_DUPFD_CLOEXEC: out of descriptors', (open) => {
    fillTable(open);
    return sys.fcntl(0, F_DUPFD_CLOEXEC, 0);
  }),
];

/** In a process that is not root. */
export const descriptorRowsOfNobody: readonly ErrnoRow[] = [
  row('fcntl', 'EPERM', 'F_SETPIPE_SZ above the limit of the user', (open) =>
    sys.fcntl(pipe(open)[0], F_SETPIPE_SZ, 2 ** 30),
  ),
  row('fcntl', 'EPERM', 'O_NOATIME for a file of somebody else', () => {
    const fd = openSync('/proc/version', 'r');
    const answer = sys.fcntl(fd, F_SETFL, O_NOATIME);
    closeSync(fd);
    return answer;
  }),
];

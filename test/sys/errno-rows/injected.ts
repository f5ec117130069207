/** What this machine cannot be brought to, answered by strace in the place of the kernel. */
import { openSync } from 'node:fs';
import process from 'node:process';
import {
  AF_INET,
  AF_UNIX,
  CLOCK_MONOTONIC,
  EPOLL_CTL_ADD,
  EPOLLIN,
  SOCK_STREAM,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';
import { type Descriptors, must, NOT_OPEN, type SystemCall } from '../support/kernel.js';
import { FIFO, type InjectedRow } from './row.js';

/** Errnos, and the situations in which the kernel answers them. */
type Reasons = Readonly<Record<string, string>>;

function injected(
  call: SystemCall,
  syscall: string,
  which: InjectedRow['which'],
  reasons: Reasons,
  run: InjectedRow['run'],
): InjectedRow[] {
  return Object.entries(reasons).map(([expected, why]) => ({
    call,
    syscall,
    which,
    expected,
    why,
    run,
  }));
}

/** A call that makes a descriptor. Asked again until it is refused, for Node makes such calls too. */
function creating(
  call: SystemCall,
  syscall: string,
  reasons: Reasons,
  make: () => number,
): InjectedRow[] {
  return injected(call, syscall, 'later', reasons, (open) => {
    for (let i = 0; i < 300; i++) {
      const answer = make();
      if (answer < 0) return answer;
      open.close(open.own(answer));
    }
    return 0;
  });
}

/** A call that takes a descriptor, here the FIFO, whatever the kernel would say to that. */
function taking(
  call: SystemCall,
  syscall: string,
  reasons: Reasons,
  ask: (fifo: number, open: Descriptors) => number,
): InjectedRow[] {
  return injected(call, syscall, 'fifo', reasons, (open) =>
    // For reading and writing: such an open does not wait for the other end.
    ask(open.own(openSync(process.env[FIFO] ?? '', 'r+')), open),
  );
}

/** A call of the network, of which Node makes none before. */
function networking(
  call: SystemCall,
  syscall: string,
  reasons: Reasons,
  ask: () => number,
): InjectedRow[] {
  return injected(call, syscall, 'all', reasons, ask);
}

/** Makes two descriptors, answers one. */
function one(fds: Int32Array, answer: number): number {
  if (answer < 0) return answer;
  must(sys.close(fds[1] as number));
  return fds[0] as number;
}

const bytes = new Uint8Array(8);
const value = new BigUint64Array(1);
const events = new sys.EpollEventArray(1);
const address = { family: AF_INET, address: '127.0.0.1', port: 9 };

const ENFILE = 'the system is out of descriptors';
const ENOMEM = 'the kernel is out of memory';
const ENOSYS = 'the kernel does not have the call';
const EINTR = 'a signal came first';
const NO_MEMORY: Reasons = { ENOBUFS: ENOMEM, ENOMEM };
const NO_SOCKET: Reasons = { EACCES: 'not allowed to make such a socket', ENFILE, ...NO_MEMORY };

const creations: readonly InjectedRow[] = [
  ...creating('epoll_create1', 'epoll_create1', { ENFILE, ENOMEM, ENOSYS }, () =>
    sys.epoll_create1(0),
  ),
  ...creating('eventfd', 'eventfd2', { ENFILE, ENOMEM, ENOSYS }, () => sys.eventfd(0, 0)),
  ...creating(
    'timerfd_create',
    'timerfd_create',
    { ENFILE, ENODEV: 'the kernel could not', ENOMEM, ENOSYS },
    () => sys.timerfd_create(CLOCK_MONOTONIC, 0),
  ),
  ...creating('socket', 'socket', NO_SOCKET, () => sys.socket(AF_UNIX, SOCK_STREAM, 0)),
  ...creating('socketpair', 'socketpair', NO_SOCKET, () => {
    const sv = new Int32Array(2);
    return one(sv, sys.socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
  }),
  ...creating('pipe2', 'pipe2', { ENFILE }, () => {
    const fds = new Int32Array(2);
    return one(fds, sys.pipe2(fds, 0));
  }),
];

const ofNetwork = 'an error of the network that waits on the new connection';
const accepted: Reasons = {
  ECONNABORTED: 'the peer gave up before',
  ENFILE,
  EPERM: 'a firewall forbids it',
  ...NO_MEMORY,
  ENETDOWN: ofNetwork,
  EPROTO: ofNetwork,
  ENOPROTOOPT: ofNetwork,
  EHOSTDOWN: ofNetwork,
  ENONET: ofNetwork,
  EHOSTUNREACH: ofNetwork,
  ENETUNREACH: ofNetwork,
};

const sockets: readonly InjectedRow[] = [
  ...networking('bind', 'bind', { EROFS: 'the folder cannot be written' }, () =>
    sys.bind(NOT_OPEN, address),
  ),
  ...networking('accept4', 'accept4', accepted, () => sys.accept4(NOT_OPEN, {}, 0)),
  ...networking(
    'connect',
    'connect',
    { EHOSTUNREACH: 'no way there', EPERM: 'a firewall forbids it' },
    () => sys.connect(NOT_OPEN, address),
  ),
  ...networking('send', 'sendto', NO_MEMORY, () => sys.send(NOT_OPEN, bytes, 0, 8, 0)),
  ...networking('sendto', 'sendto', NO_MEMORY, () => sys.sendto(NOT_OPEN, bytes, 0, 8, 0, address)),
  ...networking('pidfd_open', 'pidfd_open', { ENOSYS: 'before Linux 5.3' }, () =>
    sys.pidfd_open(process.pid, 0),
  ),
  ...networking(
    'inotify_add_watch',
    'inotify_add_watch',
    { ENOSPC: 'max_user_watches', EACCES: 'the file cannot be read' },
    () => sys.inotify_add_watch(NOT_OPEN, '/', 1),
  ),
  ...networking('sendmsg', 'sendmsg', NO_MEMORY, () => sys.sendmsg(NOT_OPEN, { iov: [bytes] }, 0)),
  ...networking('sendmmsg', 'sendmmsg', NO_MEMORY, () =>
    sys.sendmmsg(NOT_OPEN, new sys.MmsgArray(1, 1), 0, 1, 0),
  ),
];

const busy: Reasons = { EBUSY: 'somebody is just opening the number', EINTR };

const descriptors: readonly InjectedRow[] = [
  ...taking('epoll_ctl', 'epoll_ctl', { ENOMEM, ENOSPC: 'max_user_watches' }, (fd, open) =>
    sys.epoll_ctl(open.own(sys.epoll_create1(0)), EPOLL_CTL_ADD, fd, EPOLLIN),
  ),
  ...taking('epoll_pwait2', 'epoll_pwait2', { ENOSYS: 'before Linux 5.11' }, (fd) =>
    sys.epoll_pwait2(fd, events, 1, 1),
  ),
  ...taking('close', 'close', { EINTR, EIO: 'its last data may be lost' }, (fd, open) => {
    open.disown(fd);
    return sys.close(fd);
  }),
  ...taking('dup2', 'dup2', busy, (fd) => sys.dup2(fd, 900)),
  ...taking('dup3', 'dup3', busy, (fd) => sys.dup3(fd, 900, 0)),
  ...taking('eventfd_read', 'read', { EINTR }, (fd) => sys.eventfd_read(fd, value)),
  ...taking('eventfd_write', 'write', { EINTR }, (fd) => sys.eventfd_write(fd, 1)),
  ...injected('timerfd_settime', 'timerfd_settime', 'all', { ECANCELED: 'the clock was set' }, () =>
    sys.timerfd_settime(NOT_OPEN, 0, { valueNs: 1 }),
  ),
  ...taking('read', 'read', { ECANCELED: 'a timer whose clock was set' }, (fd) =>
    sys.read(fd, bytes, 0, 8),
  ),
  ...taking('readv', 'readv', { ECANCELED: 'a timer whose clock was set' }, (fd) =>
    sys.readv(fd, [bytes]),
  ),
];

/** A wait that has nothing to wait for. Asked again until it is refused: Node itself may poll. */
function waiting(call: SystemCall, syscall: string, ask: () => number): InjectedRow[] {
  return injected(call, syscall, 'later', { ENOMEM }, () => {
    let answer = 0;
    for (let i = 0; i < 300 && answer >= 0; i++) answer = ask();
    return answer;
  });
}

const fds = new sys.PollFdArray(1);
// What the C library asks. arm64 has no poll of its own.
const hasPoll = process.arch === 'x64';

const polls: readonly InjectedRow[] = [
  ...waiting('poll', hasPoll ? 'poll' : 'ppoll', () => sys.poll(fds, 1, 0)),
  ...waiting('ppoll', 'ppoll', () => sys.ppoll(fds, 1, 0)),
  ...waiting('select', 'pselect6', () => sys.select(0, null, null, null, 0)),
];

/** Errnos that only strace can bring about. */
export const injectedRows: readonly InjectedRow[] = [
  ...creations,
  ...sockets,
  ...descriptors,
  ...polls,
];

/** Documented errnos that no row can bring about on Linux, and why. */
export const withoutRow: readonly {
  readonly call: SystemCall;
  readonly errno: string;
  readonly why: string;
}[] = [
  { call: 'epoll_ctl', errno: 'ENOSYS', why: 'of other systems; Linux has the call since 2.5.44' },
  { call: 'epoll_wait', errno: 'ENOSYS', why: 'of other systems; Linux has the call since 2.5.44' },
  { call: 'epoll_pwait', errno: 'ENOSYS', why: 'of other systems; Linux has it since 2.6.19' },
  { call: 'kqueue', errno: 'ENFILE', why: 'of systems with a kqueue of their own' },
  { call: 'kqueue', errno: 'ENOMEM', why: 'of systems with a kqueue of their own' },
  { call: 'kevent', errno: 'ENOMEM', why: 'of systems with a kqueue of their own' },
  { call: 'kevent', errno: 'EACCES', why: 'of EVFILT_PROC, which the shim does not have' },
  { call: 'kevent', errno: 'ESRCH', why: 'of EVFILT_PROC, which the shim does not have' },
  { call: 'ppoll', errno: 'ENOSYS', why: 'macOS has no such call; Linux has it since 2.6.16' },
  { call: 'dup3', errno: 'ENOSYS', why: 'macOS has no such call; Linux has it since 2.6.27' },
  { call: 'sendfile', errno: 'ENOSYS', why: 'macOS has another one; Linux has it since 2.2' },
  { call: 'splice', errno: 'ENOSYS', why: 'macOS has no such call; Linux has it since 2.6.17' },
  { call: 'inotify_init1', errno: 'ENOSYS', why: 'of other systems; Linux has it since 2.6.27' },
  { call: 'inotify_add_watch', errno: 'ENOSYS', why: 'of other systems; in Linux since 2.6.13' },
  { call: 'inotify_rm_watch', errno: 'ENOSYS', why: 'of other systems; in Linux since 2.6.13' },
  { call: 'sendmsg', errno: 'ENOSYS', why: 'macOS has no SCM_CREDENTIALS' },
  { call: 'recvmmsg', errno: 'ENOSYS', why: 'macOS has no such call; Linux has it since 2.6.33' },
  { call: 'sendmmsg', errno: 'ENOSYS', why: 'macOS has no such call; Linux has it since 3.0' },
  { call: 'pidfd_open', errno: 'ENOENT', why: 'kernels differ about threads: EINVAL before' },
  { call: 'pipe2', errno: 'ENOSYS', why: 'macOS has no such call; Linux has it since 2.6.27' },
];

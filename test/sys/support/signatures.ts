/** The parameters of every function of level 1, as its man page and its types have them. */
import type { SystemCall } from './kernel.js';

/** What a parameter takes. */
export type Kind =
  | 'int'
  | 'uint32'
  | 'mask'
  | 'uint64'
  | 'int64'
  | 'buffer'
  | 'offset'
  | 'length'
  | 'views'
  | 'view'
  | 'option'
  | 'pair'
  | 'value'
  | 'address'
  | 'address out'
  | 'timer'
  | 'timer out'
  | 'events'
  | 'pollfds'
  | 'count'
  | 'select nfds'
  | 'fd set'
  | 'kevents'
  | 'maxevents'
  | 'message'
  | 'message out'
  | 'messages'
  | 'vlen'
  | 'int array'
  | 'path'
  | 'sigmask';

/** A parameter; with `?` it may be left out or null, as the types or the kernel's call allow. */
export type Parameter = readonly [name: string, kind: Kind, mayBe?: '?undefined' | '?null' | '?'];

const slice: readonly Parameter[] = [
  ['buffer', 'buffer'],
  ['offset', 'offset'],
  ['length', 'length'],
];
const batch: readonly Parameter[] = [
  ['msgvec', 'messages'],
  ['offset', 'uint32'],
  ['vlen', 'vlen'],
];
const wait: readonly Parameter[] = [
  ['epfd', 'int'],
  ['events', 'events'],
  ['maxevents', 'maxevents'],
];

/** Every function, and its parameters in their order. */
export const signatures: Readonly<Record<SystemCall, readonly Parameter[]>> = {
  epoll_create1: [['flags', 'int']],
  epoll_ctl: [
    ['epfd', 'int'],
    ['op', 'int'],
    ['fd', 'int'],
    ['events', 'mask', '?undefined'],
    ['data', 'uint64', '?undefined'],
  ],
  epoll_wait: [...wait, ['timeoutMs', 'int']],
  epoll_pwait: [...wait, ['timeoutMs', 'int'], ['sigmask', 'sigmask', '?']],
  epoll_pwait2: [...wait, ['timeoutNs', 'int64', '?null'], ['sigmask', 'sigmask', '?']],
  poll: [
    ['fds', 'pollfds'],
    ['nfds', 'count'],
    ['timeoutMs', 'int'],
  ],
  ppoll: [
    ['fds', 'pollfds'],
    ['nfds', 'count'],
    ['timeoutNs', 'int64', '?null'],
    ['sigmask', 'sigmask', '?'],
  ],
  select: [
    ['nfds', 'select nfds'],
    ['readfds', 'fd set', '?null'],
    ['writefds', 'fd set', '?null'],
    ['exceptfds', 'fd set', '?null'],
    ['timeoutUs', 'int64', '?null'],
  ],
  kqueue: [],
  kevent: [
    ['kq', 'int'],
    ['changes', 'kevents', '?null'],
    ['nchanges', 'count'],
    ['events', 'kevents', '?null'],
    ['nevents', 'count'],
    ['timeoutNs', 'int64', '?null'],
  ],
  socket: [
    ['domain', 'int'],
    ['type', 'int'],
    ['protocol', 'int'],
  ],
  socketpair: [
    ['domain', 'int'],
    ['type', 'int'],
    ['protocol', 'int'],
    ['sv', 'pair'],
  ],
  bind: [
    ['fd', 'int'],
    ['addr', 'address'],
  ],
  listen: [
    ['fd', 'int'],
    ['backlog', 'int'],
  ],
  accept4: [
    ['fd', 'int'],
    ['addr', 'address out', '?'],
    ['flags', 'int'],
  ],
  connect: [
    ['fd', 'int'],
    ['addr', 'address'],
  ],
  shutdown: [
    ['fd', 'int'],
    ['how', 'int'],
  ],
  getsockname: [
    ['fd', 'int'],
    ['addr', 'address out'],
  ],
  getpeername: [
    ['fd', 'int'],
    ['addr', 'address out'],
  ],
  getsockopt: [
    ['fd', 'int'],
    ['level', 'int'],
    ['optname', 'int'],
    ['optval', 'view'],
  ],
  setsockopt: [
    ['fd', 'int'],
    ['level', 'int'],
    ['optname', 'int'],
    ['optval', 'option'],
  ],
  recv: [['fd', 'int'], ...slice, ['flags', 'int']],
  send: [['fd', 'int'], ...slice, ['flags', 'int']],
  recvfrom: [['fd', 'int'], ...slice, ['flags', 'int'], ['addr', 'address out', '?']],
  sendto: [['fd', 'int'], ...slice, ['flags', 'int'], ['addr', 'address', '?']],
  recvmsg: [
    ['fd', 'int'],
    ['msg', 'message out'],
    ['flags', 'int'],
  ],
  sendmsg: [
    ['fd', 'int'],
    ['msg', 'message'],
    ['flags', 'int'],
  ],
  recvmmsg: [['fd', 'int'], ...batch, ['flags', 'int'], ['timeoutNs', 'int64', '?null']],
  sendmmsg: [['fd', 'int'], ...batch, ['flags', 'int']],
  read: [['fd', 'int'], ...slice],
  write: [['fd', 'int'], ...slice],
  readv: [
    ['fd', 'int'],
    ['iov', 'views'],
  ],
  writev: [
    ['fd', 'int'],
    ['iov', 'views'],
  ],
  close: [['fd', 'int']],
  dup: [['fd', 'int']],
  dup2: [
    ['oldfd', 'int'],
    ['newfd', 'int'],
  ],
  dup3: [
    ['oldfd', 'int'],
    ['newfd', 'int'],
    ['flags', 'int'],
  ],
  pipe2: [
    ['fds', 'pair'],
    ['flags', 'int'],
  ],
  fcntl: [
    ['fd', 'int'],
    ['cmd', 'int'],
    ['arg', 'int', '?undefined'],
  ],
  ioctl: [
    ['fd', 'int'],
    ['request', 'mask'],
    ['argp', 'int array', '?undefined'],
  ],
  sendfile: [
    ['outFd', 'int'],
    ['inFd', 'int'],
    ['offset', 'int64', '?null'],
    ['count', 'uint64'],
  ],
  splice: [
    ['fdIn', 'int'],
    ['offIn', 'int64', '?null'],
    ['fdOut', 'int'],
    ['offOut', 'int64', '?null'],
    ['len', 'uint64'],
    ['flags', 'mask'],
  ],
  inotify_init1: [['flags', 'int']],
  inotify_add_watch: [
    ['fd', 'int'],
    ['path', 'path'],
    ['mask', 'mask'],
  ],
  inotify_rm_watch: [
    ['fd', 'int'],
    ['wd', 'int'],
  ],
  pidfd_open: [
    ['pid', 'int'],
    ['flags', 'mask'],
  ],
  eventfd: [
    ['initval', 'uint32'],
    ['flags', 'int'],
  ],
  eventfd_read: [
    ['fd', 'int'],
    ['value', 'value'],
  ],
  eventfd_write: [
    ['fd', 'int'],
    ['value', 'uint64'],
  ],
  timerfd_create: [
    ['clockid', 'int'],
    ['flags', 'int'],
  ],
  timerfd_settime: [
    ['fd', 'int'],
    ['flags', 'int'],
    ['newValue', 'timer'],
    ['oldValue', 'timer out', '?'],
  ],
  timerfd_gettime: [
    ['fd', 'int'],
    ['value', 'timer out'],
  ],
  errnoName: [['errno', 'int']],
  strerror: [['errno', 'int']],
};

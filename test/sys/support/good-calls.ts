/** For every function of level 1 a call that works, and a look at what it changes. */
import { readFileSync, readlinkSync } from 'node:fs';
import process from 'node:process';
import { inspect } from 'node:util';
import { isOpen, openFlags } from '../../support/kernel-view.js';
import {
  AF_INET,
  AF_UNIX,
  CLOCK_MONOTONIC,
  EPOLL_CTL_ADD,
  EPOLLOUT,
  EV_ADD,
  EVFILT_USER,
  F_SETFL,
  FIONBIO,
  IN_CREATE,
  MSG_DONTWAIT,
  MSG_PEEK,
  NOTE_TRIGGER,
  POLLOUT,
  SHUT_WR,
  SO_ACCEPTCONN,
  SO_KEEPALIVE,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  TFD_NONBLOCK,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';
import {
  boundSocket,
  hasKqueue,
  type Descriptors,
  listener,
  must,
  openFiles,
  pipe,
  regularFile,
  socket,
  type SystemCall,
  unixPair,
} from './kernel.js';

/** Arguments that are right, and a look at the state that the call changes. */
export interface GoodCall {
  readonly args: unknown[];
  readonly look: () => unknown;
  /** Takes what the call has made. */
  readonly own?: (answer: number) => void;
}

/** The bytes that a view shows. */
export const SLICE_VIEW_LENGTH = 16;

const LOOPBACK = { family: AF_INET, address: '127.0.0.1', port: 0 };

function fdinfo(fd: number): string {
  return readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
}

/** What a socket would give next, without taking it. */
function pending(fd: number): string {
  const bytes = Buffer.alloc(64);
  const answer = sys.recv(fd, bytes, 0, 64, MSG_PEEK | MSG_DONTWAIT);
  return answer < 0 ? String(answer) : bytes.toString('latin1', 0, answer);
}

function option(fd: number, name: number): number {
  const value = new Int32Array(1);
  must(sys.getsockopt(fd, SOL_SOCKET, name, value));
  return value[0] as number;
}

function name(fd: number, ask: typeof sys.getsockname): string {
  const address = {};
  return inspect([ask(fd, address), address]);
}

type Arrange = (open: Descriptors) => GoodCall;

/** A call that answers a descriptor. */
function creating(...args: unknown[]): Arrange {
  return (open) => ({ args, look: () => undefined, own: (fd) => open.own(fd) });
}

/** A call that fills two numbers in. */
function creatingPair(toArgs: (fds: Int32Array) => unknown[]): Arrange {
  return (open) => {
    const fds = new Int32Array(2);
    const own = (): void => {
      for (const fd of fds) open.own(fd);
    };
    return { args: toArgs(fds), look: () => [...fds], own };
  };
}

/** A wait for a set in which something is ready. */
function waiting(...rest: unknown[]): Arrange {
  return (open) => {
    const epfd = open.own(sys.epoll_create1(0));
    must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, pipe(open)[1], EPOLLOUT));
    const events = new sys.EpollEventArray(4);
    return { args: [epfd, events, 4, ...rest], look: () => events.getEvents(0) };
  };
}

/** Arguments behind the descriptor, for a slice of eight bytes. */
function receiving(toArgs: (view: Uint8Array) => unknown[]): Arrange {
  return (open) => {
    const [fd, peer] = unixPair(open);
    must(sys.send(peer, Buffer.from('received'), 0, 8, 0));
    const view = new Uint8Array(SLICE_VIEW_LENGTH);
    return { args: [fd, ...toArgs(view)], look: () => [pending(fd), String(view)] };
  };
}

function sending(toArgs: (view: Uint8Array) => unknown[]): Arrange {
  return (open) => {
    const [fd, peer] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
    const view = Buffer.from('what is sent ...'.padEnd(SLICE_VIEW_LENGTH));
    return { args: [fd, ...toArgs(view)], look: () => pending(peer) };
  };
}

const epoll = {
  epoll_create1: creating(0),
  epoll_ctl: (open) => {
    const epfd = open.own(sys.epoll_create1(0));
    return { args: [epfd, EPOLL_CTL_ADD, pipe(open)[1], EPOLLOUT, 7n], look: () => fdinfo(epfd) };
  },
  epoll_wait: waiting(0),
  epoll_pwait: waiting(0, [10]),
  epoll_pwait2: waiting(0, [10]),
} satisfies Partial<Record<SystemCall, Arrange>>;

/** A poll that finds something. */
function polling(...rest: unknown[]): Arrange {
  return (open) => {
    const fds = new sys.PollFdArray(4);
    fds.set(2, pipe(open)[1], POLLOUT);
    return { args: [fds, 4, ...rest], look: () => fds.getRevents(2) };
  };
}

const polls = {
  poll: polling(0),
  ppoll: polling(0, [10]),
  select: (open) => {
    const [reader, writer] = pipe(open);
    const [readable, writable] = [new sys.FdSet(), new sys.FdSet()];
    readable.set(reader);
    writable.set(writer);
    const args = [Math.max(reader, writer) + 1, readable, writable, new sys.FdSet(), 0];
    return { args, look: () => [readable.isSet(reader), writable.isSet(writer)] };
  },
  kqueue: creating(),
  kevent: (open) => {
    const kq = hasKqueue ? open.own(sys.kqueue()) : -1;
    const [changes, events] = [new sys.KeventArray(4), new sys.KeventArray(4)];
    changes.set(0, 7, EVFILT_USER, EV_ADD, NOTE_TRIGGER);
    return { args: [kq, changes, 1, events, 4, 0], look: () => events.getIdent(0) };
  },
} satisfies Partial<Record<SystemCall, Arrange>>;

const sockets = {
  socket: creating(AF_INET, SOCK_STREAM, 0),
  socketpair: creatingPair((sv) => [AF_UNIX, SOCK_STREAM, 0, sv]),
  bind: (open) => {
    const fd = socket(open, AF_INET, SOCK_STREAM);
    return { args: [fd, LOOPBACK], look: () => name(fd, sys.getsockname) };
  },
  listen: (open) => {
    const { fd } = boundSocket(open, SOCK_STREAM);
    return { args: [fd, 8], look: () => option(fd, SO_ACCEPTCONN) };
  },
  accept4: (open) => {
    const { fd, port } = listener(open);
    must(sys.connect(open.own(sys.socket(AF_INET, SOCK_STREAM, 0)), { ...LOOPBACK, port }));
    const address = {};
    return { args: [fd, address, 0], look: () => inspect(address), own: (made) => open.own(made) };
  },
  connect: (open) => {
    const { fd } = boundSocket(open);
    const { port } = boundSocket(open);
    return { args: [fd, { ...LOOPBACK, port }], look: () => name(fd, sys.getpeername) };
  },
  shutdown: (open) => {
    const [fd, peer] = unixPair(open);
    return { args: [fd, SHUT_WR], look: () => pending(peer) };
  },
  getsockname: (open) => {
    const address = {};
    return { args: [boundSocket(open).fd, address], look: () => inspect(address) };
  },
  getpeername: (open) => {
    const address = {};
    return { args: [unixPair(open)[0], address], look: () => inspect(address) };
  },
  getsockopt: (open) => {
    const value = new Int32Array([-7]);
    return { args: [unixPair(open)[0], SOL_SOCKET, SO_TYPE, value], look: () => value[0] };
  },
  setsockopt: (open) => {
    const [fd] = unixPair(open);
    return { args: [fd, SOL_SOCKET, SO_KEEPALIVE, 1], look: () => option(fd, SO_KEEPALIVE) };
  },
} satisfies Partial<Record<SystemCall, Arrange>>;

const transfers = {
  recv: receiving((view) => [view, 4, 8, 0]),
  recvfrom: receiving((view) => [view, 4, 8, 0, {}]),
  read: receiving((view) => [view, 4, 8]),
  readv: receiving((view) => [[view.subarray(4, 8), view.subarray(8, 12)]]),
  send: sending((view) => [view, 4, 8, 0]),
  sendto: sending((view) => [view, 4, 8, 0, null]),
  write: sending((view) => [view, 4, 8]),
  writev: sending((view) => [[view.subarray(4, 8), view.subarray(8, 12)]]),
} satisfies Partial<Record<SystemCall, Arrange>>;

/** Four messages of eight bytes; the first is to be sent. */
function messages(): sys.MmsgArray {
  const made = new sys.MmsgArray(4, 8);
  made.buffer.set(Buffer.from('a batch!'));
  made.setLength(0, 8);
  return made;
}

const messageCalls = {
  recvmsg: receiving((view) => [
    {
      iov: [view.subarray(4, 8), view.subarray(8, 12)],
      name: {},
      control: { rights: new Int32Array(2), credentials: {} },
    },
    0,
  ]),
  sendmsg: sending((view) => [
    { iov: [view.subarray(4, 12)], name: null, control: { rights: new Int32Array() } },
    0,
  ]),
  recvmmsg: (open) => {
    const [fd, peer] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
    must(sys.send(peer, Buffer.from('received'), 0, 8, 0));
    const into = messages();
    return { args: [fd, into, 0, 4, 0, null], look: () => [pending(fd), String(into.buffer)] };
  },
  sendmmsg: (open) => {
    const [fd, peer] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
    return { args: [fd, messages(), 0, 1, 0], look: () => pending(peer) };
  },
} satisfies Partial<Record<SystemCall, Arrange>>;

const descriptors = {
  close: (open) => {
    const fd = open.own(sys.dup(pipe(open)[0]));
    const own = (): void => {
      open.disown(fd);
    };
    return { args: [fd], look: () => isOpen(fd), own };
  },
  dup: (open) => ({ ...creating(pipe(open)[0])(open) }),
  dup2: (open) => {
    const [[from], [to]] = [pipe(open), pipe(open)];
    return { args: [from, to], look: () => readlinkSync(`/proc/self/fd/${to}`) };
  },
  dup3: (open) => {
    const [[from], [to]] = [pipe(open), pipe(open)];
    return { args: [from, to, 0], look: () => readlinkSync(`/proc/self/fd/${to}`) };
  },
  ioctl: (open) => {
    const [fd] = pipe(open);
    return { args: [fd, FIONBIO, Int32Array.of(0)], look: () => openFlags(fd) };
  },
  sendfile: (open) => {
    const [fd, peer] = unixPair(open);
    return { args: [fd, regularFile(open), 4, 8], look: () => pending(peer) };
  },
  splice: (open) => {
    const [fd, peer] = unixPair(open);
    const [reader, writer] = pipe(open);
    must(sys.write(writer, Buffer.from('spliced!'), 0, 8));
    return { args: [reader, null, fd, null, 8, 0], look: () => pending(peer) };
  },
  pipe2: creatingPair((fds) => [fds, 0]),
  fcntl: (open) => {
    const [fd] = pipe(open);
    return { args: [fd, F_SETFL, 0], look: () => openFlags(fd) };
  },
} satisfies Partial<Record<SystemCall, Arrange>>;

const events = {
  eventfd: creating(3, 0),
  eventfd_read: (open) => {
    const fd = open.own(sys.eventfd(3, 0));
    const value = new BigUint64Array([9n]);
    return { args: [fd, value], look: () => [fdinfo(fd), value[0]] };
  },
  eventfd_write: (open) => {
    const fd = open.own(sys.eventfd(3, 0));
    return { args: [fd, 4], look: () => fdinfo(fd) };
  },
  timerfd_create: creating(CLOCK_MONOTONIC, 0),
  timerfd_settime: (open) => {
    const fd = open.own(sys.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    const old = {};
    const armed = { valueNs: 3_600_000_000_000, intervalNs: 1n };
    return { args: [fd, 0, armed, old], look: () => [fdinfo(fd).includes('(0, 0)'), inspect(old)] };
  },
  timerfd_gettime: (open) => {
    const fd = open.own(sys.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    const value = {};
    return { args: [fd, value], look: () => inspect(value) };
  },
  inotify_init1: creating(0),
  inotify_add_watch: (open) => {
    const fd = open.own(sys.inotify_init1(0));
    return { args: [fd, open.folder(), IN_CREATE], look: () => fdinfo(fd) };
  },
  inotify_rm_watch: (open) => {
    const fd = open.own(sys.inotify_init1(0));
    const wd = must(sys.inotify_add_watch(fd, open.folder(), IN_CREATE));
    return { args: [fd, wd], look: () => fdinfo(fd) };
  },
  pidfd_open: creating(process.pid, 0),
  errnoName: () => ({ args: [11], look: () => undefined }),
  strerror: () => ({ args: [11], look: () => undefined }),
} satisfies Partial<Record<SystemCall, Arrange>>;

const arrangements: Readonly<Record<SystemCall, Arrange>> = {
  ...epoll,
  ...polls,
  ...sockets,
  ...transfers,
  ...messageCalls,
  ...descriptors,
  ...events,
};

/** Prepares a call that works. Its look shows all descriptors too. */
export function goodCall(call: SystemCall, open: Descriptors): GoodCall {
  const good = arrangements[call](open);
  return { ...good, look: () => [openFiles(), good.look()] };
}

/** Calls a function of level 1 with whatever arguments. */
export function invoke(call: SystemCall, args: readonly unknown[]): unknown {
  return (sys[call] as (...args: unknown[]) => unknown)(...args);
}

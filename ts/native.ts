/**
 * Declares and loads the addon. The only file that touches the `.node`.
 *
 * Importing never throws: where the addon is missing or refused, every function of the binding
 * throws an error that says how to get it, and constants are absent.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as Sys from './sys/index.js';

type Answer = number;

/** Level 1 as the addon gives it: the arrays of structs are bare memory here. */
interface SystemCalls extends Omit<
  typeof Sys,
  | 'EpollEventArray'
  | 'PollFdArray'
  | 'FdSet'
  | 'KeventArray'
  | 'epoll_wait'
  | 'epoll_pwait'
  | 'epoll_pwait2'
  | 'poll'
  | 'ppoll'
  | 'select'
  | 'MmsgArray'
  | 'recvmmsg'
  | 'sendmmsg'
  | 'kevent'
> {
  readonly epoll_wait: (
    epfd: number,
    events: Uint8Array,
    maxevents: number,
    timeoutMs: number,
  ) => Answer;
  readonly epoll_pwait: (
    epfd: number,
    events: Uint8Array,
    maxevents: number,
    timeoutMs: number,
    sigmask: readonly number[] | null,
  ) => Answer;
  readonly epoll_pwait2: (
    epfd: number,
    events: Uint8Array,
    maxevents: number,
    timeoutNs: number | bigint | null,
    sigmask?: readonly number[] | null,
  ) => Answer;
  readonly poll: (fds: Uint8Array, nfds: number, timeoutMs: number) => Answer;
  readonly ppoll: (
    fds: Uint8Array,
    nfds: number,
    timeoutNs: number | bigint | null,
    sigmask?: readonly number[] | null,
  ) => Answer;
  readonly select: (
    nfds: number,
    readfds: Uint8Array | null,
    writefds: Uint8Array | null,
    exceptfds: Uint8Array | null,
    timeoutUs: number | bigint | null,
  ) => Answer;
  readonly recvmmsg: (
    fd: number,
    slots: Uint8Array,
    bytes: Uint8Array,
    size: number,
    offset: number,
    vlen: number,
    flags: number,
    timeoutNs: number | bigint | null,
  ) => Answer;
  readonly sendmmsg: (
    fd: number,
    slots: Uint8Array,
    bytes: Uint8Array,
    size: number,
    offset: number,
    vlen: number,
    flags: number,
  ) => Answer;
  readonly kevent: (
    kq: number,
    changes: Uint8Array | null,
    nchanges: number,
    events: Uint8Array | null,
    nevents: number,
    timeoutNs: number | bigint | null,
  ) => Answer;
}

/**
 * Calls that make descriptors which the environment closes at its end. Making and owning are one
 * step: a worker can be terminated between any two steps of JavaScript.
 */
interface OwnedCalls extends Pick<
  SystemCalls,
  | 'epoll_create1'
  | 'socket'
  | 'socketpair'
  | 'accept4'
  | 'recvmsg'
  | 'pipe2'
  | 'eventfd'
  | 'timerfd_create'
  | 'inotify_init1'
  | 'pidfd_open'
  | 'kqueue'
  | 'close'
> {
  /** `fcntl` with `F_DUPFD_CLOEXEC`. */
  dup(fd: number): Answer;
  /** Takes an open descriptor over. `-EBADF` if it is not open, `-EBUSY` if it is owned already. */
  own(fd: number): Answer;
  /** Gives a descriptor away. `-EBADF` if it is not owned. */
  disown(fd: number): Answer;
  /** How many descriptors this environment owns. */
  count(): number;
}

/**
 * A frame, and the calls of the hot path that have one: see call-frame.ts, which alone uses them.
 * Their numbers and their answer lie in `memory`, their buffers are known by a role.
 */
export interface CallFrame {
  readonly memory: ArrayBuffer;
  /** Remembers where the bytes of a buffer lie. Answers how many there are. */
  readonly know: (buffer: Uint8Array) => void;
  readonly recv: () => void;
  readonly send: () => void;
  readonly read: () => void;
  readonly write: () => void;
  readonly epoll_ctl: () => void;
  readonly epoll_wait: () => void;
  readonly set_wait: () => void;
}

interface FrameCalls {
  /** A frame of its own for whoever asks. */
  open(): CallFrame;
}

/** `sizeof(struct FrameWords)` in native/core/call_frame.h. */
const FRAME_BYTES = 40;

/** What the sets of level 2 stand on, beside what they have in `CallFrame`. */
interface SetCalls {
  /**
   * `epoll_wait` that retries `EINTR` against a deadline and consumes the wake event. Undefined
   * once the environment is stopping: then at most the rest of a loop runs.
   */
  readonly wait: (
    epfd: number,
    wakeFd: number,
    events: Uint8Array,
    maxevents: number,
    timeoutMs: number,
    spinUs: number,
  ) => Answer | undefined;
}

/** The addresses in the memory of an `MmsgArray`. */
interface MmsgCalls {
  setName(slots: Uint8Array, i: number, addr: Sys.SocketAddress | null): void;
  getName(slots: Uint8Array, i: number, addr: Sys.SocketAddressOut): void;
}

/** `setsockopt` with the structs of multicast. An interface is its index; 0: the kernel chooses. */
interface MulticastCalls {
  join(fd: number, group: Sys.SocketAddress, interfaceIndex: number): Answer;
  leave(fd: number, group: Sys.SocketAddress, interfaceIndex: number): Answer;
  sendFrom(fd: number, family: number, interfaceIndex: number): Answer;
}

/** Wake handles: known to every thread of the process, safe after their set has closed. */
interface WakeCalls {
  add(wakeFd: number): number;
  /** For a kqueue that watches its own wake. */
  addKqueue(kq: number): number;
  remove(id: number): void;
  /** 1, or 0 if the set is closed. */
  wake(id: number): Answer;
  wakeAllForExit(): void;
  /** Which calls of the waits are to be treated as missing (1) and which not (0). */
  without(epollPwait2: number, ppoll: number): void;
}

/** What the kqueue sets of level 2 stand on. The wake is a descriptor, or -1: an event of the user. */
interface KqueueCalls {
  /** Has the kqueue watch its wake. `-ENOSYS` where there are no events of the user. */
  watchWake(kq: number, wakeFd: number): Answer;
  /** `kevent` that retries `EINTR` against a deadline and consumes the wake; else as `SetCalls`. */
  wait(
    kq: number,
    wakeFd: number,
    events: Uint8Array,
    nevents: number,
    timeoutMs: number,
    spinUs: number,
  ): Answer | undefined;
}

/** What the backends of level 3 stand on. */
interface PollerCalls {
  /** 0, or what epoll would refuse the descriptor with: `-EBADF`, `-EPERM`. */
  inspect(fd: number): Answer;
  /**
   * poll(2) with slots of `struct pollfd`; slot 0 is the one that wakes. Reports in the form of
   * `struct epoll_event`. `numbers` is `[how many slots, where the report begins]`; the second is
   * written for the next report. Undefined once the environment is stopping.
   */
  poll(
    slots: Uint8Array,
    numbers: Int32Array,
    generations: Uint32Array,
    masks: Uint32Array,
    events: Uint8Array,
    maxevents: number,
    timeoutMs: number,
    spinUs: number,
  ): Answer | undefined;
  /** select(2); `numbers` is `[wakeFd, nfds, where the report begins]`. Otherwise as `poll`. */
  select(
    sets: Uint8Array,
    numbers: Int32Array,
    generations: Uint32Array,
    masks: Uint32Array,
    events: Uint8Array,
    maxevents: number,
    timeoutMs: number,
    spinUs: number,
  ): Answer | undefined;
  /** What `select` is to wait for on a descriptor; 0 for nothing. */
  select_put(sets: Uint8Array, fd: number, mask: number): Answer;
  /** 1 if the descriptor was found closed while it was waited for. */
  select_buried(sets: Uint8Array, fd: number): Answer;
  /**
   * kevent(2); `numbers` is `[kq, the descriptor that wakes or -1]`, `kevents` is memory for
   * `maxevents` of `struct kevent`, `positions` is as long as `masks`. Otherwise as `poll`.
   */
  kqueue(
    numbers: Int32Array,
    kevents: Uint8Array,
    positions: Uint32Array,
    masks: Uint32Array,
    events: Uint8Array,
    maxevents: number,
    timeoutMs: number,
    spinUs: number,
  ): Answer | undefined;
  /** Has a descriptor have just the knotes that `mask` asks for. */
  kqueue_put(kq: number, fd: number, mask: number, generation: number): Answer;
  /** 1 if the kernel still has the knotes of a registration. */
  kqueue_has(kq: number, fd: number, mask: number, generation: number): Answer;
}

/**
 * Watching a descriptor from the loop of the host. A started watch calls back once it is readable;
 * over libuv, again and again until it is not, or the watch is stopped. Ids are of this
 * environment, never used twice.
 */
interface HostCalls {
  /** Over libuv, or with `overThread` 1 over a thread that polls. `-ENOSYS`: no libuv here. */
  open(fd: number, callback: () => void, overThread: number): Answer;
  start(id: number): Answer;
  stop(id: number): Answer;
  /** A started watch keeps the process alive; at first it does. */
  ref(id: number): Answer;
  unref(id: number): Answer;
  close(id: number): Answer;
  /** Microseconds of a clock that never goes back, modulo 2 ** 31: a number that is no object. */
  readonly ticks: () => Answer;
}

/**
 * Signals of the process in the pipe of a loop. Any number of pipes of any thread may watch a
 * signal. Ids are of this environment, never used twice; the others answer `-EBADF` for one that
 * is closed.
 */
interface SignalCalls {
  /** Uses both ends of a non-blocking pipe; they stay the caller's. */
  open(reader: number, writer: number): Answer;
  /** `-EINVAL`: there is no such signal, or it cannot be caught. */
  watch(id: number, signal: number): Answer;
  unwatch(id: number, signal: number): Answer;
  /** Empties the pipe. Which signals have come since the last time: bit 0 is signal 1. */
  take(id: number): Answer;
  /** From now on nothing writes to the pipe. */
  close(id: number): Answer;
  /** Puts the handler back in front of one that has replaced it, if the signal is watched. */
  reinstall(signal: number): Answer;
}

/**
 * Channels between threads: native/core/channel.h. Ends have ids of this environment, never used
 * twice; -EBADF for one that is closed. `-EMSGSIZE`: longer than the channel takes, or than the
 * buffer. `-EPIPE`: the other side is gone.
 */
interface ChannelCalls {
  /** Fills in what is known of the two ends: `[id, fd, fd of answers or -1, capacity, mostBytes]`. */
  open(
    capacity: number,
    maxMessageBytes: number,
    withPipes: number,
    sender: Float64Array,
    receiver: Float64Array,
  ): Answer;
  /** One more end, by an id > 0 that is good for one `claim` on any thread. */
  share(end: number, kind: number): Answer;
  /** `-ENOENT`: claimed already, or closed; `-EINVAL`: of another kind. */
  claim(share: number, kind: number, fields: Float64Array): Answer;
  /** Closes what was not claimed. `-ENOENT`: claimed already, or closed. */
  discard(share: number): Answer;
  close(end: number): Answer;
  /** 1, or 0: full, or nobody waits. */
  trySend(end: number, buffer: ArrayBufferView, offset: number, length: number): Answer;
  /** Without a buffer: a ticket > 0. */
  offer(end: number, buffer: ArrayBufferView, offset: number, length: number): Answer;
  /** 1, or 0: it was taken. */
  withdraw(end: number, ticket: number): Answer;
  /** How many offers are left, or `-1 - count` if none of them will be taken. */
  countOffers(end: number): Answer;
  /** Bytes; `-EAGAIN`: nothing now; `-EPIPE`: nothing ever. */
  tryReceive(
    end: number,
    buffer: ArrayBufferView,
    offset: number,
    length: number,
    asExpected: number,
  ): Answer;
  nextLength(end: number): Answer;
  /** How many receives wait. 1, or 0: first take what was sent for them. */
  expect(end: number, count: number): Answer;
  /** Blocks until a descriptor is readable: 1, or 0 after the time. Undefined as `SetCalls.wait`. */
  wait(fd: number, timeoutMs: number): Answer | undefined;
}

interface Binding {
  readonly sys: SystemCalls;
  readonly owned: OwnedCalls;
  readonly frame: FrameCalls;
  readonly set: SetCalls;
  readonly mmsg: MmsgCalls;
  readonly kqueue: KqueueCalls;
  readonly poller: PollerCalls;
  readonly host: HostCalls;
  readonly multicast: MulticastCalls;
  readonly wake: WakeCalls;
  readonly signals: SignalCalls;
  readonly channel: ChannelCalls;
  readonly constants: Readonly<Record<string, number | undefined>>;
  readonly layout: {
    /** Where `struct epoll_event` has its fields, in 32-bit words; absent where there is no epoll. */
    readonly epollEventWords?: number;
    readonly epollDataLow?: number;
    readonly epollDataHigh?: number;
    /** `sizeof(fd_set)`, and the byte that has the bit of descriptor 0. */
    readonly fdSetBytes?: number;
    readonly fdSetFirstByte?: number;
    /** What an `MmsgArray` keeps of each message, in 32-bit words. */
    readonly mmsgSlotWords?: number;
    readonly mmsgLength?: number;
    readonly mmsgFlags?: number;
    /** `struct kevent`: `kevent_filter` is where the field is, `kevent_filter_bytes` how long. */
    readonly [kevent: `kevent_${string}`]: number | undefined;
    /** `struct linger`, `ucred`, `tcp_info`: as for `kevent`, and `_size` of the whole. */
    readonly [linger: `linger_${string}`]: number | undefined;
    readonly [ucred: `ucred_${string}`]: number | undefined;
    readonly [tcpInfo: `tcp_info_${string}`]: number | undefined;
  };
}

const packageRoot = fileURLToPath(new URL('../../', import.meta.url));
const target = `${process.platform}-${process.arch}`;

/** Where the addon may be, best first. `RAW_EPOLL_ADDON` names another build, such as a sanitized one. */
function candidates(): string[] {
  const chosen = process.env['RAW_EPOLL_ADDON'];
  if (chosen !== undefined && chosen !== '') return [chosen];
  return [
    `${packageRoot}prebuilds/${target}/raw_epoll.node`,
    `${packageRoot}build/Release/raw_epoll.node`,
  ];
}

function explain(cause: unknown): Error {
  const reason = cause instanceof Error ? ` (${cause.message.split('\n', 1).join()})` : '';
  return Object.assign(
    new Error(
      `raw-epoll has no addon for ${target}${reason}; build it with "npx node-gyp rebuild" in ${packageRoot}`,
      { cause },
    ),
    { code: 'ERR_RAW_EPOLL_NO_ADDON' },
  );
}

/** Stands in for every group of functions of an addon that could not be loaded. */
function standIn(error: Error): Binding {
  const refuse = (): never => {
    throw error;
  };
  const group: unknown = new Proxy({}, { get: () => refuse });
  const memory = new ArrayBuffer(FRAME_BYTES);
  const frame: unknown = new Proxy({}, { get: (_, name) => (name === 'memory' ? memory : refuse) });
  return {
    sys: group as SystemCalls,
    owned: group as OwnedCalls,
    frame: { open: () => frame as CallFrame },
    set: group as SetCalls,
    mmsg: group as MmsgCalls,
    kqueue: group as KqueueCalls,
    poller: group as PollerCalls,
    host: group as HostCalls,
    multicast: group as MulticastCalls,
    wake: group as WakeCalls,
    signals: group as SignalCalls,
    channel: group as ChannelCalls,
    constants: {},
    layout: {},
  };
}

function load(): Binding {
  const require = createRequire(import.meta.url);
  let cause: unknown;
  for (const file of candidates()) {
    if (!existsSync(file)) continue;
    try {
      return require(file) as Binding;
    } catch (error) {
      cause = error;
    }
  }
  return standIn(explain(cause));
}

/** The addon, or its stand-in. */
export const binding: Binding = load();

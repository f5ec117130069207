/**
 * Everything in the library that can block without end, ready to be blocked in.
 *
 * Each entry prepares what it needs and answers the call. Level 1 gets descriptors that block;
 * nobody closes them but the end of the process.
 */
import { openSync } from 'node:fs';
import process from 'node:process';
import { threadId } from 'node:worker_threads';
import {
  Epoll,
  EpollEvents,
  Kqueue,
  KqueueEvents,
  Pipe,
  Poller,
  PollerEvents,
  READABLE,
  type BackendName,
} from '../../ts/index.js';
import { binding } from '../../ts/native.js';
import {
  AF_INET,
  AF_UNIX,
  EAGAIN,
  EFD_SEMAPHORE,
  EPOLL_CLOEXEC,
  EPOLLIN,
  EV_ADD,
  EVFILT_READ,
  F_SETFL,
  MSG_DONTWAIT,
  MSG_WAITALL,
  O_NONBLOCK,
  POLLIN,
  SOCK_DGRAM,
  SOCK_STREAM,
} from '../../ts/sys/constants.js';
import { CALLS_UNTIL_KNOWN } from '../../ts/sys/call-frame.js';
import * as sys from '../../ts/sys/index.js';
import type { SocketAddress, SocketAddressOut } from '../../ts/sys/index.js';
import { isTested } from './backends.js';

const FOREVER = -1;
/** Above it, the addon has looked up where the memory lies. */
const OFTEN = 2 * CALLS_UNTIL_KNOWN;
const buffer = new Uint8Array(65_536);
let names = 0;

function ok(result: number): number {
  if (result < 0) throw new Error(sys.errnoName(result));
  return result;
}

function pipe(): [reader: number, writer: number] {
  const fds = new Int32Array(2);
  ok(sys.pipe2(fds, 0));
  return [fds[0] as number, fds[1] as number];
}

/** Writes so many bytes; answers how many, or what a call was refused with. */
function writeAll(fd: number, length: number): number {
  const bytes = new Uint8Array(length);
  for (let sent = 0; sent < length;) {
    const written = sys.write(fd, bytes, sent, length - sent);
    if (!(written > 0)) return written;
    sent += written;
  }
  return length;
}

function pair(type: number): [number, number] {
  const sv = new Int32Array(2);
  ok(sys.socketpair(AF_UNIX, type, 0, sv));
  return [sv[0] as number, sv[1] as number];
}

/** An abstract Unix address that nobody else uses. */
function freshAddress(): SocketAddress {
  const path = `\0raw-epoll-${process.pid}-${threadId}-${names++}`;
  return { family: AF_UNIX, path };
}

function repeatUntil(errno: number, call: () => number): void {
  let result;
  do result = call();
  while (result >= 0);
  if (result !== -errno) throw new Error(sys.errnoName(result));
}

function listen(address: SocketAddress, backlog: number): number {
  const fd = ok(sys.socket(address.family, SOCK_STREAM, 0));
  ok(sys.bind(fd, address));
  ok(sys.listen(fd, backlog));
  return fd;
}

/** A Unix stream listener whose queue is full. */
function fullUnixListener(): SocketAddress {
  const address = freshAddress();
  listen(address, 0);
  repeatUntil(EAGAIN, () => {
    const fd = ok(sys.socket(AF_UNIX, SOCK_STREAM, 0));
    ok(sys.fcntl(fd, F_SETFL, O_NONBLOCK));
    return sys.connect(fd, address);
  });
  return address;
}

/** A TCP listener whose queue is full: the kernel drops what else would connect. */
function fullTcpListener(): SocketAddress {
  const fd = listen({ family: AF_INET, address: '127.0.0.1', port: 0 }, 0);
  const address: SocketAddressOut = {};
  ok(sys.getsockname(fd, address));
  for (let i = 0; i < 4; i++) {
    const client = ok(sys.socket(AF_INET, SOCK_STREAM, 0));
    ok(sys.fcntl(client, F_SETFL, O_NONBLOCK));
    sys.connect(client, address as SocketAddress);
  }
  return address as SocketAddress;
}

/** A set with a descriptor in it that never becomes ready. */
function quietSet(): Epoll {
  const epoll = new Epoll();
  epoll.add(Pipe.pair().reader.release(), EPOLLIN);
  return epoll;
}

/** Answers the call after it has been made so often that its memory is known. */
function afterMany(call: () => unknown, last: () => unknown): () => unknown {
  for (let i = 0; i < OFTEN; i++) call();
  return last;
}

/** A poller with a descriptor that is never ready. */
function quietPoller(backend: string): Poller {
  const poller = new Poller({ backend: backend as BackendName });
  poller.add(Pipe.pair().reader.release(), READABLE);
  return poller;
}

const level2: Readonly<Record<string, () => () => unknown>> = {
  'Epoll.wait': () => {
    const epoll = quietSet();
    const events = new EpollEvents();
    return () => epoll.wait(events);
  },
  'Epoll.wait(Infinity)': () => {
    const epoll = quietSet();
    const events = new EpollEvents();
    return () => epoll.wait(events, Number.POSITIVE_INFINITY);
  },
  'Epoll.wait(1e12)': () => {
    const epoll = quietSet();
    const events = new EpollEvents();
    return () => epoll.wait(events, 1e12);
  },
  ...Object.fromEntries(
    Poller.backends().map((backend) => [
      `Poller.wait, ${backend}`,
      () => {
        const poller = quietPoller(backend);
        const events = new PollerEvents();
        return () => poller.wait(events);
      },
    ]),
  ),
};

/** Where there is kqueue. */
const kqueues: Readonly<Record<string, () => () => unknown>> = {
  'Kqueue.wait': () => {
    const kqueue = new Kqueue();
    const events = new KqueueEvents();
    kqueue.change({ ident: Pipe.pair().reader.release(), filter: EVFILT_READ, flags: EV_ADD });
    return () => kqueue.wait(events);
  },
  'Kqueue.wait(1e12)': () => {
    const kqueue = new Kqueue();
    const events = new KqueueEvents();
    return () => kqueue.wait(events, 1e12);
  },
};

const waits: Readonly<Record<string, () => () => unknown>> = {
  epoll_wait: () => {
    const epfd = ok(sys.epoll_create1(EPOLL_CLOEXEC));
    const events = new sys.EpollEventArray(4);
    return () => sys.epoll_wait(epfd, events, 4, FOREVER);
  },
  epoll_pwait: () => {
    const epfd = ok(sys.epoll_create1(EPOLL_CLOEXEC));
    const events = new sys.EpollEventArray(4);
    return () => sys.epoll_pwait(epfd, events, 4, FOREVER, [10, 12]);
  },
  epoll_pwait2: () => {
    const epfd = ok(sys.epoll_create1(EPOLL_CLOEXEC));
    const events = new sys.EpollEventArray(4);
    return () => sys.epoll_pwait2(epfd, events, 4, null);
  },
  'epoll_pwait2(2n ** 63n - 1n)': () => {
    const epfd = ok(sys.epoll_create1(EPOLL_CLOEXEC));
    const events = new sys.EpollEventArray(4);
    return () => sys.epoll_pwait2(epfd, events, 4, 2n ** 63n - 1n);
  },
  poll: () => {
    const fds = new sys.PollFdArray(4);
    fds.set(0, pipe()[0], POLLIN);
    return () => sys.poll(fds, 4, FOREVER);
  },
  ppoll: () => {
    const fds = new sys.PollFdArray(4);
    return () => sys.ppoll(fds, 4, null, [10, 12]);
  },
  'ppoll(2n ** 63n - 1n)': () => {
    const fds = new sys.PollFdArray(4);
    return () => sys.ppoll(fds, 4, 2n ** 63n - 1n);
  },
  select: () => {
    const set = new sys.FdSet();
    const [fd] = pipe();
    return () => {
      set.set(fd);
      return sys.select(fd + 1, set, null, null, null);
    };
  },
  ...(EV_ADD !== 0 && {
    kevent: () => {
      const kq = ok(sys.kqueue());
      const events = new sys.KeventArray(4);
      events.set(0, pipe()[0], EVFILT_READ, EV_ADD);
      ok(sys.kevent(kq, events, 1, null, 0, null));
      return () => sys.kevent(kq, null, 0, events, 4, null);
    },
    'kevent(2n ** 63n - 1n)': () => {
      const kq = ok(sys.kqueue());
      const events = new sys.KeventArray(4);
      return () => sys.kevent(kq, null, 0, events, 4, 2n ** 63n - 1n);
    },
  }),
  // Without the function of ts/sys around it, at whose entry V8 looks for termination.
  'epoll_wait of the addon': () => {
    const epfd = ok(sys.epoll_create1(EPOLL_CLOEXEC));
    const memory = new Uint8Array(64);
    const { epoll_wait } = binding.sys;
    return () => epoll_wait(epfd, memory, 4, FOREVER);
  },
};

const reads: Readonly<Record<string, () => () => unknown>> = {
  'recv from a stream': () => {
    const [fd] = pair(SOCK_STREAM);
    return () => sys.recv(fd, buffer, 0, buffer.length, 0);
  },
  'recv with MSG_WAITALL': () => {
    const [fd, peer] = pair(SOCK_STREAM);
    return () => {
      sys.send(peer, buffer, 0, 1, 0);
      sys.recv(fd, buffer, 0, 1, MSG_WAITALL);
      return sys.recv(fd, buffer, 0, buffer.length, MSG_WAITALL);
    };
  },
  'recvfrom from a datagram socket': () => {
    const [fd] = pair(SOCK_DGRAM);
    const from: SocketAddressOut = {};
    return () => sys.recvfrom(fd, buffer, 0, buffer.length, 0, from);
  },
  'recvmsg with room for descriptors': () => {
    const [fd] = pair(SOCK_STREAM);
    const msg = { iov: [buffer], name: {}, control: { rights: new Int32Array(253) } };
    return () => sys.recvmsg(fd, msg, 0);
  },
  recvmmsg: () => {
    const [fd, peer] = pair(SOCK_DGRAM);
    const messages = new sys.MmsgArray(8, 16);
    return () => {
      sys.send(peer, buffer, 0, 1, 0);
      sys.recvmmsg(fd, messages, 0, 8, 0, null);
      return sys.recvmmsg(fd, messages, 0, 8, 0, null);
    };
  },
  'read from a pipe': () => {
    const [fd] = pipe();
    return () => sys.read(fd, buffer, 0, buffer.length);
  },
  'read from a socket': () => {
    const [fd] = pair(SOCK_STREAM);
    return () => sys.read(fd, buffer, 0, buffer.length);
  },
  'readv from a pipe': () => {
    const [fd] = pipe();
    return () => sys.readv(fd, [buffer.subarray(0, 1), buffer]);
  },
  eventfd_read: () => {
    const fd = ok(sys.eventfd(0, 0));
    const value = new BigUint64Array(1);
    return () => sys.eventfd_read(fd, value);
  },
  'read from a timerfd': () => {
    const fd = ok(sys.timerfd_create(1, 0));
    return () => sys.read(fd, buffer, 0, 8);
  },
  'accept4 of a TCP listener': () => {
    const fd = listen({ family: AF_INET, address: '127.0.0.1', port: 0 }, 8);
    const peer: SocketAddressOut = {};
    return () => sys.accept4(fd, peer, 0);
  },
  'accept4 of a Unix listener': () => {
    const fd = listen(freshAddress(), 8);
    return () => sys.accept4(fd, null, 0);
  },
};

const writes: Readonly<Record<string, () => () => unknown>> = {
  'send to a full stream': () => {
    const [fd] = pair(SOCK_STREAM);
    repeatUntil(EAGAIN, () => sys.send(fd, buffer, 0, buffer.length, MSG_DONTWAIT));
    return () => sys.send(fd, buffer, 0, buffer.length, 0);
  },
  'splice from an empty pipe': () => {
    const [fd] = pipe();
    const [out] = pair(SOCK_STREAM);
    return () => sys.splice(fd, null, out, null, 8, 0);
  },
  'sendfile to a full stream': () => {
    const [fd] = pair(SOCK_STREAM);
    const file = openSync(process.execPath, 'r');
    return () => {
      let answer;
      do answer = sys.sendfile(fd, file, 0, 1 << 20);
      while (answer > 0);
      return answer;
    };
  },
  'sendmsg to a full stream': () => {
    const [fd] = pair(SOCK_STREAM);
    const msg = { iov: [buffer], control: { rights: Int32Array.of(fd) } };
    repeatUntil(EAGAIN, () => sys.send(fd, buffer, 0, buffer.length, MSG_DONTWAIT));
    return () => sys.sendmsg(fd, msg, 0);
  },
  'sendmmsg to a full datagram socket': () => {
    const [fd] = pair(SOCK_DGRAM);
    const messages = new sys.MmsgArray(8, 16);
    repeatUntil(EAGAIN, () => sys.sendmmsg(fd, messages, 0, 8, MSG_DONTWAIT));
    return () => sys.sendmmsg(fd, messages, 0, 8, 0);
  },
  'sendto to a full datagram socket': () => {
    const receiver = ok(sys.socket(AF_UNIX, SOCK_DGRAM, 0));
    const sender = ok(sys.socket(AF_UNIX, SOCK_DGRAM, 0));
    const address = freshAddress();
    ok(sys.bind(receiver, address));
    repeatUntil(EAGAIN, () => sys.sendto(sender, buffer, 0, 1, MSG_DONTWAIT, address));
    return () => sys.sendto(sender, buffer, 0, 1, 0, address);
  },
  'write of more than a pipe holds': () => {
    const [, fd] = pipe();
    return () => writeAll(fd, 1 << 20);
  },
  'write of more than a socket holds': () => {
    const [fd] = pair(SOCK_STREAM);
    return () => writeAll(fd, 1 << 22);
  },
  'writev to a full pipe': () => {
    const [, fd] = pipe();
    ok(sys.fcntl(fd, F_SETFL, O_NONBLOCK));
    repeatUntil(EAGAIN, () => sys.write(fd, buffer, 0, 4096));
    ok(sys.fcntl(fd, F_SETFL, 0));
    return () => sys.writev(fd, [buffer.subarray(0, 1), buffer]);
  },
  'eventfd_write to a full counter': () => {
    const fd = ok(sys.eventfd(0, 0));
    ok(sys.eventfd_write(fd, 2n ** 64n - 2n));
    return () => sys.eventfd_write(fd, 1);
  },
  'eventfd_write of more than fits': () => {
    const fd = ok(sys.eventfd(0, 0));
    ok(sys.eventfd_write(fd, 2n ** 63n));
    return () => sys.eventfd_write(fd, 2n ** 63n);
  },
  'connect to a full Unix listener': () => {
    const address = fullUnixListener();
    const fd = ok(sys.socket(AF_UNIX, SOCK_STREAM, 0));
    return () => sys.connect(fd, address);
  },
  'connect to a full TCP listener': () => {
    const address = fullTcpListener();
    const fd = ok(sys.socket(AF_INET, SOCK_STREAM, 0));
    return () => sys.connect(fd, address);
  },
};

/** The waits for readiness: level 2, then level 1. */
export const blockingWaits: Readonly<Record<string, () => () => unknown>> = {
  ...level2,
  ...(EV_ADD !== 0 && kqueues),
  ...waits,
};

/** Whose call it is, by its name. */
function backendOf(name: string): string {
  if (/kqueue|kevent/i.test(name)) return 'kqueue';
  if (/epoll/i.test(name)) return 'epoll';
  return name.includes('select') ? 'select' : 'poll';
}

/** Those of them that the run is about. */
export const testedWaits: typeof blockingWaits = Object.fromEntries(
  Object.entries(blockingWaits).filter(([name]) => isTested(backendOf(name))),
);

/** The calls of level 1 that move something, on descriptors that block. */
export const blockingTransfers: Readonly<Record<string, () => () => unknown>> = {
  ...reads,
  ...writes,
};

/** Those that have a second form, in that one: ts/sys/call-frame.ts. */
export const blockingFramed: Readonly<Record<string, () => () => unknown>> = {
  'Epoll.wait, memory known': () => {
    const epoll = quietSet();
    const events = new EpollEvents();
    const wait = (timeoutMs?: number) => (): number => epoll.wait(events, timeoutMs);
    return afterMany(wait(0), wait());
  },
  'epoll_wait, memory known': () => {
    const epfd = ok(sys.epoll_create1(EPOLL_CLOEXEC));
    const events = new sys.EpollEventArray(4);
    const wait = (timeoutMs: number) => (): number => sys.epoll_wait(epfd, events, 4, timeoutMs);
    return afterMany(wait(0), wait(FOREVER));
  },
  'recv from a stream, memory known': () => {
    const [fd] = pair(SOCK_STREAM);
    const receive = (flags: number) => (): number => sys.recv(fd, buffer, 0, 8, flags);
    return afterMany(receive(MSG_DONTWAIT), receive(0));
  },
  'read from a pipe, memory known': () => {
    const [fd] = pipe();
    const source = ok(sys.eventfd(OFTEN, EFD_SEMAPHORE));
    return afterMany(
      () => ok(sys.read(source, buffer, 0, 8)),
      () => sys.read(fd, buffer, 0, buffer.length),
    );
  },
  'send to a full stream, memory known': () => {
    const [fd] = pair(SOCK_STREAM);
    repeatUntil(EAGAIN, () => sys.send(fd, buffer, 0, buffer.length, MSG_DONTWAIT));
    const send = (flags: number) => (): number => sys.send(fd, buffer, 0, buffer.length, flags);
    return afterMany(send(MSG_DONTWAIT), send(0));
  },
  'write to a full pipe, memory known': () => {
    const [reader, writer] = pipe();
    const [, full] = pipe();
    ok(sys.fcntl(full, F_SETFL, O_NONBLOCK));
    repeatUntil(EAGAIN, () => sys.write(full, buffer, 0, 4096));
    ok(sys.fcntl(full, F_SETFL, 0));
    return afterMany(
      () => {
        ok(sys.write(writer, buffer, 0, 8));
        return sys.readv(reader, [new Uint8Array(8)]);
      },
      () => sys.write(full, buffer, 0, 4096),
    );
  },
};

/** Ways in which a program comes back to a call that has returned. */
export const loops: Readonly<Record<string, (call: () => unknown) => void>> = {
  once: (call) => {
    call();
  },
  'for (;;)': (call) => {
    for (;;) call();
  },
  'for (;;) try catch': (call) => {
    for (;;) {
      try {
        call();
      } catch {
        continue;
      }
    }
  },
  'for (;;) with misuse in between': (call) => {
    for (;;) {
      try {
        sys.close('no number' as unknown as number);
      } catch {
        call();
      }
    }
  },
};

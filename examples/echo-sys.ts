/**
 * Echo with system calls alone: the server of epoll(7), finished.
 *
 *     node build/examples/echo-sys.js                      and elsewhere: nc 127.0.0.1 8080
 *     node build/examples/echo-sys.js --path /tmp/echo     and elsewhere: nc -U /tmp/echo
 *
 * Calls answer a negated errno where C has -1 and errno. Level-triggered, as echo.ts, which has
 * the same server with objects: there, errors are thrown and late events are filtered.
 */
import { unlinkSync } from 'node:fs';
import * as c from 'raw-epoll/constants';
import * as sys from 'raw-epoll/sys';
import { announce, commandLine, leave, type ListenAt } from './lib/command-line.js';
import { StopSignals } from './lib/stop-signals.js';

const buffer = new Uint8Array(64 * 1024);
/** What the kernel had no room for, by descriptor. Whoever is in here is not read from. */
const unsent = new Map<number, Uint8Array>();

function socketAddress(at: ListenAt): sys.SocketAddress {
  if ('path' in at) return { family: c.AF_UNIX, path: at.path };
  const family = at.host.includes(':') ? c.AF_INET6 : c.AF_INET;
  return { family, address: at.host, port: at.port };
}

/** The answer of a call without which the server cannot start. */
function must(result: number, syscall: string): number {
  if (result >= 0) return result;
  leave('echo-sys', `${sys.errnoName(result)}: ${sys.strerror(result)}, ${syscall}`, 1);
}

function listenAt(address: sys.SocketAddress): number {
  const type = c.SOCK_STREAM | c.SOCK_NONBLOCK | c.SOCK_CLOEXEC;
  const fd = must(sys.socket(address.family, type, 0), 'socket');
  must(sys.setsockopt(fd, c.SOL_SOCKET, c.SO_REUSEADDR, 1), 'setsockopt');
  must(sys.bind(fd, address), 'bind');
  must(sys.listen(fd, c.SOMAXCONN), 'listen');
  must(sys.getsockname(fd, address), 'getsockname'); // with the port that the kernel chose
  return fd;
}

function acceptAll(): void {
  for (;;) {
    const fd = sys.accept4(listener, null, c.SOCK_NONBLOCK | c.SOCK_CLOEXEC);
    if (fd >= 0) {
      if (address.family !== c.AF_UNIX) sys.setsockopt(fd, c.IPPROTO_TCP, c.TCP_NODELAY, 1);
      sys.epoll_ctl(epfd, c.EPOLL_CTL_ADD, fd, c.EPOLLIN);
    } else if (fd === -c.EMFILE || fd === -c.ENFILE) {
      if (!refuseOne()) return;
    } else if (fd !== -c.ECONNABORTED && fd !== -c.EINTR) {
      return; // EAGAIN: nobody waits any more
    }
  }
}

/**
 * The descriptor table is full. The connection would go on waiting, the listener would stay
 * ready, and the loop would spin. So a spare descriptor is given up to take it and to close it.
 */
function refuseOne(): boolean {
  sys.close(spare);
  const fd = sys.accept4(listener, null, c.SOCK_CLOEXEC);
  if (fd >= 0) sys.close(fd);
  spare = sys.eventfd(0, c.EFD_CLOEXEC);
  return fd >= 0;
}

/** One recv for each event: level-triggered readiness reports again what it left. */
function echo(fd: number): void {
  const length = sys.recv(fd, buffer, 0, buffer.length, 0);
  if (length <= 0) {
    if (!isLater(length)) drop(fd); // 0 is the end of the stream, and all before it was sent
    return;
  }
  const sent = sys.send(fd, buffer, 0, length, c.MSG_NOSIGNAL);
  if (sent === length) return;
  if (sent < 0 && !isLater(sent)) {
    drop(fd); // EPIPE, ECONNRESET: nobody is there to get the rest
    return;
  }
  unsent.set(fd, buffer.slice(Math.max(sent, 0), length));
  sys.epoll_ctl(epfd, c.EPOLL_CTL_MOD, fd, c.EPOLLOUT);
}

/** There is room again, or nobody is there any more. Reading goes on once all was sent. */
function flush(fd: number, rest: Uint8Array): void {
  const sent = sys.send(fd, rest, 0, rest.length, c.MSG_NOSIGNAL);
  if (sent < 0) {
    if (!isLater(sent)) drop(fd);
  } else if (sent < rest.length) {
    unsent.set(fd, rest.subarray(sent));
  } else {
    unsent.delete(fd);
    sys.epoll_ctl(epfd, c.EPOLL_CTL_MOD, fd, c.EPOLLIN);
  }
}

function isLater(result: number): boolean {
  return result === -c.EAGAIN || result === -c.EINTR;
}

/** Nobody else has a duplicate of the descriptor, so closing it takes it out of the set, too. */
function drop(fd: number): void {
  unsent.delete(fd);
  sys.close(fd);
}

function ready(fd: number): void {
  if (fd === listener) {
    acceptAll();
  } else if (fd === signals.fd) {
    signals.ready();
  } else {
    const rest = unsent.get(fd);
    if (rest === undefined) echo(fd);
    else flush(fd, rest);
  }
}

const at = commandLine('echo-sys').at;
const address = socketAddress(at);
const listener = listenAt(address);
const signals = new StopSignals();
let spare = sys.eventfd(0, c.EFD_CLOEXEC);

const epfd = must(sys.epoll_create1(c.EPOLL_CLOEXEC), 'epoll_create1');
const events = new sys.EpollEventArray(1024);
sys.epoll_ctl(epfd, c.EPOLL_CTL_ADD, listener, c.EPOLLIN);
sys.epoll_ctl(epfd, c.EPOLL_CTL_ADD, signals.fd, c.EPOLLIN);
announce(address);

while (!signals.received) {
  const n = sys.epoll_wait(epfd, events, events.capacity, -1);
  // Below 0 if a signal came, EINTR: then there are no events. A handler here closes no
  // descriptor but its own, so no event of this batch can be about one that is gone.
  for (let i = 0; i < n; i++) ready(events.getDataLow(i));
  if (signals.due) await signals.letNodeRun();
}

// The end of the process closes all descriptors. A socket's file would stay.
if ('path' in at) unlinkSync(at.path);

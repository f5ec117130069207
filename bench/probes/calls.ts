/**
 * What a system call costs through level 1: the passes of `bench/c/calls.c` under the same names,
 * with the same number of iterations, least of several repetitions. Keep the two files in step.
 *
 *     node build/bench/probes/calls.js [--iterations N] [--repetitions N]
 *
 * Prints {"name": ns, ...}.
 */

import { parseArgs } from 'node:util';
import {
  AF_INET,
  EAGAIN,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_MOD,
  EPOLLIN,
  IPPROTO_TCP,
  MSG_NOSIGNAL,
  O_CLOEXEC,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  TCP_NODELAY,
} from '../../ts/sys/constants.js';
import {
  accept4,
  bind,
  connect,
  epoll_create1,
  epoll_ctl,
  epoll_wait,
  EpollEventArray,
  errnoName,
  eventfd,
  getsockname,
  listen,
  pipe2,
  read,
  recv,
  send,
  setsockopt,
  socket,
  type SocketAddressInet,
  write,
} from '../../ts/sys/index.js';
import { optionsOrUsage, parseCount } from '../lib/options.js';

const MAX_EVENTS = 16;
const MESSAGE = 64;

/** The descriptors that the passes use; see `struct fixture` in calls.c. */
interface Fixture {
  readonly epollIdle: number;
  readonly idle: number;
  readonly epollReady: number;
  readonly listener: number;
  readonly client: number;
  readonly server: number;
  readonly quiet: number;
  readonly pipeRead: number;
  readonly pipeWrite: number;
}

const buffer = new Uint8Array(MESSAGE);
const events = new EpollEventArray(MAX_EVENTS);

function fail(what: string, answer: number): never {
  const text = answer < 0 ? errnoName(answer) : String(answer);
  throw new Error(`${what} answered ${text}`);
}

/** An answer that has to be a descriptor or another success. */
function checked(what: string, answer: number): number {
  return answer >= 0 ? answer : fail(what, answer);
}

/** Each loop stands on its own, so that no function is shared by calls of different kinds. */
const passes: Readonly<Record<string, (f: Fixture, iterations: number) => void>> = {
  'epoll_wait(0), none ready': ({ epollIdle }, iterations) => {
    for (let i = 0; i < iterations; i++) {
      const answer = epoll_wait(epollIdle, events, MAX_EVENTS, 0);
      if (answer !== 0) fail('epoll_wait', answer);
    }
  },
  'epoll_wait(0), one ready': ({ epollReady }, iterations) => {
    for (let i = 0; i < iterations; i++) {
      const answer = epoll_wait(epollReady, events, MAX_EVENTS, 0);
      if (answer !== 1) fail('epoll_wait', answer);
    }
  },
  'epoll_ctl MOD': ({ epollIdle, idle }, iterations) => {
    for (let i = 0; i < iterations; i++) {
      const answer = epoll_ctl(epollIdle, EPOLL_CTL_MOD, idle, EPOLLIN, idle);
      if (answer !== 0) fail('epoll_ctl', answer);
    }
  },
  'recv -> EAGAIN': ({ quiet }, iterations) => {
    for (let i = 0; i < iterations; i++) {
      const answer = recv(quiet, buffer, 0, MESSAGE, 0);
      if (answer !== -EAGAIN) fail('recv', answer);
    }
  },
  'accept4 -> EAGAIN': ({ listener }, iterations) => {
    for (let i = 0; i < iterations; i++) {
      const answer = accept4(listener, null, SOCK_CLOEXEC);
      if (answer !== -EAGAIN) fail('accept4', answer);
    }
  },
  'send 64 + recv 64, TCP': ({ client, server }, iterations) => {
    for (let i = 0; i < iterations; i++) {
      const sent = send(client, buffer, 0, MESSAGE, MSG_NOSIGNAL);
      if (sent !== MESSAGE) fail('send', sent);
      const received = recv(server, buffer, 0, MESSAGE, 0);
      if (received !== MESSAGE) fail('recv', received);
    }
  },
  'write 1 + read 1, pipe': ({ pipeRead, pipeWrite }, iterations) => {
    for (let i = 0; i < iterations; i++) {
      const written = write(pipeWrite, buffer, 0, 1);
      if (written !== 1) fail('write', written);
      const got = read(pipeRead, buffer, 0, 1);
      if (got !== 1) fail('read', got);
    }
  },
};

function watching(fd: number): number {
  const epfd = checked('epoll_create1', epoll_create1(EPOLL_CLOEXEC));
  checked('epoll_ctl', epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN, fd));
  return epfd;
}

function listenOnLoopback(address: SocketAddressInet): number {
  const fd = checked('socket', socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  checked('bind', bind(fd, address));
  checked('listen', listen(fd, 16));
  checked('getsockname', getsockname(fd, address));
  return fd;
}

/** Makes one connection to the listener; the accepted end gets `acceptFlags`. */
function connectPair(
  listener: number,
  address: SocketAddressInet,
  acceptFlags: number,
): { readonly client: number; readonly server: number } {
  const client = checked('socket', socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  checked('connect', connect(client, address));
  checked('setsockopt', setsockopt(client, IPPROTO_TCP, TCP_NODELAY, 1));
  const server = checked('accept4', accept4(listener, null, SOCK_CLOEXEC | acceptFlags));
  return { client, server };
}

function openFixture(): Fixture {
  const idle = checked('eventfd', eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  const full = checked('eventfd', eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
  const address = { family: AF_INET, address: '127.0.0.1', port: 0 };
  const listener = listenOnLoopback(address);
  const { client, server } = connectPair(listener, address, 0);
  const { server: quiet } = connectPair(listener, address, SOCK_NONBLOCK);
  const ends = new Int32Array(2);
  checked('pipe2', pipe2(ends, O_CLOEXEC));
  const [pipeRead = -1, pipeWrite = -1] = ends;
  const sets = { epollIdle: watching(idle), epollReady: watching(full) };
  return { ...sets, idle, listener, client, server, quiet, pipeRead, pipeWrite };
}

/** Processor time: what else runs on the core is not in it. */
function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1e3;
}

function measure(iterations: number, repetitions: number): Record<string, number> {
  const fixture = openFixture();
  const least: Record<string, number> = {};
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const [name, run] of Object.entries(passes)) {
      const start = cpuNs();
      run(fixture, iterations);
      const each = (cpuNs() - start) / iterations;
      least[name] = Math.min(each, least[name] ?? Infinity);
    }
  }
  return least;
}

const options = optionsOrUsage('calls', () => {
  const { values } = parseArgs({
    options: {
      iterations: { type: 'string', default: '20000' },
      repetitions: { type: 'string', default: '15' },
    },
  });
  const iterations = parseCount('iterations', values.iterations);
  return { iterations, repetitions: parseCount('repetitions', values.repetitions) };
});
if (options !== undefined) {
  console.log(JSON.stringify(measure(options.iterations, options.repetitions)));
}

/** Descriptors that a fuzz may do anything to: never those of Node itself. */
import { openSync } from 'node:fs';
import process from 'node:process';
import type { Random } from '../../support/random.js';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  CLOCK_MONOTONIC,
  EFD_NONBLOCK,
  EFD_SEMAPHORE,
  F_GETFD,
  F_GETFL,
  F_SETFL,
  IN_NONBLOCK,
  O_CLOEXEC,
  O_NONBLOCK,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  TFD_NONBLOCK,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';
import { hasKqueue, must } from './kernel.js';

/** Their numbers: above everything that Node opens meanwhile. */
const FIRST = 600;
const COUNT = 48;

/** Descriptors of which somebody takes the first, and closes the rest. */
type Make = () => number[];

function pairOf(type: number): number[] {
  const fds = new Int32Array(2);
  must(sys.socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fds));
  return [...fds];
}

function inet(family: number, type: number): number[] {
  const fd = sys.socket(family, type | SOCK_NONBLOCK, 0);
  if (fd < 0) return pairOf(SOCK_STREAM); // no IPv6 here
  sys.bind(fd, { family, address: family === AF_INET ? '127.0.0.1' : '::1', port: 0 });
  return [fd];
}

/** A listener, and a connection that waits at it. */
function listenerWithClient(): number[] {
  const [listening = -1] = inet(AF_INET, SOCK_STREAM);
  sys.listen(listening, 4);
  const address: sys.SocketAddressOut = {};
  must(sys.getsockname(listening, address));
  const [client = -1] = inet(AF_INET, SOCK_STREAM);
  sys.connect(client, address as sys.SocketAddress);
  return [listening, client];
}

function pipePair(): number[] {
  const fds = new Int32Array(2);
  must(sys.pipe2(fds, O_NONBLOCK));
  return [...fds];
}

/** What is made, and which calls it is good for. */
const makers: readonly (readonly [Make, forCalls: RegExp])[] = [
  [pipePair, /read|write|splice|ioctl/],
  [() => [openSync(process.execPath, 'r')], /sendfile/],
  [() => [must(sys.inotify_init1(IN_NONBLOCK))], /inotify/],
  [() => pairOf(SOCK_STREAM), /read|write|recv|send|sock|shutdown/],
  [() => pairOf(SOCK_DGRAM), /recv|send|sock|name/],
  [() => pairOf(SOCK_SEQPACKET), /recv|send/],
  [() => inet(AF_INET, SOCK_STREAM), /connect|listen|sockopt/],
  [() => inet(AF_INET, SOCK_DGRAM), /connect|sendto|recvfrom/],
  [() => inet(AF_INET6, SOCK_STREAM), /connect|sockopt/],
  [() => inet(AF_INET6, SOCK_DGRAM), /connect|sendto|sockopt/],
  [() => [must(sys.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0))], /bind|connect/],
  [listenerWithClient, /accept|name/],
  [() => [must(sys.eventfd(1, EFD_NONBLOCK))], /eventfd/],
  [() => [must(sys.eventfd(7, EFD_NONBLOCK | EFD_SEMAPHORE))], /eventfd/],
  [() => [must(sys.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK))], /timerfd/],
  [() => [must(sys.epoll_create1(0))], /epoll/],
  [() => [must(sys.epoll_create1(0))], /epoll/],
  [
    () => [must(hasKqueue ? sys.kqueue() : sys.eventfd(0, EFD_NONBLOCK))],
    hasKqueue ? /kevent/ : /eventfd/,
  ],
  [() => [openSync('/dev/null', 'r+')], /write/],
  [() => [openSync('/', 'r')], /dup/],
];

export class FuzzDescriptors {
  /** The numbers that are theirs, open or not. */
  readonly numbers: readonly number[] = Array.from({ length: COUNT }, (_, i) => FIRST + i);
  readonly #random: Random;
  readonly #goodFor = new Map<number, RegExp>();

  constructor(random: Random) {
    this.#random = random;
    this.refill();
  }

  /** Opens what has been closed. Both ends of pairs stay where both fit. */
  refill(): void {
    const free = this.numbers.filter((fd) => sys.fcntl(fd, F_GETFD) < 0);
    while (free.length > 0) {
      const [make, forCalls] = makers[this.#random.integer(0, makers.length)] as (typeof makers)[0];
      for (const fd of make()) {
        const slot = free.pop();
        if (slot !== undefined) {
          must(sys.dup3(fd, slot, O_CLOEXEC));
          this.#goodFor.set(slot, forCalls);
        }
        must(sys.close(fd));
      }
    }
  }

  /** One of them; more often than not one that the call can do something with. */
  draw(call: string): number {
    const draw = (): number => this.numbers[this.#random.integer(0, this.numbers.length)] as number;
    for (let tries = 0; tries < 12; tries++) {
      const fd = draw();
      if (this.#goodFor.get(fd)?.test(call) === true) return fd;
    }
    return draw();
  }

  /** Nothing blocks, whatever flags somebody has set. */
  unblock(): void {
    for (const fd of this.numbers) {
      const flags = sys.fcntl(fd, F_GETFL);
      if (flags >= 0 && (flags & O_NONBLOCK) === 0) sys.fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
  }

  /** Closes all. */
  close(): void {
    for (const fd of this.numbers) sys.close(fd);
  }
}

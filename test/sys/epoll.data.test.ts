import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import test from 'ava';
import {
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { Descriptors, must, pipe, unixPair } from './support/kernel.js';

/** What the kernel has noted down for a descriptor of a set. proc_pid_fdinfo(5) */
function registered(epfd: number, fd: number): { events: number; data: bigint } | undefined {
  const line = /^tfd:\s*(?<fd>\d+)\s+events:\s*(?<events>[0-9a-f]+)\s+data:\s*(?<data>[0-9a-f]+)/gm;
  const info = readFileSync(`/proc/self/fdinfo/${String(epfd)}`, 'latin1');
  for (const { groups } of info.matchAll(line)) {
    if (Number(groups?.['fd']) !== fd) continue;
    const events = Number.parseInt(groups?.['events'] ?? '', 16);
    return { events, data: BigInt(`0x${groups?.['data'] ?? ''}`) };
  }
  return undefined;
}

/** A set, and a descriptor that is ready to be written. */
function arrange(open: Descriptors): { epfd: number; fd: number; events: sys.EpollEventArray } {
  const epfd = open.own(sys.epoll_create1(0));
  return { epfd, fd: pipe(open)[1], events: new sys.EpollEventArray(4) };
}

const DATA: readonly (readonly [given: sys.EpollData, inKernel: bigint])[] = [
  [0, 0n],
  [-0, 0n],
  [1, 1n],
  [0xffff_ffff, 0xffff_ffffn],
  [2 ** 32, 2n ** 32n],
  [2 ** 53 - 1, 2n ** 53n - 1n],
  [0n, 0n],
  [2n ** 53n + 1n, 2n ** 53n + 1n],
  [2n ** 63n, 2n ** 63n],
  [0x0123_4567_89ab_cdefn, 0x0123_4567_89ab_cdefn],
  [2n ** 64n - 1n, 2n ** 64n - 1n],
];

for (const [given, inKernel] of DATA) {
  test(`epoll_ctl data ${inspect(given)} comes back with all 64 bits`, (t) => {
    using open = new Descriptors();
    const { epfd, fd, events } = arrange(open);
    t.is(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLOUT, given), 0);
    t.is(registered(epfd, fd)?.data, inKernel);
    t.is(sys.epoll_wait(epfd, events, 4, 0), 1);
    t.is(events.getData(0), inKernel);
    t.is(events.getDataLow(0), Number(inKernel & 0xffff_ffffn));
    t.is(events.getDataHigh(0), Number(inKernel >> 32n));
  });
}

test('epoll_ctl takes the descriptor as data if none is given', (t) => {
  using open = new Descriptors();
  const { epfd, fd, events } = arrange(open);
  must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLOUT));
  t.is(registered(epfd, fd)?.data, BigInt(fd));
  must(sys.epoll_wait(epfd, events, 4, 0));
  t.is(events.getDataLow(0), fd);
  t.is(events.getDataHigh(0), 0);
});

test('epoll_ctl MOD replaces mask and data', (t) => {
  using open = new Descriptors();
  const { epfd, fd, events } = arrange(open);
  must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN, 2n ** 64n - 1n));
  must(sys.epoll_ctl(epfd, EPOLL_CTL_MOD, fd, EPOLLOUT, 7));
  must(sys.epoll_wait(epfd, events, 4, 0));
  t.is(events.getData(0), 7n);
  must(sys.epoll_ctl(epfd, EPOLL_CTL_MOD, fd, EPOLLOUT));
  t.is(registered(epfd, fd)?.data, BigInt(fd));
});

test('epoll_ctl without events asks for nothing but errors and hang-ups', (t) => {
  using open = new Descriptors();
  const { epfd, fd, events } = arrange(open);
  must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd));
  t.is(registered(epfd, fd)?.events, EPOLLERR | EPOLLHUP);
  t.is(sys.epoll_wait(epfd, events, 4, 0), 0);
});

test('epoll_ctl DEL needs neither events nor data', (t) => {
  using open = new Descriptors();
  const { epfd, fd } = arrange(open);
  must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLOUT));
  t.is(sys.epoll_ctl(epfd, EPOLL_CTL_DEL, fd), 0);
  t.is(registered(epfd, fd), undefined);
});

test('EPOLLET is the same as a negative int32 and as a uint32', (t) => {
  using open = new Descriptors();
  const { epfd, fd, events } = arrange(open);
  t.is(EPOLLET, 2 ** 31);
  for (const mask of [EPOLLOUT | EPOLLET, EPOLLOUT + EPOLLET]) {
    must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, mask));
    t.is(registered(epfd, fd)?.events, EPOLLET + (EPOLLOUT | EPOLLERR | EPOLLHUP), String(mask));
    t.is(sys.epoll_wait(epfd, events, 4, 0), 1);
    t.is(sys.epoll_wait(epfd, events, 4, 0), 0, 'an edge is reported once');
    must(sys.epoll_ctl(epfd, EPOLL_CTL_DEL, fd));
  }
  t.is(EPOLLOUT | EPOLLET, EPOLLOUT - 2 ** 31, 'one of the two masks was negative');
});

test('epoll_ctl takes every mask between -(2 ** 31) and 2 ** 32 - 1', (t) => {
  using open = new Descriptors();
  const { epfd, fd } = arrange(open);
  must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, 0));
  for (const [mask, inKernel] of [
    [0x0fff_ffff, 0x0fff_ffff],
    [-(2 ** 31), 2 ** 31],
    [2 ** 31, 2 ** 31],
  ] as const) {
    must(sys.epoll_ctl(epfd, EPOLL_CTL_MOD, fd, mask));
    t.is(registered(epfd, fd)?.events, inKernel + ((EPOLLERR | EPOLLHUP) & ~mask), String(mask));
  }
});

test('epoll_wait reports masks as uint32', (t) => {
  using open = new Descriptors();
  const epfd = open.own(sys.epoll_create1(0));
  const [a, b] = unixPair(open);
  must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, a, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET));
  open.close(b);
  const events = new sys.EpollEventArray(1);
  t.is(sys.epoll_wait(epfd, events, 1, 0), 1);
  t.is(events.getEvents(0), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP);
});

test('epoll_wait fills at most maxevents elements and leaves the rest as it is', (t) => {
  using open = new Descriptors();
  const { epfd, events } = arrange(open);
  const writers = Array.from({ length: 3 }, () => pipe(open)[1]);
  const reported = (count: number): number[] =>
    Array.from({ length: count }, (_, i) => events.getDataLow(i));
  for (const fd of writers) must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLOUT));
  t.is(sys.epoll_wait(epfd, events, 4, 0), 3);
  const first = reported(4);
  t.deepEqual([...first.slice(0, 3)].sort(), [...writers].sort());
  t.is(first[3], 0);
  for (const fd of writers.slice(1)) must(sys.epoll_ctl(epfd, EPOLL_CTL_DEL, fd));
  t.is(sys.epoll_wait(epfd, events, 1, 0), 1);
  t.deepEqual(reported(4), [writers[0] as number, ...first.slice(1)]);
});

test('epoll_wait brings what does not fit with the next calls', (t) => {
  using open = new Descriptors();
  const { epfd, events } = arrange(open);
  const writers = Array.from({ length: 5 }, () => pipe(open)[1]);
  for (const fd of writers) must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLOUT));
  const seen = new Set<number>();
  for (let round = 0; round < 3; round++) {
    t.is(sys.epoll_wait(epfd, events, 2, 0), 2);
    for (const i of [0, 1]) seen.add(events.getDataLow(i));
  }
  t.deepEqual([...seen].sort(), [...writers].sort());
});

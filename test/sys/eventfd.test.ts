import { readFileSync } from 'node:fs';
import test from 'ava';
import { openFlags } from '../support/kernel-view.js';
import {
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EFD_SEMAPHORE,
  EPOLL_CTL_ADD,
  EPOLLIN,
  EPOLLOUT,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { Descriptors, inWords, must } from './support/kernel.js';

const MOST = 2n ** 64n - 2n;

function counter(open: Descriptors, initval = 0, flags = 0): number {
  return open.own(sys.eventfd(initval, EFD_NONBLOCK | EFD_CLOEXEC | flags));
}

/** What the kernel has counted. proc_pid_fdinfo(5) */
function countOf(fd: number): bigint {
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
  return BigInt(`0x${/^eventfd-count:\s*([0-9a-f]+)/m.exec(info)?.[1] ?? ''}`);
}

/** What is taken, or why nothing is. */
function taken(fd: number): bigint | string {
  const value = new BigUint64Array(1);
  const answer = sys.eventfd_read(fd, value);
  return answer === 0 ? (value[0] as bigint) : inWords(answer);
}

/** What a set says about it. */
function conditions(open: Descriptors, fd: number): number {
  const epfd = open.own(sys.epoll_create1(0));
  const events = new sys.EpollEventArray(1);
  must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT));
  return sys.epoll_wait(epfd, events, 1, 0) === 1 ? events.getEvents(0) : 0;
}

for (const initval of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
  test(`eventfd begins at ${initval}`, (t) => {
    using open = new Descriptors();
    t.is(countOf(counter(open, initval)), BigInt(initval));
  });
}

test('eventfd has the flags that were asked for', (t) => {
  using open = new Descriptors();
  t.is(openFlags(open.own(sys.eventfd(0, 0))), O_RDWR);
  t.is(openFlags(counter(open)), O_RDWR | O_NONBLOCK | O_CLOEXEC);
});

for (const value of [0, 1, 2 ** 53 - 1, 0n, 2n ** 53n + 1n, 2n ** 63n, MOST]) {
  test(`eventfd_write adds ${typeof value} ${value}, eventfd_read takes it`, (t) => {
    using open = new Descriptors();
    const fd = counter(open);
    t.is(sys.eventfd_write(fd, value), 0);
    t.is(countOf(fd), BigInt(value));
    t.is(taken(fd), BigInt(value) === 0n ? 'EAGAIN' : BigInt(value));
    t.is(countOf(fd), 0n);
  });
}

test('eventfd_write adds up to 2 ** 64 - 2, and not beyond', (t) => {
  using open = new Descriptors();
  const fd = counter(open, 2);
  t.is(sys.eventfd_write(fd, MOST - 2n), 0);
  t.is(conditions(open, fd), EPOLLIN, 'there is no room for 1');
  t.is(inWords(sys.eventfd_write(fd, 1)), 'EAGAIN');
  t.is(sys.eventfd_write(fd, 0), 0);
  t.is(countOf(fd), MOST);
  t.is(inWords(sys.eventfd_write(fd, MOST + 1n)), 'EINVAL');
  t.is(taken(fd), MOST);
});

test('an eventfd is readable above 0, and writable while 1 fits', (t) => {
  using open = new Descriptors();
  t.is(conditions(open, counter(open)), EPOLLOUT);
  t.is(conditions(open, counter(open, 1)), EPOLLIN | EPOLLOUT);
});

test('eventfd_read takes all, with EFD_SEMAPHORE one', (t) => {
  using open = new Descriptors();
  const fd = counter(open, 3);
  t.deepEqual([taken(fd), taken(fd)], [3n, 'EAGAIN']);
  const semaphore = counter(open, 2, EFD_SEMAPHORE);
  t.deepEqual([taken(semaphore), taken(semaphore), taken(semaphore)], [1n, 1n, 'EAGAIN']);
});

test('eventfd_read fills element 0 alone, and nothing when refused', (t) => {
  using open = new Descriptors();
  const fd = counter(open, 5);
  const memory = new BigUint64Array([1n, 2n, 3n, 4n]);
  t.is(sys.eventfd_read(fd, memory.subarray(1, 3)), 0);
  t.deepEqual([...memory], [1n, 5n, 3n, 4n]);
  t.is(inWords(sys.eventfd_read(fd, memory)), 'EAGAIN');
  t.deepEqual([...memory], [1n, 5n, 3n, 4n]);
});

test('read and write move the counter as eight bytes', (t) => {
  using open = new Descriptors();
  const fd = counter(open);
  t.is(sys.write(fd, new BigUint64Array([7n]), 0, 8), 8);
  const value = new BigUint64Array(1);
  t.is(sys.read(fd, value, 0, 8), 8);
  t.is(value[0], 7n);
});

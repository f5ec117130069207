import { readFileSync } from 'node:fs';
import process from 'node:process';
import test from 'ava';
import { openFlags } from '../support/kernel-view.js';
import {
  CLOCK_BOOTTIME,
  CLOCK_MONOTONIC,
  CLOCK_REALTIME,
  EPOLL_CTL_ADD,
  EPOLLIN,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  TFD_CLOEXEC,
  TFD_NONBLOCK,
  TFD_TIMER_ABSTIME,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { Descriptors, inWords, must } from './support/kernel.js';

const SECOND = 1_000_000_000n;
const MOST = 2n ** 63n - 1n;

function timer(open: Descriptors, clock = CLOCK_MONOTONIC): number {
  return open.own(sys.timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC));
}

function fired(fd: number): bigint | string {
  const count = new BigUint64Array(1);
  const answer = sys.read(fd, count, 0, 8);
  return answer === 8 ? (count[0] as bigint) : inWords(answer);
}

function setting(fd: number): Required<sys.TimerValueOut> {
  const value: sys.TimerValueOut = {};
  must(sys.timerfd_gettime(fd, value));
  return value as Required<sys.TimerValueOut>;
}

/** Blocks until it has fired. */
function waitFor(open: Descriptors, fd: number): void {
  const epfd = open.own(sys.epoll_create1(0));
  must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN));
  must(sys.epoll_wait(epfd, new sys.EpollEventArray(1), 1, 20_000));
}

/** `2.5 s` as the kernel shows it. proc_pid_fdinfo(5) */
function inKernel(fd: number, field: 'it_value' | 'it_interval'): bigint {
  const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
  const match = new RegExp(`^${field}: \\((\\d+), (\\d+)\\)`, 'm').exec(info);
  return BigInt(match?.[1] ?? '') * SECOND + BigInt(match?.[2] ?? '');
}

test('a timer has the flags that were asked for', (t) => {
  using open = new Descriptors();
  t.is(openFlags(open.own(sys.timerfd_create(CLOCK_MONOTONIC, 0))), O_RDWR);
  t.is(openFlags(timer(open)), O_RDWR | O_NONBLOCK | O_CLOEXEC);
});

for (const [name, clock] of Object.entries({ CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME })) {
  test(`a timer on ${name} begins disarmed and fires once`, (t) => {
    using open = new Descriptors();
    const fd = timer(open, clock);
    t.deepEqual(setting(fd), { valueNs: 0n, intervalNs: 0n });
    t.is(fired(fd), 'EAGAIN');
    t.is(sys.timerfd_settime(fd, 0, { valueNs: 1 }), 0);
    waitFor(open, fd);
    t.is(fired(fd), 1n);
    t.is(fired(fd), 'EAGAIN');
    t.deepEqual(setting(fd), { valueNs: 0n, intervalNs: 0n });
  });
}

for (const valueNs of [1, 999, 250_000, 1_500_000, 12_000_000n]) {
  test(`a timer of ${valueNs} ns is never early`, (t) => {
    using open = new Descriptors();
    const fd = timer(open);
    for (let round = 0; round < 5; round++) {
      const started = process.hrtime.bigint();
      must(sys.timerfd_settime(fd, 0, { valueNs }));
      waitFor(open, fd);
      t.true(process.hrtime.bigint() - started >= BigInt(valueNs));
      t.is(fired(fd), 1n);
    }
  });
}

test('an interval goes on, and the count tells how often', (t) => {
  using open = new Descriptors();
  const fd = timer(open);
  const started = process.hrtime.bigint();
  must(sys.timerfd_settime(fd, 0, { valueNs: 3_000_000, intervalNs: 2_000_000n }));
  let count = 0n;
  while (count < 5n) {
    waitFor(open, fd);
    count += fired(fd) as bigint;
  }
  const passed = process.hrtime.bigint() - started;
  t.true(passed >= 3_000_000n + (count - 1n) * 2_000_000n);
  t.is(setting(fd).intervalNs, 2_000_000n);
});

test('an absolute time is on the clock of the timer', (t) => {
  using open = new Descriptors();
  const fd = timer(open);
  const when = process.hrtime.bigint() + 5_000_000n;
  must(sys.timerfd_settime(fd, TFD_TIMER_ABSTIME, { valueNs: when }));
  waitFor(open, fd);
  t.true(process.hrtime.bigint() >= when);
  must(sys.timerfd_settime(fd, TFD_TIMER_ABSTIME, { valueNs: 1n }));
  waitFor(open, fd);
  t.is(fired(fd), 1n, 'what is past fires at once');
});

for (const [valueNs, intervalNs] of [
  [2n ** 53n - 1n, 0n],
  [SECOND, 9_223_372_035n * SECOND + 7n],
  [10n * SECOND + 7n, 3n * SECOND + 999_999_999n],
  [1n * SECOND, 1n],
  [SECOND - 1n, SECOND],
] as const) {
  test(`timerfd_gettime gives ${valueNs} ns and ${intervalNs} ns as exact as the kernel`, (t) => {
    using open = new Descriptors();
    const fd = timer(open);
    must(sys.timerfd_settime(fd, 0, { valueNs, intervalNs }));
    const left = setting(fd);
    t.is(left.intervalNs, intervalNs);
    t.is(inKernel(fd, 'it_interval'), intervalNs);
    t.true(left.valueNs > 0n && left.valueNs <= valueNs);
    t.true(inKernel(fd, 'it_value') <= left.valueNs, 'asked later');
  });
}

test('the far future is no error, and what 64 bits do not hold is 2 ** 63 - 1', (t) => {
  using open = new Descriptors();
  const fd = timer(open);
  t.is(sys.timerfd_settime(fd, 0, { valueNs: MOST, intervalNs: MOST }), 0);
  const { valueNs, intervalNs } = setting(fd);
  t.true(valueNs > MOST / 2n && valueNs <= MOST);
  t.is(intervalNs, MOST);
  t.is(fired(fd), 'EAGAIN');
});

test('timerfd_settime gives what was set before, in place', (t) => {
  using open = new Descriptors();
  const fd = timer(open);
  must(sys.timerfd_settime(fd, 0, { valueNs: 100n * SECOND, intervalNs: 5 }));
  const old = { mine: 1, valueNs: 0n };
  t.is(sys.timerfd_settime(fd, 0, { valueNs: 50n * SECOND }, old), 0);
  const { valueNs, ...rest } = old as typeof old & Required<sys.TimerValueOut>;
  t.deepEqual(rest, { mine: 1, intervalNs: 5n });
  t.true(valueNs > 99n * SECOND && valueNs <= 100n * SECOND);
  t.is(sys.timerfd_settime(fd, 0, { valueNs: 0 }, null), 0);
  t.is(sys.timerfd_settime(fd, 0, { valueNs: 0 }, undefined), 0);
  t.is(setting(fd).valueNs, 0n, '0 disarms');
});

test('a refused timerfd_settime leaves the timer and the old value as they are', (t) => {
  using open = new Descriptors();
  const fd = timer(open);
  must(sys.timerfd_settime(fd, 0, { valueNs: 100n * SECOND }));
  const old = { valueNs: 7n };
  t.is(inWords(sys.timerfd_settime(fd, 0, { valueNs: -1 }, old)), 'EINVAL');
  t.deepEqual(old, { valueNs: 7n });
  t.true(setting(fd).valueNs > 99n * SECOND);
});

test('timerfd_settime forgets the times that were not read', (t) => {
  using open = new Descriptors();
  const fd = timer(open);
  must(sys.timerfd_settime(fd, 0, { valueNs: 1 }));
  waitFor(open, fd);
  must(sys.timerfd_settime(fd, 0, { valueNs: 100n * SECOND }));
  t.is(fired(fd), 'EAGAIN');
});

import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { fixture } from '../support/child.js';
import { needs } from '../support/emulator.js';
import { lastWordOf } from '../support/workers.js';
import { EPOLL_CTL_ADD, EPOLLIN } from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { Descriptors, must } from './support/kernel.js';
import { armedTimer, FOREVER, timeouts, type TimeoutResult } from './support/timeouts.js';

const events = new sys.EpollEventArray(1);

function emptySet(open: Descriptors): number {
  return open.own(sys.epoll_create1(0));
}

/** A set that becomes readable in a while, and only then. */
function setWithTimer(open: Descriptors): { epfd: number; firesAtNs: bigint } {
  const epfd = emptySet(open);
  const { fd, firesAtNs } = armedTimer(open, 20_000_000n);
  must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, fd, EPOLLIN));
  return { epfd, firesAtNs };
}

const testOfPwait2 = needs('epoll_pwait2');

const ofPwait2 = (name: string): typeof testOfPwait2 =>
  needs(name.startsWith('epoll_pwait2') ? 'epoll_pwait2' : undefined);

testOfPwait2('a timeout of 0 answers at once, whatever there is', (t) => {
  using open = new Descriptors();
  const epfd = emptySet(open);
  t.is(sys.epoll_wait(epfd, events, 1, 0), 0);
  t.is(sys.epoll_wait(epfd, events, 1, -0), 0);
  t.is(sys.epoll_pwait(epfd, events, 1, 0, null), 0);
  t.is(sys.epoll_pwait2(epfd, events, 1, 0), 0);
  t.is(sys.epoll_pwait2(epfd, events, 1, 0n, []), 0);
});

for (const { name, wait, atLeastNs } of timeouts) {
  ofPwait2(name)(`${name} is never early`, (t) => {
    using open = new Descriptors();
    const epfd = emptySet(open);
    for (let round = 0; round < 5; round++) {
      const started = process.hrtime.bigint();
      t.is(wait(epfd), 0);
      t.true(process.hrtime.bigint() - started >= atLeastNs);
    }
  });
}

for (const [name, wait] of Object.entries(FOREVER)) {
  ofPwait2(name)(`${name} waits without end for an event`, (t) => {
    using open = new Descriptors();
    const { epfd, firesAtNs } = setWithTimer(open);
    t.is(wait(epfd), 1);
    t.true(process.hrtime.bigint() >= firesAtNs);
  });
}

testOfPwait2('a wait ends with its first event, long before its time', (t) => {
  using open = new Descriptors();
  for (const wait of [
    (epfd: number) => sys.epoll_wait(epfd, events, 1, 2 ** 31 - 1),
    (epfd: number) => sys.epoll_pwait2(epfd, events, 1, 2 ** 53 - 1),
    (epfd: number) => sys.epoll_pwait2(epfd, events, 1, 2n ** 63n - 1n),
  ]) {
    const { epfd, firesAtNs } = setWithTimer(open);
    t.is(wait(epfd), 1);
    t.true(process.hrtime.bigint() >= firesAtNs);
  }
});

testOfPwait2(
  'waits in a worker are never early, and wait without end, as on the main thread',
  async (t) => {
    const worker = new Worker(fixture('sys-worker-timeouts'));
    const results = await lastWordOf<TimeoutResult[]>(worker);
    t.true(results.length > timeouts.length);
    for (const { name, answer, expected, lateByNs } of results) {
      t.is(answer, expected, name);
      t.true(lateByNs >= 0n, `${name} was early by ${-lateByNs} ns`);
    }
  },
);

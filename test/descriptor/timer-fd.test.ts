import { readFileSync } from 'node:fs';
import test from 'ava';
import { EpollEvents, TimerFd, WOULD_BLOCK, type TimerClock } from '../../ts/index.js';
import { EPOLLIN, TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET } from '../../ts/sys/constants.js';
import { fixture, run } from '../support/child.js';
import { awaitReady, closing, newEpoll } from '../support/pairs.js';
import { testWithPrograms } from '../support/programs.js';

/** The flags that the kernel keeps with a timer. */
function settimeFlags({ fd }: TimerFd): number {
  const flags = /^settime flags:\s*([0-7]+)/m.exec(
    readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'),
  );
  return Number.parseInt(flags?.[1] ?? '', 8);
}

/** The time of a clock in nanoseconds, by Node's own functions. */
function timeOf(clock: TimerClock): bigint {
  return clock === 'realtime' ? BigInt(Date.now()) * 1_000_000n : process.hrtime.bigint();
}

for (const clock of ['monotonic', 'realtime', 'boottime'] as const) {
  test(`a ${clock} timer fires once, never early`, (t) => {
    const timer = closing(t, new TimerFd({ clock }));
    for (const valueNs of [1, 200_000, 5_000_000n]) {
      const started = process.hrtime.bigint();
      timer.set({ valueNs });
      awaitReady(timer, EPOLLIN);
      t.true(process.hrtime.bigint() - started >= BigInt(valueNs));
      t.is(timer.read(), 1n);
      t.is(timer.read(), WOULD_BLOCK);
      t.deepEqual(timer.get(), { valueNs: 0n, intervalNs: 0n });
    }
  });

  test(`an absolute ${clock} time that has passed fires at once`, (t) => {
    const timer = closing(t, new TimerFd({ clock }));
    timer.set({ valueNs: 1, absolute: true });
    awaitReady(timer, EPOLLIN);
    t.is(timer.read(), 1n);
  });
}

for (const clock of ['monotonic', 'realtime'] as const) {
  test(`an absolute ${clock} time is not relative to now`, (t) => {
    const timer = closing(t, new TimerFd({ clock }));
    const started = timeOf(clock);
    timer.set({ valueNs: started + 20_000_000n, absolute: true });
    const { valueNs } = timer.get();
    t.true(valueNs > 0n && valueNs <= 21_000_000n, String(valueNs));
    awaitReady(timer, EPOLLIN);
    t.true(timeOf(clock) >= started + 20_000_000n - 1_000_000n);
  });
}

test('an interval goes on, and read counts the times that nobody took', (t) => {
  const timer = closing(t, new TimerFd());
  const epoll = newEpoll(t);
  const started = process.hrtime.bigint();
  timer.set({ valueNs: 1_000_000, intervalNs: 2_000_000n });
  t.is(timer.get().intervalNs, 2_000_000n);
  let fired = 0n;
  epoll.add(timer, EPOLLIN);
  while (fired < 5n) {
    t.is(epoll.wait(new EpollEvents(1)), 1);
    const count = timer.read();
    if (count !== WOULD_BLOCK) fired += count;
  }
  t.true(process.hrtime.bigint() - started >= 1_000_000n + (fired - 1n) * 2_000_000n);
  epoll.delete(timer);
  epoll.wait(new EpollEvents(1), 10);
  const missed = timer.read();
  t.true(missed >= 4n, `${missed} in 10 ms of nobody reading`);
});

test('set forgets the times that were not read, and 0 disarms', (t) => {
  const timer = closing(t, new TimerFd());
  timer.set({ valueNs: 1 });
  awaitReady(timer, EPOLLIN);
  timer.set({ valueNs: 3_600_000_000_000n });
  t.is(timer.read(), WOULD_BLOCK);
  const { valueNs } = timer.get();
  t.true(valueNs > 3_590_000_000_000n && valueNs <= 3_600_000_000_000n);
  timer.set({ valueNs: 0 });
  t.deepEqual(timer.get(), { valueNs: 0n, intervalNs: 0n });
  t.is(timer.read(), WOULD_BLOCK);
});

test('a new timer is disarmed', (t) => {
  const timer = closing(t, new TimerFd());
  t.deepEqual(timer.get(), { valueNs: 0n, intervalNs: 0n });
  t.is(timer.read(), WOULD_BLOCK);
});

test('times are integers of nanoseconds that are not negative', (t) => {
  const timer = closing(t, new TimerFd());
  const set = (setting: object) => (): void => {
    timer.set(setting as never);
  };
  for (const setting of [
    { valueNs: 0.5 },
    { valueNs: Number.NaN },
    { valueNs: 2 ** 53 },
    { valueNs: 2n ** 63n },
  ]) {
    t.throws(set(setting), { code: 'ERR_OUT_OF_RANGE' });
  }
  for (const setting of [
    { valueNs: '1' },
    {},
    { valueNs: null },
    { valueNs: 1, intervalNs: '1' },
  ]) {
    t.throws(set(setting), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  t.throws(set({ valueNs: -1 }), { code: 'EINVAL' });
  t.throws(set({ valueNs: 1, intervalNs: -1n }), { code: 'EINVAL' });
  t.deepEqual(timer.get(), { valueNs: 0n, intervalNs: 0n });
});

test('cancelOnSet is for an absolute time of a clock that can be set, and leaves others alone', (t) => {
  const hourFromNow = BigInt(Date.now() + 3_600_000) * 1_000_000n;
  const cancelOnSet = { valueNs: hourFromNow, absolute: true, cancelOnSet: true };
  const timer = closing(t, new TimerFd({ clock: 'realtime' }));
  timer.set(cancelOnSet);
  t.is(settimeFlags(timer), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
  t.is(timer.read(), WOULD_BLOCK, 'nobody has set the clock');
  t.true(timer.get().valueNs > 0n);
  timer.set({ valueNs: 3_600_000_000_000n });
  t.is(settimeFlags(timer), 0, 'not asked for');
  timer.set({ valueNs: 1, absolute: true, cancelOnSet: true });
  awaitReady(timer, EPOLLIN);
  t.is(timer.read(), 1n);
});

testWithPrograms(
  ['strace'],
  'read of a cancelOnSet timer throws ECANCELED once somebody has set the clock',
  async (t) => {
    // Late enough to hit none of the reads with which Node starts.
    const child = await run('strace', [
      ...[
        '-qq',
        '-o',
        '/dev/null',
        '-e',
        'trace=read',
        '-e',
        'inject=read:error=ECANCELED:when=400',
      ],
      ...[process.execPath, fixture('descriptor-clock-set')],
    ]);
    t.deepEqual(JSON.parse(child.stdout), { code: 'ECANCELED', syscall: 'read', ofTheTimer: true });
  },
);

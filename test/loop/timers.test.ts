/** Timers of a loop: never early, in order, and as cheap among many as among few. */
import test from 'ava';
import { Loop, READABLE, TimerFd, type BackendName, type Timer } from '../../ts/index.js';
import { testedBackends } from '../support/backends.js';
import { closing } from '../support/pairs.js';
import { Random } from '../support/random.js';

for (const ms of [0, 0.3, 1, 2.5, 20]) {
  test(`a timer of ${ms} ms is not early`, (t) => {
    const loop = closing(t, new Loop());
    for (let i = 0; i < 10; i++) {
      const started = performance.now();
      let took = Number.NaN;
      loop.setTimeout(ms, () => {
        took = performance.now() - started;
      });
      loop.run();
      t.true(took >= ms, String(took));
    }
  });
}

test('timers run in the order in which they are due, and those of one moment in that of their arming', (t) => {
  const loop = closing(t, new Loop());
  const seen: number[] = [];
  for (const [i, ms] of [3, 1, 2, 1, 0, 3].entries()) loop.setTimeout(ms, () => seen.push(i));
  loop.run();
  t.deepEqual(seen, [4, 1, 3, 2, 0, 5]);
});

test('a timer that is armed by a timer runs in the next turn, however short', (t) => {
  const loop = closing(t, new Loop());
  const seen: string[] = [];
  loop.setTimeout(0, () => {
    seen.push('outer');
    loop.setTimeout(0, () => seen.push('inner'));
  });
  t.is(loop.turn(), 1);
  t.deepEqual(seen, ['outer']);
  t.is(loop.turn(), 1);
  t.deepEqual(seen, ['outer', 'inner']);
});

test('a timer that another one cancels in the same turn does not run', (t) => {
  const loop = closing(t, new Loop());
  const second: { timer?: Timer } = {};
  loop.setTimeout(0, () => second.timer?.cancel());
  second.timer = loop.setTimeout(0, () => {
    t.fail('it was cancelled');
  });
  t.true(second.timer.active);
  loop.run();
  t.false(second.timer.active);
  second.timer.cancel();
});

test('an interval runs until it is cancelled, also by itself, and is not early on the whole', (t) => {
  const loop = closing(t, new Loop());
  const started = performance.now();
  let runs = 0;
  const interval = loop.setInterval(2, () => {
    runs++;
    t.true(performance.now() - started >= 2 * runs);
    if (runs === 10) interval.cancel();
  });
  loop.run();
  t.is(runs, 10);
});

test('an interval does not make up for what it missed', (t) => {
  const loop = closing(t, new Loop());
  let runs = 0;
  loop.setInterval(1, () => runs++);
  const until = performance.now() + 30;
  while (performance.now() < until);
  loop.turn(0);
  t.is(runs, 1);
});

test('a timer of an interval that throws goes on', (t) => {
  const loop = closing(t, new Loop());
  let runs = 0;
  loop.setInterval(0, () => {
    runs++;
    throw new Error('on purpose');
  });
  for (let i = 1; i <= 3; i++) {
    t.throws(() => loop.turn(), { message: 'on purpose' });
    t.is(runs, i);
  }
});

test('a timer far away neither runs nor keeps others from running', (t) => {
  const loop = closing(t, new Loop());
  for (const ms of [2 ** 31 - 1, 2 ** 31, 2 ** 32, 1e15, Number.MAX_SAFE_INTEGER]) {
    loop.setTimeout(ms, () => {
      t.fail('far too early');
    });
  }
  let ran = false;
  loop.setTimeout(1, () => {
    ran = true;
    loop.stop();
  });
  loop.run();
  t.true(ran);
  t.is(loop.size, 5);
});

test('a timer far away is a wait without end, not one that overflows', (t) => {
  for (const backend of testedBackends as BackendName[]) {
    for (const ms of [2 ** 31, 2 ** 53 / 1e6, Number.MAX_SAFE_INTEGER]) {
      const loop = closing(t, new Loop({ backend }));
      const other = closing(t, new TimerFd());
      loop.setTimeout(ms, () => {
        t.fail('far too early');
      });
      loop.register(other, READABLE, () => {
        other.read();
      });
      other.set({ valueNs: 5_000_000 });
      t.is(loop.turn(), 1, `${backend}: ${ms}`);
    }
  }
});

test('a turn takes no longer than it may, whatever timers there are', (t) => {
  const loop = closing(t, new Loop());
  loop.setTimeout(1e9, () => undefined);
  t.is(loop.turn(1), 0);
  t.is(loop.turn(0), 0);
});

test('using cancels a timer', (t) => {
  const loop = closing(t, new Loop());
  {
    using timer = loop.setTimeout(0, () => {
      t.fail('it was cancelled');
    });
    t.true(timer.active);
  }
  t.is(loop.size, 0);
});

test('a hundred thousand timers, armed and cancelled in any order, run in that of their times', (t) => {
  const random = new Random();
  t.log(`RAW_EPOLL_SEED=${random.seed}`);
  const loop = closing(t, new Loop());
  const wanted: { due: number; order: number }[] = [];
  const seen: number[] = [];
  const armed: { timer: Timer; order: number; due: number }[] = [];
  for (let order = 0; order < 100_000; order++) {
    const timer = loop.setTimeout(random.integer(0, 50), () => seen.push(order));
    armed.push({ timer, order, due: timer.due });
  }
  for (const { timer, due, order } of armed) {
    if (random.next() < 0.5) timer.cancel();
    else wanted.push({ due, order });
  }
  t.is(loop.size, wanted.length);
  loop.run();
  wanted.sort((a, b) => a.due - b.due || a.order - b.order);
  t.is(seen.length, wanted.length);
  t.true(seen.every((order, i) => order === wanted[i]?.order));
});

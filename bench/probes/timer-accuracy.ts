/**
 * How late what was to happen after a time happens, one after the other: 1, 2, 5 and 10 ms in turn.
 *
 *     node build/bench/probes/timer-accuracy.js [--by wait|run|runAsync|setTimeout] [--timers N]
 *
 * `wait`: the time limit of `Epoll.wait`, with nothing in the set. `run` and `runAsync`:
 * `Loop.setTimeout`. `setTimeout`: Node's own.
 *
 * Prints {"p50": us, "p99": us, "early": count}. Never early is a promise of this library.
 */

import { parseArgs } from 'node:util';
import { Epoll, EpollEvents, Loop } from 'raw-epoll';
import { optionsOrUsage, parseCount } from '../lib/options.js';

const DELAYS_MS: readonly number[] = [1, 2, 5, 10];

const delayOf = (i: number): number => DELAYS_MS[i % DELAYS_MS.length] as number;

/** Arms one timer after the other; each tells how late it is. */
function inTurn(
  timers: number,
  arm: (ms: number, then: () => void) => void,
  end: () => void,
): number[] {
  const late: number[] = [];
  const next = (): void => {
    if (late.length === timers) {
      end();
      return;
    }
    const delay = delayOf(late.length);
    const started = performance.now();
    arm(delay, () => {
      late.push(performance.now() - started - delay);
      next();
    });
  };
  next();
  return late;
}

const ways: Readonly<Record<string, (timers: number) => number[] | Promise<number[]>>> = {
  wait(timers) {
    const epoll = new Epoll();
    const events = new EpollEvents();
    const late = Array.from({ length: timers }, (_, i) => {
      const started = performance.now();
      epoll.wait(events, delayOf(i));
      return performance.now() - started - delayOf(i);
    });
    epoll.close();
    return late;
  },

  run(timers) {
    const loop = new Loop();
    const late = inTurn(
      timers,
      (ms, then) => void loop.setTimeout(ms, then),
      () => {
        loop.stop();
      },
    );
    loop.run();
    loop.close();
    return late;
  },

  async runAsync(timers) {
    const loop = new Loop();
    const late = inTurn(
      timers,
      (ms, then) => void loop.setTimeout(ms, then),
      () => {
        loop.stop();
      },
    );
    await loop.runAsync();
    loop.close();
    return late;
  },

  setTimeout: (timers) =>
    new Promise((resolve) => {
      const late: number[] = inTurn(
        timers,
        (ms, then) => void setTimeout(then, ms),
        () => {
          resolve(late);
        },
      );
    }),
};

function summarize(late: readonly number[]): Record<string, number> {
  const sorted = late.map((ms) => ms * 1e3).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), early: sorted.filter((us) => us < 0).length };
}

const options = optionsOrUsage('timer-accuracy', () => {
  const { values } = parseArgs({
    options: {
      by: { type: 'string', default: 'wait' },
      timers: { type: 'string', default: '200' },
    },
  });
  const way = ways[values.by];
  if (way === undefined) throw new RangeError(`--by ${values.by}: there is no such way`);
  return { way, timers: parseCount('timers', values.timers) };
});
if (options !== undefined)
  console.log(JSON.stringify(summarize(await options.way(options.timers))));

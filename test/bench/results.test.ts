/** From slices to numbers. */
import test from 'ava';
import type { Slice } from '../../bench/lib/load.js';
import { runPairs } from '../../bench/lib/pairs.js';
import {
  compare,
  over,
  parseResults,
  probeValue,
  summarizeYardstick,
} from '../../bench/lib/results.js';
import { median, spread } from '../../bench/lib/statistics.js';
import { loadResult, pairs, probeResult, resultsOf, slice } from './slices.js';

test('a median is the middle one, or the mean of the two in the middle', (t) => {
  t.is(median([30, 1, 2]), 2);
  t.is(median([4, 1, 2, 30]), 3);
  t.is(median([]), NaN);
  t.deepEqual(spread([3, 1, 2]), { median: 2, low: 1, high: 3 });
});

test('a server is compared with the mean of the yardstick before and after it', (t) => {
  const { throughput, cpu, perSecond, cpuNs } = compare('it', pairs(7, 0.5, 2), true);
  t.is(throughput.median, 0.5);
  t.is(cpu.median, 2);
  t.is(perSecond.median, 500);
  t.is(cpuNs.median, 2000);
});

test('latencies are those of all slices together', (t) => {
  const { p50Us, p99Us, p999Us } = compare('it', pairs(3, 1, 1), true);
  t.true(Math.abs(p50Us - 100) < 0.2);
  t.true(Math.abs(p99Us - 900) < 2);
  t.true(Math.abs(p999Us - 900) < 2);
});

test('pairs that something else disturbed do not count where three others are there', (t) => {
  const disturbed = pairs(4, 9, 9, 0.5);
  const enough = compare('it', [...pairs(3, 1, 1), ...disturbed], true);
  t.is(enough.throughput.high, 1);
  t.is(enough.quietPairs, 3);
  const few = compare('it', [...pairs(2, 1, 1), ...disturbed], true);
  t.is(few.throughput.high, 9);
  t.is(few.quietPairs, 2);
});

test('collections are counted in all slices, and not at all where they cannot be', (t) => {
  const runs = pairs(3, 1, 1).map((run) => ({ ...run, slice: { ...run.slice, collections: 2 } }));
  t.is(compare('it', runs, true).collections, 6);
  t.is(compare('it', runs, false).collections, null);
});

test('a slice of the yardstick counts once, though it belongs to two pairs', (t) => {
  const [a, b, c] = [slice(10, 1), slice(20, 1), slice(60, 1)];
  const runs = [
    { before: a, slice: slice(1, 1), after: b },
    { before: b, slice: slice(1, 1), after: c },
  ];
  t.is(summarizeYardstick([{ runs }]).messages, 90);
});

test('a file of results is read as it was, also where a number could not be had', (t) => {
  const results = resultsOf([loadResult('64x50', { control: [NaN, 1], c: [1, 1] })]);
  const [load] = results.loads;
  const uncounted = { ...load!, yardstick: { ...load!.yardstick, collections: null } };
  const run = { ...results, loads: [uncounted] };
  t.deepEqual(parseResults(JSON.stringify(run)), run);
  for (const text of ['{}', '[]', 'null', '{"loads": 1}']) {
    t.throws(() => parseResults(text), { message: 'this is no run of the benchmark' });
  }
});

test('two servers are compared by their ratios to the yardstick', (t) => {
  const result = loadResult('64x50', { control: [1, 1], net: [0.5, 3], echo: [1, 1.5] });
  t.is(over(result, 'net', 'echo', 'cpu')?.median, 2);
  t.is(over(result, 'echo', 'net', 'throughput')?.median, 2);
  t.is(over(result, 'echo', 'go', 'throughput'), undefined);
});

test('of the rounds of a probe the least counts, or the median', (t) => {
  const rounds = { c: [{ a: 5 }, { a: 3 }, { a: 9 }] };
  t.is(probeValue(probeResult('p', 'least', rounds), 'c', 'a'), 3);
  t.is(probeValue(probeResult('p', 'median', rounds), 'c', 'a'), 5);
  t.is(probeValue(probeResult('p', 'median', rounds), 'c', 'b'), undefined);
  t.is(probeValue(probeResult('p', 'median', rounds), 'd', 'a'), undefined);
});

test('each round has new processes, the yardstick before and after every slice, and begins with another server', async (t) => {
  const order: string[] = [];
  const outcomes = await runPairs(['a', 'b'], {
    pairs: 2,
    yardstick: 'c',
    renew: (name) => {
      order.push(`new ${name}`);
      return Promise.resolve();
    },
    measure: (name) => {
      order.push(name);
      return Promise.resolve(slice(order.length, 1));
    },
    onRound: () => undefined,
  });
  t.deepEqual(order, [
    ...['new c', 'new a', 'new b', 'c', 'a', 'c', 'b', 'c'],
    ...['new c', 'new b', 'new a', 'c', 'b', 'c', 'a', 'c'],
  ]);
  const a = outcomes.get('a');
  t.true(a !== undefined && 'runs' in a);
  const runs = a !== undefined && 'runs' in a ? a.runs : [];
  // Places in that order, from 1.
  t.deepEqual(
    runs.map((run) => [run.before, run.slice, run.after].map(({ messages }) => messages)),
    [
      [4, 5, 6],
      [14, 15, 16],
    ],
  );
});

test('a server that fails is left out from then on, with its reason, and the others go on', async (t) => {
  let slices = 0;
  let starts = 0;
  const outcomes = await runPairs(['good', 'bad', 'late'], {
    pairs: 3,
    yardstick: 'c',
    renew: (name) => {
      if (name === 'late' && ++starts > 1) throw new Error('it does not listen');
      return Promise.resolve();
    },
    measure: (name) => {
      if (name === 'bad' && ++slices > 1) throw new Error('it answered wrongly');
      return Promise.resolve(slice(1, 1));
    },
    onRound: () => undefined,
  });
  t.deepEqual([slices, starts], [2, 2]);
  t.deepEqual(outcomes.get('bad'), { failure: 'it answered wrongly' });
  t.deepEqual(outcomes.get('late'), { failure: 'it does not listen' });
  const good = outcomes.get('good');
  t.is(good !== undefined && 'runs' in good ? good.runs.length : 0, 3);
});

test('without a yardstick there are no results', async (t) => {
  const one = { pairs: 1, yardstick: 'c', onRound: () => undefined };
  const measure = (name: string): Promise<Slice> =>
    name === 'c' ? Promise.reject(new Error('gone')) : Promise.resolve(slice(1, 1));
  const renew = (): Promise<void> => Promise.resolve();
  await t.throwsAsync(runPairs(['a'], { ...one, renew, measure }), { message: 'gone' });
  const refused = (name: string): Promise<void> =>
    name === 'c' ? Promise.reject(new Error('no port')) : Promise.resolve();
  const even = (): Promise<Slice> => Promise.resolve(slice(1, 1));
  await t.throwsAsync(runPairs(['a'], { ...one, renew: refused, measure: even }), {
    message: 'no port',
  });
});

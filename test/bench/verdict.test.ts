/** When a target is met, missed, and when nothing can be said. */
import test from 'ava';
import { describeNoise, describeVerdict, judge, type Outcome } from '../../bench/lib/verdict.js';
import type { PairedRun } from '../../bench/lib/pairs.js';
import { compare, type Results } from '../../bench/lib/results.js';
import { loadResult, pairs, probeResult, resultsOf } from './slices.js';

const LEVEL_2 = 'CPU per message against C, level 2, 64 B, 50 connections';
const CALL = 'cost of a call over C, recv -> EAGAIN';
const FLAT = 'cost of a wait beside 19,900 idle descriptors against 10';

function outcomeOf(results: Results, what: string): Outcome | undefined {
  return judge(results).find((verdict) => verdict.what === what)?.outcome;
}

const echoAt = (cpu: number, control = 1, waitShare = 0): Results =>
  resultsOf([loadResult('64x50', { control: [1, control], echo: [1, cpu] }, { waitShare })]);

test('a number on the right side of the limit meets the target, on the other side it misses it', (t) => {
  t.is(outcomeOf(echoAt(1.03), LEVEL_2), 'met');
  t.is(outcomeOf(echoAt(1.031), LEVEL_2), 'missed');
});

test('without an even control nothing is decided, whichever way the number points', (t) => {
  t.is(outcomeOf(echoAt(1.01, 1.06), LEVEL_2), 'undecided');
  t.is(outcomeOf(echoAt(2, 0.94), LEVEL_2), 'undecided');
  t.is(outcomeOf(echoAt(1.01, 1.05), LEVEL_2), 'met');
});

test('without three undisturbed pairs nothing is decided', (t) => {
  t.is(outcomeOf(echoAt(1.01, 1, 0.3), LEVEL_2), 'undecided');
});

test('a control that was disturbed decides nothing, even if it came out even', (t) => {
  const { loads } = echoAt(1.01);
  const [disturbed] = echoAt(1.01, 1, 0.3).loads;
  const results = resultsOf(
    loads.map((result) => ({
      ...result,
      servers: { ...result.servers, control: disturbed!.servers['control']! },
    })),
  );
  t.is(outcomeOf(results, LEVEL_2), 'undecided');
});

test('two servers are only beside each other in rounds in which both were undisturbed', (t) => {
  const NET = 'CPU per message, Node net against level 2, 64 B, 50 connections';
  const quietIn = (rounds: readonly number[]): readonly PairedRun[] =>
    Array.from({ length: 7 }, (_, round) =>
      pairs(1, 1, 2, rounds.includes(round) ? 0 : 0.5),
    ).flat();
  const [even] = echoAt(1).loads;
  const judged = (net: readonly number[]): Outcome | undefined => {
    const servers = {
      ...even!.servers,
      echo: compare('echo', quietIn([0, 1, 2]), true),
      net: compare('net', quietIn(net), true),
    };
    return outcomeOf(resultsOf([{ ...even!, servers }]), NET);
  };
  t.is(judged([4, 5, 6]), 'undecided');
  t.is(judged([0, 1, 2]), 'missed');
});

test('what was not measured is not judged', (t) => {
  t.true(judge(resultsOf([])).every(({ outcome }) => outcome === 'not measured'));
  const others = resultsOf([loadResult('64x50', { control: [1, 1], net: [1, 1] })]);
  t.is(outcomeOf(others, LEVEL_2), 'not measured');
});

test('a call is judged by what it costs more than in C, with C against C as control', (t) => {
  const calls = (addon: number, control: number): Results =>
    resultsOf(
      [],
      [
        probeResult('calls', 'least', {
          c: [{ 'recv -> EAGAIN': 200 }, { 'recv -> EAGAIN': 300 }],
          control: [{ 'recv -> EAGAIN': control }],
          addon: [{ 'recv -> EAGAIN': addon }],
        }),
      ],
    );
  t.is(outcomeOf(calls(260, 200), CALL), 'met');
  t.is(outcomeOf(calls(261, 200), CALL), 'missed');
  t.is(outcomeOf(calls(261, 230), CALL), 'undecided');
});

test('a wait is judged by its own cost beside few descriptors', (t) => {
  const waits = (many: number): Results =>
    resultsOf(
      [],
      [
        probeResult('wait-cost', 'median', {
          c: [{ '10': 190, '19900': 192 }],
          control: [{ '10': 191, '19900': 192 }],
          epoll: [{ '10': 250, '19900': many }],
        }),
      ],
    );
  t.is(outcomeOf(waits(270), FLAT), 'met');
  t.is(outcomeOf(waits(275), FLAT), 'missed');
});

test('beside a number stands what C came to in the same place, if that was measured', (t) => {
  const inC = (results: Results, what: string): string | undefined =>
    judge(results).find((verdict) => verdict.what === what)?.inC;
  const servers = {
    control: [1, 1],
    echo: [1, 1.1],
    net: [0.5, 2],
    'c-thread': [1, 1.02],
  } as const;
  const results = resultsOf([loadResult('64x50', servers)]);
  t.is(inC(results, LEVEL_2), 'C, with a thread: 1.02');
  const NET = 'CPU per message, Node net against level 2, 64 B, 50 connections';
  t.is(inC(results, NET), 'against C: 2');
  t.is(inC(results, CALL), '');
  t.is(inC(echoAt(1), LEVEL_2), '');
});

test('the last line says whether the control held, and how many targets were met', (t) => {
  const good = describeVerdict(echoAt(1.01));
  t.regex(good, /^The control held \(C against C within 0\.95…1\.05 in 1 of 1 scenarios\)/);
  t.regex(
    good,
    /100 % of the pairs were undisturbed; 2 of 26 targets were measured: 2 met, 0 missed/,
  );
  t.false(good.includes('\n'));
  const bad = describeVerdict(echoAt(2));
  t.true(bad.includes(`1 missed (${LEVEL_2}: 2)`));
});

test('a control that did not hold is named, with what it was', (t) => {
  const results = resultsOf([
    loadResult('64x50', { control: [1, 1.2] }),
    loadResult('4Kx50', { control: [1, 1] }),
  ]);
  t.regex(
    describeNoise(results),
    /did NOT hold.*1 of 2 scenarios, not in 64x50 \(throughput 1\.000, CPU 1\.200\)/,
  );
  t.is(describeNoise(resultsOf([])), 'no servers were compared, so there was no control');
});

test('few pairs are called a hint', (t) => {
  t.regex(
    describeVerdict({ ...echoAt(1), pairs: 3 }),
    /with fewer than 7 pairs this is only a hint/,
  );
});

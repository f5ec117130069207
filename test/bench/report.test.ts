/** The report that is made from the results of a run. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { check, resolveConfig } from 'prettier';
import * as reasons from '../../bench/lib/reasons.js';
import { writeReport } from '../../bench/lib/report.js';
import { formatLoad, formatProbe } from '../../bench/lib/report-text.js';
import type { Results } from '../../bench/lib/results.js';
import { repositoryRoot } from '../support/repository.js';
import { loadResult, probeResult, resultsOf } from './slices.js';

const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-report-'));

test.after.always(() => {
  rmSync(folder, { recursive: true });
});

const echo = loadResult('64x50', { control: [1, 1.01], echo: [0.98, 1.02], net: [0.6, 1.7] });
const results: Results = resultsOf(
  [
    {
      ...echo,
      failures: { go: 'it printed\na | pipe' },
      yardstick: { ...echo.yardstick, systemCalls: 2, loadCpuShare: 0.97 },
    },
  ],
  [
    probeResult('wait-cost', 'median', {
      c: [{ '10': 190, '19900': 192 }],
      epoll: [{ '10': 250, '19900': 256 }],
    }),
    probeResult('memory', 'median', { echo: [{ 'B for each': 321.4, 'MB at the start': 45.2 }] }),
  ],
);

/** All files of a report, by their names. */
async function reported(name: string, of: Results): Promise<Map<string, string>> {
  const page = await writeReport(of, path.join(folder, name));
  const files = readdirSync(path.dirname(page), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(
    files.map((file) => [path.relative(path.dirname(page), file), readFileSync(file, 'utf8')]),
  );
}

test('the same results always make the same report, also after they were a file', async (t) => {
  const first = await reported('first', results);
  const second = await reported('second', JSON.parse(JSON.stringify(results)) as Results);
  t.true(first.size > 3);
  t.deepEqual([...second], [...first]);
});

test('the page has the targets, every scenario and probe, who was left out, and who failed', async (t) => {
  const page = (await reported('page', results)).get('performance.md') ?? '';
  for (const part of [
    'The control held',
    'CPU per message against C, level 2, 64 B, 50 connections',
    '### 64x50: title of 64x50',
    '### wait-cost: title of wait-cost',
    'Not measured: bun is not here.',
    'go gave no result: it printed a \\| pipe',
    'The load generator used 97 % of its core',
    'In 64x50 the load generator was busy all the time',
    'of the test',
  ]) {
    t.true(page.includes(part), part);
  }
});

test('every drawing that the page shows is there, and is a drawing', async (t) => {
  const files = await reported('drawings', results);
  const page = files.get('performance.md') ?? '';
  const shown = [...page.matchAll(/\]\((performance\/[^)]+)\)/g)].map(([, file = '']) => file);
  t.deepEqual(shown, [
    'performance/cpu-64x50.svg',
    'performance/wait-cost.svg',
    'performance/memory.svg',
  ]);
  for (const file of shown) t.regex(files.get(file) ?? '', /^<svg [^]*<\/svg>\s*$/);
});

const slow = resultsOf([loadResult('64x50', { control: [1, 1], echo: [0.9, 1.2] })]);

test('the page says what keeps a missed number from its target, once for those with one reason', async (t) => {
  const met = (await reported('met', results)).get('performance.md') ?? '';
  t.false(met.includes('### Why some are missed'));
  const missed = (await reported('missed', slow)).get('performance.md') ?? '';
  t.regex(
    missed,
    /\n- \*\*CPU per message against C, level 2, .*; throughput against C, level 2, .*\*\* What a message/,
  );
  t.is(missed.split(reasons.CROSSING).length, 2);
  t.false(missed.includes(reasons.HTTP));
});

test('the page can be checked in as it comes', async (t) => {
  const config = await resolveConfig(path.join(repositoryRoot, 'docs', 'performance.md'));
  for (const some of [results, slow]) {
    const page = (await reported('format', some)).get('performance.md') ?? '';
    t.true(await check(page, { ...config, parser: 'markdown' }));
  }
});

test('tables on the terminal have a column for what only some scenarios have', (t) => {
  const [result] = results.loads;
  if (result === undefined) throw new Error('no result');
  const text = formatLoad(result);
  t.regex(text, /throughput \/ C +CPU \/ C +messages\/s/);
  t.regex(text, / calls +quiet\n/);
  t.regex(text, /^C epoll +1 +1 .* 2\.00$/m);
  t.regex(text, /^label of net +0\.600 \[0\.60\.\.0\.60\] +1\.700 /m);
  const [waits] = results.probes;
  if (waits === undefined) throw new Error('no probe');
  t.regex(formatProbe(waits), /^label of epoll +250 +256$/m);
});

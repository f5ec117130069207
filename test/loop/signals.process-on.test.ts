/** The table of docs/guides/signals.md: a watch and `process.on` beside each other. */
import test from 'ava';
import { fixture, runNode } from '../support/child.js';

/** `signal` after each line that says who hears it; `nobody`: the process dies of it. */
const orders: readonly { readonly title: string; readonly steps: readonly string[] }[] = [
  {
    title: 'process.on first, then the watch: both hear it',
    steps: ['process.on', 'watch', '→ loop, process'],
  },
  {
    title: 'the watch first, then process.on: both hear it',
    steps: ['watch', 'process.on', '→ loop, process'],
  },
  {
    title: 'process.on first, and off first: the watch still hears it',
    steps: ['process.on', 'watch', 'process.off', '→ loop'],
  },
  {
    title: 'process.on first, the watch closed first: the listener still hears it',
    steps: ['process.on', 'watch', 'close', '→ process'],
  },
  {
    title: 'the watch first, and closed first: the listener still hears it',
    steps: ['watch', 'process.on', 'close', '→ process'],
  },
  {
    title: 'the watch first, process.off first: the watch still hears it',
    steps: ['watch', 'process.on', 'process.off', '→ loop'],
  },
  {
    title: 'both gone, in any order: the process dies of it',
    steps: ['watch', 'process.on', 'process.off', 'close', '→ nobody'],
  },
  {
    title: 'both gone, the watch first: the process dies of it',
    steps: ['watch', 'process.on', 'close', 'process.off', '→ nobody'],
  },
  {
    title: 'both gone, process.on first and off first: the process dies of it',
    steps: ['process.on', 'watch', 'process.off', 'close', '→ nobody'],
  },
  {
    title: 'both gone, process.on first and off last: the process dies of it',
    steps: ['process.on', 'watch', 'close', 'process.off', '→ nobody'],
  },
  {
    title: 'process.once takes itself off, and the watch hears the next one',
    steps: ['watch', 'process.once', '→ loop, process', '→ loop', '→ loop'],
  },
  {
    title: 'listeners and watches may come and go again and again',
    steps: [
      ...['watch', 'process.on', '→ loop, process', 'process.off', '→ loop', 'process.on'],
      ...['→ loop, process', 'close', '→ process', 'watch', '→ loop, process', 'process.off'],
      ...['close', '→ nobody'],
    ],
  },
  {
    title: 'process.on first, then a watch on a worker: both hear it',
    steps: ['process.on', 'watch on a worker', '→ process, worker'],
  },
  {
    title: 'a watch on a worker first, then process.on: the listener alone hears it',
    steps: ['watch on a worker', '→ worker', 'process.on', '→ process'],
  },
  {
    title: 'a watch on a worker and any on the main thread, then process.on: both hear it',
    steps: ['watch another', 'watch on a worker', 'process.on', '→ process, worker'],
  },
];

for (const { title, steps } of orders) {
  test(title, async (t) => {
    const args = steps.map((step) => (step.startsWith('→') ? 'signal' : step));
    const child = await runNode(fixture('loop-signals-process-on'), { args, timeoutMs: 30_000 });
    const expected = steps.filter((step) => step.startsWith('→')).map((step) => step.slice(2));
    const isFatal = expected.at(-1) === 'nobody';
    const heard = expected.filter((who) => who !== 'nobody');
    t.is(child.stdout, heard.map((line) => `${line}\n`).join(''), child.stderr);
    t.deepEqual([child.code, child.signal], isFatal ? [null, 'SIGUSR2'] : [0, null]);
  });
}

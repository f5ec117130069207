import { readFileSync } from 'node:fs';
import test from 'ava';
import { fixture, runNode } from '../support/child.js';
import { needs } from '../support/emulator.js';
import { Descriptors } from './support/kernel.js';

needs('preadv2')(
  'a call that has nothing to wait for answers on a worker as it does without blocking',
  async (t) => {
    using open = new Descriptors();
    const report = `${open.folder()}/report`;
    const { stderr, code } = await runNode(fixture('sys-worker-answers'), { args: [report] });
    const lines = readFileSync(report, 'utf8').split('\n');
    // A call that never returned is the last line, with one answer.
    t.is(lines.pop(), '', stderr);
    t.is(code, 0, stderr);
    t.true(lines.length > 300);
    const differing = lines.filter((line) => {
      const [once, again] = line.split(' ').slice(-2);
      return once !== again;
    });
    t.deepEqual(differing, []);
  },
);

test('a splice that the end without blocking holds up answers EAGAIN on a worker, and never waits', async (t) => {
  using open = new Descriptors();
  const report = `${open.folder()}/report`;
  const { stderr, code } = await runNode(fixture('sys-worker-splice'), {
    args: [report],
    timeoutMs: 20_000,
  });
  const lines = readFileSync(report, 'utf8').split('\n');
  // A call that never returned is the last line, without an answer.
  t.is(lines.pop(), '', stderr);
  t.is(code, 0, stderr);
  t.is(lines.length, 15);
  t.deepEqual(
    lines.filter((line) => !line.endsWith(': EAGAIN same')),
    [],
  );
});

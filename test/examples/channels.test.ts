/** The patterns of channels, each as the example prints it. */
import test from 'ava';
import { runNode } from '../support/child.js';
import { exampleFile } from '../support/server.js';

const SHOWN = {
  unbuffered: ['nobody waits to receive: false', 'somebody waits: true', 'received hello'],
  buffered: ['sent: true true false', 'received 1', 'sent: true'],
  drop: ['dropped 3 4 5'],
  timeout: ['nothing came in 50 ms'],
  pipeline: ['1', '4', '9', '16', '25'],
  fan: ['100 squares from 3 threads; their sum is 338350'],
  cancellation: ['1', '2', '3', '4', '5', 'the thread has ended with exit code 0'],
  select: ['channel: go', 'socket: ping', 'timer: 1'],
  'sender-closes': ['received first', 'received second', 'then the end: true', 'ERR_CLOSED'],
};

for (const [name, lines] of Object.entries(SHOWN)) {
  test(`--show ${name}`, async (t) => {
    const { code, stdout, stderr } = await runNode(exampleFile('channels'), {
      args: ['--show', name],
    });
    t.is(stderr, '');
    t.is(stdout, [`-- ${name}`, ...lines, ''].join('\n'));
    t.is(code, 0);
  });
}

test('without an option all of them are shown, in this order', async (t) => {
  const { code, stdout } = await runNode(exampleFile('channels'));
  const all = Object.entries(SHOWN).flatMap(([name, lines]) => [`-- ${name}`, ...lines]);
  t.is(stdout, [...all, ''].join('\n'));
  t.is(code, 0);
});

test('what cannot be shown is refused with a reason and exit code 2', async (t) => {
  const args = ['--show', 'all'];
  const { code, stdout, stderr } = await runNode(exampleFile('channels'), { args });
  t.deepEqual([code, stdout], [2, '']);
  t.regex(stderr, /^channels: --show must be one of unbuffered, .*, sender-closes, not 'all'\n$/);
});

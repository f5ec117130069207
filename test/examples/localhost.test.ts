/** The trap of a name with two addresses, as the example shows it, and its end. */
import test from 'ava';
import { fixture, runNode, type ChildResult } from '../support/child.js';
import { dropAll, runInNetwork, testWithNetwork } from '../support/network.js';
import { places } from '../support/places.js';
import { exampleFile } from '../support/server.js';

const PROGRAM = exampleFile('localhost');

/** What it has told, without the times. */
function story({ stdout }: ChildResult): string[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^ *[\d.]+ ms +/, '').replace(/:\d{2,5}\b/g, ''));
}

const REFUSED = 'ECONNREFUSED: connection refused, connect';

test('only 127.0.0.1 listens: the first address alone is refused', async (t) => {
  const { port } = places(t, { '127.0.0.1': 'listens', '::1': 'refuses' });
  const child = await runNode(PROGRAM, { args: ['--port', String(port)] });
  t.is(child.code, 0, child.stderr);
  t.deepEqual(story(child), [
    'The first address alone:',
    '[::1] is tried',
    `${REFUSED} [::1]`,
    'All of them in turn:',
    '[::1] is tried',
    '[::1] failed',
    '127.0.0.1 is tried',
    'connected to 127.0.0.1',
  ]);
});

test('nobody listens: exit code 1, and each address with its error', async (t) => {
  const { port } = places(t, { '127.0.0.1': 'refuses', '::1': 'refuses' });
  const child = await runNode(PROGRAM, { args: ['--port', String(port)] });
  t.is(child.code, 1);
  t.is(
    story(child).at(-1),
    `could not connect to localhost: ${REFUSED} [::1]; ${REFUSED} 127.0.0.1`,
  );
});

testWithNetwork(
  'a firewall drops IPv6: the first address alone hangs, the second one begins after 250 ms',
  [dropAll('IPv6')],
  async (t) => {
    const args = ['127.0.0.1', PROGRAM, '--patience', '300', '--port'];
    const child = await runInNetwork([dropAll('IPv6')], fixture('listen-and-run'), { args });
    t.is(child.code, 0, child.stderr);
    t.deepEqual(story(child), [
      'The first address alone:',
      '[::1] is tried',
      'scope root/connect [::1]: 300 ms have passed',
      'All of them in turn:',
      '[::1] is tried',
      '127.0.0.1 is tried',
      'connected to 127.0.0.1',
    ]);
  },
);

for (const args of [
  ['--port', '0'],
  ['--port', '65536'],
  ['--port', 'http'],
  ['--host', '::1'],
]) {
  test(`localhost ${args.join(' ')} is refused with exit code 2`, async (t) => {
    const { code, stdout, stderr } = await runNode(PROGRAM, { args });
    t.deepEqual([code, stdout], [2, '']);
    t.regex(stderr, /^localhost: [^\n]*(--port|--host)[^\n]*\n$/);
  });
}

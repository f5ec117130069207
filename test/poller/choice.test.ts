import test from 'ava';
import { Poller } from '../../ts/index.js';
import { fixture, runNode } from '../support/child.js';
import { testWithPrograms } from '../support/programs.js';
import { traced } from '../support/traced.js';

const file = fixture('poller-auto');

test('auto takes the first backend that can be opened', (t) => {
  using poller = new Poller();
  const wanted = process.env['RAW_EPOLL_BACKEND'] ?? Poller.backends()[0];
  t.is(poller.backend, wanted ?? '');
});

test('a backend that this system lacks is ERR_FEATURE_UNAVAILABLE_ON_PLATFORM and named', (t) => {
  const lacking = (['epoll', 'kqueue', 'poll', 'select'] as const).filter(
    (name) => !Poller.backends().includes(name),
  );
  for (const backend of lacking) {
    const error = t.throws(() => new Poller({ backend }), {
      code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
    });
    t.true(error.message.includes(backend));
  }
  t.pass();
});

test('backends() leaves select out once no number below FD_SETSIZE is left to wake it', async (t) => {
  const child = await runNode(fixture('poller-many-descriptors'));
  const { before, after } = JSON.parse(child.stdout) as Record<'before' | 'after', string[]>;
  t.deepEqual(before, Poller.backends());
  t.deepEqual(
    after,
    before.filter((name) => name !== 'select'),
  );
});

test('RAW_EPOLL_BACKEND decides for a whole program', async (t) => {
  for (const backend of Poller.backends()) {
    const child = await runNode(file, { env: { RAW_EPOLL_BACKEND: backend } });
    t.is((JSON.parse(child.stdout) as { auto: string }).auto, backend);
  }
});

for (const code of ['ENOSYS', 'EPERM']) {
  testWithPrograms(
    ['strace'],
    `a kernel that answers epoll_create1 with ${code} has auto take the next backend`,
    async (t) => {
      // The fixture opens two sets of its own, after those of Node: these are refused.
      const { calls } = await traced(t, file, 'epoll_create1');
      const thread = calls.at(-1)?.split(' ', 1).join() ?? ''; // strace counts for each thread.
      const from = calls.filter((call) => call.startsWith(`${thread} `)).length - 1;
      const inject = `inject=epoll_create1:error=${code}:when=${from}+`;
      const { said } = await traced(t, file, 'epoll_create1', ['-e', inject]);
      const rest = Poller.backends().filter((name) => name !== 'epoll');
      t.deepEqual(said, { auto: rest[0], backends: rest });
    },
  );
}

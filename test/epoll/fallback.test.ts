import { fixture } from '../support/child.js';
import { needs } from '../support/emulator.js';
import { testWithPrograms } from '../support/programs.js';
import { traced } from '../support/traced.js';

const file = fixture('epoll-fractions');

const testOfPwait2 = needs('epoll_pwait2', (title, body) => {
  testWithPrograms(['strace'], title, body);
});

for (const code of ['ENOSYS', 'EPERM']) {
  testOfPwait2(
    `a kernel that answers epoll_pwait2 with ${code} is asked once, and waits are rounded up to milliseconds`,
    async (t) => {
      const { said, calls } = await traced(t, file, 'epoll_pwait2', [
        ...['-e', `inject=epoll_pwait2:error=${code}`],
      ]);
      t.deepEqual(said, { early: 0, shown: 0, ready: 1 });
      t.is(calls.length, 1);
      t.regex(calls[0] ?? '', /INJECTED/);
    },
  );
}

testOfPwait2(
  'a kernel with epoll_pwait2 is asked through it for fractions, and only for them',
  async (t) => {
    const { calls } = await traced(t, file, 'epoll_pwait2');
    t.is(calls.length, 6, 'the seventh wait was for 2 ms');
  },
);

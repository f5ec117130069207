import { fixture, runNode } from '../support/child.js';
import { needs } from '../support/emulator.js';
import { EINTR } from '../../ts/sys/constants.js';
import { hasKqueue } from './support/kernel.js';
import { blocksOnly, keepSignalling, state, whileItRuns } from './support/signals.js';

const testOfSignals = needs('handlers in /proc');

interface Outcome {
  readonly answer: number;
  readonly ms: number;
  /** Whether the main thread was seen with SIGUSR2, and nothing else, blocked. */
  readonly wasBlocked: boolean;
}

/** A wait of the fixture, to which SIGUSR2 is sent from before it begins until after its end. */
async function signalled(name: string): Promise<Outcome> {
  let wasBlocked = false;
  const { stdout, stderr } = await runNode(fixture('sys-signals'), {
    args: [name],
    onStart: (child) => {
      keepSignalling(child, 'SIGUSR2');
      whileItRuns(child, (pid) => {
        wasBlocked ||= blocksOnly(pid, 'SIGUSR2');
      });
    },
  });
  // The last signal may end the process, if its handler has just gone.
  if (stdout === '') throw new Error(`it said nothing: ${stderr}`);
  return { ...(JSON.parse(stdout) as { answer: number; ms: number }), wasBlocked };
}

for (const [name, title] of Object.entries({
  wait: 'epoll_wait reports EINTR when a handler has run',
  'pwait null': 'epoll_pwait with null leaves the signal mask alone',
  'pwait none': 'epoll_pwait with no signals unblocks all',
  'pwait another': 'epoll_pwait blocks no signal but those of its mask',
  'pwait unblockable': 'epoll_pwait ignores SIGKILL and SIGSTOP in its mask',
  'pwait2 left out': 'epoll_pwait2 without a mask leaves the signal mask alone',
  'pwait2 none': 'epoll_pwait2 with no signals unblocks all',
  poll: 'poll reports EINTR when a handler has run',
  'ppoll left out': 'ppoll without a mask leaves the signal mask alone',
  'ppoll none': 'ppoll with no signals unblocks all',
  select: 'select reports EINTR when a handler has run',
  ...(hasKqueue && { kevent: 'kevent reports EINTR when a handler has run' }),
})) {
  testOfSignals(`${title}: it is interrupted`, async (t) => {
    const { answer, wasBlocked } = await signalled(name);
    t.is(answer, -EINTR);
    t.false(wasBlocked);
  });
}

for (const [name, title] of Object.entries({
  'pwait masked': 'epoll_pwait keeps the signals of its mask away',
  'pwait all': 'epoll_pwait can keep every signal away',
  'pwait2 masked': 'epoll_pwait2 keeps the signals of its mask away',
  'ppoll masked': 'ppoll keeps the signals of its mask away',
  'ppoll all': 'ppoll can keep every signal away',
})) {
  testOfSignals(`${title}: it waits its time`, async (t) => {
    const { answer, ms, wasBlocked } = await signalled(name);
    t.is(answer, 0);
    t.true(ms >= 400);
    t.is(wasBlocked, name.endsWith('masked'));
  });
}

testOfSignals('epoll_wait reports EINTR when the process was stopped and goes on', async (t) => {
  const { stdout } = await runNode(fixture('sys-signals'), {
    args: ['stopped wait'],
    onStart: (child) => {
      whileItRuns(child, (pid) => {
        child.kill(state(pid) === 'T' ? 'SIGCONT' : 'SIGSTOP');
      });
    },
  });
  t.is((JSON.parse(stdout) as { answer: number }).answer, -EINTR);
});

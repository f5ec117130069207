import test, { type ExecutionContext } from 'ava';
import { fixture, runNode } from '../support/child.js';
import { needs } from '../support/emulator.js';
import { hasKqueue, type SystemCall } from './support/kernel.js';
import { signatures } from './support/signatures.js';

type Tallies = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Runs a fuzz to its end. `RAW_EPOLL_SEED` repeats the run that a failure shows. */
async function fuzz(
  t: ExecutionContext,
  name: string,
  args: readonly string[],
): Promise<{ tallies: Tallies; calls: number }> {
  const { code, signal, stdout, stderr } = await runNode(fixture(name), {
    args,
    nodeArgs: ['--expose-gc'],
    timeoutMs: 90_000,
  });
  const [seed = '', json = '{}'] = stdout.split('\n');
  t.log(`RAW_EPOLL_${seed.toUpperCase().replace(' ', '=')}`);
  t.is(signal, null, stdout);
  t.is(code, 0, `${seed} ${stderr}`);
  const tallies = JSON.parse(json) as Tallies;
  const calls = Object.values(tallies).flatMap((tally) => Object.values(tally));
  return { tallies, calls: calls.reduce((sum, count) => sum + count, 0) };
}

/** What the kernel does not refuse here: texts, and calls that know none but rare errors. */
const NEVER_REFUSED: ReadonlySet<string> = new Set([
  ...['errnoName', 'strerror', 'poll'],
  ...(hasKqueue ? ['kqueue'] : []),
]);
/** What it always refuses. */
const NEVER_ANSWERED: ReadonlySet<string> = new Set(hasKqueue ? [] : ['kqueue', 'kevent']);

/** Checks that every function of level 1 has met every kind of end. */
function metEverything(t: ExecutionContext, tallies: Tallies): void {
  for (const call of Object.keys(signatures) as SystemCall[]) {
    const { answered = 0, refusedByKernel = 0, misused = 0 } = tallies[call] ?? {};
    t.is(answered > 0, !NEVER_ANSWERED.has(call), `${call}: ${answered} worked`);
    t.is(misused > 0, signatures[call].length > 0, `${call}: ${misused} were misuse`);
    const isRefused = !NEVER_REFUSED.has(call);
    t.is(refusedByKernel > 0, isRefused, `${call} was ${isRefused ? 'never ' : ''}refused`);
  }
}

const testOfMemory = needs('empty memory');

testOfMemory(
  'no arguments of 110,000 calls of level 1 crash, write outside their slice, or throw what is not theirs',
  async (t) => {
    const { tallies, calls } = await fuzz(t, 'sys-fuzz', ['110000']);
    t.true(calls >= 100_000, String(calls));
    metEverything(t, tallies);
  },
);

testOfMemory('nor do those of 40,000 calls on a worker', async (t) => {
  const { tallies, calls } = await fuzz(t, 'sys-fuzz', ['40000', 'worker']);
  t.true(calls >= 36_000, String(calls));
  metEverything(t, tallies);
});

test('no arguments of 60,000 calls of level 2 crash, leave a descriptor, or throw what is no error', async (t) => {
  const { tallies, calls } = await fuzz(t, 'sys-fuzz-objects', ['60000']);
  t.true(calls >= 60_000, String(calls));
  for (const kind of [
    'Epoll',
    'EpollEvents',
    'Poller',
    'PollerEvents',
    'Waker',
    'TcpListener',
    'TcpStream',
    'UnixListener',
    'UnixStream',
    'Inotify',
    'Pidfd',
    'UdpSocket',
    'UnixDatagram',
    'DatagramBatch',
    'Pipe',
    'EventFd',
    'TimerFd',
  ]) {
    const members = Object.entries(tallies).filter(([what]) => what.startsWith(`${kind}.`));
    t.true(
      members.some(([, { answered = 0 }]) => answered > 0),
      `${kind} never worked`,
    );
  }
});

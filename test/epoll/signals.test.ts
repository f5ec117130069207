import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import test from 'ava';
import { fixture, runNode } from '../support/child.js';
import { PATIENCE } from '../support/emulator.js';

/** What the fixture says at its end. */
interface Said {
  /** Waits that were over before their time. */
  readonly early: number;
  /** Events, where none could be. */
  readonly shown: number;
  /** Waits at level 1 that ended with EINTR. */
  readonly interrupted: number;
  /** Runs of the handler. */
  readonly handled: number;
}

/** A wait of half a second that is not over by then has begun anew with every signal. */
const LIMIT_MS = 20_000 * PATIENCE;

/** Runs the fixture and sends it signals from its first wait to its end. */
async function underFire(
  args: readonly string[],
  send: (kill: (signal: NodeJS.Signals) => void) => void,
): Promise<{ said: Said; shots: number }> {
  const child = spawn(process.execPath, [fixture('epoll-signalled-wait'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const watchdog = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  let shots = 0;
  let fire: NodeJS.Timeout | undefined;
  let said: Said | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'waiting') {
      fire = setInterval(() => {
        shots++;
        send((signal) => child.kill(signal));
      }, 5);
    } else {
      clearInterval(fire);
      said = JSON.parse(line) as Said;
    }
  }
  clearInterval(fire);
  clearTimeout(watchdog);
  if (said === undefined) throw new Error('the wait went on for as long as signals came');
  return { said, shots };
}

test('a wait that signals interrupt goes on to its own deadline and no further', async (t) => {
  // The signals do not cease: a wait that began anew with each would never end.
  const { said, shots } = await underFire(['500', '1'], (kill) => {
    kill('SIGUSR2');
  });
  t.is(said.early, 0);
  t.is(said.shown, 0);
  t.true(said.handled >= 20, `${said.handled} of ${shots} signals came`);
  t.true(said.interrupted > 0, 'level 1 reports EINTR for the same signals');
});

test('a wait in a process that is stopped and continued goes on to its own deadline', async (t) => {
  const { said, shots } = await underFire(['500', '1'], (kill) => {
    kill('SIGSTOP');
    kill('SIGCONT');
  });
  t.true(shots >= 20);
  t.is(said.early, 0);
  t.is(said.shown, 0);
});

test('the profiler does not disturb a wait', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-profile-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const child = await runNode(fixture('epoll-signalled-wait'), {
    args: ['10', '50'],
    nodeArgs: ['--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', folder],
  });
  t.is(child.stderr, '');
  const said = JSON.parse(child.stdout.split('\n')[1] ?? '') as Said;
  t.is(said.early, 0);
  t.is(said.shown, 0);
  t.true(said.interrupted > 0, 'its ticks do interrupt: level 1 reports EINTR');
});

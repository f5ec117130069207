/** What watching a signal has to do with the rest of a process. */
import test from 'ava';
import { fixture, run, runNode, type ChildResult } from '../support/child.js';

const file = fixture('loop-signals-corners');

function corner(name: string, nodeArgs: readonly string[] = []): Promise<ChildResult> {
  return runNode(file, { args: [name], nodeArgs });
}

test('a child process has the signals of its own', async (t) => {
  const { stdout, stderr } = await corner('child');
  t.is(stdout, 'caught by the child: 0\nthe child ended by SIGUSR2\nheard 0\n', stderr);
});

test('a loop that is garbage-collected gives its signals back', async (t) => {
  const { stdout, stderr } = await corner('collected', ['--expose-gc']);
  t.is(stdout, 'watched: true\ncollected: true\n', stderr);
  t.regex(stderr, /DescriptorLeakWarning: Pipe of signals/);
});

test('without a descriptor a watch is refused, and nothing is left of it', async (t) => {
  const script = 'ulimit -n 200 && exec "$0" "$@"';
  const args = ['-c', script, process.execPath, file, 'full table'];
  const { stdout, stderr } = await run('bash', args);
  t.deepEqual(
    stdout.trim().split('\n'),
    [
      'filled: EMFILE eventfd',
      'none free: EMFILE pipe2',
      'one free: EMFILE pipe2',
      'handlers as before: true',
      'nothing lost: none',
      'two free: heard 1',
    ],
    stderr,
  );
});

test('SIGPIPE is heard while it is watched, and ignored again after it', async (t) => {
  const { stdout, stderr, code } = await corner('broken pipe');
  t.is(stdout, 'EPIPE write heard 1\nEPIPE write heard 1\n', stderr);
  t.is(code, 0);
});

test('SIGUSR1 starts the debugger of Node as well', async (t) => {
  const { stdout, stderr } = await corner('debugger', ['--inspect-port=0']);
  t.is(stdout, 'heard 1\nstarted: true\n', stderr);
});

test('child_process takes SIGCHLD away from a watch that was there first', async (t) => {
  const { stdout, stderr } = await corner('watched before children');
  t.is(stdout, 'exit event, heard 0 watched: false\n', stderr);
});

test('a watch of SIGCHLD beside children hears them, until the last has gone', async (t) => {
  const { stdout, stderr } = await corner('watched beside children');
  t.is(stdout, 'exit event, heard 1 watched: false\n', stderr);
});

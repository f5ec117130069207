/** Which system calls the timers of a loop cost, as strace(1) sees them. */
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { fixture } from '../support/child.js';
import { testedBackends } from '../support/backends.js';
import { testWithPrograms } from '../support/programs.js';
import { traced } from '../support/traced.js';

const TURNS = 200;
/** What V8 does for itself: memory, its threads, and a task that it leaves to Node's loop. */
const ENGINE =
  /^\d+ +(?:(?:futex|mmap|munmap|mprotect|madvise|brk|sched_yield|getpid)\(|write\(\d+, "\\1(?:\\0){7}", 8\))/;
const WAIT = /^\d+ +(?:epoll_wait|epoll_pwait2?|p?poll|p?select6?)\(/;
// A kqueue of Linux is a shim that makes calls of its own.
const backends = testedBackends.filter((name) => name !== 'kqueue');

/** The calls of the thread that runs the loop, during the turns. */
async function callsOf(t: ExecutionContext, backend: string, ms: number): Promise<string[]> {
  const args = [backend, String(TURNS), String(ms)];
  const { calls, said } = await traced(t, fixture('loop-timer-turns'), 'all', [], args);
  t.true((said as { runs: number }).runs > 0);
  const marks = calls.flatMap((call, i) => (call.includes(' getppid(') ? [i] : []));
  const [from = 0, to = 0] = marks.slice(-2); // Node makes one at its start.
  const thread = `${calls[from]?.split(' ', 1).join() ?? ''} `;
  return calls.slice(from + 1, to).filter((call) => call.startsWith(thread) && !ENGINE.test(call));
}

for (const backend of backends) {
  testWithPrograms(
    ['strace'],
    `a turn with timers is one system call, its wait (${backend})`,
    async (t) => {
      const calls = await callsOf(t, backend, 0.3);
      t.deepEqual(
        calls.filter((call) => !WAIT.test(call)),
        [],
      );
      t.is(calls.length, TURNS);
    },
  );
}

if (backends.includes('epoll')) {
  testWithPrograms(
    ['strace'],
    'a wait for a timer of 0.3 ms is one of nanoseconds, not rounded to a millisecond',
    async (t) => {
      const calls = await callsOf(t, 'epoll', 0.3);
      if (!calls.some((call) => call.includes('epoll_pwait2('))) {
        t.log('not shown: this kernel has no epoll_pwait2');
        t.pass();
        return;
      }
      // Not those that were interrupted before strace had seen what they wait for.
      const waits = calls.filter((call) => / epoll_pwait2\(.*tv_sec/.test(call));
      t.true(waits.length > 0);
      for (const wait of waits) {
        const ns = Number(/\{tv_sec=0, tv_nsec=(\d+)\}/.exec(wait)?.[1]);
        t.true(ns > 0 && ns <= 300_001, wait);
      }
    },
  );
} else {
  test.skip('a wait for a timer of 0.3 ms is one of nanoseconds (no epoll)', () => undefined);
}

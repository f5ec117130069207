/** Which system calls a message costs, as strace(1) sees them. */
import { fixture } from '../support/child.js';
import { testWithPrograms } from '../support/programs.js';
import { traced } from '../support/traced.js';

/** What V8 does for itself: memory, and its other threads. */
const ENGINE = /^\d+ +(?:futex|mmap|munmap|mprotect|madvise|brk|sched_yield)\(/;
const CAPACITY = 64;

testWithPrograms(
  ['strace'],
  'no message is a system call while the receiver is awake, and one for who fell asleep',
  async (t) => {
    const { calls } = await traced(t, fixture('channel-calls'), 'all', [], [String(CAPACITY)]);
    const marks = calls.flatMap((call, i) => (call.includes(' getppid(') ? [i] : [])).slice(-3);
    const thread = `${calls[marks[0] as number]?.split(' ', 1).join() ?? ''} `;
    const between = (from: number): string[] =>
      calls
        .slice((marks[from] as number) + 1, marks[from + 1])
        .filter((call) => call.startsWith(thread) && !ENGINE.test(call));
    // 6,400 messages to a receiver that never finds nothing: one write wakes it, at the first.
    const awake = between(0);
    t.is(awake.length, 1, awake.join('\n'));
    t.true(awake[0]?.includes(' write('));
    // 100 messages to one that fell asleep before each: a write each, and a read for its sleep.
    const asleep = between(1);
    t.is(asleep.filter((call) => call.includes(' write(')).length, 99);
    t.is(asleep.filter((call) => call.includes(' read(')).length, 100);
    t.is(asleep.length, 199, asleep.join('\n'));
  },
);

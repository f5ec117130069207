/**
 * Why a target may be missed, a sentence or two each, for the report. They say what the profiles of
 * docs/decisions/0044-where-a-message-goes.md show, and name no number that another machine would
 * not have.
 */

export const CROSSING: string =
  'What a message costs beside C is a fixed time: two crossings into the addon and, above level 1, the ' +
  'look-up of whose event it is. More than nine tenths of a message are the kernel’s, and so the same ' +
  'nanoseconds are a larger share where the kernel is faster. A part of them no program can save ' +
  'that has threads, as every Node process has: what C with a second thread comes to.';

export const COPYING: string =
  'With larger messages most of the time goes into copying, which the kernel does, for all servers ' +
  'alike. C is no further ahead of `net` than its own number says.';

export const PAGES: string =
  'Nearly all of a message of 64 KiB is the kernel’s, and half of that is copying. How fast it copies depends on ' +
  'where in memory a process has come to lie: twins of C differ by more than the limit leaves. What the library ' +
  'takes is about as much as that.';

export const HTTP: string =
  'Two thirds and more of our requests are the kernel’s, which all servers have alike. What is above C, ' +
  'which has no parser, is llhttp, the checks that a server needs and the request that a handler gets; no ' +
  'function has more than a few percent. Where C is not far enough ahead, nobody can be.';

export const OPENING: string =
  'To open and to close a connection for each request is half and more of its CPU, and the kernel’s. Beside C, ' +
  'which makes no passwords, and beside ours ab, which is one thread, has no time to spare: more requests than it ' +
  'can make nobody can answer.';

export const WAKING: string =
  'Not to sleep saves what waking up costs. Where a core wakes up within microseconds that is little, and C ' +
  'that spins gains no more.';

export const GROWING: string =
  'What a connection itself takes is the same in every run (docs/decisions/0045). Beside it the heap of V8 and ' +
  'the arenas of its compiler threads grow, for the process and not for a connection, by pieces that differ from ' +
  'run to run, and the probe divides them by 9,000 as well.';

export const CALL: string =
  'Half of it is what the kernel does more in a process with threads, the rest Node’s way into an addon.';

export const COLLECTING: string =
  'No message makes garbage. V8 collects once or twice by itself some seconds after a program has started, to ' +
  'give back memory, and the probe does not always wait long enough for it.';

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
  'Of a message of 64 KiB the kernel has 97 % and more, and half of that is copying. How fast it copies depends ' +
  'on the pages that a process happens to get: twins of C differ by several percent. What is left for the ' +
  'library is 2 to 3 %, and the limit is 3.';

export const HTTP: string =
  'Two thirds and more of our requests are the kernel’s, which all servers have alike. What is above C, ' +
  'which has no parser, is llhttp, the checks that a server needs and the request that a handler gets; no ' +
  'function has more than a few percent. Where C is not far enough ahead, nobody can be.';

export const OPENING: string =
  'A connection for each request costs the kernel of both sides more than all else: half of our CPU is there, ' +
  'and ab, which is one thread, has no time to spare beside C: what C comes to, which makes no passwords, is ' +
  'what ab can do. Of our half a quarter makes the passwords; no other function has more than a few percent.';

export const WAKING: string =
  'Not to sleep saves what waking up costs. Where a core wakes up within microseconds that is little, and C ' +
  'that spins gains no more.';

export const CALL: string =
  'Half of it is what the kernel does more in a process with threads, the rest Node’s way into an addon.';

export const COLLECTING: string =
  'No message makes garbage. V8 collects once or twice by itself some seconds after a program has started, to ' +
  'give back memory, and the probe does not always wait long enough for it.';

/**
 * Second implementations, forced.
 *
 * What a kernel may lack has something that stands in for it. `RAW_EPOLL_WITHOUT` names, separated
 * by commas, what is to be treated as missing, so that tests and the curious reach the other way:
 *
 *     RAW_EPOLL_WITHOUT=eventfd,epoll_pwait2 node program.js
 *
 * Read whenever a set is opened.
 */
import process from 'node:process';
import { binding } from '../native.js';

/**
 * - `epoll_pwait2`: epoll_wait(2), with milliseconds rounded up
 * - `eventfd`: sets are woken through a pipe
 * - `EVFILT_USER`: sets of kqueue(2) are woken as others are
 * - `ppoll`: poll(2), with milliseconds rounded up
 *
 * @internal
 */
export type Replaceable = 'epoll_pwait2' | 'eventfd' | 'EVFILT_USER' | 'ppoll';

/** Whether something is to be treated as missing. @internal */
export function isWithout(name: Replaceable): boolean {
  return (process.env['RAW_EPOLL_WITHOUT'] ?? '').split(',').includes(name);
}

/** Tells the addon which of its calls are to be treated as missing, in the whole process. @internal */
export function applyWithout(): void {
  binding.wake.without(Number(isWithout('epoll_pwait2')), Number(isWithout('ppoll')));
}

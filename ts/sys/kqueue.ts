import { binding } from '../native.js';
import { type KeventArray, keventMemory } from './kevent-array.js';

// Taken out once: the optimizing compiler then knows the target of each call.
const { kqueue: nativeKqueue, kevent: nativeKevent } = binding.sys;

/**
 * `kqueue()`: opens a kernel event queue.
 *
 * @returns  The descriptor of the queue, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EMFILE | the process is out of descriptors |
 * | ENFILE | the system is out of descriptors |
 * | ENOMEM | the kernel is out of memory |
 * | ENOSYS | this system has no kqueue |
 *
 * Platform: macOS, FreeBSD, NetBSD, OpenBSD, DragonFly. Nobody owns the number; close it with
 * {@link close}. A child of `fork` does not have it.
 * @see kqueue(2)
 */
export function kqueue(): number {
  return nativeKqueue();
}

/**
 * `kevent(kq, changelist, nchanges, eventlist, nevents, timeout)`: changes what the queue watches,
 * and collects what has happened, or waits for it.
 *
 * The changes are made in their order, then events are collected. A change that is refused becomes
 * an event with `EV_ERROR` in `flags` and the errno in `data`; if there is no room for that, the
 * call answers the errno, and the changes after it are not made. With `EV_RECEIPT` every change
 * becomes such an event, with 0 in `data` for success, and the call does not wait: give as many
 * `nevents` as `nchanges`, and wait in a call of its own.
 *
 * @param kq         The queue.
 * @param changes    What to change, or null with `nchanges` 0.
 * @param nchanges   How many, 0 … `changes.capacity`. Above: RangeError.
 * @param events     Filled from element 0; may be the same array as `changes`. Null with `nevents` 0.
 * @param nevents    How many at most, 0 … `events.capacity`. With 0 the call never waits.
 * @param timeoutNs  Nanoseconds: a safe integer or a bigint; 0 asks without waiting; null waits
 *                   without end.
 * @returns          How many elements were filled, 0 if the time has passed, or a negated errno.
 *
 * | errno  | when |
 * | ------ | --- |
 * | EACCES | the process may not watch that process |
 * | EBADF  | `kq` is not open, or no queue; a change names a descriptor that is not open |
 * | EINTR  | a signal handler ran; the changes are made |
 * | EINVAL | `timeoutNs` is negative; a filter that this system does not know, or not for this file |
 * | ENOENT | a change of what is not there |
 * | ENOMEM | the kernel is out of memory |
 * | ENOSYS | this system has no kqueue |
 * | ESRCH  | the process to be watched does not exist |
 *
 * Platform: macOS, FreeBSD, NetBSD, OpenBSD, DragonFly; elsewhere `-ENOSYS`. Thread: blocks the
 * calling one, and with it this JavaScript thread. Memory: allocates nothing.
 * @see kqueue(2)
 */
export function kevent(
  kq: number,
  changes: KeventArray | null,
  nchanges: number,
  events: KeventArray | null,
  nevents: number,
  timeoutNs: number | bigint | null,
): number {
  return nativeKevent(
    kq,
    keventMemory(changes, 'changes'),
    nchanges,
    keventMemory(events, 'events'),
    nevents,
    timeoutNs,
  );
}

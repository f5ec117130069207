import { openWake } from '../epoll/open-set.js';
import { wakeAllAtExit } from '../epoll/exit-wake.js';
import { Waker } from '../epoll/waker.js';
import { isWithout } from '../epoll/without.js';
import { check, SystemError, unavailableError } from '../errors.js';
import { binding } from '../native.js';
import { ENOSYS, EV_DELETE, EVFILT_READ, EVFILT_USER } from '../sys/constants.js';
import { kevent, KeventArray } from '../sys/index.js';

/** `kWakeIdent` of the addon: the highest that a pointer holds. */
const WAKE_IDENT = 2n ** 64n - 1n;

/** A kqueue that watches what wakes it. @internal */
export interface OpenedKqueue {
  readonly fd: number;
  /** A descriptor that wakes it, or -1: its own event of the user. */
  readonly wakeFd: number;
  readonly waker: Waker;
  /** Closes what wakes it, and not the kqueue. */
  readonly closeWake: () => void;
}

/** Opens a kqueue, or nothing. @internal */
export function openKqueue(): OpenedKqueue {
  const fd = binding.owned.kqueue();
  if (fd === -ENOSYS) throw unavailableError('kqueue');
  check(fd, 'kqueue');
  try {
    return withUserEvent(fd) ?? withDescriptor(fd);
  } catch (error) {
    binding.owned.close(fd);
    throw error;
  }
}

/** EVFILT_USER: no descriptor, and wakes coalesce by themselves. */
function withUserEvent(fd: number): OpenedKqueue | undefined {
  if (isWithout('EVFILT_USER') || binding.kqueue.watchWake(fd, -1) < 0) return undefined;
  wakeAllAtExit();
  const waker = Waker.from({ id: binding.wake.addKqueue(fd) });
  const closeWake = (): void => {
    binding.wake.remove(waker.id);
  };
  return { fd, wakeFd: -1, waker, closeWake };
}

/** Takes what wakes it out of a kqueue that goes to somebody else. @internal */
export function unwatchWake({ fd, wakeFd }: OpenedKqueue): void {
  const change = new KeventArray(1);
  if (wakeFd < 0) change.set(0, WAKE_IDENT, EVFILT_USER, EV_DELETE);
  else change.set(0, wakeFd, EVFILT_READ, EV_DELETE);
  kevent(fd, change, 1, null, 0, 0);
}

/** What wakes other sets: an eventfd, or a pipe. */
function withDescriptor(fd: number): OpenedKqueue {
  const wake = openWake();
  const closeWake = (): void => {
    wake.close();
  };
  const result = binding.kqueue.watchWake(fd, wake.fd);
  if (result < 0) {
    closeWake();
    throw new SystemError(result, 'kevent');
  }
  return { fd, wakeFd: wake.fd, waker: wake.waker, closeWake };
}

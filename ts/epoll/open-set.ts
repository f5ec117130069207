import { check, SystemError } from '../errors.js';
import { binding } from '../native.js';
import { EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLLIN } from '../sys/constants.js';
import { wakeAllAtExit } from './exit-wake.js';
import { NO_GENERATION } from '../set/registration-table.js';
import { setCtl } from '../set/set-calls.js';
import { WakeDescriptor } from './wake-descriptor.js';
import { applyWithout } from './without.js';

/** An epoll set with the descriptor that wakes it already in it. @internal */
export interface OpenedSet {
  readonly fd: number;
  readonly wake: WakeDescriptor;
}

/** What wakes a set, and what the first set of a process installs. @internal */
export function openWake(): WakeDescriptor {
  applyWithout();
  const wake = WakeDescriptor.open();
  wakeAllAtExit();
  return wake;
}

/** Opens a set, or nothing: epoll_create1(2), and what `wake()` needs. @internal */
export function openEpoll(flags: number): OpenedSet {
  const fd = check(binding.owned.epoll_create1(flags | EPOLL_CLOEXEC), 'epoll_create1');
  try {
    const wake = openWake();
    const result = setCtl(fd, EPOLL_CTL_ADD, wake.fd, EPOLLIN, NO_GENERATION);
    if (result < 0) {
      wake.close();
      throw new SystemError(result, 'epoll_ctl');
    }
    return { fd, wake };
  } catch (error) {
    binding.owned.close(fd);
    throw error;
  }
}

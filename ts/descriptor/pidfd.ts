import { check, checkInteger } from '../errors.js';
import { binding } from '../native.js';
import { PIDFD_NONBLOCK } from '../sys/constants.js';
import { LeakDetector } from './leak-detector.js';
import { OwnedDescriptor } from './owned-descriptor.js';

const leaks = new LeakDetector('Pidfd');

/**
 * A process that is a descriptor: readable once it has ended. Whose child it is does not matter,
 * and the number of the process may be given out again meanwhile.
 *
 * @see pidfd_open(2)
 */
export class Pidfd extends OwnedDescriptor {
  /** The process that it was opened for. */
  readonly pid: number;

  /**
   * @throws SystemError `ESRCH`: no such process; `EMFILE`; `ENOSYS`, `EINVAL`: before Linux 5.10;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  constructor(pid: number) {
    checkInteger(pid, 'pid', 1, 2 ** 31 - 1);
    const details = { detail: `pid ${String(pid)}` };
    super(check(binding.owned.pidfd_open(pid, PIDFD_NONBLOCK), 'pidfd_open', details), leaks);
    this.pid = pid;
  }
}

import { SystemError } from '../errors.js';
import { binding } from '../native.js';
import { EFD_CLOEXEC, EFD_NONBLOCK, ENOSYS, O_CLOEXEC, O_NONBLOCK } from '../sys/constants.js';
import { isWithout } from './without.js';
import { Waker } from './waker.js';

/**
 * What ends a wait: a descriptor that a set watches, and that becomes readable with a wake. An
 * eventfd, or where there is none a pipe. Opened with the set, because later there may be no
 * descriptor left.
 * @internal
 */
export class WakeDescriptor {
  /** To be watched for reading. */
  readonly fd: number;
  /** What a wake writes to: the same for an eventfd. */
  readonly #writer: number;
  readonly waker: Waker;

  /** @throws SystemError `EMFILE`, `ENFILE`, `ENOMEM` */
  static open(): WakeDescriptor {
    const fd = isWithout('eventfd')
      ? -ENOSYS
      : binding.owned.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd === -ENOSYS) return WakeDescriptor.#openPipe();
    if (fd < 0) throw new SystemError(fd, 'eventfd');
    return new WakeDescriptor(fd, fd);
  }

  static #openPipe(): WakeDescriptor {
    const ends = new Int32Array(2);
    const result = binding.owned.pipe2(ends, O_CLOEXEC | O_NONBLOCK);
    if (result < 0) throw new SystemError(result, 'pipe2');
    return new WakeDescriptor(ends[0] as number, ends[1] as number);
  }

  private constructor(fd: number, writer: number) {
    this.fd = fd;
    this.#writer = writer;
    this.waker = Waker.from({ id: binding.wake.add(writer) });
  }

  close(): void {
    binding.wake.remove(this.waker.id);
    binding.owned.close(this.fd);
    if (this.#writer !== this.fd) binding.owned.close(this.#writer);
  }
}

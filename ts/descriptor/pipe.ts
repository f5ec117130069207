import { check } from '../errors.js';
import { binding } from '../native.js';
import { O_CLOEXEC, O_NONBLOCK } from '../sys/constants.js';
import { read, write } from '../sys/index.js';
import { LeakDetector } from './leak-detector.js';
import { adopt, OwnedDescriptor } from './owned-descriptor.js';
import { restOf } from './view.js';

const leaks = new LeakDetector('Pipe');

/** Both ends of a pipe. */
export interface PipePair {
  /** Reads what the writer wrote; readable with 0 bytes once the writer is closed. */
  readonly reader: Pipe;
  /** Takes what the reader will read; `EPIPE` once the reader is closed. */
  readonly writer: Pipe;
}

/**
 * One end of a pipe: non-blocking, close-on-exec, with one owner.
 *
 * @see pipe(7)
 */
export class Pipe extends OwnedDescriptor {
  /** Opens a pipe: pipe2(2). What is written to the writer is read from the reader. */
  static pair(): PipePair {
    const fds = new Int32Array(2);
    check(binding.owned.pipe2(fds, O_NONBLOCK | O_CLOEXEC), 'pipe2');
    return {
      reader: new Pipe(fds[0] as number, leaks),
      writer: new Pipe(fds[1] as number, leaks),
    };
  }

  /**
   * Takes over an end by its number, or from another object: of a pipe, a FIFO, or a terminal.
   * This object owns it from now on.
   *
   * @throws SystemError `EBADF`; `ERR_FD_OWNED`: another object of this thread has it.
   */
  static adopt(from: number | OwnedDescriptor): Pipe {
    return new Pipe(adopt(from), leaks);
  }

  /**
   * Reads into a slice of a buffer: read(2).
   *
   * @returns  Bytes read; 0 once every writer is closed; `WOULD_BLOCK` (-1) if nothing is there.
   * @throws SystemError `EBADF`: this is the writing end; `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`,
   *         `ERR_OUT_OF_RANGE` for what is no slice of the buffer.
   */
  read(buffer: ArrayBufferView, offset = 0, length: number = restOf(buffer, offset)): number {
    const result = read(this.fd, buffer, offset, length);
    return result >= 0 ? result : this.refused(result, 'read');
  }

  /**
   * Writes a slice of a buffer: write(2). At most 4,096 bytes (`PIPE_BUF`) go in one piece.
   *
   * @returns  Bytes taken, perhaps fewer than asked; `WOULD_BLOCK` (-1) if there is no room.
   * @throws SystemError `EPIPE`: every reader is closed; `EBADF`: this is the reading end;
   *         `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  write(buffer: ArrayBufferView, offset = 0, length: number = restOf(buffer, offset)): number {
    const result = write(this.fd, buffer, offset, length);
    return result >= 0 ? result : this.refused(result, 'write');
  }
}

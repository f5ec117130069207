import { endianness } from 'node:os';
import { check, checkInteger } from '../errors.js';
import { binding } from '../native.js';
import { EAGAIN, IN_CLOEXEC, IN_NONBLOCK } from '../sys/constants.js';
import { inotify_add_watch, inotify_rm_watch, read } from '../sys/index.js';
import { LeakDetector } from './leak-detector.js';
import { OwnedDescriptor, WOULD_BLOCK } from './owned-descriptor.js';
import { bytesOf } from './view.js';

const leaks = new LeakDetector('Inotify');
const LITTLE_ENDIAN = endianness() === 'LE';
const HEADER = 16; // struct inotify_event: native/sys/notify.cc asserts that it is so
const ROOM = 64 * 1024;

/** `struct inotify_event`: something has happened to a file. */
export interface InotifyEvent {
  /** The watch; -1 for `IN_Q_OVERFLOW`. */
  readonly wd: number;
  /** What: `IN_CREATE` …, and `IN_ISDIR`, `IN_IGNORED`, `IN_UNMOUNT`, `IN_Q_OVERFLOW`; uint32. */
  readonly mask: number;
  /** The same for both halves of a rename; otherwise 0. */
  readonly cookie: number;
  /** The name inside a watched folder; `''` for the watched file itself. Bytes that are no UTF-8 are replaced. */
  readonly name: string;
}

/**
 * Decodes what read(2) of an inotify descriptor has filled in.
 *
 * @param buffer  Any ArrayBufferView.
 * @param length  What `read` answered. Half an event at the end is left out.
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
 */
export function inotifyEvents(buffer: ArrayBufferView, length: number): InotifyEvent[] {
  const filled = bytesOf(buffer, 'buffer');
  checkInteger(length, 'length', 0, filled.length);
  const view = new DataView(filled.buffer, filled.byteOffset, length);
  const events: InotifyEvent[] = [];
  for (let at = 0; at + HEADER <= length;) {
    const word = (offset: number): number => view.getUint32(at + offset, LITTLE_ENDIAN);
    const next = at + HEADER + word(12);
    if (next > length) break;
    const bytes = Buffer.from(filled.buffer, filled.byteOffset + at + HEADER, word(12));
    const end = bytes.indexOf(0); // The kernel fills up with zeros.
    const name = bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
    events.push({ wd: word(0) | 0, mask: word(4), cookie: word(8), name });
    at = next;
  }
  return events;
}

/**
 * A queue of what happens to files: readable while there is something in it.
 *
 * @see inotify(7)
 */
export class Inotify extends OwnedDescriptor {
  readonly #buffer = new Uint8Array(ROOM);

  /** @throws SystemError `EMFILE` …: out of descriptors, or of `fs.inotify.max_user_instances`. */
  constructor() {
    super(check(binding.owned.inotify_init1(IN_CLOEXEC | IN_NONBLOCK), 'inotify_init1'), leaks);
  }

  /**
   * Watches a file or a folder, or changes what is watched for: inotify_add_watch(2).
   *
   * @param mask  `IN_CREATE | IN_DELETE | …`
   * @returns     The watch: the `wd` of its events.
   * @throws SystemError `ENOENT`, `EACCES`, `ENOSPC` …; `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`,
   *         `ERR_OUT_OF_RANGE`.
   */
  add(path: string, mask: number): number {
    return this.checked(inotify_add_watch(this.fd, path, mask), 'inotify_add_watch');
  }

  /** Ends a watch: inotify_rm_watch(2). `IN_IGNORED` follows. Throws `EINVAL` for an unknown one. */
  remove(wd: number): void {
    this.checked(inotify_rm_watch(this.fd, wd), 'inotify_rm_watch');
  }

  /**
   * Takes what is in the queue, at most 64 KiB of it.
   *
   * @returns  The events, in the order in which they happened; `WOULD_BLOCK` (-1) if there are none.
   * @throws   `ERR_CLOSED`.
   */
  read(): InotifyEvent[] | typeof WOULD_BLOCK {
    const result = read(this.fd, this.#buffer, 0, ROOM);
    if (result === -EAGAIN) return WOULD_BLOCK;
    return inotifyEvents(this.#buffer, this.checked(result, 'read'));
  }
}

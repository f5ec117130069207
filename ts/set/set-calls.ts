/** What epoll sets of level 2 and up stand on. */
import { checkInteger, INT_MAX, INT_MIN } from '../errors.js';
import { binding } from '../native.js';
import { answer, batch, frame, isInt, lay, layHalves, layNumber } from '../sys/call-frame.js';
import { epollEventLayout } from '../sys/epoll-event-array.js';

// Taken out once: the optimizing compiler then knows the target of each call.
const { wait } = binding.set;
const { epoll_ctl: framedCtl, set_wait: framedWait } = frame;
const UINT_MAX = 2 ** 32 - 1;
const EVENT_BYTES = 4 * epollEventLayout.words;

/**
 * `epoll_ctl` with `generation << 32 | fd` as data.
 *
 * @param op          A constant.
 * @param generation  Of the table.
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` for the others, which may be the user's.
 */
export function setCtl(
  epfd: number,
  op: number,
  fd: number,
  events: number,
  generation: number,
): number {
  checkInteger(epfd, 'epfd', INT_MIN, INT_MAX);
  checkInteger(fd, 'fd', INT_MIN, INT_MAX);
  checkInteger(events, 'events', INT_MIN, UINT_MAX);
  lay(epfd, op, fd, events);
  layHalves(fd, generation);
  framedCtl();
  return answer();
}

/**
 * `epoll_wait` that retries `EINTR` against a deadline and consumes the wake event. Undefined once
 * the environment is stopping: then at most the rest of a loop runs.
 *
 * @param timeoutMs  >= 0, or `Infinity`.
 */
export function setWait(
  epfd: number,
  wakeFd: number,
  events: Uint8Array,
  maxevents: number,
  timeoutMs: number,
  spinUs: number,
): number | undefined {
  if (isInt(epfd) && isInt(wakeFd) && isInt(maxevents) && isInt(spinUs) && maxevents > 0) {
    if (typeof timeoutMs === 'number' && batch.holds(events, 0, maxevents * EVENT_BYTES)) {
      lay(epfd, wakeFd, maxevents, spinUs);
      layNumber(timeoutMs);
      framedWait();
      return answer();
    }
  }
  return wait(epfd, wakeFd, events, maxevents, timeoutMs, spinUs);
}

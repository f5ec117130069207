/** Descriptors over Unix sockets: `SCM_RIGHTS`. */
import { checkInteger, INT_MAX, INT_MIN, invalidArgType } from '../errors.js';
import { binding } from '../native.js';
import { MSG_CTRUNC, MSG_NOSIGNAL } from '../sys/constants.js';
import { type MessageToReceive, sendmsg } from '../sys/index.js';
import { toFd, type FdLike } from './fd-like.js';
import { ReceivedDescriptor } from './received-descriptor.js';
import { bytesOf } from './view.js';

/** As many descriptors as one message carries: `SCM_MAX_FD` of Linux. */
const MOST = 253;

/** What came with one call. */
export interface ReceivedMessage {
  /** Bytes received; 0 at the end of a stream. Of a datagram more than asked for, if it was cut. */
  readonly bytes: number;
  /** The descriptors that came with them, in the order of the sender. */
  readonly descriptors: readonly ReceivedDescriptor[];
  /** More came than there was room for, here or in the descriptor table: the rest is closed. */
  readonly descriptorsLost: boolean;
}

/** Bytes of a view, as a view. Refuses what is no slice of it. */
function sliceOf(buffer: unknown, offset: number, length: number, least: number): Uint8Array {
  const whole = bytesOf(buffer, 'buffer');
  checkInteger(offset, 'offset', 0, whole.length);
  checkInteger(length, 'length', least, whole.length - offset);
  return whole.subarray(offset, offset + length);
}

/** Answers as sendmsg(2). @internal */
export function sendWithDescriptors(
  fd: number,
  descriptors: readonly FdLike[],
  [buffer, offset, length]: readonly [ArrayBufferView, number, number],
  leastBytes: number,
): number {
  const given: unknown = descriptors;
  if (!Array.isArray(given)) throw invalidArgType('descriptors', 'Array', descriptors);
  const numbers = descriptors.map((one) => checkInteger(toFd(one), 'fd', INT_MIN, INT_MAX));
  const iov = [sliceOf(buffer, offset, length, leastBytes)];
  return sendmsg(fd, { iov, control: { rights: Int32Array.from(numbers) } }, MSG_NOSIGNAL);
}

/** Answers what came, or the negated errno of recvmsg(2). @internal */
export function receiveWithDescriptors(
  fd: number,
  [buffer, offset, length]: readonly [ArrayBufferView, number, number],
  flags: number,
  mostDescriptors: number = MOST,
): ReceivedMessage | number {
  checkInteger(mostDescriptors, 'mostDescriptors', 0, MOST);
  const rights = new Int32Array(mostDescriptors);
  const message: MessageToReceive = {
    iov: [sliceOf(buffer, offset, length, 0)],
    control: { rights },
    flags: 0,
  };
  // Owned by the environment before this thread can be stopped: none is ever without an owner.
  const bytes = binding.owned.recvmsg(fd, message, flags);
  if (bytes < 0) return bytes;
  const descriptors = Array.from(
    rights.filter((number) => number !== -1),
    (number) => ReceivedDescriptor.wrap(number),
  );
  return { bytes, descriptors, descriptorsLost: ((message.flags ?? 0) & MSG_CTRUNC) !== 0 };
}

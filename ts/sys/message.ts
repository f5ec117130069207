import { binding } from '../native.js';
import { type MmsgArray, mmsgMemory } from './mmsg-array.js';
import type { SocketAddress, SocketAddressOut } from './socket.js';

// Taken out once: the optimizing compiler then knows the target of each call.
const {
  recvmsg: nativeRecvmsg,
  sendmsg: nativeSendmsg,
  recvmmsg: nativeRecvmmsg,
  sendmmsg: nativeSendmmsg,
} = binding.sys;

/** `struct ucred`: who somebody is. */
export interface Credentials {
  /** The process. */
  pid: number;
  /** Its user, uint32. */
  uid: number;
  /** Its group, uint32. */
  gid: number;
}

/** `struct msghdr`, to send. */
export interface MessageToSend {
  /** At most 1,024 views, sent one after the other. */
  readonly iov: readonly ArrayBufferView[];
  /** Where to; left out or null for a connected socket. */
  readonly name?: SocketAddress | null;
  /** What goes beside the bytes; Unix sockets only. A stream needs a byte at least to carry it. */
  readonly control?: {
    /** `SCM_RIGHTS`: descriptors, which the receiver gets duplicates of. At most 253. */
    readonly rights?: Int32Array | null;
    /** `SCM_CREDENTIALS`: who sends. Others than its own only for root. Linux. */
    readonly credentials?: Readonly<Credentials> | null;
  } | null;
}

/** `struct msghdr`, to receive into. */
export interface MessageToReceive {
  /** At most 1,024 views, each filled whole before the next. */
  iov: readonly ArrayBufferView[];
  /** Filled in with the sender's address. */
  name?: SocketAddressOut | null;
  /** What came beside the bytes. Without it, descriptors that come are closed by the kernel. */
  control?: {
    /**
     * `SCM_RIGHTS`: filled in with the descriptors that came, always close-on-exec; the rest of
     * the array becomes -1. What finds no room is closed, and `flags` has `MSG_CTRUNC`.
     */
    rights?: Int32Array | null;
    /**
     * `SCM_CREDENTIALS`: filled in with the sender, on a socket with `SO_PASSCRED`; -1 in all
     * three if none came. Linux.
     */
    credentials?: Partial<Credentials> | null;
  } | null;
  /** Filled in: `MSG_TRUNC`, `MSG_CTRUNC`, `MSG_EOR`, `MSG_OOB`, `MSG_ERRQUEUE`. */
  flags?: number;
}

/**
 * `sendmsg(fd, msg, flags)`: sends several buffers as one, with an address, descriptors, credentials.
 *
 * @param msg    `{iov, name, control}`; see {@link MessageToSend}.
 * @param flags  `MSG_NOSIGNAL | MSG_DONTWAIT | …`
 * @returns      Bytes sent, perhaps fewer than asked; answers as {@link sendto}, and:
 *
 * | errno  | when |
 * | ------ | --- |
 * | EBADF  | one of `rights` is not open |
 * | EINVAL | more than 253 `rights` |
 * | EPERM  | `credentials` of somebody else |
 * | ETOOMANYREFS | more descriptors on their way, sent and not received, than may be open |
 *
 * Platform: `credentials` answer `-ENOSYS` on macOS.
 * @see sendmsg(2), unix(7), cmsg(3)
 */
export function sendmsg(fd: number, msg: MessageToSend, flags: number): number {
  return nativeSendmsg(fd, msg, flags);
}

/**
 * `recvmsg(fd, msg, flags)`: receives into several buffers, with the address, descriptors,
 * credentials and flags of the message.
 *
 * Descriptors that come are close-on-exec from the first moment (`MSG_CMSG_CLOEXEC`). If a setter
 * of `msg` throws, they are closed before the error gets out.
 *
 * @param msg    `{iov, name, control, flags}`; see {@link MessageToReceive}.
 * @param flags  `MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC | …`
 * @returns      Bytes received, 0 at the end of a stream; answers as {@link recv}.
 *
 * `MSG_PEEK` gives duplicates of the descriptors each time.
 * @see recvmsg(2), unix(7), cmsg(3)
 */
export function recvmsg(fd: number, msg: MessageToReceive, flags: number): number {
  return nativeRecvmsg(fd, msg, flags);
}

/**
 * `recvmmsg(fd, msgvec, vlen, flags, timeout)`: receives several messages with one call.
 *
 * @param msgvec     Filled in: bytes, lengths, flags and addresses.
 * @param offset     The first message to fill.
 * @param vlen       Messages at most; `offset + vlen` lies within the capacity, or RangeError.
 * @param flags      As for {@link recv}, and `MSG_WAITFORONE`: does not wait for a second one.
 * @param timeoutNs  Nanoseconds, a safe integer or a bigint; null for no limit. The kernel looks
 *                   at it after each message only: it does not end a wait for the first.
 * @returns          How many messages came, or a negated errno; answers as {@link recv}, and
 *                   `-EINVAL` for a negative timeout, `-ENOSYS` where there is no such call.
 *
 * An error after the first message ends the call with what has come, and is answered by the next.
 * On a worker a descriptor that blocks is waited for in slices, for one message at least and not
 * for all of `vlen`.
 *
 * Platform: Linux.
 * @see recvmmsg(2)
 */
export function recvmmsg(
  fd: number,
  msgvec: MmsgArray,
  offset: number,
  vlen: number,
  flags: number,
  timeoutNs: number | bigint | null,
): number {
  const { slots, buffer, size } = mmsgMemory(msgvec);
  return nativeRecvmmsg(fd, slots, buffer, size, offset, vlen, flags, timeoutNs);
}

/**
 * `sendmmsg(fd, msgvec, vlen, flags)`: sends several messages with one call.
 *
 * @param msgvec  Bytes, lengths and addresses; each length becomes what was sent of the message.
 * @param offset  The first message to send.
 * @param vlen    How many; `offset + vlen` lies within the capacity, or RangeError.
 * @param flags   As for {@link send}.
 * @returns       How many messages went, perhaps fewer than asked, or a negated errno; the answers
 *                are as {@link sendto}, and `-ENOSYS` where there is no such call.
 *
 * An error after the first message ends the call with what has gone; send the rest to see it.
 *
 * Platform: Linux.
 * @see sendmmsg(2)
 */
export function sendmmsg(
  fd: number,
  msgvec: MmsgArray,
  offset: number,
  vlen: number,
  flags: number,
): number {
  const { slots, buffer, size } = mmsgMemory(msgvec);
  return nativeSendmmsg(fd, slots, buffer, size, offset, vlen, flags);
}

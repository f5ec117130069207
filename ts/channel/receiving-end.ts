import type { LeakDetector } from '../descriptor/leak-detector.js';
import { WOULD_BLOCK } from '../descriptor/owned-descriptor.js';
import { binding } from '../native.js';
import { EAGAIN, EPIPE } from '../sys/constants.js';
import { ChannelEnd, type ChannelEndKind, type EndFields } from './channel-end.js';
import { deadlineOf, waitUntil, type WaitSyncOptions } from './wait-options.js';

/** The last sender has closed, and everything was received. */
export const CHANNEL_END = -2;

/**
 * What both kinds of receivers have in common.
 *
 * Its `fd` is readable while there is something to receive, or the end. It may be readable for
 * nothing, once: another receiver was faster, or the last message was just taken.
 */
export abstract class ReceivingEnd<M> extends ChannelEnd {
  /** @internal */
  protected constructor(fields: EndFields, kind: ChannelEndKind, leaks: LeakDetector) {
    super(fields, kind, leaks);
  }

  /**
   * The length of the next message in bytes, without taking it; `WOULD_BLOCK` (-1): there is none
   * now; `CHANNEL_END` (-2): there will be none. Another receiver may take it meanwhile.
   *
   * @throws `ERR_CLOSED`.
   */
  get nextLength(): number {
    return this.counted(binding.channel.nextLength(this.id));
  }

  /**
   * Waits for the next message and takes it.
   *
   * @returns  `{ done: false, value }`; `{ done: true }`: the last sender has closed and everything
   *           was received; `undefined`: the time is over.
   * @throws `ERR_CLOSED`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   *
   * Thread: blocks this one. No promise, timer or signal handler of Node runs meanwhile; a worker
   * that waits can be terminated.
   */
  receiveSync(): IteratorResult<M, undefined>;
  receiveSync(options: WaitSyncOptions): IteratorResult<M, undefined> | undefined;
  receiveSync(options: WaitSyncOptions = {}): IteratorResult<M, undefined> | undefined {
    const deadline = deadlineOf(options);
    const first = this.take(false);
    if (first !== undefined) return first;
    this.#expect(1);
    for (;;) {
      const message = this.take(true);
      if (message?.done === true) this.#expect(0);
      if (message !== undefined) return message;
      if (!waitUntil(this.fd, deadline) && this.#expect(0)) return undefined;
    }
  }

  /** The next message; `asExpected`, for a receive that waits. @internal */
  protected abstract take(asExpected: boolean): IteratorResult<M, undefined> | undefined;

  /** How many receives wait. False: one more message was sent for them already. */
  #expect(count: number): boolean {
    return this.capacity > 0 || binding.channel.expect(this.id, count) === 1;
  }

  /** An answer of the addon as one of ours. @internal */
  protected counted(result: number): number {
    if (result >= 0) return result;
    if (result === -EAGAIN) return WOULD_BLOCK;
    if (result === -EPIPE) return CHANNEL_END;
    throw this.refusal(result, 'receive');
  }
}

import type { LeakDetector } from '../descriptor/leak-detector.js';
import { WOULD_BLOCK } from '../descriptor/owned-descriptor.js';
import { binding } from '../native.js';
import { EAGAIN, EPIPE } from '../sys/constants.js';
import { ChannelEnd, type ChannelEndKind, type EndFields } from './channel-end.js';
import {
  deadlineOf,
  readWaitOptions,
  type WaitOptions,
  type WaitSyncOptions,
  waitUntil,
} from './wait-options.js';
import { Wait, Waits } from './waits.js';

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
    super(fields, kind, leaks, new Waits(fields.fd, undefined));
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
   * @throws `ERR_INVALID_STATE`: a `receive` of this end waits, and was first; `ERR_CLOSED`;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   *
   * Thread: blocks this one. No promise, timer or signal handler of Node runs meanwhile; a worker
   * that waits can be terminated.
   */
  receiveSync(): IteratorResult<M, undefined>;
  receiveSync(options: WaitSyncOptions): IteratorResult<M, undefined> | undefined;
  receiveSync(options: WaitSyncOptions = {}): IteratorResult<M, undefined> | undefined {
    const deadline = deadlineOf(options);
    this.checkNobodyWaits();
    const first = this.take(false);
    if (first !== undefined) return first;
    this.#expect(1);
    for (;;) {
      const message = this.take(true);
      if (message?.done === true) this.#expect(0);
      if (message !== undefined) return message;
      if (!this.#waitUntil(deadline) && this.#expect(0)) return undefined;
    }
  }

  #waitUntil(deadline: number): boolean {
    try {
      return waitUntil(this.fd, deadline);
    } catch (error) {
      this.#expect(0);
      throw error;
    }
  }

  /**
   * The next message, as soon as there is one. Several receives are answered in their order.
   *
   * While it waits, Node's own loop watches the descriptor, and the process stays alive unless
   * {@link unref} was called.
   *
   * @returns  `{ done: false, value }`; `{ done: true }`: the last sender has closed and everything
   *           was received; `undefined`: the time is over.
   * @throws   Rejects with the reason of the signal; `ERR_CLOSED`, also when this end is closed
   *           meanwhile; SystemError `EMFILE`, `ENFILE`, with the first that has to wait;
   *           `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`. Then it has taken no message.
   */
  receive(options?: WaitOptions & { timeoutMs?: never }): Promise<IteratorResult<M, undefined>>;
  receive(options: WaitOptions): Promise<IteratorResult<M, undefined> | undefined>;
  receive(options: WaitOptions = {}): Promise<IteratorResult<M, undefined> | undefined> {
    return new Promise((resolve, reject) => {
      const read = readWaitOptions(options);
      read.signal?.throwIfAborted();
      const first = this.waits.size === 0 ? this.take(false) : undefined;
      if (first === undefined) {
        this.#await(new Wait(this.waits, resolve as (answer: unknown) => void, reject, read));
      } else {
        this.answer(resolve, first);
      }
    });
  }

  /**
   * Receives until the end of the channel. Leaving it before leaves the receiver open.
   *
   * @throws   Rejects as `receive`: with `ERR_CLOSED` when this end is closed meanwhile.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<M, undefined, undefined> {
    for (;;) {
      const { done, value } = await this.receive();
      if (done === true) return undefined;
      yield value;
    }
  }

  #await(wait: Wait): void {
    try {
      this.waits.add(this, wait);
    } catch (error) {
      wait.reject(error);
      throw error;
    }
    this.#expect(this.waits.size);
  }

  /** @internal */
  override serve(): void {
    for (const wait of this.waits) if (!this.#serve(wait)) return;
  }

  #serve(wait: Wait): boolean {
    try {
      const message = this.take(true);
      if (message === undefined) return false;
      wait.resolve(message);
      if (message.done === true) this.#expect(this.waits.size);
    } catch (error) {
      wait.reject(error);
    }
    return true;
  }

  /** @internal */
  override withdraw(wait: Wait): boolean {
    while (this.waits.has(wait)) {
      if (this.#expect(this.waits.size - 1)) return true;
      this.serve(); // One more was sent, for the first of those who wait.
    }
    return false;
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

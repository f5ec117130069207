import { LeakDetector } from '../descriptor/leak-detector.js';
import { WOULD_BLOCK } from '../descriptor/owned-descriptor.js';
import { bytesOf, restOf } from '../descriptor/view.js';
import { checkOptions, outOfRange } from '../errors.js';
import { binding } from '../native.js';
import { EMSGSIZE } from '../sys/constants.js';
import {
  type ChannelOptions,
  claimEnd,
  type EndFields,
  openEnds,
  type SharedEnd,
} from './channel-end.js';
import { CHANNEL_END, ReceivingEnd } from './receiving-end.js';
import { SendingEnd } from './sending-end.js';
import type { WaitOptions, WaitSyncOptions } from './wait-options.js';

const senderLeaks = new LeakDetector('ByteSender');
const receiverLeaks = new LeakDetector('ByteReceiver');

/** Both ends of a channel of bytes. */
export interface ByteChannelEnds {
  /** The end that sends. */
  readonly sender: ByteSender;
  /** The end that receives. */
  readonly receiver: ByteReceiver;
}

/**
 * Messages of bytes between threads of this process.
 *
 * @example
 * ```ts
 * const { sender, receiver } = ByteChannel.open({ capacity: 64 });
 * worker.postMessage(sender.share()); // there: ByteSender.from(posted)
 * sender.close(); // as with a pipe: the end comes when the last one is closed
 * loop.register(receiver, READABLE, () => {
 *   let n: number;
 *   while ((n = receiver.tryReceive(buffer)) >= 0) handle(buffer.subarray(0, n));
 *   if (n === CHANNEL_END) receiver.close(); // it would be readable for ever
 * });
 * ```
 */
export const ByteChannel = {
  /**
   * Opens a channel with one sender and one receiver, both of this thread.
   *
   * @throws SystemError `EMFILE`, `ENFILE`, `ENOMEM`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   *
   * Memory: the messages that it holds, at their longest, until it is closed.
   */
  open(options: ChannelOptions = {}): ByteChannelEnds {
    const { sender, receiver } = openEnds(checkOptions(options));
    return { sender: ByteSender.wrap(sender), receiver: ByteReceiver.wrap(receiver) };
  },
};

/** The sending end of a channel of bytes. */
export class ByteSender extends SendingEnd {
  /**
   * The end that `share()` made on another thread, or on this one.
   *
   * @throws SystemError `EMFILE`: it can be claimed again later; `ERR_CLOSED`: it was claimed
   *         before, or the thread that shared it has ended; `ERR_INVALID_ARG_TYPE`.
   */
  static from(posted: SharedEnd): ByteSender {
    return ByteSender.wrap(claimEnd(posted, 'ByteSender'));
  }

  /** @internal */
  static wrap(fields: EndFields): ByteSender {
    return new ByteSender(fields, 'ByteSender', senderLeaks);
  }

  /**
   * Sends a slice of a buffer as one message, if that is possible at once. Copies it.
   *
   * @param buffer  Any ArrayBufferView; looked up in this call, not kept.
   * @param offset  Bytes into the view. Default: 0.
   * @param length  Bytes, 0 among them. Default: the rest of the view.
   * @returns       False: the channel is full; with capacity 0, no receiver waits; or a `send` of
   *                this end waits, and was first.
   * @throws SystemError `EPIPE`: no receiver is left; `ENOMEM`; `ERR_CLOSED`;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` for what is no slice of the buffer, or
   *         longer than `maxMessageBytes`.
   *
   * Memory: allocates nothing on the JavaScript heap.
   */
  trySend(buffer: ArrayBufferView, offset = 0, length: number = restOf(buffer, offset)): boolean {
    return this.tryPut(buffer, offset, length);
  }

  /**
   * Sends all of a view as one message, and waits until that is possible: until there is room, or
   * with capacity 0 until a receiver has taken it.
   *
   * @returns  False: the time is over, and nothing was sent.
   * @throws   As `trySend`; `ERR_INVALID_STATE`: a `send` of this end waits, and was first.
   *
   * Thread: blocks this one. No promise, timer or signal handler of Node runs meanwhile; a worker
   * that waits can be terminated, and what it has not sent then is not sent.
   */
  sendSync(buffer: ArrayBufferView, options: WaitSyncOptions = {}): boolean {
    return this.putSync(bytesOf(buffer, 'buffer'), options);
  }

  /**
   * Sends all of a view as one message, as soon as that is possible: when there is room, or with
   * capacity 0 when a receiver has taken it. Several sends go out in their order. The bytes are
   * those of the moment of the call.
   *
   * While it waits, Node's own loop watches for it, and the process stays alive unless
   * {@link unref} was called.
   *
   * @returns  True; false: the time is over, and nothing was sent.
   * @throws   Rejects with the reason of the signal; as `trySend` throws; with `ERR_CLOSED` when
   *           this end is closed meanwhile; SystemError `EMFILE`, `ENFILE`, with the first that has
   *           to wait. Then nothing was sent.
   */
  send(buffer: ArrayBufferView, options: WaitOptions = {}): Promise<boolean> {
    return this.put(() => bytesOf(buffer, 'buffer'), options);
  }
}

/** The receiving end of a channel of bytes. */
export class ByteReceiver extends ReceivingEnd<Uint8Array> {
  /** The end that `share()` made on another thread, or on this one; as {@link ByteSender.from}. */
  static from(posted: SharedEnd): ByteReceiver {
    return ByteReceiver.wrap(claimEnd(posted, 'ByteReceiver'));
  }

  /** @internal */
  static wrap(fields: EndFields): ByteReceiver {
    return new ByteReceiver(fields, 'ByteReceiver', receiverLeaks);
  }

  /**
   * Receives the next message into a slice of a buffer, if there is one.
   *
   * @param buffer  Any ArrayBufferView; looked up in this call, not kept.
   * @param offset  Bytes into the view. Default: 0.
   * @param length  Bytes at most. Default: the rest of the view.
   * @returns       The length of the message, 0 among them; `WOULD_BLOCK` (-1): there is none now,
   *                or a `receive` of this end waits, and was first; `CHANNEL_END` (-2): the last
   *                sender has closed and everything was received.
   * @throws `ERR_OUT_OF_RANGE`: the message is longer, and stays the next one; see `nextLength`;
   *         also, with `ERR_INVALID_ARG_TYPE`, for what is no slice of the buffer; `ERR_CLOSED`.
   *
   * Memory: allocates nothing.
   */
  tryReceive(buffer: ArrayBufferView, offset = 0, length: number = restOf(buffer, offset)): number {
    if (this.waits.size > 0) return WOULD_BLOCK;
    for (;;) {
      const result = this.#receive(buffer, offset, length, false);
      if (result !== -EMSGSIZE) return this.counted(result);
      const needed = this.nextLength; // Less, if another receiver has taken it.
      if (needed > length) {
        throw outOfRange('length', `>= ${String(needed)}, the length of the message`, length);
      }
    }
  }

  /** @internal */
  protected override take(asExpected: boolean): IteratorResult<Uint8Array, undefined> | undefined {
    for (;;) {
      const length = this.nextLength;
      if (length === CHANNEL_END) return { done: true, value: undefined };
      if (length === WOULD_BLOCK) return undefined;
      const value = new Uint8Array(length);
      const result = this.#receive(value, 0, length, asExpected);
      if (result >= 0) return { done: false, value: value.subarray(0, result) };
      // Another receiver was faster, and the next message may be longer.
    }
  }

  #receive(buffer: ArrayBufferView, offset: number, length: number, asExpected: boolean): number {
    return binding.channel.tryReceive(this.id, buffer, offset, length, Number(asExpected));
  }
}

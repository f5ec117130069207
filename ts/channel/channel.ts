import { deserialize, serialize } from 'node:v8';
import { LeakDetector } from '../descriptor/leak-detector.js';
import { WOULD_BLOCK } from '../descriptor/owned-descriptor.js';
import { checkOptions } from '../errors.js';
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

const senderLeaks = new LeakDetector('Sender');
const receiverLeaks = new LeakDetector('Receiver');

/** Both ends of a channel of values. */
export interface ChannelEnds<T> {
  /** The end that sends. */
  readonly sender: Sender<T>;
  /** The end that receives. */
  readonly receiver: Receiver<T>;
}

/**
 * Values between threads of this process: whatever `serialize` of `node:v8` takes, which is what
 * can be cloned but for shared memory and what can only be transferred. A message is a copy.
 */
export const Channel = {
  /**
   * Opens a channel with one sender and one receiver, both of this thread.
   *
   * @throws SystemError `EMFILE`, `ENFILE`, `ENOMEM`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  open<T = unknown>(options: ChannelOptions = {}): ChannelEnds<T> {
    const { sender, receiver } = openEnds(checkOptions(options));
    return { sender: Sender.wrap<T>(sender), receiver: Receiver.wrap<T>(receiver) };
  },
};

/** The sending end of a channel of values. */
export class Sender<T = unknown> extends SendingEnd {
  /** The end that `share()` made on another thread, or on this one; as `ByteSender.from`. */
  static from<T = unknown>(posted: SharedEnd): Sender<T> {
    return Sender.wrap<T>(claimEnd(posted, 'Sender'));
  }

  /** @internal */
  static wrap<T>(fields: EndFields): Sender<T> {
    return new Sender<T>(fields, 'Sender', senderLeaks);
  }

  /**
   * Sends a copy of a value, if that is possible at once.
   *
   * @returns  False: the channel is full; with capacity 0, no receiver waits.
   * @throws What `serialize` throws, an `Error` without a code: the value, or something in it,
   *         cannot be cloned, and nothing was sent; SystemError `EPIPE`: no receiver is left;
   *         `ENOMEM`; `ERR_OUT_OF_RANGE`: it takes more than `maxMessageBytes`; `ERR_CLOSED`.
   */
  trySend(value: T): boolean {
    const bytes = serialize(value);
    return this.tryPut(bytes, 0, bytes.length);
  }

  /**
   * Sends a copy of a value, and waits until that is possible; as `ByteSender.sendSync`.
   *
   * @returns  False: the time is over, and nothing was sent.
   * @throws   As `trySend`.
   */
  sendSync(value: T, options: WaitSyncOptions = {}): boolean {
    return this.putSync(serialize(value), options);
  }

  /**
   * Sends a copy of a value, as it is now, as soon as that is possible; as `ByteSender.send`.
   *
   * @returns  True; false: the time is over, and nothing was sent.
   * @throws   Rejects as `ByteSender.send`, and with what `trySend` throws.
   */
  send(value: T, options: WaitOptions = {}): Promise<boolean> {
    return this.put(() => serialize(value), options);
  }
}

/** The receiving end of a channel of values. */
export class Receiver<T = unknown> extends ReceivingEnd<T> {
  /** Grows to the longest message. */
  #bytes = Buffer.allocUnsafeSlow(1024);

  /** The end that `share()` made on another thread, or on this one; as `ByteSender.from`. */
  static from<T = unknown>(posted: SharedEnd): Receiver<T> {
    return Receiver.wrap<T>(claimEnd(posted, 'Receiver'));
  }

  /** @internal */
  static wrap<T>(fields: EndFields): Receiver<T> {
    return new Receiver<T>(fields, 'Receiver', receiverLeaks);
  }

  /**
   * Receives the next value, if there is one.
   *
   * @returns  `{ done: false, value }`; `{ done: true }`: the last sender has closed and everything
   *           was received; `undefined`: there is none now, or a `receive` of this end waits, and
   *           was first. Typed arrays in a value are views of a larger buffer: go by their
   *           `byteOffset`.
   * @throws `ERR_CLOSED`.
   */
  tryReceive(): IteratorResult<T, undefined> | undefined {
    return this.waits.size > 0 ? undefined : this.take(false);
  }

  /** @internal */
  protected override take(asExpected: boolean): IteratorResult<T, undefined> | undefined {
    const length = this.#fetch(Number(asExpected));
    if (length === WOULD_BLOCK) return undefined;
    if (length === CHANNEL_END) return { done: true, value: undefined };
    // A copy: typed arrays of the value are views of what it is read from.
    const bytes = Buffer.allocUnsafe(length);
    this.#bytes.copy(bytes, 0, 0, length);
    return { done: false, value: deserialize(bytes) as T };
  }

  #fetch(asExpected: number): number {
    for (;;) {
      const bytes = this.#bytes;
      const result = binding.channel.tryReceive(this.id, bytes, 0, bytes.length, asExpected);
      if (result !== -EMSGSIZE) return this.counted(result);
      const needed = this.nextLength; // Less, if another receiver has taken it.
      if (needed > bytes.length) this.#bytes = Buffer.allocUnsafeSlow(needed);
    }
  }
}

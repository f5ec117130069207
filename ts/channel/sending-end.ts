import type { LeakDetector } from '../descriptor/leak-detector.js';
import { outOfRange } from '../errors.js';
import { binding } from '../native.js';
import { EMSGSIZE, EPIPE } from '../sys/constants.js';
import { ChannelEnd, type ChannelEndKind, type EndFields } from './channel-end.js';
import { deadlineOf, waitUntil, type WaitSyncOptions } from './wait-options.js';

/**
 * What both kinds of senders have in common.
 *
 * Its `fd` is readable while `trySend` would not answer false. It may be readable for nothing,
 * once: another sender was faster.
 */
export abstract class SendingEnd extends ChannelEnd {
  /** Readable when an offer of this end was taken, or none will be. */
  readonly #answerFd: number;

  /** @internal */
  protected constructor(fields: EndFields, kind: ChannelEndKind, leaks: LeakDetector) {
    super(fields, kind, leaks);
    this.#answerFd = fields.answerFd;
  }

  /** @internal */
  protected tryPut(buffer: ArrayBufferView, offset: number, length: number): boolean {
    const result = binding.channel.trySend(this.id, buffer, offset, length);
    if (result >= 0) return result === 1;
    throw this.sendRefusal(result, length);
  }

  /** @internal */
  protected putSync(bytes: Uint8Array, options: WaitSyncOptions): boolean {
    const deadline = deadlineOf(options);
    if (this.capacity === 0) return this.#handOverSync(bytes, deadline);
    while (!this.tryPut(bytes, 0, bytes.length)) if (!waitUntil(this.fd, deadline)) return false;
    return true;
  }

  #handOverSync(bytes: Uint8Array, deadline: number): boolean {
    const { id } = this;
    const ticket = binding.channel.offer(id, bytes, 0, bytes.length);
    if (ticket < 0) throw this.sendRefusal(ticket, bytes.length);
    for (;;) {
      const left = binding.channel.countOffers(id);
      if (left === 0 || left === -1) return true;
      if (left > 0 && waitUntil(this.#answerFd, deadline)) continue;
      if (binding.channel.withdraw(id, ticket) === 0) return true; // At the last moment.
      if (left > 0) return false;
      throw this.sendRefusal(-EPIPE, bytes.length);
    }
  }

  /** @internal */
  protected sendRefusal(result: number, length: number): Error {
    if (result !== -EMSGSIZE) return this.refusal(result, 'send');
    return outOfRange('length', `<= ${String(this.maxMessageBytes)}, maxMessageBytes`, length);
  }
}

import type { LeakDetector } from '../descriptor/leak-detector.js';
import { closedError, outOfRange } from '../errors.js';
import { binding } from '../native.js';
import { EMSGSIZE, EPIPE } from '../sys/constants.js';
import { ChannelEnd, type ChannelEndKind, type EndFields } from './channel-end.js';
import {
  deadlineOf,
  readWaitOptions,
  type WaitOptions,
  type WaitSyncOptions,
  waitUntil,
} from './wait-options.js';
import { Wait, Waits } from './waits.js';

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
    const { fd, answerFd, capacity } = fields;
    super(fields, kind, leaks, new Waits(capacity === 0 ? answerFd : fd, false));
    this.#answerFd = answerFd;
  }

  /** Not in front of what waits to be sent. @internal */
  protected tryPut(buffer: ArrayBufferView, offset: number, length: number): boolean {
    return this.waits.size === 0 && this.#put(buffer, offset, length);
  }

  /** @internal */
  protected putSync(bytes: Uint8Array, options: WaitSyncOptions): boolean {
    const deadline = deadlineOf(options);
    this.checkNobodyWaits();
    if (this.capacity === 0) return this.#handOverSync(bytes, deadline);
    while (!this.#put(bytes, 0, bytes.length)) if (!waitUntil(this.fd, deadline)) return false;
    return true;
  }

  /** @internal */
  protected put(message: () => Uint8Array, options: WaitOptions): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const bytes = message();
      const read = readWaitOptions(options);
      read.signal?.throwIfAborted();
      if (this.waits.size === 0 && this.#put(bytes, 0, bytes.length)) {
        this.answer(resolve, true);
        return;
      }
      if (this.closed) throw closedError(this.constructor.name);
      if (bytes.length > this.maxMessageBytes) throw this.#refusal(-EMSGSIZE, bytes.length);
      const wait = new Wait(this.waits, resolve as (answer: unknown) => void, reject, read);
      this.#await(wait, bytes);
    });
  }

  #await(wait: Wait, bytes: Uint8Array): void {
    try {
      this.waits.add(this, wait);
      if (this.capacity > 0) wait.bytes = bytes.slice();
      else wait.ticket = this.#offer(bytes);
    } catch (error) {
      wait.reject(error);
      throw error;
    }
  }

  /** @internal */
  override serve(): void {
    if (this.capacity === 0) {
      this.#serveOffers();
      return;
    }
    for (const wait of this.waits) {
      try {
        if (!this.#put(wait.bytes, 0, wait.bytes.length)) return;
        wait.resolve(true);
      } catch (error) {
        wait.reject(error); // EPIPE, which the others will meet, too.
      }
    }
  }

  /** Offers are taken in their order: it is enough to know how many are left. */
  #serveOffers(): void {
    const count = binding.channel.countOffers(this.id);
    const left = count < 0 ? -1 - count : count;
    for (const wait of this.waits) {
      if (this.waits.size > left) wait.resolve(true);
      else if (count >= 0) return;
      else this.#abandon(wait);
    }
  }

  /** No receiver is left. */
  #abandon(wait: Wait): void {
    binding.channel.withdraw(this.id, wait.ticket);
    wait.reject(this.#refusal(-EPIPE, 0));
  }

  /** @internal */
  override withdraw(wait: Wait): boolean {
    if (this.capacity > 0) return true;
    if (binding.channel.withdraw(this.id, wait.ticket) === 1) return true;
    wait.resolve(true); // It was taken at the last moment.
    return false;
  }

  #handOverSync(bytes: Uint8Array, deadline: number): boolean {
    // Who waits may be on this very thread, and can take nothing while it is blocked.
    if (this.#put(bytes, 0, bytes.length)) return true;
    const ticket = this.#offer(bytes);
    for (;;) {
      const left = binding.channel.countOffers(this.id);
      if (left === 0 || left === -1) return true;
      if (left > 0 && this.#waitForAnswer(ticket, deadline)) continue;
      if (binding.channel.withdraw(this.id, ticket) === 0) return true; // At the last moment.
      if (left > 0) return false;
      throw this.#refusal(-EPIPE, bytes.length);
    }
  }

  #waitForAnswer(ticket: number, deadline: number): boolean {
    try {
      return waitUntil(this.#answerFd, deadline);
    } catch (error) {
      binding.channel.withdraw(this.id, ticket);
      throw error;
    }
  }

  #offer(bytes: Uint8Array): number {
    const ticket = binding.channel.offer(this.id, bytes, 0, bytes.length);
    if (ticket < 0) throw this.#refusal(ticket, bytes.length);
    return ticket;
  }

  #put(buffer: ArrayBufferView, offset: number, length: number): boolean {
    const result = binding.channel.trySend(this.id, buffer, offset, length);
    if (result >= 0) return result === 1;
    throw this.#refusal(result, length);
  }

  #refusal(result: number, length: number): Error {
    if (result !== -EMSGSIZE) return this.refusal(result, 'send');
    return outOfRange('length', `<= ${String(this.maxMessageBytes)}, maxMessageBytes`, length);
  }
}

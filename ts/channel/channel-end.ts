import type { LeakDetector } from '../descriptor/leak-detector.js';
import { OwnedDescriptor } from '../descriptor/owned-descriptor.js';
import {
  check,
  checkInteger,
  closedError,
  invalidArgType,
  stateError,
  SystemError,
} from '../errors.js';
import { isWithout } from '../epoll/without.js';
import { binding } from '../native.js';
import { EINVAL, ENOENT } from '../sys/constants.js';
import type { Wait, Waits } from './waits.js';

/** How a channel is opened. */
export interface ChannelOptions {
  /**
   * How many messages it holds, 0 … 65,536. 0: none; a message is sent when it is received. Default: 64.
   */
  readonly capacity?: number;
  /** How long a message may be, in bytes, 1 … 2 ** 30. Default: 1 MiB. */
  readonly maxMessageBytes?: number;
}

/** One more end of a channel, on its way to another thread: what `share()` answers. */
export interface SharedEnd {
  /** The class that makes an end of it. */
  readonly kind: ChannelEndKind;
  /** Names it in this process; never used twice. */
  readonly share: number;
}

/** The classes of ends. */
export type ChannelEndKind = 'ByteSender' | 'ByteReceiver' | 'Sender' | 'Receiver';

const KINDS: readonly ChannelEndKind[] = ['ByteSender', 'ByteReceiver', 'Sender', 'Receiver'];

const DEFAULT_CAPACITY = 64;
const MOST_CAPACITY = 65_536;
const DEFAULT_MESSAGE_BYTES = 2 ** 20;
const MOST_MESSAGE_BYTES = 2 ** 30;

/** How many calls are answered between two turns of Node's loop. */
const MOST_IN_A_ROW = 1024;

/** How many fields the addon fills in for an end. */
const FIELDS = 5;

/** What is known of a new end. @internal */
export class EndFields {
  readonly memory: Float64Array = new Float64Array(FIELDS);

  get id(): number {
    return this.memory[0] as number;
  }
  get fd(): number {
    return this.memory[1] as number;
  }
  get answerFd(): number {
    return this.memory[2] as number;
  }
  get capacity(): number {
    return this.memory[3] as number;
  }
  get maxMessageBytes(): number {
    return this.memory[4] as number;
  }
}

/** @throws SystemError `EMFILE`, `ENFILE`, `ENOMEM`; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` @internal */
export function openEnds(options: ChannelOptions): { sender: EndFields; receiver: EndFields } {
  const { capacity = DEFAULT_CAPACITY, maxMessageBytes = DEFAULT_MESSAGE_BYTES } = options;
  checkInteger(capacity, 'options.capacity', 0, MOST_CAPACITY);
  checkInteger(maxMessageBytes, 'options.maxMessageBytes', 1, MOST_MESSAGE_BYTES);
  const ends = { sender: new EndFields(), receiver: new EndFields() };
  const { sender, receiver } = ends;
  const withPipes = Number(isWithout('eventfd'));
  const result = binding.channel.open(
    ...[capacity, maxMessageBytes, withPipes, sender.memory, receiver.memory],
  );
  check(result, 'channel');
  return ends;
}

/** @internal */
export function claimEnd(posted: SharedEnd, kind: ChannelEndKind): EndFields {
  const { kind: received, share } = checkShared(posted);
  if (received !== kind) throw invalidArgType('posted', `shared ${kind}`, posted);
  const fields = new EndFields();
  const result = binding.channel.claim(share, KINDS.indexOf(kind), fields.memory);
  if (result === -ENOENT) throw closedError(`The shared ${kind}`);
  if (result === -EINVAL) throw invalidArgType('posted', `shared ${kind}`, posted);
  check(result, 'channel');
  return fields;
}

/** Closes an end that nobody has claimed, and takes no descriptor for it. False: it was claimed. @internal */
export function discardEnd({ share }: SharedEnd): boolean {
  return binding.channel.discard(share) === 0;
}

function checkShared(posted: SharedEnd): SharedEnd {
  const given: unknown = posted;
  if (typeof given !== 'object' || given === null) throw notShared(posted);
  const { kind, share } = posted;
  if (!Number.isSafeInteger(share) || share < 1 || !KINDS.includes(kind)) throw notShared(posted);
  return { kind, share };
}

function notShared(posted: unknown): Error {
  return invalidArgType('posted', 'shared end of a channel', posted);
}

/**
 * One end of a channel between threads.
 *
 * It belongs to the thread that made it, and is closed with it. Its `fd` is a descriptor of its
 * own, to be watched for `READABLE` in any set of this thread; nothing may be read from it.
 *
 * It is closed by `close()`, and by `release()` and whoever adopts the number, which goes on
 * showing what the other ends of its side see. Who waits for it on this thread is told with
 * `ERR_CLOSED`; with the last end of a side, the other side is told.
 */
export abstract class ChannelEnd extends OwnedDescriptor {
  /** How many messages the channel holds; 0: a message is sent when it is received. */
  readonly capacity: number;
  /** How many bytes a message may have. */
  readonly maxMessageBytes: number;
  /** The end in the addon. @internal */
  protected readonly id: number;
  /** Those who wait for it. @internal */
  protected readonly waits: Waits;
  readonly #kind: ChannelEndKind;
  #inARow = 0;
  #putOff = 0;

  /** @internal */
  protected constructor(
    fields: EndFields,
    kind: ChannelEndKind,
    leaks: LeakDetector,
    waits: Waits,
  ) {
    const { id } = fields;
    super(fields.fd, leaks, () => {
      waits.close(undefined);
      binding.channel.close(id);
    });
    this.id = id;
    this.waits = waits;
    this.capacity = fields.capacity;
    this.maxMessageBytes = fields.maxMessageBytes;
    this.#kind = kind;
  }

  /**
   * Makes one more end of this side, to be posted to another thread: a plain object, of which
   * `from` makes the end there, once. It counts as an end from now on. If nobody claims it, it is
   * closed at the end of this thread.
   *
   * @throws SystemError `EMFILE`, `ENFILE` (only with capacity 0); `ERR_CLOSED`.
   */
  share(): SharedEnd {
    const kind = this.#kind;
    const result = binding.channel.share(this.id, KINDS.indexOf(kind));
    return { kind, share: this.checked(result, 'channel') };
  }

  /** Has a `send` or `receive` that waits keep the process alive: so it is at first. */
  ref(): this {
    this.waits.keepsAlive = true;
    return this;
  }

  /** Has the process end while a `send` or `receive` of this end waits, if nothing else is left. */
  unref(): this {
    this.waits.keepsAlive = false;
    return this;
  }

  /** @internal */
  abstract serve(): void;

  /** @internal */
  abstract withdraw(wait: Wait): boolean;

  /**
   * Answers a call that need not wait. Many of them in a row would keep Node's loop from turning:
   * promises come before anything else. What comes while one is put off is put off behind it.
   * @internal
   */
  protected answer<A>(resolve: (answer: A) => void, answer: A): void {
    if (this.#inARow < MOST_IN_A_ROW) {
      this.#inARow += 1;
      resolve(answer);
      return;
    }
    this.#putOff += 1;
    setImmediate(() => {
      this.#putOff -= 1;
      if (this.#putOff === 0) this.#inARow = 0;
      resolve(answer);
    });
  }

  /** @throws `ERR_INVALID_STATE` @internal */
  protected checkNobodyWaits(): void {
    if (this.waits.size > 0) throw stateError(`A call that waits for this ${this.#kind} was first`);
  }

  /** @internal */
  protected override beforeLeaving(): void {
    this.waits.close(closedError(this.#kind)); // Before what they watch is closed.
    binding.channel.close(this.id);
  }

  /** @internal */
  protected refusal(result: number, call: string): Error {
    if (this.closed) return closedError(this.#kind);
    return new SystemError(result, call, { fd: this.fd, detail: `fd ${String(this.fd)}` });
  }
}

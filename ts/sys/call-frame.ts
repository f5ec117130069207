/**
 * The second form of the calls of the hot path, which hands over no values: numbers lie in a frame,
 * memory that the addon knows, and so does the answer; and where a buffer lies that is used again
 * and again, the addon remembers. Everything is checked here, for there nothing is.
 *
 * Each of them has its first form beside it, which takes what this one does not: other types, other
 * buffers, and whatever has to be refused.
 */
import { binding, type CallFrame } from '../native.js';

/** Of this import alone, as the buffers below are. */
export const frame: CallFrame = binding.frame.open();

/** `FrameWords` in native/core/call_frame.h. */
const words = new Int32Array(frame.memory, 0, 8);
const ANSWER = 7;
const STOPPING = -(2 ** 31);
const numbers = new Float64Array(frame.memory, 32, 1);

/** A buffer is looked up after so many calls with others. */
export const CALLS_UNTIL_KNOWN = 64;

/** What is known is kept alive for it, with the memory that it is part of. So no more than this is. */
const MOST_BYTES = 1024 * 1024;

// As they were at the import, whatever becomes of the properties of a view or of a prototype.
const apply = Reflect.apply.bind(Reflect);
const TypedArray = Object.getPrototypeOf(Uint8Array) as typeof Uint8Array;
const tagOf = getterOf(TypedArray, Symbol.toStringTag);
const memoryOf = getterOf(TypedArray, 'buffer');
const lengthOf = getterOf(ArrayBuffer, 'byteLength');
const isResizable = getterOf(ArrayBuffer, 'resizable');
const lengthOfShared = getterOf(SharedArrayBuffer, 'byteLength');

function getterOf(type: { prototype: object }, name: PropertyKey): (object: unknown) => unknown {
  const descriptor: { get?: () => unknown } | undefined = Object.getOwnPropertyDescriptor(
    type.prototype,
    name,
  );
  const get = descriptor?.get ?? ((): undefined => undefined);
  return (object) => apply(get, object, []);
}

/** What can be known: bytes that stay where they are, as long as they are, until they are detached. */
function isKnowable(view: unknown): view is Uint8Array {
  if (tagOf(view) !== 'Uint8Array') return false;
  const memory = memoryOf(view);
  try {
    return (lengthOf(memory) as number) <= MOST_BYTES && isResizable(memory) !== true;
  } catch {
    return (lengthOfShared(memory) as number) <= MOST_BYTES; // It may grow, and never shrinks.
  }
}

/** The buffer that is used for one purpose again and again, and where the addon found it. */
class KnownMemory {
  readonly #role: number;
  #view: Uint8Array = new Uint8Array(1);
  #bytes = 0;
  #others = 0;

  /** @param role  `MemoryRole` in native/core/call_frame.h. */
  constructor(role: number) {
    this.#role = role;
  }

  /** True if the slice lies in the buffer that is known, and that one is still there. */
  holds(view: ArrayBufferView, offset: number, length: number): boolean {
    if (view !== this.#view) {
      if (++this.#others === CALLS_UNTIL_KNOWN) this.#learn(view);
      return false;
    }
    // Detached memory has no first byte: no property of any object can stand in for it.
    if (this.#view[0] === undefined) return false;
    return offset >= 0 && length >= 0 && length <= this.#bytes - offset;
  }

  #learn(view: ArrayBufferView): void {
    this.#others = 0;
    if (!isKnowable(view)) return;
    words[0] = this.#role;
    frame.know(view);
    const bytes = answer();
    if (bytes === 0) return;
    this.#view = view;
    this.#bytes = bytes;
  }
}

/** What `recv` and `read` fill. */
export const incoming: KnownMemory = new KnownMemory(0);
/** What `send` and `write` take from. */
export const outgoing: KnownMemory = new KnownMemory(1);
/** What waits fill. */
export const batch: KnownMemory = new KnownMemory(2);

/** True for what a C int holds. Coerces nothing. */
export function isInt(value: unknown): value is number {
  return typeof value === 'number' && value === (value | 0);
}

/** True for what an `unsigned int` holds. */
export function isUint(value: unknown): value is number {
  return typeof value === 'number' && value === value >>> 0;
}

/**
 * Lays the integers of a call into the frame. They have been seen to be integers, before the buffer
 * was asked for: what else is laid here may run code of its own, which can take the buffer away.
 */
export function lay(a: number, b: number, c: number, d: number): void {
  words[0] = a;
  words[1] = b;
  words[2] = c;
  words[3] = d;
}

/** Two more: 64 bits. */
export function layHalves(low: number, high: number): void {
  words[4] = low;
  words[5] = high;
}

/** A number that need not be an integer. */
export function layNumber(value: number): void {
  numbers[0] = value;
}

/**
 * What the last call has answered. Undefined once the environment is stopping, as the first form
 * answers: no count, which a last line might act on.
 */
export function answer(): number {
  const value = words[ANSWER] as number;
  return value === STOPPING ? (undefined as unknown as number) : value;
}

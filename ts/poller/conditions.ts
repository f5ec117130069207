/**
 * Interest, conditions and modes as bits. The numbers are those of poll(2), which every system has
 * alike, and epoll(7) uses them too: those two backends translate nothing.
 */

/** Interest: a read would not block. Data, the end of the stream, an error, a connection to accept. */
export const READABLE = 0x1;

/** Interest: urgent data, or what else the descriptor's kind calls exceptional. */
export const PRIORITY = 0x2;

/** Interest: a write would not block. Room, a finished connect, an error. */
export const WRITABLE = 0x4;

/** Everything that can be asked for. @internal */
export const INTEREST_ALL: number = READABLE | PRIORITY | WRITABLE;

/** An error waits. @internal */
export const ERROR = 0x8;

/** Both directions are over. @internal */
export const HANGUP = 0x10;

/** The peer will send nothing more. Comes with {@link READABLE}, where the kernel tells. @internal */
export const READ_CLOSED = 0x2000;

/** In a mask: `exclusive`. @internal */
export const EXCLUSIVE = 0x1000_0000;

/** In a mask: the modes `oneshot` and `edgeOneshot`. */
const ONESHOT = 0x4000_0000;

/** In a mask: the modes `edge` and `edgeOneshot`. */
const EDGE = 0x8000_0000;

/** How a registration reports. */
export type PollerMode = 'level' | 'edge' | 'oneshot' | 'edgeOneshot';

const MODE_BITS: Readonly<Record<PollerMode, number>> = {
  level: 0,
  edge: EDGE,
  oneshot: ONESHOT,
  edgeOneshot: EDGE | ONESHOT,
};

/** @internal */
export function isMode(value: unknown): value is PollerMode {
  return typeof value === 'string' && Object.hasOwn(MODE_BITS, value);
}

/** The names of all modes. @internal */
export const MODES: readonly PollerMode[] = Object.keys(MODE_BITS) as PollerMode[];

/** What a registration asks for, as uint32. @internal */
export function toMask(interest: number, mode: PollerMode, exclusive: boolean): number {
  const asked = interest | MODE_BITS[mode];
  // The kernel refuses to report the peer's end in an exclusive registration.
  if (exclusive) return (asked | EXCLUSIVE) >>> 0;
  return (interest & READABLE ? asked | READ_CLOSED : asked) >>> 0;
}

/** @internal */
export function modeOf(mask: number): PollerMode {
  if (mask & EDGE) return mask & ONESHOT ? 'edgeOneshot' : 'edge';
  return mask & ONESHOT ? 'oneshot' : 'level';
}

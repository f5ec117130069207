/**
 * What a group and its members say to each other: over a `MessagePort`, which never is full and is
 * heard by Node on the side of the group. The loop of a member cannot hear it, so that a byte in a
 * pipe says that there is something to hear: docs/decisions/0035.
 */
import process from 'node:process';
import type { MessagePort } from 'node:worker_threads';
import type { LoopEntry } from '../loop/entries.js';

/** Where in `workerData` a member finds its seat. @internal */
export const SEAT = 'raw-epoll:group';

/** What a worker needs to join its group. @internal */
export interface Seat {
  readonly index: number;
  readonly size: number;
  readonly port: MessagePort;
  /** Readable when there is something to hear. The group owns it, and closes it after the worker. */
  readonly bell: number;
}

/** What the group gives a worker. @internal */
export interface SeatData {
  readonly [SEAT]: Seat;
  readonly data: unknown;
}

/** To a member: shut down. @internal */
export interface ShutdownOrder {
  /** In nanoseconds of CLOCK_MONOTONIC; `undefined`: for as long as it takes. */
  readonly dueNs: bigint | undefined;
}

/** From a member: it can be counted on, or it is over, and this it had to force. @internal */
export type MemberNews = 'ready' | { readonly forced: readonly LoopEntry[] };

const NS_PER_MS = 1_000_000;

/** CLOCK_MONOTONIC, which is the same on every thread; `performance.now()` is not. */
function nowNs(): bigint {
  return process.hrtime.bigint();
}

/** When so many milliseconds from now have passed. @internal */
export function inMs(ms: number): bigint | undefined {
  return Number.isFinite(ms) ? nowNs() + BigInt(Math.ceil(ms * NS_PER_MS)) : undefined;
}

/** How many milliseconds there are until then; 0 if it has passed. @internal */
export function msUntil(dueNs: bigint | undefined): number {
  if (dueNs === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(0, Number(dueNs - nowNs()) / NS_PER_MS);
}

/** The earlier one. @internal */
export function earlier(a: bigint | undefined, b: bigint | undefined): bigint | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}

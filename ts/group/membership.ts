import {
  isMainThread,
  receiveMessageOnPort,
  workerData,
  type MessagePort,
} from 'node:worker_threads';
import { stateError } from '../errors.js';
import { Loop, type LoopOptions, type RunAsyncOptions } from '../loop/loop.js';
import { READABLE } from '../poller/conditions.js';
import type { Shutdown } from '../loop/shutdown.js';
import { read } from '../sys/index.js';
import {
  msUntil,
  SEAT,
  type MemberNews,
  type Seat,
  type SeatData,
  type ShutdownOrder,
} from './control.js';

/** So many bytes of the bell are taken at once; there is one for each order, so a few. */
const BELL_BYTES = 64;

let joined = false;

/**
 * Joins the {@link LoopGroup} that has started this worker, with a loop of its own.
 *
 * Opens a loop, and registers in it what tells of the group's orders: that keeps the loop running
 * until the group shuts it down. Once in a worker.
 *
 * @param options  Of the loop.
 * @throws `ERR_INVALID_STATE`: no group has started this thread, or it has joined already; and as
 *         `Loop`.
 *
 * @example
 * ```ts
 * const member = joinGroup();
 * serve(member.loop, TcpListener.listen({ port: 8080, reusePort: true }));
 * member.ready();
 * member.run();
 * ```
 */
export function joinGroup(options: LoopOptions = {}): Membership {
  const seatData = seatDataOf(workerData);
  if (joined) throw stateError('this thread has joined its group already');
  const membership = new Membership(seatData, options);
  joined = true;
  return membership;
}

function seatDataOf(data: unknown): SeatData {
  const seated = !isMainThread && typeof data === 'object' && data !== null && SEAT in data;
  if (!seated) throw stateError('this thread was not started by a LoopGroup');
  return data as SeatData;
}

/** A worker's side of a {@link LoopGroup}: its loop, and its place among the others. */
export class Membership {
  /** The loop of this worker. The group's shutdown shuts it down; see `Loop.shutdown`. */
  readonly loop: Loop;
  /** Which member this is, 0 … `size` - 1. One that is restarted has the index of its predecessor. */
  readonly index: number;
  /** How many members the group has. */
  readonly size: number;
  /** The `workerData` that the group was given: a copy, as `postMessage` makes it. */
  readonly data: unknown;
  readonly #port: MessagePort;
  readonly #bell: number;
  #shutdown: Shutdown | undefined;

  /** @internal */
  constructor(seatData: SeatData, options: LoopOptions) {
    const seat: Seat = seatData[SEAT];
    this.index = seat.index;
    this.size = seat.size;
    this.data = seatData.data;
    this.#port = seat.port;
    this.#bell = seat.bell;
    this.loop = new Loop(options);
    this.loop.register(this.#bell, READABLE, this.#listen, { label: 'orders of the group' });
  }

  /** Tells the group that this member does its work from now on. Again: does nothing. */
  ready(): void {
    this.#tell('ready');
  }

  /**
   * Drives the loop until the group shuts it down, or until it is stopped or closed, and then
   * closes it.
   *
   * @throws As `Loop.run`. Do not catch it: what escapes from the worker is its failure, and goes
   *         where the group was told to send failures.
   *
   * Thread: blocks this one. No promise, timer or message of Node runs meanwhile.
   */
  run(): void {
    try {
      this.loop.run();
    } finally {
      this.#end();
    }
  }

  /**
   * The same beside Node's own loop, for a worker that needs promises, timers or messages, or has
   * started a group itself.
   *
   * @throws As `Loop.runAsync`, as a rejection. Do not catch it.
   */
  async runAsync(options: RunAsyncOptions = {}): Promise<void> {
    try {
      await this.loop.runAsync(options);
    } finally {
      this.#end();
    }
  }

  readonly #listen = (): void => {
    read(this.#bell, new Uint8Array(BELL_BYTES), 0, BELL_BYTES);
    for (let told; (told = receiveMessageOnPort(this.#port)) !== undefined;) {
      this.#obey(told.message as ShutdownOrder);
    }
  };

  #obey({ dueNs }: ShutdownOrder): void {
    if (!this.loop.closed) this.#shutdown = this.loop.shutdown({ graceMs: msUntil(dueNs) });
  }

  #end(): void {
    this.#tell({ forced: this.#shutdown?.forced ?? [] });
    this.#port.close();
    this.loop.close();
  }

  #tell(news: MemberNews): void {
    this.#port.postMessage(news);
  }
}

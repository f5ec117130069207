import {
  MessageChannel,
  receiveMessageOnPort,
  Worker,
  type MessagePort,
  type WorkerOptions,
} from 'node:worker_threads';
import { Pipe, type PipePair } from '../descriptor/pipe.js';
import type { LoopEntry } from '../loop/entries.js';
import { SEAT, type MemberNews, type SeatData, type ShutdownOrder } from './control.js';

/**
 * What a member is doing: its worker has been started; has said that it is ready; has been asked to
 * end; has ended.
 */
export type MemberState = 'starting' | 'ready' | 'stopping' | 'ended';

/** How a member came to its end: by itself or as it was asked; by an error; by force. */
export type MemberEnd = 'ended' | 'failed' | 'terminated';

/** What a group says of a member when all have ended. */
export interface MemberReport {
  /** Which one, 0 … `size` - 1. */
  readonly index: number;
  /**
   * - `ended`: it has ended by itself, before it was asked to or within its time
   * - `failed`: an error has escaped from it, it has left with an exit code, or somebody else has
   *   terminated its worker
   * - `terminated`: the group has terminated it, because it had not ended in time
   */
  readonly how: MemberEnd;
  /** Of a member that has failed: what escaped from it. */
  readonly error?: unknown;
  /** What was open in scopes with work in progress when its deadline had come; see `Shutdown`. */
  readonly forced: readonly LoopEntry[];
  /** How often it was restarted. */
  readonly restarts: number;
}

/** How the workers of a group are started. @internal */
export interface MemberStart {
  readonly file: string | URL;
  readonly size: number;
  readonly dataOf: (index: number) => unknown;
  readonly workerOptions: WorkerOptions;
}

/** Who is told what becomes of a member. @internal */
export interface MemberOwner {
  memberReady(): void;
  memberEnded(member: GroupMember): void;
}

/** One of the workers of a {@link LoopGroup}, as the group sees it. */
export class GroupMember {
  /** Which one, 0 … `size` - 1. */
  readonly index: number;
  readonly #start: MemberStart;
  readonly #owner: MemberOwner;
  readonly #restartedAt: number[] = [];
  #thread: MemberThread;
  #restarts = 0;
  #state: MemberState = 'starting';
  #hasBeenReady = false;

  /** Starts it. Throws as `new Worker` and `Pipe.pair`. @internal */
  constructor(index: number, start: MemberStart, owner: MemberOwner) {
    this.index = index;
    this.#start = start;
    this.#owner = owner;
    this.#thread = this.#startThread();
  }

  /** What it is doing. */
  get state(): MemberState {
    return this.#state;
  }

  /** `worker.threadId`; -1 once it has ended. */
  get threadId(): number {
    return this.#thread.worker.threadId;
  }

  /** How often it was restarted. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Its worker, for messages of your own: another one after a restart. The group looks after its
   * end; `terminate()` counts as a failure.
   */
  get worker(): Worker {
    return this.#thread.worker;
  }

  /** Whether its worker has said so, whatever has become of it since. @internal */
  get hasBeenReady(): boolean {
    return this.#hasBeenReady;
  }

  /** @internal */
  get report(): MemberReport {
    const { end, forced } = this.#thread;
    return { index: this.index, ...end, forced, restarts: this.#restarts };
  }

  /**
   * Starts another worker in its place, unless there were `most` in the last `windowMs` already.
   * Throws as the constructor. @internal
   */
  restart(most: number, windowMs: number): boolean {
    const now = performance.now();
    while ((this.#restartedAt[0] ?? now) < now - windowMs) this.#restartedAt.shift();
    if (this.#restartedAt.length >= most) return false;
    this.#restartedAt.push(now);
    this.#restarts++;
    this.#thread = this.#startThread();
    this.#state = 'starting';
    this.#hasBeenReady = false;
    return true;
  }

  /** @internal */
  shutdown(order: ShutdownOrder): void {
    if (this.#state === 'ended') return;
    this.#state = 'stopping';
    this.#thread.shutdown(order);
  }

  /** @internal */
  terminate(): void {
    if (this.#state !== 'ended') this.#thread.terminate();
  }

  #startThread(): MemberThread {
    return new MemberThread(this.index, this.#start, {
      ready: () => {
        if (this.#state !== 'starting') return;
        this.#state = 'ready';
        this.#hasBeenReady = true;
        this.#owner.memberReady();
      },
      ended: () => {
        this.#state = 'ended';
        this.#owner.memberEnded(this);
      },
    });
  }
}

interface ThreadListener {
  ready(): void;
  ended(): void;
}

type ThreadEnd = Pick<MemberReport, 'how' | 'error'>;

const ONE_BYTE = new Uint8Array(1);

/** A worker from its start to its end, and the line to it. */
class MemberThread {
  readonly worker: Worker;
  /** What it had to force. */
  forced: readonly LoopEntry[] = [];
  readonly #port: MessagePort;
  readonly #bell: PipePair;
  readonly #listener: ThreadListener;
  #end: ThreadEnd | undefined;
  #terminated = false;
  /** Node has started it; what it is to do comes after that. */
  #hasBegun = false;
  /** It has said so: what comes then is only the end of its thread. */
  #isOver = false;

  constructor(index: number, start: MemberStart, listener: ThreadListener) {
    const { size, dataOf, file, workerOptions } = start;
    const data = dataOf(index);
    this.#bell = Pipe.pair();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#listener = listener;
    const seat = { index, size, port: port2, bell: this.#bell.reader.fd };
    try {
      const workerData: SeatData = { [SEAT]: seat, data };
      this.worker = new Worker(file, { ...workerOptions, workerData, transferList: [port2] });
    } catch (error) {
      this.#close();
      throw error;
    }
    this.#listen();
  }

  /** How it has ended; until then, how it would seem. */
  get end(): ThreadEnd {
    return this.#end ?? { how: 'ended' };
  }

  shutdown(order: ShutdownOrder): void {
    this.#port.postMessage(order);
    this.#bell.writer.write(ONE_BYTE); // WOULD_BLOCK: it has not heard thousands of bytes yet.
  }

  terminate(): void {
    this.#terminated = true;
    void this.worker.terminate();
  }

  #listen(): void {
    this.#port.on('message', this.#hear);
    this.#port.unref(); // The worker itself keeps the process alive.
    this.worker.on('error', (error: unknown) => {
      this.#end ??= { how: 'failed', error };
    });
    this.worker.once('online', () => {
      this.#hasBegun = true;
    });
    this.worker.once('exit', (code) => {
      // Its last words may still be on their way.
      for (let told; (told = receiveMessageOnPort(this.#port)) !== undefined;) {
        this.#hear(told.message as MemberNews);
      }
      this.#end ??= this.#endOf(code);
      this.#close();
      this.#listener.ended();
    });
  }

  #endOf(code: number): ThreadEnd {
    // One that is terminated while Node is only starting it leaves with 0, as if it had ended.
    if (this.#terminated && (code !== 0 || !this.#isOver)) return { how: 'terminated' };
    if (code === 0 && this.#hasBegun) return { how: 'ended' };
    return { how: 'failed', error: leftWith(code) };
  }

  readonly #hear = (news: MemberNews): void => {
    if (news === 'ready') this.#listener.ready();
    else this.#over(news.forced);
  };

  #over(forced: readonly LoopEntry[]): void {
    this.#isOver = true;
    this.forced = forced;
  }

  #close(): void {
    this.#port.close();
    this.#bell.reader.close();
    this.#bell.writer.close();
  }
}

function leftWith(exitCode: number): Error {
  const how =
    exitCode === 0 ? 'was terminated before it began' : `has ended with exit code ${exitCode}`;
  const error = new Error(`a member of the group ${how}`);
  return Object.assign(error, { code: 'ERR_MEMBER_ENDED', exitCode });
}

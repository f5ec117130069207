import process from 'node:process';
import { check } from '../errors.js';
import { binding } from '../native.js';

/**
 * Whether watches go over a thread that polls, because libuv is not to be had: Bun ends the process
 * when one of its functions is called, Deno has none. `RAW_EPOLL_HOST_WATCH=uv|thread` chooses.
 */
function goesOverThread(): boolean {
  const chosen = process.env['RAW_EPOLL_HOST_WATCH'];
  if (chosen === 'uv' || chosen === 'thread') return chosen === 'thread';
  return 'bun' in process.versions || 'deno' in process.versions;
}

/**
 * Has the loop of Node tell when a set is readable, beside everything else that it does. Each
 * `start()` is told once at least; a watch that is not stopped may tell again.
 *
 * Over libuv a watch stays started, and to start it again costs nothing; after a stop it costs a
 * system call. The callback runs in the async context that the watch was made in; what it throws
 * becomes an `uncaughtException`.
 * @internal
 */
export class HostWatch {
  readonly #ready: () => void;
  readonly #overThread = goesOverThread();
  #id: number;
  #started = false;
  #keepsAlive = true;

  /** @throws SystemError `EMFILE`, `ENFILE`, `ELOOP` (sets nested too deeply), `EAGAIN` (threads). */
  constructor(fd: number, ready: () => void) {
    this.#ready = ready;
    this.#id = this.#open(fd);
  }

  #open(fd: number): number {
    const overThread = this.#overThread ? 1 : 0;
    return check(binding.host.open(fd, this.#ready, overThread), 'watch', {
      fd,
      detail: `fd ${String(fd)}`,
    });
  }

  start(): void {
    if (this.#started && !this.#overThread) return;
    check(binding.host.start(this.#id), 'watch');
    this.#started = true;
  }

  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    binding.host.stop(this.#id);
  }

  /** Whether a started watch keeps the process alive. At first it does. */
  set keepsAlive(value: boolean) {
    if (value === this.#keepsAlive) return;
    this.#keepsAlive = value;
    if (value) binding.host.ref(this.#id);
    else binding.host.unref(this.#id);
  }

  /** Looks at the file that is behind the number now: the set was replaced under it. */
  move(fd: number): void {
    const started = this.#started;
    const keepsAlive = this.#keepsAlive;
    this.close();
    this.#id = this.#open(fd);
    this.#keepsAlive = true;
    this.keepsAlive = keepsAlive;
    if (started) this.start();
  }

  close(): void {
    this.#started = false;
    binding.host.close(this.#id);
  }
}

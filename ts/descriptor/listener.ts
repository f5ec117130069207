import { binding } from '../native.js';
import {
  EAGAIN,
  ECONNABORTED,
  EFD_CLOEXEC,
  EHOSTDOWN,
  EHOSTUNREACH,
  EINTR,
  EMFILE,
  ENETDOWN,
  ENETUNREACH,
  ENFILE,
  ENONET,
  ENOPROTOOPT,
  EPROTO,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
} from '../sys/constants.js';
import { getsockname, type SocketAddress, type SocketAddressOut } from '../sys/index.js';
import type { LeakDetector } from './leak-detector.js';
import { OwnedDescriptor } from './owned-descriptor.js';

const ACCEPT_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC;

/** Errors of one connection that died before it was taken: the next one is asked for. accept(2) */
const GONE: ReadonlySet<number> = new Set([
  -ECONNABORTED,
  -EINTR,
  -EPROTO,
  -ENOPROTOOPT,
  -ENETDOWN,
  -EHOSTDOWN,
  -ENONET,
  -EHOSTUNREACH,
  -ENETUNREACH,
]);

/** What listeners of every kind take. */
export interface ListenerOptions {
  /** How many connections may wait: listen(2). Cut to `net.core.somaxconn`. Default: 511. */
  readonly backlog?: number;
  /**
   * Keeps one spare descriptor for the time when the table is full. A full table leaves the
   * connection waiting and the listener ready, so a level-triggered loop would spin on it. With
   * this on, `accept()` gives up the spare, takes each waiting connection, closes it at once, and
   * takes the spare back: the peers see the end of the stream instead of silence, and the
   * listener falls quiet. `shed` counts them. Off, `accept()` throws `EMFILE`. Default: off.
   */
  readonly reserveDescriptor?: boolean;
}

/** A listening socket. Base of `TcpListener` and `UnixListener`. */
export abstract class Listener<S> extends OwnedDescriptor {
  readonly #keepsReserve: boolean;
  readonly #reserve: Reserve;
  #shed = 0;

  /** @internal */
  protected constructor(fd: number, leaks: LeakDetector, options: ListenerOptions) {
    const reserve = new Reserve();
    super(fd, leaks, () => {
      reserve.close();
    });
    this.#reserve = reserve;
    this.#keepsReserve = options.reserveDescriptor ?? false;
    if (this.#keepsReserve) reserve.open();
  }

  /** Makes the connection's object of a descriptor that the environment owns. @internal */
  protected abstract wrap(fd: number): S;

  /** How many connections were closed at once because the descriptor table was full. */
  get shed(): number {
    return this.#shed;
  }

  /** The address it listens on, with the port that the kernel chose: getsockname(2). */
  get address(): SocketAddress {
    const address: SocketAddressOut = {};
    this.checked(getsockname(this.fd, address), 'getsockname');
    return address as SocketAddress;
  }

  /**
   * Takes the next waiting connection: accept4(2). Connections that died while they waited are
   * passed over.
   *
   * @returns  The connection, or `null` if none waits.
   * @throws SystemError
   * | code | when |
   * | ---- | --- |
   * | EMFILE, ENFILE | out of descriptors, without `reserveDescriptor` or with the spare lost to others |
   * | ENOBUFS, ENOMEM | the kernel is out of memory |
   * | EPERM | a firewall forbids it |
   *
   * and `ERR_CLOSED`.
   */
  accept(): S | null {
    for (;;) {
      const result = binding.owned.accept4(this.fd, null, ACCEPT_FLAGS);
      if (result >= 0) return this.wrap(result);
      if (result === -EAGAIN) return null;
      if (GONE.has(result)) continue;
      const full = result === -EMFILE || result === -ENFILE;
      if (!full || !this.#keepsReserve) throw this.failure(result, 'accept4');
      const shed = this.#shedOne(result);
      // With a full table the kernel says so before it looks whether anybody waits.
      if (shed === -EAGAIN) return null;
      if (shed < 0 && !GONE.has(shed)) throw this.failure(shed, 'accept4');
    }
  }

  override close(): void {
    this.#reserve.close();
    super.close();
  }

  override release(): number {
    this.#reserve.close();
    return super.release();
  }

  /** Gives the spare up for one connection, and takes it back. Answers what `accept4` answered. */
  #shedOne(refused: number): number {
    if (!this.#reserve.close()) return this.#reserve.open() ? 0 : refused;
    const result = binding.owned.accept4(this.fd, null, ACCEPT_FLAGS);
    if (result >= 0) {
      binding.owned.close(result);
      this.#shed++;
    }
    // Another thread may have taken the number in between; the next call tries again.
    this.#reserve.open();
    return result;
  }
}

/** A descriptor held for nothing but to be given up. An eventfd is the cheapest there is. */
class Reserve {
  #fd = -1;

  open(): boolean {
    if (this.#fd < 0) this.#fd = binding.owned.eventfd(0, EFD_CLOEXEC);
    return this.#fd >= 0;
  }

  /** False if there was none. */
  close(): boolean {
    if (this.#fd < 0) return false;
    binding.owned.close(this.#fd);
    this.#fd = -1;
    return true;
  }
}

import { lstatSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { check, invalidArgType } from '../errors.js';
import { binding } from '../native.js';
import { AF_UNIX, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM } from '../sys/constants.js';
import type { SocketAddress } from '../sys/index.js';
import { LeakDetector } from './leak-detector.js';
import { Listener, type ListenerOptions } from './listener.js';
import { adoptStream, connectingSocket, listeningSocket } from './socket-setup.js';
import { Stream } from './stream.js';

const UNIX_STREAM = { families: [AF_UNIX], listening: false, kind: 'UnixStream' };
const UNIX_LISTENER = { families: [AF_UNIX], listening: true, kind: 'UnixListener' };

const streamLeaks = new LeakDetector('UnixStream');
const listenerLeaks = new LeakDetector('UnixListener');

function unixAddress(path: unknown): SocketAddress {
  if (typeof path !== 'string') throw invalidArgType('path', 'string', path);
  return { family: AF_UNIX, path };
}

/**
 * A Unix stream connection: non-blocking, close-on-exec, with one owner.
 *
 * @see unix(7)
 */
export class UnixStream extends Stream {
  /** Takes a descriptor that the environment owns already. @internal */
  static wrap(fd: number): UnixStream {
    return new UnixStream(fd, streamLeaks);
  }

  /**
   * Connects: socket(2), connect(2). A Unix socket connects at once or not at all.
   *
   * @param options.path  A path, or `'\0'` and an abstract name.
   * @throws SystemError `ENOENT`, `ECONNREFUSED`, `EACCES`, `EAGAIN` (the listener's queue is
   *         full) …; `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`.
   */
  static connect(options: { readonly path: string }): UnixStream {
    return UnixStream.wrap(connectingSocket(unixAddress(options.path)));
  }

  /** Two streams that are connected to each other: socketpair(2). */
  static pair(): [UnixStream, UnixStream] {
    const sv = new Int32Array(2);
    const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    check(binding.owned.socketpair(AF_UNIX, type, 0, sv), 'socketpair');
    return [UnixStream.wrap(sv[0] as number), UnixStream.wrap(sv[1] as number)];
  }

  /**
   * Takes over a connected Unix stream socket by its number. This object owns it from now on.
   *
   * @throws SystemError `EBADF`, `ENOTSOCK`; `ERR_INVALID_FD_TYPE`: another kind of socket;
   *         `ERR_FD_OWNED`: another object of this thread has it.
   */
  static adopt(fd: number): UnixStream {
    return UnixStream.wrap(adoptStream(fd, UNIX_STREAM));
  }
}

/** Where and how to listen. */
export interface UnixListenOptions extends ListenerOptions {
  /** A path that does not exist yet, at most 107 bytes; or `'\0'` and an abstract name. */
  readonly path: string;
  /**
   * Removes the path on `close()`, if it is still the same file. What unlink(2) is refused with is
   * thrown once the socket is closed. Default: on.
   */
  readonly unlinkOnClose?: boolean;
}

/**
 * A listening Unix stream socket.
 *
 * @see unix(7), listen(2)
 */
export class UnixListener extends Listener<UnixStream> {
  #boundFile: BoundFile | undefined;

  /**
   * Opens, binds and listens: socket(2), bind(2), listen(2).
   *
   * @throws SystemError `EADDRINUSE` (the path exists), `EACCES`, `ENOENT` …;
   *         `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` (the path is too long).
   */
  static listen(options: UnixListenOptions): UnixListener {
    const fd = listeningSocket(unixAddress(options.path), options, () => undefined);
    const listener = new UnixListener(fd, listenerLeaks, options);
    const onDisk = options.path !== '' && !options.path.startsWith('\0');
    if (onDisk && (options.unlinkOnClose ?? true)) {
      listener.#boundFile = new BoundFile(options.path);
    }
    return listener;
  }

  /**
   * Takes over a listening Unix stream socket by its number. This object owns it from now on; its
   * path is left alone.
   *
   * @throws SystemError `EBADF`, `ENOTSOCK`; `ERR_INVALID_FD_TYPE`: another kind of socket;
   *         `ERR_FD_OWNED`: another object of this thread has it.
   */
  static adopt(fd: number, options: ListenerOptions = {}): UnixListener {
    const owned = adoptStream(fd, UNIX_LISTENER);
    return new UnixListener(owned, listenerLeaks, options);
  }

  override close(): void {
    try {
      if (!this.closed) this.#boundFile?.remove();
    } finally {
      super.close();
    }
  }

  /** @internal */
  protected override wrap(fd: number): UnixStream {
    return UnixStream.wrap(fd);
  }
}

/** The socket file that `bind` made. */
class BoundFile {
  readonly #path: string;
  readonly #identity: string | undefined;

  constructor(path: string) {
    // Relative to where the program is now, as `bind` takes it, and not to where it closes.
    this.#path = resolve(path);
    this.#identity = identityOf(path);
  }

  /** Another listener may have taken the path since: its file stays. */
  remove(): void {
    if (this.#identity === undefined || identityOf(this.#path) !== this.#identity) return;
    unlinkSync(this.#path);
  }
}

function identityOf(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${String(stat.dev)}:${String(stat.ino)}`;
}

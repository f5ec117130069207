import { lstatSync, unlinkSync } from 'node:fs';
import { resolve } from 'node:path';

/** The socket file that `bind` made, to be removed with the socket. @internal */
export class BoundFile {
  readonly #path: string;
  readonly #identity: string | undefined;

  constructor(path: string) {
    // Relative to where the program is now, as `bind` takes it, and not to where it closes.
    this.#path = resolve(path);
    this.#identity = identityOf(path);
  }

  /** The file of a path that is one: abstract and unnamed addresses leave none. */
  static of(path: string): BoundFile | undefined {
    return path === '' || path.startsWith('\0') ? undefined : new BoundFile(path);
  }

  /** Another socket may have taken the path since: its file stays. */
  remove(): void {
    if (this.#identity === undefined || identityOf(this.#path) !== this.#identity) return;
    unlinkSync(this.#path);
  }
}

function identityOf(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${String(stat.dev)}:${String(stat.ino)}`;
}

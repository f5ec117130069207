/** Somebody who has Node's loop watch the descriptor of a set. @internal */
export interface LiveWatcher {
  /** The set is closed. */
  end(): void;
  /** The set was replaced under its number. */
  move(): void;
}

/** All who do so for one set, which tells them what happens to it. @internal */
export class LiveWatchers extends Set<LiveWatcher> {
  end(): void {
    for (const watcher of this) watcher.end();
  }

  move(): void {
    for (const watcher of this) watcher.move();
  }
}

/**
 * The readiness sets that are open on this thread.
 *
 * A descriptor leaves every one of them before it is closed: what stays registered while a
 * duplicate is open can never be removed by its number again. Asking each set costs one look at
 * an array; a program has few sets and many descriptors.
 */

/** What a set can do for a descriptor that changes behind its number. @internal */
export interface OpenSet {
  /** The descriptor is about to be closed: takes it out, if it is in. */
  forget(fd: number): void;
  /**
   * Another file is about to be behind the number: takes it out, if it is in. The answer puts it
   * in again as it was.
   */
  lift(fd: number): () => void;
}

// Weak: a set that nobody holds any more is to be found and reported by the collector.
const openSets = new Set<WeakRef<OpenSet>>();

function* sets(): IterableIterator<OpenSet> {
  for (const reference of openSets) {
    const set = reference.deref();
    if (set === undefined) openSets.delete(reference);
    else yield set;
  }
}

/** Lists a set. Call the answer when it closes. @internal */
export function listSet(set: OpenSet): () => void {
  const reference = new WeakRef(set);
  openSets.add(reference);
  return () => openSets.delete(reference);
}

/** Takes a descriptor out of every set of this thread. @internal */
export function leaveSets(fd: number): void {
  for (const set of sets()) set.forget(fd);
}

/** Puts another file behind a number without any set of this thread losing it. @internal */
export function replaceInSets(fd: number, replace: () => void): void {
  const lowers = [...sets()].map((set) => set.lift(fd));
  try {
    replace();
  } finally {
    for (const lower of lowers) lower();
  }
}

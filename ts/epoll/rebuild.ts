/**
 * Getting rid of ghosts.
 *
 * A registration whose descriptor was closed while a duplicate of it was open lives on in the
 * kernel: it reports events for a number that is somebody else's now, or nobody's, and no call
 * can remove it. Level-triggered, it makes every wait return at once. The one cure that always
 * works is a new set with everything that is still wanted, put in the place of the old one under
 * the same number.
 *
 * @see epoll(7), questions and answers, on closing a descriptor
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { replaceInSets } from '../descriptor/open-sets.js';
import { binding } from '../native.js';
import {
  EBADF,
  ENOENT,
  EPERM,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EPOLLERR,
  EPOLLEXCLUSIVE,
  EPOLLIN,
  EPOLLONESHOT,
  O_CLOEXEC,
} from '../sys/constants.js';
import { dup3 } from '../sys/index.js';
import {
  MUTED_GENERATION,
  NO_GENERATION,
  type Registration,
  type RegistrationTable,
} from '../set/registration-table.js';
import { setCtl } from '../set/set-calls.js';

/**
 * Whether the answer of `EPOLL_CTL_MOD` or `EPOLL_CTL_DEL` says that the kernel knows no such
 * registration. If the table does, the descriptor was closed behind our back: the number is free,
 * or a stranger's, perhaps a file that cannot be watched.
 * @internal
 */
export function isDenial(result: number): boolean {
  return result === -EBADF || result === -ENOENT || result === -EPERM;
}

/** Says that a set was built anew: somebody closes descriptors before they leave it. @internal */
export function warnOfGhosts(epfd: number): void {
  process.emitWarning(
    `epoll ${String(epfd)} reported a descriptor that was closed, or added, behind its back; the set was built anew`,
    { type: 'GhostEventWarning', code: 'RAW_EPOLL_GHOST' },
  );
}

/**
 * Replaces the set behind `epfd`. Answers false, and leaves all as it was, when there is no
 * descriptor for a new one.
 * @internal
 */
export function rebuild<T>(epfd: number, wakeFd: number, table: RegistrationTable<T>): boolean {
  const fresh = binding.owned.epoll_create1(EPOLL_CLOEXEC);
  if (fresh < 0) return false;
  let result = setCtl(fresh, EPOLL_CTL_ADD, wakeFd, EPOLLIN, NO_GENERATION);
  if (result >= 0) {
    copyInto(fresh, epfd, table);
    replaceInSets(epfd, () => {
      result = dup3(fresh, epfd, O_CLOEXEC);
    });
  }
  binding.owned.close(fresh);
  return result >= 0;
}

/**
 * Takes a registration out of a set. The answer adds it again as it was, to whatever file is
 * behind the number then.
 * @internal
 */
export function lift<T>(epfd: number, fd: number, table: RegistrationTable<T>): () => void {
  const registration = table.get(fd);
  if (registration === undefined) return () => undefined;
  const generation = generationToAdd(registration, table.generation(fd), kernelMasks(epfd));
  const result = setCtl(epfd, EPOLL_CTL_DEL, fd, 0, NO_GENERATION);
  if (result < 0) return () => undefined; // closed behind our back
  return () => {
    addAgain(epfd, registration, generation);
  };
}

/** An edge that was reported may be reported again; a one-shot that has fired stays silent. */
function copyInto<T>(fresh: number, epfd: number, table: RegistrationTable<T>): void {
  const masks = kernelMasks(epfd);
  for (const registration of table.entries()) {
    const { fd, events } = registration;
    const generation = table.generation(fd);
    // The kernel alone knows whether the number is still the file that was registered. What is
    // exclusive cannot be modified: EINVAL, which denies nothing.
    const mask = events & ~EPOLLEXCLUSIVE;
    if (isDenial(setCtl(epfd, EPOLL_CTL_MOD, fd, mask, generation))) {
      table.remove(fd);
      continue;
    }
    addAgain(fresh, registration, generationToAdd(registration, generation, masks));
  }
}

function addAgain(epfd: number, { fd, events }: Registration<unknown>, generation: number): void {
  const mask = generation === MUTED_GENERATION ? EPOLLONESHOT : events;
  setCtl(epfd, EPOLL_CTL_ADD, fd, mask, generation);
}

/**
 * The kernel cannot be told to add something disabled, because it adds `EPOLLERR` and `EPOLLHUP`
 * to every mask: a one-shot that has fired is added as one whose event is thrown away.
 */
function generationToAdd(
  { fd, events }: Registration<unknown>,
  generation: number,
  masks: ReadonlyMap<string, number>,
): number {
  if ((events & EPOLLONESHOT) === 0) return generation;
  const mask = masks.get(keyOf(generation, fd));
  // A muted one of this number beside its own may be a ghost.
  const hasFired =
    mask === undefined ? masks.has(keyOf(MUTED_GENERATION, fd)) : (mask & EPOLLERR) === 0;
  return hasFired ? MUTED_GENERATION : generation;
}

/** What the kernel writes as `data` of a registration. */
function keyOf(generation: number, fd: number): string {
  return generation.toString(16) + fd.toString(16).padStart(8, '0');
}

/**
 * The event mask of each registration, by its data, from `/proc/self/fdinfo`: a one-shot that
 * has fired shows no conditions there, which nothing else tells. Empty where there is no /proc.
 *
 * @see proc_pid_fdinfo(5)
 */
function kernelMasks(epfd: number): ReadonlyMap<string, number> {
  const line = /^tfd:\s*\d+\s+events:\s*(?<events>[0-9a-f]+)\s+data:\s*(?<data>[0-9a-f]+)/gm;
  const masks = new Map<string, number>();
  try {
    const text = readFileSync(`/proc/self/fdinfo/${String(epfd)}`, 'latin1');
    for (const { groups } of text.matchAll(line)) {
      masks.set(groups?.['data'] ?? '', Number.parseInt(groups?.['events'] ?? '0', 16));
    }
  } catch {
    return masks;
  }
  return masks;
}

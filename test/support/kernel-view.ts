/** What the kernel itself says about a process, from /proc: the oracle of the tests. */
import { existsSync, readFileSync } from 'node:fs';

/** A registration as the kernel keeps it. */
export interface KernelRegistration {
  readonly fd: number;
  /** uint32, with `EPOLLERR | EPOLLHUP`, which the kernel adds itself. */
  readonly events: number;
}

const REGISTRATION = /^tfd:\s*(\d+)\s+events:\s*([0-9a-f]+)\s+data:\s*([0-9a-f]+)/gm;

/** Descriptor, mask and data, as the kernel writes them. */
function readRegistrations(epfd: number): [fd: string, events: string, data: string][] {
  const text = readFileSync(`/proc/self/fdinfo/${epfd}`, 'latin1');
  return [...text.matchAll(REGISTRATION)]
    .map(([, fd = '', events = '', data = '']): [string, string, string] => [fd, events, data])
    .filter(([, , data]) => data.length > 8);
}

/**
 * The registrations of an epoll set, by their numbers, ghosts included, without the descriptor
 * that the library keeps for waking: that one alone has no generation in its data.
 */
export function kernelRegistrations(epfd: number): KernelRegistration[] {
  return readRegistrations(epfd)
    .map(([fd, events]) => ({ fd: Number(fd), events: Number.parseInt(events, 16) }))
    .sort((a, b) => a.fd - b.fd);
}

/** The data of those registrations, which no two of them share: it changes when they are made anew. */
export function kernelData(epfd: number): string {
  const data = readRegistrations(epfd).map((registration) => registration[2]);
  return data.sort().join();
}

/** Whether a number is an open descriptor of this process. */
export function isOpen(fd: number): boolean {
  return existsSync(`/proc/self/fdinfo/${fd}`);
}

/** The flags of open(2) and the position, as octal, that a descriptor has: `02004002`. */
export function openFlags(fd: number): number {
  const match = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'));
  return Number.parseInt(match?.[1] ?? '', 8);
}

/** How many descriptors this process may have, or 0 if that is not known. */
export function descriptorLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0);
}

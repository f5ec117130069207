/** What the kernel knows about another process, from /proc: what a server holds and what it costs. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** `sysconf(_SC_CLK_TCK)` is 100 wherever Linux runs: proc_pid_stat(5) counts in these. */
const TICK_MS = 10;

function proc(pid: number, file: string): string {
  return readFileSync(`/proc/${pid}/${file}`, 'latin1');
}

/** The descriptors that a process has open. */
export function descriptorsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/fd`).map(Number);
}

/** How many descriptors each epoll set of a process watches, Node's own sets among them. */
export function setSizesOf(pid: number): Record<string, number> {
  const sets = descriptorsOf(pid).filter(
    (fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === 'anon_inode:[eventpoll]',
  );
  return Object.fromEntries(
    sets.map((fd) => [fd, [...proc(pid, `fdinfo/${fd}`).matchAll(/^tfd:/gm)].length]),
  );
}

/** How much memory of a process is resident, in bytes. */
export function residentBytesOf(pid: number): number {
  return 1024 * Number(/^VmRSS:\s*(\d+) kB$/m.exec(proc(pid, 'status'))?.[1]);
}

/** The processor time that a process has used, in milliseconds, in steps of ten. */
export function cpuMsOf(pid: number): number {
  const fields = statOf(pid);
  return TICK_MS * (Number(fields[14 - 3]) + Number(fields[15 - 3])); // utime, stime
}

/** `R` runs, `S` sleeps, `T` was stopped. */
export function stateOf(pid: number): string {
  return statOf(pid)[0] ?? '';
}

/** The fields of proc_pid_stat(5) from the third on. The second, a name in brackets, holds anything. */
function statOf(pid: number): readonly string[] {
  const stat = proc(pid, 'stat');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** What the tests of level 1 stand on: real descriptors, and numbers that are not our own. */
import { mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { getSystemErrorMap } from 'node:util';
import {
  AF_INET,
  AF_UNIX,
  EV_ADD,
  F_SETFL,
  O_CLOEXEC,
  O_NONBLOCK,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';

/** The functions of level 1: what is not a class. */
export type SystemCall = {
  [Name in keyof typeof sys]: Name extends Uncapitalize<Name> ? Name : never;
}[keyof typeof sys];

/** Whether the addon has kqueue: a BSD, or the shim of test/shim/. Elsewhere it is all `-ENOSYS`. */
export const hasKqueue: boolean = EV_ADD !== 0;

/** What rows and tests of kqueue need. */
export const KQUEUE: { readonly feature: string; readonly isThere: boolean } = {
  feature: 'kqueue',
  isThere: hasKqueue,
};

/** Whether a name of level 1 is a system call. The others are arrays of structs, with a capital. */
export function isSystemCall(name: string): name is SystemCall {
  return /^[a-z]/.test(name);
}

const numbers: ReadonlyMap<string, number> = new Map([
  ...[...getSystemErrorMap()].map(([errno, [name]]): [string, number] => [name, -errno]),
  ...Object.entries(os.constants.errno),
]);

/** The number of an errno as Node knows it, not as the library does. */
export function errnoNumber(name: string): number | undefined {
  return numbers.get(name);
}

/** An answer in words: `EEXIST`, or the number that is no error. */
export function inWords(answer: number): string {
  if (answer >= 0) return String(answer);
  for (const [name, number] of numbers) if (number === -answer) return name;
  return `errno ${String(-answer)}`;
}

/** The answer of a call that only prepares a test. */
export function must(answer: number): number {
  if (answer < 0) throw new Error(`a preparation was refused: ${inWords(answer)}`);
  return answer;
}

/** Descriptors and folders of one test. All are gone at its end. */
export class Descriptors implements Disposable {
  readonly #fds = new Set<number>();
  readonly #folders: string[] = [];

  /** Takes over an answer that must be a descriptor. */
  own(answer: number): number {
    this.#fds.add(must(answer));
    return answer;
  }

  /** The test has closed it, or given it away. */
  disown(fd: number): void {
    this.#fds.delete(fd);
  }

  /** Closes one now. */
  close(fd: number): void {
    this.disown(fd);
    must(sys.close(fd));
  }

  folder(): string {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'raw-epoll-'));
    this.#folders.push(folder);
    return folder;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) sys.close(fd);
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}

/** A number that is not open: far above all that this process opens. */
export const NOT_OPEN = 9_999;

const NONBLOCK = SOCK_NONBLOCK | SOCK_CLOEXEC;

/** The two ends of a pipe that does not block. */
export function pipe(
  open: Descriptors,
  flags: number = O_NONBLOCK,
): [reader: number, writer: number] {
  const fds = new Int32Array(2);
  must(sys.pipe2(fds, flags | O_CLOEXEC));
  return [open.own(fds[0] as number), open.own(fds[1] as number)];
}

/** Two Unix sockets that are connected to each other and do not block. */
export function unixPair(
  open: Descriptors,
  type: number = SOCK_STREAM | SOCK_NONBLOCK,
): [a: number, b: number] {
  const fds = new Int32Array(2);
  must(sys.socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds));
  return [open.own(fds[0] as number), open.own(fds[1] as number)];
}

/** A socket that does not block. */
export function socket(open: Descriptors, domain: number, type: number): number {
  return open.own(sys.socket(domain, type | NONBLOCK, 0));
}

/** A socket that is bound to a port of its own, and nothing more. */
export function boundSocket(
  open: Descriptors,
  type: number = SOCK_DGRAM,
): { fd: number; port: number } {
  const fd = socket(open, AF_INET, type);
  must(sys.bind(fd, { family: AF_INET, address: '127.0.0.1', port: 0 }));
  return { fd, port: portOf(fd) };
}

/** A TCP listener on a port of its own. */
export function listener(open: Descriptors, backlog = 16): { fd: number; port: number } {
  const bound = boundSocket(open, SOCK_STREAM);
  must(sys.listen(bound.fd, backlog));
  return bound;
}

/** The port that a socket is bound to. */
export function portOf(fd: number): number {
  const address: sys.SocketAddressOut = {};
  must(sys.getsockname(fd, address));
  return address.port as number;
}

/** Both ends of a TCP connection. */
export function tcpPair(open: Descriptors): { client: number; server: number; listener: number } {
  const { fd, port } = listener(open);
  const client = open.own(sys.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  must(sys.connect(client, { family: AF_INET, address: '127.0.0.1', port }));
  must(sys.fcntl(client, F_SETFL, O_NONBLOCK));
  const server = open.own(sys.accept4(fd, null, NONBLOCK));
  return { client, server, listener: fd };
}

/** Connects to it are refused: bound, so that nobody else takes the port, and not listening. */
export function refusingPort(open: Descriptors): number {
  return boundSocket(open, SOCK_STREAM).port;
}

/** A regular file. */
export function regularFile(open: Descriptors): number {
  return open.own(openSync(process.execPath, 'r'));
}

/** Sends until no more fits. */
export function fill(fd: number): void {
  const chunk = new Uint8Array(65_536);
  for (;;) {
    const written = sys.write(fd, chunk, 0, chunk.length);
    if (written < 0) break;
  }
  // The rest of the room, byte by byte: a socket that takes no chunk may take one byte.
  while (sys.write(fd, chunk, 0, 1) > 0);
}

/** Duplicates until there is no number left. For processes with a low limit. */
export function fillTable(open: Descriptors): void {
  for (let fd = sys.dup(0); fd >= 0; fd = sys.dup(0)) open.own(fd);
}

/** What coreutils make a FIFO with. Ask for it with `testWithPrograms`. */
export const MKFIFO = 'mkfifo';

/** What is open, and what it is, from the kernel itself: `['0 /dev/null', …]`. */
export function openFiles(): string[] {
  const files: string[] = [];
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      files.push(`${name} ${readlinkSync(`/proc/self/fd/${name}`)}`);
    } catch {
      continue; // the folder that was read, closed again
    }
  }
  return files.sort();
}

import process from 'node:process';
import { check, checkOptions, INT_MAX, invalidArgType, outOfRange } from '../errors.js';
import { F_GETFD, F_SETFD, FD_CLOEXEC } from '../sys/constants.js';
import { fcntl } from '../sys/index.js';

/** `SD_LISTEN_FDS_START`: after the three of stdio. */
const FIRST = 3;
const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'] as const;
/** What systemd calls those that have no name. */
const NAMELESS = 'unknown';

/** A descriptor that whoever started this process has opened for it. */
export interface InheritedDescriptor {
  /** The number, for the `adopt` of the class that fits. Nobody owns it until then. */
  readonly fd: number;
  /** What `FileDescriptorName=` calls it; `'unknown'` without a name. */
  readonly name: string;
}

/** How {@link inheritedDescriptors} leaves the environment. */
export interface InheritedDescriptorsOptions {
  /**
   * Removes the three variables, so that no child process sees them. It would not take them for its
   * own: they name this process. Default: off.
   */
  readonly unsetEnvironment?: boolean;
}

/**
 * The descriptors that this process was started with, as systemd and others pass them
 * (socket activation): sd_listen_fds(3). `LISTEN_PID` says for which process they are, `LISTEN_FDS` how
 * many there are, from 3 on, and `LISTEN_FDNAMES` what they are called.
 *
 * Each is made close-on-exec, and not looked at otherwise: `adopt` sees whether it fits. A second
 * call answers the same.
 *
 * ```ts
 * const [inherited] = inheritedDescriptors();
 * const listener = inherited ? TcpListener.adopt(inherited.fd) : TcpListener.listen({ port: 8080 });
 * ```
 *
 * Threads: the numbers belong to the process. A worker sees its own copy of the environment, and
 * `unsetEnvironment` changes only that.
 *
 * @returns  Nothing if there are none, or none for this process.
 * @throws `ERR_OUT_OF_RANGE`: `LISTEN_PID` or `LISTEN_FDS` is no number of a process, or of
 *         descriptors; or there are more names than descriptors, or fewer. SystemError `EBADF`: one of
 *         them is not open. `ERR_INVALID_ARG_TYPE`.
 * @see sd_listen_fds(3), systemd.socket(5)
 */
export function inheritedDescriptors(
  options: InheritedDescriptorsOptions = {},
): InheritedDescriptor[] {
  const { unsetEnvironment = false } = checkOptions(options);
  if (typeof unsetEnvironment !== 'boolean') {
    throw invalidArgType('options.unsetEnvironment', 'boolean', unsetEnvironment);
  }
  const [pid, count, names] = VARIABLES.map((variable) => process.env[variable]);
  if (unsetEnvironment)
    for (const variable of VARIABLES) Reflect.deleteProperty(process.env, variable);
  if (pid === undefined || numberIn('LISTEN_PID', pid) !== process.pid) return [];
  return count === undefined ? [] : named(numberIn('LISTEN_FDS', count), names);
}

function named(count: number, names: string | undefined): InheritedDescriptor[] {
  if (count > INT_MAX - FIRST) throw outOfRange('LISTEN_FDS', 'a count of descriptors', count);
  const given = names?.split(':');
  if (given !== undefined && given.length !== count) {
    throw outOfRange('LISTEN_FDNAMES', `${String(count)} names with colons between`, names);
  }
  // One after the other, and not an array of `count` first: the number comes from outside.
  const inherited: InheritedDescriptor[] = [];
  for (let i = 0; i < count; i++) {
    const fd = FIRST + i;
    closeOnExec(fd);
    inherited.push({ fd, name: given?.[i] ?? NAMELESS });
  }
  return inherited;
}

/** A number from 1 on, without sign or blank. */
function numberIn(variable: string, text: string): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (number > 0) return number;
  throw outOfRange(variable, 'a number from 1 on', JSON.stringify(text));
}

function closeOnExec(fd: number): void {
  const details = { fd, detail: `fd ${String(fd)}` };
  const flags = check(fcntl(fd, F_GETFD), 'fcntl', details);
  check(fcntl(fd, F_SETFD, flags | FD_CLOEXEC), 'fcntl', details);
}

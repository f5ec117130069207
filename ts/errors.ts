/**
 * The errors of levels 2 and up. Level 1 answers numbers; the addon throws its own
 * `ERR_INVALID_ARG_TYPE` and `ERR_OUT_OF_RANGE` in the same form as these.
 */
import { binding } from './native.js';

/** Something an error can be about: a descriptor that failed, and words that say more. */
export interface SystemErrorDetails {
  /** The descriptor that the call was about. */
  readonly fd?: number;
  /** Follows the name of the call in the message: `ADD fd 7 on epoll 5`. */
  readonly detail?: string;
}

/**
 * A system call was refused.
 *
 * `message` reads `EEXIST: file exists, epoll_ctl ADD fd 7 on epoll 5`.
 */
export class SystemError extends Error {
  /** The kernel's name: `'EEXIST'`. */
  readonly code: string;
  /** Negative, as Node's own errors have it: `-17`. */
  readonly errno: number;
  /** The system call: `'epoll_ctl'`. */
  readonly syscall: string;
  /** The descriptor that the call was about; absent if there was none. */
  declare readonly fd?: number;

  /**
   * @param errno    What level 1 answered: a negated errno. A positive errno is taken as well.
   * @param syscall  The system call that answered it.
   * @param details  The descriptor, and more words for the message.
   */
  constructor(errno: number, syscall: string, details: SystemErrorDetails = {}) {
    const code = binding.sys.errnoName(errno);
    const what = details.detail === undefined ? syscall : `${syscall} ${details.detail}`;
    super(`${code}: ${lowerCaseFirst(binding.sys.strerror(errno))}, ${what}`);
    this.name = 'SystemError';
    this.code = code;
    this.errno = -Math.abs(errno);
    this.syscall = syscall;
    if (details.fd !== undefined) this.fd = details.fd;
  }
}

function lowerCaseFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** An error of the library itself, told apart by `code`. */
export interface CodedError extends Error {
  /** `ERR_CLOSED`, `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE` … */
  readonly code: string;
}

/** @internal */
export function closedError(what: string): CodedError {
  return Object.assign(new Error(`${what} is closed`), { code: 'ERR_CLOSED' });
}

/** @internal */
export function unavailableError(what: string): CodedError {
  return Object.assign(new Error(`${what} is not available on this system`), {
    code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
  });
}

/** @internal */
export function stateError(what: string): CodedError {
  return Object.assign(new Error(what), { code: 'ERR_INVALID_STATE' });
}

/** @internal */
export function invalidArgType(name: string, expected: string, received: unknown): CodedError {
  const type = received === null ? 'null' : `type ${typeof received}`;
  return Object.assign(
    new TypeError(`The "${name}" argument must be of type ${expected}. Received ${type}`),
    { code: 'ERR_INVALID_ARG_TYPE' },
  );
}

/** @internal */
export function outOfRange(name: string, expected: string, received: unknown): CodedError {
  return Object.assign(
    new RangeError(
      `The value of "${name}" is out of range. It must be ${expected}. Received ${String(received)}`,
    ),
    { code: 'ERR_OUT_OF_RANGE' },
  );
}

/** @internal */
export function invalidReturnValue(name: string, expected: string, received: unknown): CodedError {
  const text = `Expected ${expected} to be returned from "${name}". Received ${typeof received}`;
  return Object.assign(new TypeError(text), { code: 'ERR_INVALID_RETURN_VALUE' });
}

/** The answer of a call that must not fail. @internal */
export function check(result: number, syscall: string, details?: SystemErrorDetails): number {
  if (result < 0) throw new SystemError(result, syscall, details);
  return result;
}

/** Options, or what pretends to be some. @internal */
export function checkOptions<O extends object>(options: O): O {
  if (typeof options === 'object' && (options as O | null) !== null) return options;
  throw invalidArgType('options', 'object', options);
}

/**
 * What stands for options that were left out, where it counts: a `{}` is 56 bytes for each call.
 * @internal
 */
export const NO_OPTIONS: Readonly<Record<string, never>> = Object.freeze({});

/** What a C int holds. @internal */
export const INT_MIN: number = -(2 ** 31);
/** @internal */
export const INT_MAX: number = 2 ** 31 - 1;

/** @internal */
export function checkInteger(
  value: unknown,
  name: string,
  lowest: number,
  highest: number,
): number {
  if (typeof value !== 'number') throw invalidArgType(name, 'number', value);
  if (Number.isInteger(value) && value >= lowest && value <= highest) return value;
  throw outOfRange(name, `an integer >= ${String(lowest)} and <= ${String(highest)}`, value);
}

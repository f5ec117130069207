import type { ExecutionContext } from 'ava';

/** The two errors that misuse of level 1 throws. */
export type MisuseCode = 'ERR_INVALID_ARG_TYPE' | 'ERR_OUT_OF_RANGE';

const CLASSES = {
  ERR_INVALID_ARG_TYPE: TypeError,
  ERR_OUT_OF_RANGE: RangeError,
} as const;

/** Checks that a call throws one of the two errors, in its form, about that argument. */
export function refuses(
  t: ExecutionContext,
  call: () => unknown,
  code: MisuseCode,
  argument: string,
  why = '',
): void {
  const error = t.throws(call, { code, instanceOf: CLASSES[code] }, why);
  const quoted = new RegExp(`"(?:\\w+\\.)?${argument}"`);
  t.regex(error.message, quoted, why);
}

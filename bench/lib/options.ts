/** Command lines. */

/** A whole number above 0, and no larger than `most`. */
export function parseCount(
  option: string,
  text: string,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`--${option} must be a whole number above 0, not ${text}`);
  }
  if (value > most) throw new RangeError(`--${option} may be ${String(most)} at most, not ${text}`);
  return value;
}

/** What `parse` answers; if it throws, says why in one line and sets exit code 2. */
export function optionsOrUsage<T>(program: string, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.error(`${program}: ${error.message}`);
    process.exitCode = 2;
    return undefined;
  }
}

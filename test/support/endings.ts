import type { ExecutionContext } from 'ava';
import { fixture, runNode } from './child.js';

/** A way in which a program ends, and what is seen of it. */
export interface Ending {
  readonly way: string;
  readonly code: number;
  readonly output: string;
}

/** Has a program of `test/fixtures/` end in that way, and looks whether it does. */
export async function expectEnding(
  t: ExecutionContext,
  name: string,
  { way, code, output }: Ending,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const child = await runNode(fixture(name), { args: [way], env, timeoutMs: 30_000 });
  t.is(child.stdout, output, child.stderr);
  t.deepEqual([child.code, child.signal], [code, null], child.stderr);
}

/** Groups of workers that a test ends, however it ends itself. */
import type { ExecutionContext } from 'ava';
import { LoopGroup, type LoopGroupOptions } from '../../ts/index.js';
import type { MemberTask } from '../fixtures/group-member.js';

/** The module of a member that does what its {@link MemberTask} says. */
export const memberFile: URL = new URL('../fixtures/group-member.js', import.meta.url);

/** The tasks of the members, by index. */
export function tasks(...all: readonly MemberTask[]): (index: number) => MemberTask | undefined {
  return (index) => all[index];
}

/** A group of two, unless its options say otherwise. */
export function startGroup(
  t: Pick<ExecutionContext, 'teardown'>,
  options: LoopGroupOptions,
  file: string | URL = memberFile,
): LoopGroup {
  const group = new LoopGroup(file, { size: 2, ...options });
  t.teardown(() => group.shutdown({ graceMs: 0, forceMs: 0 }));
  return group;
}

/** What a promise is rejected with. An error of a worker is a copy, which ava takes for none. */
export async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  const notRejected = Symbol('resolved');
  const reason = await promise.then(
    () => notRejected,
    (error: unknown) => error,
  );
  if (reason === notRejected) throw new Error('was to be rejected, and has resolved');
  return reason;
}

/** The message of that. */
export async function messageOf(promise: Promise<unknown>): Promise<string> {
  return ((await reasonOf(promise)) as Error).message;
}

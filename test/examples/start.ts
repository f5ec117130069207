import type { ExecutionContext } from 'ava';
import { startExample, type RunningServer } from '../support/server.js';

/** How a server is started, if not plainly. */
export interface StartOptions {
  readonly nodeArgs?: readonly string[];
  /** See {@link startExample}. */
  readonly through?: readonly string[];
}

/** Starts an example that the end of the test kills, however it ends; a hang is such an end. */
export async function start(
  t: ExecutionContext,
  name: string,
  args: readonly string[],
  { nodeArgs, through }: StartOptions = {},
): Promise<RunningServer> {
  t.timeout(300_000); // a thousand clients, beside other tests, perhaps under sanitizers
  const server = await startExample(name, args, nodeArgs, through);
  t.teardown(() => server.stop('SIGKILL'));
  return server;
}

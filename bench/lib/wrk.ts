/** `wrk` as a second opinion on the load generator of our own. */

import { spawnSync } from 'node:child_process';
import { runToEnd } from './child.js';
import { pinned } from './placement.js';
import type { RunningServer } from './running.js';

/** Requests a second, as wrk counts them. @throws if wrk saw errors. */
export async function requestsPerSecondByWrk(
  server: RunningServer,
  core: number | undefined,
  options: { readonly connections: number; readonly seconds: number; readonly target: string },
): Promise<number> {
  if (!('port' in server.at)) throw new Error('wrk needs a port');
  const { connections, seconds, target } = options;
  const url = `http://127.0.0.1:${String(server.at.port)}${target}`;
  const numbers = ['-t1', `-c${String(connections)}`, `-d${String(seconds)}s`];
  const report = await runToEnd(pinned(core, ['wrk', ...numbers, url]), seconds * 1000 + 30_000);
  const trouble = /^ +(Non-2xx|Socket errors).*$/m.exec(report);
  if (trouble !== null) throw new Error(`wrk: ${trouble[0].trim()}`);
  return Number(/^Requests\/sec: +([\d.]+)/m.exec(report)?.[1]);
}

/** Whether wrk is installed. */
export function hasWrk(): boolean {
  return spawnSync('wrk', ['--version'], { stdio: 'ignore' }).error === undefined;
}

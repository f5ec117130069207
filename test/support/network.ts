/** Programs in a network of their own: a loopback where packets may be lost. */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import test, { type ExecutionContext } from 'ava';
import { run, type ChildOptions, type ChildResult } from './child.js';
import { testWithPrograms } from './programs.js';

/** Has the packets of a family lost in both directions without a word, as the documents' firewall does. */
export function dropAll(family: 'IPv4' | 'IPv6'): string {
  const command = family === 'IPv4' ? 'iptables' : 'ip6tables';
  return ['INPUT', 'OUTPUT'].map((chain) => `${command} -P ${chain} DROP`).join(' && ');
}

/** Runs a Node program in a new network, in which some commands have been run before. */
export function runInNetwork(
  setUp: readonly string[],
  file: string,
  { args = [], ...options }: ChildOptions = {},
): Promise<ChildResult> {
  const script = ['ip link set lo up', ...setUp, 'exec "$@"'].join(' && ');
  const command = [process.execPath, file, ...args];
  return run('unshare', ['-rn', 'sh', '-c', script, 'sh', ...command], options);
}

/** Why a network with these commands is not to be had: what the kernel says; undefined if it is. */
function lack(setUp: readonly string[]): string | undefined {
  const script = ['ip link set lo up', ...setUp].join(' && ');
  const { status, stderr } = spawnSync('unshare', ['-rn', 'sh', '-c', script], {
    encoding: 'utf8',
  });
  if (status === 0) return undefined;
  return (stderr as string | null)?.trim().split('\n', 1).join() ?? 'no unshare';
}

/** A test that needs a network of its own; skipped where the kernel has none, or no packet filter. */
export function testWithNetwork(
  title: string,
  setUp: readonly string[],
  body: (t: ExecutionContext) => Promise<void>,
): void {
  const used = ['iptables', 'ip6tables'].filter((name) => setUp.join().includes(`${name} `));
  const programs = ['unshare', 'ip', ...used];
  const lacks = lack(setUp);
  if (lacks === undefined || /not found|no unshare/.test(lacks)) {
    testWithPrograms(programs, title, body);
  } else {
    test.skip(`${title} (no network namespace, or no packet filter: ${lacks})`, body);
  }
}

/** The results as text. */

import type { Absolute, Compared, ScenarioResult } from './results.js';
import { describeScenario } from './scenarios.js';
import { type ContenderName, serverLabels } from './servers.js';
import type { Spread } from './statistics.js';
import { formatCount, formatTable } from './table.js';

/** From this share of its core on, the load generator is what limits the throughput. */
const LOAD_LIMITED_SHARE = 0.9;

function formatRatio({ median, low, high }: Spread): string {
  return `${median.toFixed(3)} [${low.toFixed(2)}..${high.toFixed(2)}]`;
}

function formatAbsolute(server: Absolute): readonly string[] {
  return [
    formatCount(server.messagesPerSecond.median),
    formatCount(server.cpuNsPerMessage.median),
    server.p50Us.toFixed(1),
    server.p99Us.toFixed(1),
    formatCount(server.collections),
  ];
}

function formatCompared(server: Compared): readonly string[] {
  return [
    formatRatio(server.throughput),
    formatRatio(server.cpu),
    ...formatAbsolute(server),
    `${String(server.quietPairs)}/${String(server.pairs)}`,
  ];
}

const HEADING: readonly string[] = [
  '',
  'throughput / C',
  'CPU per msg / C',
  'msgs/s',
  'CPU ns/msg',
  'p50 µs',
  'p99 µs',
  'GCs',
  'quiet pairs',
];

/** The table of a scenario, and below it `net` against ours. */
export function formatScenario(result: ScenarioResult): string {
  const { scenario, yardstick, servers, netOver } = result;
  const rows = (Object.entries(servers) as [ContenderName, Compared][]).map(([name, server]) => [
    serverLabels[name],
    ...formatCompared(server),
  ]);
  const first = [serverLabels.c, '1', '1', ...formatAbsolute(yardstick), ''];
  const lines = [
    `${scenario.name}: ${describeScenario(scenario)}`,
    formatTable([HEADING, first, ...rows]),
  ];
  for (const name of ['sys', 'echo'] as const) {
    const ratio = netOver[name];
    if (ratio === undefined) continue;
    lines.push(`CPU per message, Node net over ${serverLabels[name]}: ${formatRatio(ratio)}`);
  }
  if (yardstick.loadCpuShare >= LOAD_LIMITED_SHARE) {
    const share = `${(yardstick.loadCpuShare * 100).toFixed(0)} %`;
    lines.push(`The load generator used ${share} of its core: compare CPU rather than throughput.`);
  }
  return lines.join('\n');
}

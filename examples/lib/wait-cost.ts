/** What one wait costs, by backend and number of idle descriptors: measured, tabulated, drawn. */
import * as echarts from 'echarts';
import { EventFd, Poller, PollerEvents, READABLE, SystemError, type BackendName } from 'raw-epoll';

/** The median cost of a wait, for one backend and number of idle descriptors. */
export interface Cost {
  readonly backend: string;
  readonly idle: number;
  readonly ns: number;
}

const IDLE = [10, 100, 900, 10_000, 19_900]; // select ends at 1,023
const ROUNDS = 15;
/** How long one round goes on waiting, at least. */
const ROUND_MS = 20;

/**
 * Measures every backend that runs here. The backends take turns, round by round, so that what
 * disturbs the machine disturbs them all; the middle one of the rounds counts.
 */
export function measureCosts(progress: (line: string) => void): Cost[] {
  // Opened first: select must be woken by a low number, as everything in it must be low.
  const pollers = Poller.backends().map((name) => new Poller({ backend: name as BackendName }));
  const descriptors = [new EventFd({ initialValue: 1 })];
  const costs: Cost[] = [];
  try {
    for (const idle of IDLE) {
      progress(`${idle} idle descriptors`);
      if (!grow(descriptors, idle + 1)) break;
      costs.push(
        ...measureAt(
          idle,
          pollers.filter((poller) => fill(poller, descriptors)),
        ),
      );
    }
  } finally {
    for (const owner of [...pollers, ...descriptors]) owner.close();
  }
  return costs;
}

/** False if the process may not have so many: `ulimit -n`. */
function grow(descriptors: EventFd[], count: number): boolean {
  try {
    while (descriptors.length < count) descriptors.push(new EventFd());
    return true;
  } catch (error) {
    if (error instanceof SystemError && error.code === 'EMFILE') return false;
    throw error;
  }
}

/** Adds what is not in the set yet. False if the set cannot have so many: select, FD_SETSIZE. */
function fill(poller: Poller, descriptors: readonly EventFd[]): boolean {
  if (descriptors.some(({ fd }) => fd > poller.supports.descriptorMax)) return false;
  for (const descriptor of descriptors.slice(poller.size)) poller.add(descriptor, READABLE);
  return true;
}

function measureAt(idle: number, pollers: readonly Poller[]): Cost[] {
  const rounds = pollers.map((): number[] => []);
  for (const poller of pollers) oneRound(poller); // for the compiler and the caches
  for (let i = 0; i < ROUNDS; i++) {
    for (const [which, poller] of pollers.entries()) rounds[which]?.push(oneRound(poller));
  }
  return pollers.map(({ backend }, which) => ({ backend, idle, ns: median(rounds[which] ?? []) }));
}

/** Nanoseconds for each of as many waits as fit. None of them blocks: one descriptor is ready. */
function oneRound(poller: Poller): number {
  const events = new PollerEvents(8);
  let waits = 0;
  const started = performance.now();
  let ms: number;
  do {
    for (let i = 0; i < 8; i++) poller.wait(events);
    waits += 8;
    ms = performance.now() - started;
  } while (ms < ROUND_MS);
  return (ms * 1e6) / waits;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const backendsOf = (costs: readonly Cost[]): string[] => [
  ...new Set(costs.map(({ backend }) => backend)),
];

/** A table: a line for each number of idle descriptors, a column for each backend. */
export function tabulateCosts(costs: readonly Cost[]): string {
  const backends = backendsOf(costs);
  const line = (first: string, cells: readonly string[]): string =>
    first.padStart(8) + cells.map((cell) => cell.padStart(14)).join('');
  const rows = [...new Set(costs.map(({ idle }) => idle))].map((idle) =>
    line(
      String(idle),
      backends.map((backend) => {
        const cost = costs.find((one) => one.backend === backend && one.idle === idle);
        return cost === undefined ? '-' : `${Math.round(cost.ns).toLocaleString('en')} ns`;
      }),
    ),
  );
  return [line('idle', backends), ...rows].join('\n');
}

/** The same as a chart, both axes logarithmic: an SVG document. */
export function drawCosts(costs: readonly Cost[]): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 800, height: 480 });
  chart.setOption({
    title: { text: 'Cost of one wait, one descriptor ready', left: 'center' },
    legend: { bottom: 0 },
    grid: { left: 80, right: 40 },
    xAxis: { type: 'log', name: 'idle descriptors', nameLocation: 'middle', nameGap: 28 },
    yAxis: { type: 'log', name: 'ns', min: 100 },
    series: backendsOf(costs).map((backend) => ({
      ...{ type: 'line', name: backend },
      data: costs.filter((cost) => cost.backend === backend).map(({ idle, ns }) => [idle, ns]),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

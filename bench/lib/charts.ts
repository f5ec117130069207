/** The drawings of a report: SVG, drawn without a browser. */

import * as echarts from 'echarts';
import { plural } from './report-text.js';
import { type LoadResult, type ProbeResult, probeValue, type Results } from './results.js';

/** A drawing. */
export interface Chart {
  readonly name: string;
  readonly title: string;
  readonly svg: string;
}

const WIDTH = 860;
const ROW_HEIGHT = 26;
const FRAME_HEIGHT = 110;

/** echarts numbers what it draws in a process; a file should not depend on what was drawn before. */
function renumbered(svg: string): string {
  const names = new Map<string, string>();
  return svg.replaceAll(/\bzr\d+-(cls-|[a-z]+)\d+/g, (name, kind: string) => {
    const own = names.get(name) ?? `${kind}${names.size}`;
    names.set(name, own);
    return own;
  });
}

function draw(height: number, option: echarts.EChartsCoreOption): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({ animation: false, backgroundColor: '#fff', ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return renumbered(svg);
}

const twoDigits = (value: number): number => Math.round(value * 100) / 100;

/** Bars, the first at the top. */
function drawBars(
  title: string,
  axis: string,
  bars: readonly (readonly [label: string, value: number])[],
  line?: number,
): string {
  const mark =
    line === undefined
      ? {}
      : {
          markLine: {
            silent: true,
            symbol: 'none',
            label: { show: false },
            data: [{ xAxis: line }],
          },
        };
  return draw(FRAME_HEIGHT + ROW_HEIGHT * bars.length, {
    title: { text: title, left: 'center' },
    grid: { left: 190, right: 70, top: 40, bottom: 60 },
    xAxis: { type: 'value', name: axis, nameLocation: 'middle', nameGap: 30 },
    yAxis: { type: 'category', inverse: true, data: bars.map(([label]) => label) },
    series: [
      {
        type: 'bar',
        data: bars.map(([, value]) => value),
        label: { show: true, position: 'right' },
        ...mark,
      },
    ],
  });
}

/** CPU for each message, C being 1. */
function drawCpu(result: LoadResult): Chart {
  const bars = Object.values(result.servers).map(
    ({ label, cpu }) => [label, twoDigits(cpu.median)] as const,
  );
  const title = `CPU per ${result.unit}: ${result.title}`;
  return {
    name: `cpu-${result.name}`,
    title,
    svg: drawBars(title, 'times that of C epoll, less is better', bars, 1),
  };
}

/** How many a second. */
function drawThroughput(result: LoadResult): Chart {
  const all = [result.yardstick, ...Object.values(result.servers)];
  const bars = all.map(({ label, perSecond }) => [label, Math.round(perSecond.median)] as const);
  const title = `${plural(result.unit)} per second: ${result.title}`;
  return {
    name: `throughput-${result.name}`,
    title,
    svg: drawBars(title, `${plural(result.unit)} per second, more is better`, bars),
  };
}

/** Cost against idle descriptors, both axes logarithmic. */
function drawWaitCost(probe: ProbeResult): Chart {
  const title = 'Cost of one wait, one descriptor ready';
  const series = Object.entries(probe.rows).map(([name, { label, rounds }]) => {
    const idle = [...new Set(rounds.flatMap((round) => Object.keys(round)))].map(Number);
    const data = idle
      .sort((a, b) => a - b)
      .map((count) => [count, Math.round(probeValue(probe, name, String(count)) ?? NaN)]);
    return { type: 'line', name: label, data };
  });
  const svg = draw(480, {
    title: { text: title, left: 'center' },
    legend: { bottom: 0 },
    grid: { left: 80, right: 40, bottom: 80 },
    xAxis: { type: 'log', name: 'idle descriptors', nameLocation: 'middle', nameGap: 28 },
    yAxis: { type: 'log', name: 'ns', min: 100 },
    series,
  });
  return { name: 'wait-cost', title, svg };
}

function drawMemory(probe: ProbeResult): Chart {
  const bars = Object.entries(probe.rows).map(
    ([name, { label }]) =>
      [label, Math.round(probeValue(probe, name, 'B for each') ?? NaN)] as const,
  );
  const title = 'Memory for each idle connection';
  return { name: 'memory', title, svg: drawBars(title, 'bytes, less is better', bars) };
}

/** What is drawn of which scenario and probe. */
const loadCharts: Readonly<Record<string, (result: LoadResult) => Chart>> = {
  '64x50': drawCpu,
  '4Kx50': drawCpu,
  '64Kx50': drawCpu,
  http50: drawThroughput,
  passwords: drawThroughput,
};
const probeCharts: Readonly<Record<string, (probe: ProbeResult) => Chart>> = {
  'wait-cost': drawWaitCost,
  memory: drawMemory,
};

/** The drawings of a run: of those scenarios that were measured. */
export function drawCharts({ loads, probes }: Results): readonly Chart[] {
  return [
    ...loads.flatMap((result) => loadCharts[result.name]?.(result) ?? []),
    ...probes.flatMap((probe) => probeCharts[probe.name]?.(probe) ?? []),
  ];
}

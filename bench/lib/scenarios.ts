/** What is measured: sizes of message and numbers of connections. */

/** A size of message at a number of connections. */
export interface Scenario {
  /** As on the command line: `64x50`, `4Kx1000`. */
  readonly name: string;
  readonly size: number;
  readonly connections: number;
}

const SIZES: readonly (readonly [label: string, bytes: number])[] = [
  ['64', 64],
  ['4K', 4096],
  ['64K', 65536],
];

const CONNECTIONS: readonly number[] = [1, 50, 1000];

/** All scenarios of the benchmark. */
export const scenarios: readonly Scenario[] = SIZES.flatMap(([label, size]) =>
  CONNECTIONS.map((connections) => ({
    name: `${label}x${String(connections)}`,
    size,
    connections,
  })),
);

/** For a heading: `64 B, 50 connections`. */
export function describeScenario({ size, connections }: Scenario): string {
  const bytes = size < 1024 ? `${String(size)} B` : `${String(size / 1024)} KiB`;
  return `${bytes}, ${String(connections)} connection${connections === 1 ? '' : 's'}`;
}

/**
 * The scenarios with these names, in the order of {@link scenarios}. Several names in one value may
 * be separated by commas.
 */
export function selectScenarios(filters: readonly string[]): readonly Scenario[] {
  const names = new Set(filters.flatMap((filter) => filter.split(',')));
  const known = scenarios.map(({ name }) => name);
  for (const name of names) {
    if (!known.includes(name)) {
      throw new RangeError(`no scenario ${name}; there are: ${known.join(', ')}`);
    }
  }
  return scenarios.filter(({ name }) => names.has(name));
}

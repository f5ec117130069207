/** What the servers on Node have in common: where they listen, and how they say so. */

import type { AddressInfo } from 'node:net';
import { parseArgs, type ParseArgsConfig } from 'node:util';

/** As many as the servers in C allow to wait for `accept`. */
export const BACKLOG = 4096;

/** Where to listen. `path`: a Unix socket instead of host and port. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly path: string | undefined;
}

/** A server's own options, as `parseArgs` wants them. */
type OwnOptions = NonNullable<ParseArgsConfig['options']>;

/** Reads `--host`, `--port`, `--path` and a server's own options, all of which are optional. */
export function parsePlace(own: OwnOptions = {}): {
  readonly place: Place;
  readonly values: Readonly<Record<string, unknown>>;
} {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '0' },
      path: { type: 'string' },
      ...own,
    },
  });
  const { host, port, path } = values;
  return {
    place: { host, port: Number(port), path },
    values,
  };
}

/** The line that the benchmark waits for. */
export function announce(address: AddressInfo | string | null): void {
  if (address === null) throw new Error('not listening');
  const where =
    typeof address === 'string' ? address : `${address.address}:${String(address.port)}`;
  console.log(`listening on ${where}`);
}

/** Ends the process in order on the signal that the benchmark sends. */
export function endOnSignal(): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
}

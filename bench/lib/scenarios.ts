/** The table of scenarios that put servers under load. Those that do not are in probes.ts. */

import type { AbOptions } from './ab.js';
import type { Traffic } from './load.js';
import type { Work } from './servers.js';

/** A load on servers. */
export interface Scenario {
  /** As on the command line: `64x50`. */
  readonly name: string;
  readonly title: string;
  /** The heading that it stands under in the report. */
  readonly section: string;
  readonly work: Work;
  /** What is counted. */
  readonly unit: 'message' | 'request' | 'connection' | 'delivery';
  readonly load: Traffic | { readonly ab: AbOptions };
  /** Over a Unix socket. */
  readonly onPath?: boolean;
  /** Connections beside those of the load that do nothing. */
  readonly idle?: number;
  /** Where system calls are counted, and where wrk is asked too. */
  readonly systemCalls?: boolean;
  readonly wrk?: boolean;
  /** The servers beside the yardstick and the control. */
  readonly servers: readonly string[];
  /** The servers of a quick run; none: it is not in it. */
  readonly quick?: readonly string[];
  /** Those of which a failure is a result, and not a fault of the benchmark. */
  readonly mayFail?: readonly string[];
  /** A server that takes fewer requests, because it would take minutes for all. */
  readonly fewer?: Readonly<Record<string, number>>;
}

const OURS: readonly string[] = ['sys', 'echo', 'run', 'runAsync'];
const ALL: readonly string[] = [
  ...[...OURS, 'net', 'go', 'bun', 'deno', 'selectors', 'asyncio', 'libuv', 'libevent'],
];
const MOST: readonly string[] = ['echo', 'run', 'runAsync', 'net', 'go', 'bun'];
const FEW: readonly string[] = ['echo', 'run', 'net'];
const SOME: readonly string[] = [...FEW, 'go', 'bun'];

const SIZES: readonly (readonly [label: string, bytes: number, title: string])[] = [
  ['64', 64, '64 B'],
  ['4K', 4096, '4 KiB'],
  ['64K', 65536, '64 KiB'],
];

/** The servers of a size and a number of connections; most of the time goes where targets are. */
const echoServers: Readonly<Record<string, Pick<Scenario, 'servers' | 'quick' | 'systemCalls'>>> = {
  '64x1': { servers: [...MOST, 'spin', 'c-spin'], quick: ['echo', 'spin', 'c-spin'] },
  '64x50': {
    servers: ['c-thread', ...ALL],
    quick: ['c-thread', 'echo', 'run', 'runAsync', 'net', 'go'],
    systemCalls: true,
  },
  '64x1000': { servers: MOST },
  '4Kx50': { servers: MOST },
  '64Kx50': { servers: MOST, quick: ['echo', 'net'] },
};

function echoScenario([label, size, title]: (typeof SIZES)[number], connections: number): Scenario {
  const name = `${label}x${String(connections)}`;
  const count =
    connections === 1 ? '1 connection' : `${connections.toLocaleString('en-US')} connections`;
  return {
    name,
    title: `${title}, ${count}`,
    section: 'Echo',
    work: 'echo',
    unit: 'message',
    load: { connections, size },
    ...(echoServers[name] ?? { servers: FEW }),
  };
}

const HELLO = { traffic: 'http', target: '/hello' } as const;
const HTTP_SERVERS: readonly string[] = ['run', 'http', 'go', 'bun', 'deno'];
const http = { section: 'HTTP', work: 'http', unit: 'request', servers: HTTP_SERVERS } as const;
const echoing = { section: 'Other ways to echo', work: 'echo', unit: 'message' } as const;

/** All scenarios with a load, in the order of the report. */
export const scenarios: readonly Scenario[] = [
  ...SIZES.flatMap((size) => [1, 50, 1000].map((connections) => echoScenario(size, connections))),
  {
    ...echoing,
    name: 'pipelined',
    title: '64 B, 16 messages in a row, 50 connections',
    load: { connections: 50, size: 64, depth: 16 },
    servers: MOST,
  },
  {
    ...echoing,
    name: 'idle',
    title: '64 B, 100 active connections beside 10,000 idle ones',
    load: { connections: 100, size: 64 },
    idle: 10_000,
    servers: SOME,
  },
  {
    ...echoing,
    name: 'accept',
    title: 'connect, one message of 64 B, close; 50 at a time',
    unit: 'connection',
    load: { connections: 50, size: 64, reconnect: true },
    servers: MOST,
  },
  {
    ...echoing,
    name: 'unix',
    title: '64 B over Unix sockets, 50 connections',
    load: { connections: 50, size: 64 },
    onPath: true,
    servers: SOME,
  },
  {
    ...echoing,
    name: 'udp',
    title: 'datagrams of 64 B from 50 sockets',
    work: 'datagrams',
    load: { traffic: 'datagrams', connections: 50, size: 64 },
    servers: ['run', 'dgram', 'go', 'bun'],
  },
  {
    ...echoing,
    name: 'broadcast',
    title: 'each message of 64 B to 500 connections',
    work: 'broadcast',
    unit: 'delivery',
    load: { traffic: 'broadcast', connections: 500, size: 64 },
    servers: ['echo', 'net', 'go', 'bun'],
  },
  {
    ...http,
    name: 'http50',
    title: 'Hello, keep-alive, 50 connections',
    load: { ...HELLO, connections: 50 },
    systemCalls: true,
    wrk: true,
    quick: ['run', 'http', 'go', 'bun'],
  },
  {
    ...http,
    name: 'http1000',
    title: 'Hello, keep-alive, 1,000 connections',
    load: { ...HELLO, connections: 1000 },
    wrk: true,
  },
  {
    ...http,
    name: 'http-pipelined',
    title: 'Hello, 16 requests in a row, 50 connections',
    load: { ...HELLO, connections: 50, depth: 16 },
  },
  {
    ...http,
    name: 'passwords',
    title: 'a hundred passwords, a new connection each: ab -c 1000',
    section: 'Password site',
    work: 'passwords',
    load: { ab: { requests: 10_000, connections: 1000, target: '/password' } },
    servers: ['run', 'http', 'go', 'go-plain', 'flask'],
    mayFail: ['flask'],
    fewer: { flask: 1_000 },
  },
];

/** The table of servers: who is compared, how each is started, and what differs in its work. */

import { spawnSync } from 'node:child_process';
import { compileC, compileGo, hasHeader } from './compile.js';
import { inRepository } from './paths.js';

/** What a server can be asked to do. `bench/README.md` says what each means. */
export type Work = 'echo' | 'datagrams' | 'broadcast' | 'http' | 'passwords';

/** A program with its arguments. The benchmark adds `--host` and `--port`, or `--path`. */
type Command = readonly string[];

/** An entry of the table. */
export interface Server {
  /** As on the command line. */
  readonly name: string;
  readonly label: string;
  readonly runtime: 'C' | 'raw-epoll' | 'Node' | 'Go' | 'Bun' | 'Deno' | 'Python';
  /** What differs in the work done, for the reader of the report. */
  readonly note: string;
  /** Why it cannot be run here; `undefined`: it can. */
  readonly absence: () => string | undefined;
  /** How it is started, for each kind of work that it does. */
  readonly serves: Readonly<Partial<Record<Work, () => Command>>>;
}

/** What every server is compared with. */
export const YARDSTICK = 'c';

/** A second process of the yardstick, which is treated like any other server. */
export const CONTROL = 'control';

const here = (): undefined => undefined;

const inC =
  (name: string, libraries: readonly string[] = [], args: readonly string[] = []) =>
  (): Command => [compileC(name, libraries), ...args];

/**
 * `--trace-gc` writes one line for each garbage collection at the time of the collection, also
 * while a loop of our own keeps the thread. (Observers of `perf_hooks` would be told only when
 * Node's loop runs again, which it never does here.)
 */
const onNode =
  (file: string, ...args: readonly string[]) =>
  (): Command => [
    process.execPath,
    '--trace-gc',
    inRepository('build', ...file.split('/')),
    ...args,
  ];

const inGo =
  (name: string, ...args: readonly string[]) =>
  (): Command => [compileGo(name), ...args];

/** The programs that other runtimes are started with; a variable each names another one. */
const runtimes = {
  bun: process.env['RAW_EPOLL_BENCH_BUN'] ?? 'bun',
  deno: process.env['RAW_EPOLL_BENCH_DENO'] ?? 'deno',
  python: process.env['RAW_EPOLL_BENCH_PYTHON'] ?? 'python3',
} as const;

const onBun =
  (file: string, ...args: readonly string[]) =>
  (): Command => [runtimes.bun, inRepository('bench', 'servers', 'bun', file), ...args];

const onDeno = (file: string) => (): Command => {
  const allowed = ['--allow-net', '--allow-read', '--allow-write'];
  return [
    runtimes.deno,
    'run',
    '--quiet',
    ...allowed,
    inRepository('bench', 'servers', 'deno', file),
  ];
};

const onPython = (file: string) => (): Command => [
  runtimes.python,
  inRepository('bench', 'servers', 'python', file),
];

function runs(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

/** Asks once, and remembers. */
function once<T>(ask: () => T): () => T {
  let answer: { readonly value: T } | undefined;
  return () => (answer ??= { value: ask() }).value;
}

const without = (missing: string, isThere: () => boolean): (() => string | undefined) =>
  once(() => (isThere() ? undefined : `${missing} is not here`));

const withoutGo = without('go', () => runs('go', 'version'));
const withoutBun = without('bun', () => runs(runtimes.bun, '--version'));
const withoutDeno = without('deno', () => runs(runtimes.deno, '--version'));
const withoutPython = without('python3', () => runs(runtimes.python, '--version'));
const withoutFlask = without('Flask', () => runs(runtimes.python, '-c', 'import flask'));

/** As many bytes as the page of the password site has. */
const PAGE_BYTES = 1301;

const yardstickServes: Server['serves'] = {
  echo: inC('echo_server'),
  datagrams: inC('udp_server'),
  broadcast: inC('broadcast_server'),
  http: inC('http_server'),
  passwords: inC('http_server', [], ['--close', '--body-bytes', String(PAGE_BYTES)]),
};

/** All servers, in the order of the reports. */
export const servers: readonly Server[] = [
  {
    name: YARDSTICK,
    label: 'C epoll',
    runtime: 'C',
    note:
      'One thread, level-triggered, one recv and one send for each event. Over HTTP it is a ' +
      'ceiling and no server: it looks for the end of a request and sends the same answer; for the ' +
      'password site the same, with a page of the same length that never changes.',
    absence: here,
    serves: yardstickServes,
  },
  {
    name: CONTROL,
    label: 'C epoll (control)',
    runtime: 'C',
    note: 'A second process of the program before, compared with it like any other server.',
    absence: here,
    serves: yardstickServes,
  },
  {
    name: 'c-thread',
    label: 'C, with a thread',
    runtime: 'C',
    note:
      'The first program with a second thread that sleeps: the kernel then counts references on ' +
      'each descriptor that a call names, as it does in every Node process.',
    absence: here,
    serves: { echo: inC('echo_server', [], ['--idle-thread']) },
  },
  {
    name: 'c-spin',
    label: 'C, spinning',
    runtime: 'C',
    note: 'The first program with waits that spin for up to 200 µs before they block: what that can win.',
    absence: here,
    serves: { echo: inC('echo_server', [], ['--spin-us', '200']) },
  },
  {
    name: 'sys',
    label: 'level 1',
    runtime: 'raw-epoll',
    note: 'The loop of the C server on the functions of raw-epoll/sys: examples/echo-sys.ts.',
    absence: here,
    serves: { echo: onNode('examples/echo-sys.js') },
  },
  {
    name: 'echo',
    label: 'level 2',
    runtime: 'raw-epoll',
    note: 'The same loop on Epoll and TcpStream: examples/echo.ts; to everybody: servers/broadcast.ts.',
    absence: here,
    serves: {
      echo: onNode('examples/echo.js'),
      broadcast: onNode('bench/servers/broadcast.js'),
    },
  },
  {
    name: 'spin',
    label: 'level 2, spinUs 200',
    runtime: 'raw-epoll',
    note: 'Level 2 on a set whose waits spin for up to 200 µs before they block: a busy core for it.',
    absence: here,
    serves: { echo: onNode('examples/echo.js', '--spin-us', '200') },
  },
  {
    name: 'run',
    label: 'level 4, run()',
    runtime: 'raw-epoll',
    note:
      'Handlers of a Loop that owns the thread: servers/loop.ts. UDP, HTTP and passwords are the ' +
      'examples. HTTP has a complete parser (llhttp), routes, bounds and time limits.',
    absence: here,
    serves: {
      echo: onNode('bench/servers/loop.js', '--drive', 'run'),
      datagrams: onNode('examples/udp-echo.js'),
      http: onNode('examples/http-hello.js'),
      passwords: onNode('examples/passwords.js'),
    },
  },
  {
    name: 'runAsync',
    label: 'level 4, runAsync()',
    runtime: 'raw-epoll',
    note: 'The same handlers, driven by Node’s own loop.',
    absence: here,
    serves: { echo: onNode('bench/servers/loop.js', '--drive', 'runAsync') },
  },
  {
    name: 'net',
    label: 'Node net',
    runtime: 'Node',
    note: 'data → write, paused until drain when write says so. Each read has a buffer of its own.',
    absence: here,
    serves: {
      echo: onNode('bench/servers/net.js'),
      broadcast: onNode('bench/servers/net.js', '--broadcast'),
    },
  },
  {
    name: 'dgram',
    label: 'Node dgram',
    runtime: 'Node',
    note: 'A system call and a callback for each datagram; there are no batches.',
    absence: here,
    serves: { datagrams: onNode('bench/servers/dgram.js') },
  },
  {
    name: 'http',
    label: 'Node http',
    runtime: 'Node',
    note: 'A request and a response with their streams for each message, and a Date in each answer.',
    absence: here,
    serves: {
      http: onNode('bench/servers/http.js'),
      passwords: onNode('bench/servers/passwords-http.js'),
    },
  },
  {
    name: 'go',
    label: 'Go',
    runtime: 'Go',
    note:
      'net and net/http with GOMAXPROCS=1: a goroutine and a buffer for each connection, a Date in ' +
      'each answer. Passwords: a goroutine for each of the hundred, as in the program that the ' +
      'example answers.',
    absence: withoutGo,
    serves: {
      echo: inGo('echo'),
      datagrams: inGo('udp'),
      broadcast: inGo('echo', '-broadcast'),
      http: inGo('hello'),
      passwords: inGo('passwords', '-goroutines'),
    },
  },
  {
    name: 'go-plain',
    label: 'Go, no goroutines',
    runtime: 'Go',
    note: 'Passwords on net/http, made one after the other by the handler, as ours are.',
    absence: withoutGo,
    serves: { passwords: inGo('passwords') },
  },
  {
    name: 'bun',
    label: 'Bun',
    runtime: 'Bun',
    note: 'Bun.listen, Bun.udpSocket, Bun.serve: a new Response for each request, a Date in each.',
    absence: withoutBun,
    serves: {
      echo: onBun('echo.js'),
      datagrams: onBun('udp.js'),
      broadcast: onBun('echo.js', '--broadcast'),
      http: onBun('hello.js'),
    },
  },
  {
    name: 'deno',
    label: 'Deno',
    runtime: 'Deno',
    note: 'Deno.listen with promises and a buffer of 64 KiB for each connection; Deno.serve.',
    absence: withoutDeno,
    serves: { echo: onDeno('echo.js'), http: onDeno('hello.js') },
  },
  {
    name: 'selectors',
    label: 'Python selectors',
    runtime: 'Python',
    note: 'The loop of the C server on DefaultSelector (epoll); each recv makes a bytes object.',
    absence: withoutPython,
    serves: { echo: onPython('selectors_echo.py') },
  },
  {
    name: 'asyncio',
    label: 'Python asyncio',
    runtime: 'Python',
    note: 'A BufferedProtocol; what was read is copied once.',
    absence: withoutPython,
    serves: { echo: onPython('asyncio_echo.py') },
  },
  {
    name: 'flask',
    label: 'Flask',
    runtime: 'Python',
    note: 'Flask’s own server, with a thread for each request. It is meant for development.',
    absence: withoutFlask,
    serves: { passwords: onPython('flask_passwords.py') },
  },
  {
    name: 'libuv',
    label: 'libuv (C)',
    runtime: 'C',
    note: 'One read buffer for all, and uv_try_write before a write that has to be kept.',
    absence: without('uv.h (Debian: libuv1-dev)', () => hasHeader('uv.h')),
    serves: { echo: inC('libuv_server', ['uv']) },
  },
  {
    name: 'libevent',
    label: 'libevent (C)',
    runtime: 'C',
    note: 'An event for each descriptor, with recv and send of our own in its callback.',
    absence: without('event.h (Debian: libevent-dev)', () => hasHeader('event2/event.h')),
    serves: { echo: inC('libevent_server', ['event']) },
  },
];

/** The server of a name. @throws `RangeError`: there is none. */
export function serverNamed(name: string): Server {
  const server = servers.find((one) => one.name === name);
  if (server !== undefined) return server;
  const names = servers.map((one) => one.name).join(', ');
  throw new RangeError(`no server ${name}; there are: ${names}`);
}

/** Whether its collections of garbage can be counted: by `--trace-gc`. */
export function isOnNode({ runtime }: Pick<Server, 'runtime'>): boolean {
  return runtime === 'raw-epoll' || runtime === 'Node';
}

/** The versions of the runtimes that are here, for the report. */
export function runtimeVersions(): Record<string, string> {
  const versions: Record<string, string> = { Node: process.version };
  const add = (name: string, program: string, ...args: readonly string[]): void => {
    const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
    const [line] = status === 0 ? stdout.split('\n') : [];
    if (line !== undefined && line !== '') versions[name] = line;
  };
  add('C compiler', process.env['CC'] ?? 'cc', '--version');
  add('Go', 'go', 'version');
  add('Bun', runtimes.bun, '--version');
  add('Deno', runtimes.deno, '--version');
  add('Python', runtimes.python, '--version');
  add('libuv', 'pkg-config', '--modversion', 'libuv');
  add('libevent', 'pkg-config', '--modversion', 'libevent');
  return versions;
}

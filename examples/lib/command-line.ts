/**
 * What the examples have in common on the outside: their options, their first line of output,
 * and how they say that something is wrong.
 */
import { isIP } from 'node:net';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { SocketAddress } from 'raw-epoll';

/** Where to listen: a TCP port, or a path for a Unix socket. */
export type ListenAt = { readonly host: string; readonly port: number } | { readonly path: string };

/** What a program takes beside the common options. */
export interface Special<Name extends string> {
  /** The backends that it runs on. Default: epoll alone. */
  readonly backends?: readonly string[];
  /** Options with a value: the lines that `--help` says about them, by their names. */
  readonly options?: Readonly<Record<Name, string>>;
}

/** What the user asked for. */
export interface CommandLine<Name extends string> {
  readonly at: ListenAt;
  readonly backend: string;
  /** The program's own options that were given. */
  readonly own: Readonly<Partial<Record<Name, string>>>;
}

/** `sizeof sun_path`, less the zero byte that ends it: unix(7). */
const PATH_BYTES_MAX = 107;

const ownHelp = (own: readonly string[]): string =>
  `${own.map((line) => `  ${line}\n`).join('')}  --help              this text
`;

const help = (backends: readonly string[], own: readonly string[]): string => `[options]

  --host ADDRESS      an IPv4 or IPv6 address (127.0.0.1)
  --port PORT         0 lets the kernel choose (8080)
  --path FILE         a Unix socket instead
  --backend BACKEND   ${backends.join(' or ')} (auto)
${ownHelp(own)}`;

class UsageError extends Error {}

/** Reads the options; leaves with code 2 and a reason on stderr if one is wrong. */
export function commandLine<Name extends string = never>(
  program: string,
  special: Special<Name> = {},
): CommandLine<Name> {
  const { backends = ['auto', 'epoll'], options = {} } = special;
  try {
    const { wantsHelp, own, ...given } = parse(Object.keys(options));
    if (!wantsHelp) {
      const ownGiven = own as Readonly<Partial<Record<Name, string>>>;
      return { at: checked(given, backends), backend: given.backend, own: ownGiven };
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    leave(program, error.message, 2);
  }
  process.stdout.write(`Usage: ${program} ${help(backends, Object.values(options))}`);
  process.exit(0);
}

/** The same for a program that listens nowhere: it has its own options and `--help`, no others. */
export function ownOptions<Name extends string>(
  program: string,
  options: Readonly<Record<Name, string>>,
): Readonly<Partial<Record<Name, string>>> {
  try {
    const { help: wantsHelp, ...given } = parseStrictly({
      ...textOptions(Object.keys(options)),
      help: { type: 'boolean', default: false },
    });
    if (wantsHelp !== true) return given as Readonly<Partial<Record<Name, string>>>;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    leave(program, error.message, 2);
  }
  process.stdout.write(`Usage: ${program} [options]\n\n${ownHelp(Object.values(options))}`);
  process.exit(0);
}

/** Says what is wrong and leaves. */
export function leave(program: string, reason: string, code: 1 | 2): never {
  process.stderr.write(`${program}: ${reason}\n`);
  process.exit(code);
}

/** A program's own option that is a number; leaves with code 2 if it is none, or out of range. */
export function wholeNumber(
  program: string,
  option: string,
  text: string | undefined,
  otherwise: number,
  least = 0,
  most: number = Number.POSITIVE_INFINITY,
): number {
  if (text === undefined) return otherwise;
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  const range = most === Number.POSITIVE_INFINITY ? `from ${least} on` : `from ${least} to ${most}`;
  leave(program, `${option} must be a whole number ${range}, not '${text}'`, 2);
}

/** Tells that clients can come now, and how. */
export function announce(address: SocketAddress, nc = 'nc'): void {
  if ('path' in address) {
    console.log(`listening on ${address.path}\ntry: ${nc} -U ${address.path}`);
  } else {
    const { address: host, port } = address;
    const shown = host.includes(':') ? `[${host}]` : host;
    console.log(`listening on ${shown}:${port}\ntry: ${nc} ${host} ${port}`);
  }
}

interface Given {
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly path?: string | undefined;
  readonly backend: string;
}

interface Parsed extends Given {
  readonly wantsHelp: boolean;
  readonly own: Readonly<Record<string, string>>;
}

type Options = NonNullable<ParseArgsConfig['options']>;

const textOptions = (names: readonly string[]): Options =>
  Object.fromEntries(names.map((name) => [name, { type: 'string' }]));

function parse(ownNames: readonly string[]): Parsed {
  const { help: wantsHelp, ...given } = parseStrictly({
    ...textOptions([...ownNames, 'host', 'port', 'path']),
    backend: { type: 'string', default: 'auto' },
    help: { type: 'boolean', default: false },
  });
  const { host, port, path, backend = '', ...own } = given as Record<string, string>;
  return { host, port, path, backend, wantsHelp: wantsHelp === true, own };
}

function parseStrictly(options: Options): Record<string, unknown> {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    // The first sentence says what is wrong; the others are about arguments that begin with '-'.
    throw new UsageError(
      error instanceof Error ? error.message.split(/[.\n]/, 1)[0] : 'unreadable',
    );
  }
}

function checked({ host, port, path, backend }: Given, backends: readonly string[]): ListenAt {
  if (!backends.includes(backend)) {
    throw new UsageError(`--backend must be ${backends.join(' or ')}, not '${backend}'`);
  }
  if (path === undefined) {
    return { host: checkedHost(host ?? '127.0.0.1'), port: checkedPort(port ?? '8080') };
  }
  if (host !== undefined || port !== undefined) {
    throw new UsageError('--path stands alone, without --host and --port');
  }
  const bytes = Buffer.byteLength(path);
  if (bytes < 1 || bytes > PATH_BYTES_MAX) {
    throw new UsageError(`--path must be 1 to ${PATH_BYTES_MAX} bytes long, not ${bytes}`);
  }
  return { path };
}

function checkedHost(host: string): string {
  if (isIP(host) !== 0 && !host.includes('%')) return host;
  throw new UsageError(`--host must be an IPv4 or IPv6 address, not '${host}'`);
}

function checkedPort(port: string): number {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
  if (number <= 65_535) return number;
  throw new UsageError(`--port must be a number from 0 to 65535, not '${port}'`);
}

/**
 * What an emulator of system calls does otherwise than a kernel.
 *
 * tools/arm64-tests.sh asks tools/emulator_probe.c, a small C program without any of our code, and
 * hands on what that found: nothing is left out that the emulator at hand can do.
 */
import process from 'node:process';
import test, { type ExecutionContext } from 'ava';
import { IS_SANITIZED } from './sanitizers.js';

/** The names that the probe prints, and one of the script. */
const LACKS = {
  epoll_pwait2: 'has no epoll_pwait2',
  preadv2: 'has no preadv2, which asks whether a read would wait',
  TCP_INFO: 'gives four bytes of TCP_INFO',
  SO_BUSY_POLL: 'does not know SO_BUSY_POLL',
  multicast: 'does not know IP_MULTICAST_IF and MCAST_JOIN_GROUP',
  flowinfo: 'does not know IPV6_FLOWINFO_SEND',
  'cut control data': 'loses descriptors that find no room in a message',
  'flags in /proc': 'shows the flags of the machine that it runs on in /proc',
  'handlers in /proc': 'handles every signal itself, and /proc shows its handlers',
  'socket types': 'translates the type of a socket, and drops unknown bits of it',
  'empty memory': 'has getsockopt write a byte where there is room for none',
  'message without buffers': 'receives a message without buffers where there is none',
  'timeout of recvmmsg': 'does not hand on the timeout of recvmmsg',
  'another user': 'runs in a namespace of one user',
} as const;

/** Something that an emulator may lack. */
export type EmulatorLack = keyof typeof LACKS;

const emulator = process.env['RAW_EPOLL_EMULATOR'];
const lacks = new Set(process.env['RAW_EPOLL_EMULATOR_LACKS']?.split(','));

/** How many times as long as usual a program may take. */
export const PATIENCE: number = emulator !== undefined ? 10 : IS_SANITIZED ? 4 : 1;

/** Why a test that needs something cannot be run here; undefined if it can. */
export function emulatorLacks(lack: EmulatorLack | undefined): string | undefined {
  if (emulator === undefined || lack === undefined || !lacks.has(lack)) return undefined;
  return `${emulator} ${LACKS[lack]}`;
}

type Body = (t: ExecutionContext) => Promise<void> | void;

/** `test`, or `test.serial`, for what needs something; skipped, with the reason, where it is lacking. */
export function needs(
  lack: EmulatorLack | undefined,
  run: (title: string, body: Body) => void = test,
): (title: string, body: Body) => void {
  const reason = emulatorLacks(lack);
  return (title, body) => {
    if (reason === undefined) run(title, body);
    else test.skip(`${title} (${reason})`, body);
  };
}

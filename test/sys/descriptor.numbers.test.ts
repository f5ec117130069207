/** dup, dup2, dup3, pipe2, close, fcntl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import { fixture, run } from '../support/child.js';
import { isOpen, openFlags } from '../support/kernel-view.js';
import { needs } from '../support/emulator.js';
import { testWithPrograms } from '../support/programs.js';
import {
  AF_INET,
  AF_UNIX,
  CLOCK_MONOTONIC,
  EFD_CLOEXEC,
  EPOLL_CLOEXEC,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_GETFL,
  F_GETPIPE_SZ,
  F_SETFD,
  F_SETFL,
  F_SETPIPE_SZ,
  FD_CLOEXEC,
  O_APPEND,
  O_CLOEXEC,
  O_DIRECT,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  TFD_CLOEXEC,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { Descriptors, inWords, listener, MKFIFO, must, pipe } from './support/kernel.js';
import { commandsWithAddresses } from './support/fcntl.js';

/** What a number stands for: `pipe:[1234]`. */
function file(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`);
}

/** The numbers that a program sees which this process starts. */
function inherited(): string[] {
  return execFileSync('/bin/ls', ['/proc/self/fd'], { encoding: 'utf8' }).split('\n');
}

/** Every call that makes descriptors: without flags, and with those that close them at exec. */
const creators: Readonly<
  Record<string, (open: Descriptors, closeOnExec: boolean) => readonly number[]>
> = {
  epoll_create1: (open, on) => [open.own(sys.epoll_create1(on ? EPOLL_CLOEXEC : 0))],
  socket: (open, on) => [open.own(sys.socket(AF_INET, SOCK_STREAM | (on ? SOCK_CLOEXEC : 0), 0))],
  socketpair: (open, on) => {
    const sv = new Int32Array(2);
    must(sys.socketpair(AF_UNIX, SOCK_STREAM | (on ? SOCK_CLOEXEC : 0), 0, sv));
    return [...sv].map((fd) => open.own(fd));
  },
  accept4: (open, on) => {
    const { fd, port } = listener(open);
    const client = open.own(sys.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    must(sys.connect(client, { family: AF_INET, address: '127.0.0.1', port }));
    return [open.own(sys.accept4(fd, null, on ? SOCK_CLOEXEC : 0))];
  },
  pipe2: (open, on) => {
    const fds = new Int32Array(2);
    must(sys.pipe2(fds, on ? O_CLOEXEC : 0));
    return [...fds].map((fd) => open.own(fd));
  },
  eventfd: (open, on) => [open.own(sys.eventfd(0, on ? EFD_CLOEXEC : 0))],
  timerfd_create: (open, on) => [
    open.own(sys.timerfd_create(CLOCK_MONOTONIC, on ? TFD_CLOEXEC : 0)),
  ],
  dup3: (open, on) => {
    const [reader, writer] = pipe(open);
    return [must(sys.dup3(reader, writer, on ? O_CLOEXEC : 0))];
  },
  'fcntl F_DUPFD': (open, on) => [
    open.own(sys.fcntl(pipe(open)[0], on ? F_DUPFD_CLOEXEC : F_DUPFD, 200)),
  ],
  'fcntl F_SETFD': (open, on) => {
    const fd = open.own(sys.dup(pipe(open)[0]));
    must(sys.fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0));
    return [fd];
  },
};

for (const [name, create] of Object.entries(creators)) {
  test(`${name} makes descriptors that a child inherits, or does not with close-on-exec`, (t) => {
    for (const closeOnExec of [false, true]) {
      using open = new Descriptors();
      const fds = create(open, closeOnExec);
      const seen = inherited();
      for (const fd of fds) {
        t.is(seen.includes(String(fd)), !closeOnExec, `fd ${fd}`);
        t.is(sys.fcntl(fd, F_GETFD), closeOnExec ? FD_CLOEXEC : 0);
      }
    }
  });
}

test('dup gives the lowest free number for the same description', (t) => {
  using open = new Descriptors();
  const [reader] = pipe(open);
  const lowest = open.own(sys.dup(reader));
  t.is(file(lowest), file(reader));
  t.is(sys.fcntl(lowest, F_GETFD), 0, 'without close-on-exec');
  open.close(lowest);
  t.is(open.own(sys.dup(reader)), lowest);
  must(sys.fcntl(lowest, F_SETFL, 0));
  t.is(openFlags(reader) & O_NONBLOCK, 0, 'the flags belong to the description');
});

test('dup2 puts a description in the place of another', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open);
  const [other] = pipe(open);
  t.is(sys.dup2(reader, other), other);
  t.is(file(other), file(reader));
  t.is(sys.fcntl(other, F_GETFD), 0);
  must(sys.write(writer, new Uint8Array(3), 0, 3));
  t.is(sys.read(other, new Uint8Array(8), 0, 8), 3);
});

test('dup2 of a number to itself does nothing', (t) => {
  using open = new Descriptors();
  const [reader] = pipe(open);
  t.is(sys.dup2(reader, reader), reader);
  t.is(sys.fcntl(reader, F_GETFD), FD_CLOEXEC);
});

test('dup2 and dup3 take a number that was free', (t) => {
  using open = new Descriptors();
  const [reader] = pipe(open);
  t.false(isOpen(301));
  t.is(open.own(sys.dup2(reader, 301)), 301);
  t.is(file(301), file(reader));
  open.close(301);
  t.is(open.own(sys.dup3(reader, 301, O_CLOEXEC)), 301);
  t.is(sys.fcntl(301, F_GETFD), FD_CLOEXEC);
});

needs('flags in /proc')('pipe2 gives the end to read, then the end to write', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open, O_NONBLOCK | O_DIRECT);
  t.is(openFlags(reader), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  t.is(openFlags(writer), O_WRONLY | O_NONBLOCK | O_DIRECT | O_CLOEXEC);
  // With O_DIRECT a pipe keeps packets apart.
  const bytes = new Uint8Array(8);
  must(sys.write(writer, bytes, 0, 2));
  must(sys.write(writer, bytes, 0, 3));
  t.is(sys.read(reader, bytes, 0, 8), 2);
  t.is(sys.read(reader, bytes, 0, 8), 3);
});

test('close gives the number back', (t) => {
  const fd = must(sys.eventfd(0, EFD_CLOEXEC));
  t.true(isOpen(fd));
  t.is(sys.close(fd), 0);
  t.false(isOpen(fd));
});

test('fcntl F_GETFL and F_SETFL agree with the kernel', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open);
  t.is(sys.fcntl(reader, F_GETFL) | O_CLOEXEC, openFlags(reader));
  t.is(sys.fcntl(writer, F_SETFL, O_APPEND), 0);
  t.is(openFlags(writer), O_WRONLY | O_APPEND | O_CLOEXEC);
  t.is(sys.fcntl(writer, F_SETFL, 0), 0);
  t.is(openFlags(writer), O_WRONLY | O_CLOEXEC);
});

test('fcntl takes 0 for an argument that is left out', (t) => {
  using open = new Descriptors();
  const [reader] = pipe(open);
  t.is(sys.fcntl(reader, F_SETFD), 0);
  t.is(sys.fcntl(reader, F_GETFD), 0);
});

test('fcntl F_DUPFD gives the lowest free number from its argument on', (t) => {
  using open = new Descriptors();
  const [reader] = pipe(open);
  const first = open.own(sys.fcntl(reader, F_DUPFD, 400));
  t.is(first, 400);
  t.is(open.own(sys.fcntl(reader, F_DUPFD_CLOEXEC, 400)), 401);
  t.is(file(401), file(reader));
});

test('fcntl F_SETPIPE_SZ makes room', (t) => {
  using open = new Descriptors();
  const [reader, writer] = pipe(open);
  t.true(sys.fcntl(reader, F_GETPIPE_SZ) >= 4_096);
  t.is(sys.fcntl(writer, F_SETPIPE_SZ, 200_000), 262_144, 'rounded up by the kernel');
  t.is(sys.fcntl(reader, F_GETPIPE_SZ), 262_144);
  const large = new Uint8Array(262_144);
  t.is(sys.write(writer, large, 0, large.length), large.length);
});

test('fcntl refuses commands whose argument is an address', (t) => {
  using open = new Descriptors();
  const [reader] = pipe(open);
  const before = readFileSync(`/proc/self/fdinfo/${reader}`, 'latin1');
  for (const [name, command] of Object.entries(commandsWithAddresses)) {
    for (const argument of [undefined, 0, 1, -1, 4_096, 2 ** 31 - 1]) {
      t.is(inWords(sys.fcntl(reader, command, argument)), 'EINVAL', `${name} ${argument}`);
      t.is(inWords(sys.fcntl(-1, command, argument)), 'EINVAL', `${name} ${argument}`);
    }
  }
  t.is(readFileSync(`/proc/self/fdinfo/${reader}`, 'latin1'), before);
});

testWithPrograms(
  ['strace', MKFIFO],
  'fcntl does not hand an unknown command to the kernel',
  async (t) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'raw-epoll-'));
    t.teardown(() => {
      rmSync(folder, { recursive: true });
    });
    const fifo = path.join(folder, 'fifo');
    const log = path.join(folder, 'log');
    execFileSync(MKFIFO, [fifo]);
    const options = ['-o', log, '-e', 'trace=fcntl', '-P', fifo];
    const node = [process.execPath, fixture('sys-fcntl-commands'), fifo];
    const { code, stderr } = await run('strace', [...options, ...node]);
    t.is(code, 0, stderr);
    const calls = readFileSync(log, 'latin1')
      .split('\n')
      .filter((line) => line.includes('fcntl'));
    t.is(calls.length, 2);
    t.regex(calls[0] ?? '', /F_GETFD/);
    t.regex(calls[1] ?? '', /F_GETFL/);
  },
);

test('sockets and accepted connections are non-blocking only if asked', (t) => {
  using open = new Descriptors();
  for (const flag of [0, SOCK_NONBLOCK]) {
    const fd = open.own(sys.socket(AF_INET, SOCK_STREAM | flag, 0));
    t.is(openFlags(fd) & O_NONBLOCK, flag);
    const { fd: listening, port } = listener(open);
    must(
      sys.connect(open.own(sys.socket(AF_INET, SOCK_STREAM, 0)), {
        family: AF_INET,
        address: '127.0.0.1',
        port,
      }),
    );
    const accepted = open.own(sys.accept4(listening, null, flag));
    t.is(openFlags(accepted) & O_NONBLOCK, flag, 'not inherited from the listener');
  }
});

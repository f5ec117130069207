/** What the collector finds unclosed is closed, and reported once. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import type { Report } from '../fixtures/descriptor-leak.js';
import { fixture, runNode, type ChildResult } from '../support/child.js';

const file = fixture('descriptor-leak');
const KINDS = [
  ...['Epoll', 'EventFd', 'TimerFd', 'Pipe', 'Pipe', 'TcpListener', 'TcpStream', 'TcpStream'],
  ...['UnixListener', 'UnixStream', 'UnixStream', 'UdpSocket', 'UnixDatagram'],
  ...['ReceivedDescriptor', 'Inotify', 'Pidfd'],
];

interface Said {
  /** The descriptors that were dropped, in the order of `KINDS`. */
  readonly numbers: readonly number[];
  readonly reports: readonly Report[];
  /** Descriptors that are still open. */
  readonly left: number;
  readonly later: readonly Report[];
  readonly size: number;
  readonly woken: boolean;
  /** Reports of what was reported before. */
  readonly more: number;
}

/** `--no-warnings` would keep the test from hearing them as well: they also go to stderr. */
function run(args: readonly string[], env: Record<string, string> = {}): Promise<ChildResult> {
  return runNode(file, { args, nodeArgs: ['--expose-gc'], env: { RAW_EPOLL_TRACK: '', ...env } });
}

/** The line of the fixture that makes a kind, as a stack shows it. */
function lineThatMakes(kind: string): string {
  const lines = readFileSync(file, 'utf8').split('\n');
  return `${file}:${lines.findIndex((line) => line.includes(`// makes ${kind}`)) + 1}:`;
}

test('what is collected unclosed is reported once, by its class and number, and closed', async (t) => {
  const child = await run(['leak']);
  t.is(child.code, 0);
  const said = JSON.parse(child.stdout) as Said;
  t.deepEqual(
    said.reports.map(({ message }) => message).sort(),
    said.numbers
      .map((fd, i) => `${KINDS[i]} (fd ${fd}) was garbage-collected without close()`)
      .sort(),
  );
  for (const { name, code, detail } of said.reports) {
    t.is(name, 'DescriptorLeakWarning');
    t.is(code, 'RAW_EPOLL_LEAK');
    t.regex(detail, /RAW_EPOLL_TRACK=1/);
  }
  t.is(said.left, 0, 'all of them are closed, with their wake and spare descriptors');
  t.is(said.more, 0, 'none is reported twice');
});

test('what is collected unclosed leaves the sets that it is in', async (t) => {
  const said = JSON.parse((await run(['leak'])).stdout) as Said;
  t.is(said.size, 0);
  t.deepEqual(
    said.later.map(({ message }) => message.replace(/\d+/, 'N')),
    ['EventFd', 'Epoll'].map((kind) => `${kind} (fd N) was garbage-collected without close()`),
  );
  t.false(said.woken, 'a waker knows that its set is gone');
});

for (const [how, args, env] of [
  ['RAW_EPOLL_TRACK=1', ['leak'], { RAW_EPOLL_TRACK: '1' }],
  ['trackDescriptors(true)', ['leak', 'track'], {}],
] as const) {
  test(`with ${how} the report names the lines that led to the descriptor`, async (t) => {
    const child = await run(args, env);
    const said = JSON.parse(child.stdout) as Said;
    t.is(said.reports.length, KINDS.length);
    for (const kind of new Set(KINDS)) {
      const reports = said.reports.filter(({ message }) => message.startsWith(`${kind} (`));
      const wanted = lineThatMakes(kind);
      t.true(
        reports.some(({ detail }) => detail.includes(wanted)),
        `${wanted} is not in ${JSON.stringify(reports)}`,
      );
      for (const { detail } of reports) {
        t.regex(detail, /descriptor-leak\.js:\d+/);
        t.false(detail.includes('/build/ts/'), 'the library itself is left out');
      }
    }
  });
}

test('what was closed or released is not reported', async (t) => {
  const child = await run(['close'], { RAW_EPOLL_TRACK: '1' });
  t.is(child.stderr, '');
  t.deepEqual(JSON.parse(child.stdout), { collected: true, left: 0, more: 0 });
});

/** Sockets that were opened before this process: by systemd’s own launcher, and by one in Python. */
import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { inheritedDescriptors } from '../../ts/index.js';
import { fixture, run } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { testWithPrograms } from '../support/programs.js';

const PROGRAM = fixture('descriptor-inherited');

/** Opens sockets, and becomes a program that has them from 3 on: as systemd does, without it. */
const LAUNCHER = `
import json, os, socket, sys
plan = json.loads(sys.argv[1])
sockets, places = [], []
for kind in plan["sockets"]:
    if kind == "unix":
        one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        one.bind(plan["path"])
    else:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
        one.bind(("127.0.0.1", 0))
    if kind != "udp": one.listen()
    sockets.append(one)
    places.append(one.getsockname())
high = [os.dup2(one.fileno(), 100 + i) for i, one in enumerate(sockets)]
for i, fd in enumerate(high): os.dup2(fd, 3 + i)
os.closerange(3 + len(high), 200)
for name, value in plan["environment"].items():
    os.environ[name] = value.replace("PID", str(os.getpid()))
print(json.dumps(places), flush=True)
os.execv(plan["program"][0], plan["program"])
`;

interface Plan {
  readonly sockets: readonly ('tcp' | 'udp' | 'unix')[];
  readonly environment: Readonly<Record<string, string>>;
  readonly mode?: string;
}

function planned(plan: Plan, socketPath = ''): string[] {
  const program = [process.execPath, PROGRAM, plan.mode ?? 'say'];
  return ['-c', LAUNCHER, JSON.stringify({ ...plan, path: socketPath, program })];
}

interface Said {
  readonly answer: unknown;
  readonly left: string[];
}

/** What the program says that was started so. */
async function said(plan: Plan): Promise<Said> {
  const { stdout, stderr } = await run('python3', planned(plan));
  const line = stdout.trim().split('\n').at(-1);
  if (line === undefined || line === '') throw new Error(stderr);
  const { answer, left } = JSON.parse(line) as Said;
  return { answer, left };
}

const two = ['tcp', 'tcp'] as const;
const none = { inherited: [], closeOnExec: true };
const both = (...names: string[]): unknown => ({
  inherited: names.map((name, i) => ({ fd: 3 + i, name })),
  closeOnExec: true,
});

/** As sd_listen_fds(3) answers: nothing for 0, a code for an error. */
const table: readonly [what: string, environment: Plan['environment'], answer: unknown][] = [
  ['both', { LISTEN_PID: 'PID', LISTEN_FDS: '2' }, both('unknown', 'unknown')],
  ['names', { LISTEN_PID: 'PID', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web:' }, both('web', '')],
  ['one of two', { LISTEN_PID: 'PID', LISTEN_FDS: '1' }, both('unknown')],
  ['no variable', {}, none],
  ['no pid', { LISTEN_FDS: '2' }, none],
  ['no count', { LISTEN_PID: 'PID' }, none],
  ['another process', { LISTEN_PID: '1', LISTEN_FDS: '2' }, none],
  ['another process, malformed', { LISTEN_PID: '1', LISTEN_FDS: 'x' }, none],
  ['an empty pid', { LISTEN_PID: '', LISTEN_FDS: '2' }, 'ERR_OUT_OF_RANGE'],
  ['a pid that is none', { LISTEN_PID: 'PIDx', LISTEN_FDS: '2' }, 'ERR_OUT_OF_RANGE'],
  ['pid 0', { LISTEN_PID: '0', LISTEN_FDS: '2' }, 'ERR_OUT_OF_RANGE'],
  ['a negative pid', { LISTEN_PID: '-PID', LISTEN_FDS: '2' }, 'ERR_OUT_OF_RANGE'],
  ['an empty count', { LISTEN_PID: 'PID', LISTEN_FDS: '' }, 'ERR_OUT_OF_RANGE'],
  ['a count of 0', { LISTEN_PID: 'PID', LISTEN_FDS: '0' }, 'ERR_OUT_OF_RANGE'],
  ['a negative count', { LISTEN_PID: 'PID', LISTEN_FDS: '-1' }, 'ERR_OUT_OF_RANGE'],
  ['a fraction', { LISTEN_PID: 'PID', LISTEN_FDS: '1.5' }, 'ERR_OUT_OF_RANGE'],
  ['a count with a blank', { LISTEN_PID: 'PID', LISTEN_FDS: ' 2' }, 'ERR_OUT_OF_RANGE'],
  ['more than an int', { LISTEN_PID: 'PID', LISTEN_FDS: '2147483646' }, 'ERR_OUT_OF_RANGE'],
  ['far more', { LISTEN_PID: 'PID', LISTEN_FDS: '99999999999999' }, 'ERR_OUT_OF_RANGE'],
  [
    'a name too few',
    { LISTEN_PID: 'PID', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a' },
    'ERR_OUT_OF_RANGE',
  ],
  [
    'a name too many',
    { LISTEN_PID: 'PID', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b:c' },
    'ERR_OUT_OF_RANGE',
  ],
  ['more than are open', { LISTEN_PID: 'PID', LISTEN_FDS: '2147483644' }, 'EBADF'],
];

for (const [what, environment, answer] of table) {
  testWithPrograms(
    ['python3'],
    `the environment of ${what} is answered as by systemd`,
    async (t) => {
      t.deepEqual(await said({ sockets: two, environment }), {
        answer,
        left: Object.keys(environment).sort(),
      });
    },
  );
}

testWithPrograms(
  ['python3'],
  'unsetEnvironment removes the variables, also after an error',
  async (t) => {
    const environment = { LISTEN_PID: 'PID', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b' };
    const plan = { sockets: two, environment, mode: 'unset' };
    t.deepEqual(await said(plan), { answer: both('a', 'b'), left: [] });
    const malformed = { ...plan, environment: { ...environment, LISTEN_FDS: 'x' } };
    t.deepEqual(await said(malformed), { answer: 'ERR_OUT_OF_RANGE', left: [] });
  },
);

testWithPrograms(['python3'], 'a worker sees the same', async (t) => {
  const environment = { LISTEN_PID: 'PID', LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' };
  t.deepEqual(await said({ sockets: ['tcp'], environment, mode: 'worker' }), {
    answer: both('web'),
    left: [],
  });
});

test('a process that was started without has none; misuse is refused', (t) => {
  t.deepEqual(inheritedDescriptors(), []);
  for (const options of [null, 7, { unsetEnvironment: 1 }] as never[]) {
    t.throws(() => inheritedDescriptors(options), { code: 'ERR_INVALID_ARG_TYPE' });
  }
});

function newFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-inherited-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

testWithPrograms(['python3'], 'TCP, UDP and Unix sockets are adopted and served', async (t) => {
  const socketPath = path.join(newFolder(t), 'socket');
  const plan: Plan = {
    sockets: ['tcp', 'udp', 'unix'],
    environment: { LISTEN_PID: 'PID', LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:names:local' },
    mode: 'serve',
  };
  const child = spawn('python3', planned(plan, socketPath), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const [places] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const [[, tcp], [, udp]] = JSON.parse(places) as [[string, number], [string, number]];
  t.is(await text(net.connect(tcp, '127.0.0.1')), 'web');
  t.is(await text(net.connect(socketPath)), 'local');
  const client = dgram.createSocket('udp4');
  client.send('x', udp, '127.0.0.1');
  const [answer] = (await once(client, 'message')) as [Buffer];
  client.close();
  t.is(answer.toString(), 'names');
  child.kill();
  t.deepEqual(await once(child, 'exit'), [0, null]);
});

testWithPrograms(
  ['systemd-socket-activate'],
  'systemd-socket-activate: who comes first starts the server and is served',
  async (t) => {
    const folder = newFolder(t);
    const [web, admin] = [path.join(folder, 'web'), path.join(folder, 'admin')] as const;
    const child = spawn(
      'systemd-socket-activate',
      ['-l', web, '-l', admin, '--fdname=web:admin', process.execPath, PROGRAM, 'serve'],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    t.teardown(() => child.kill('SIGKILL'));
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (more: string) => (log += more));
    const listensOn = (name: string): boolean => log.includes(`Listening on ${name}`);
    t.true(await eventually(() => listensOn(web) && listensOn(admin), true), log);
    t.is(await text(net.connect(web)), 'web');
    t.is(await text(net.connect(admin)), 'admin');
    child.kill();
    t.deepEqual(await once(child, 'exit'), [0, null]);
  },
);

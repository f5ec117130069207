/** The same server on every backend, and the picture of what a wait costs on each. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import test from 'ava';
import { Poller } from '../../ts/index.js';
import { run, runNode } from '../support/child.js';
import { descriptorsOf } from '../support/process-stats.js';
import { testWithPrograms } from '../support/programs.js';
import { Random } from '../support/random.js';
import { exampleFile } from '../support/server.js';
import { eventually } from '../support/eventually.js';
import { carryOut, connectMany, connectTo, makePlans, roundTrip, takeBack } from './clients.js';
import { start } from './start.js';

const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-backends-'));

test.after.always(() => {
  rmSync(folder, { recursive: true });
});

/** Asked for now: later the tests have more descriptors open than select takes. */
const backends = Poller.backends();

for (const backend of backends) {
  const args = ['--port', '0', '--backend', backend];

  testWithPrograms(['nc'], `compare-backends on ${backend} gives nc its lines back`, async (t) => {
    const server = await start(t, 'compare-backends', args);
    const { stdout, code } = await run('nc', ['-N', '127.0.0.1', String(server.port)], {
      input: 'one\ntwo\n',
    });
    t.is(stdout, 'one\ntwo\n');
    t.is(code, 0);
  });

  test(`compare-backends on ${backend} gives 300 clients every byte back and keeps nothing of them`, async (t) => {
    const server = await start(t, 'compare-backends', args);
    const first = await connectTo(server);
    await roundTrip(first, Buffer.from('hello'));
    // One connection is open: when it has gone, so must all the others be.
    const withOne = descriptorsOf(server.pid).length;
    first.destroy();
    const random = new Random();
    t.log(`RAW_EPOLL_SEED=${random.seed}`);
    const sockets = await connectMany(server, 300);
    const plans = makePlans(random, sockets.length);
    await Promise.all(plans.map((plan, i) => carryOut(plan, sockets[i] as net.Socket)));
    const left = await eventually(() => descriptorsOf(server.pid).length, withOne - 1);
    t.is(left, withOne - 1);
    t.is(server.stderr(), '');
  });

  test(`compare-backends on ${backend} serves on while a client does not read`, async (t) => {
    const server = await start(t, 'compare-backends', args);
    const silent = await connectTo(server);
    silent.pause();
    const flood = Buffer.alloc(8 * 1024 * 1024, 'x');
    silent.write(flood);
    const other = await connectTo(server);
    for (let i = 0; i < 20; i++) await roundTrip(other, Buffer.from(`message ${i}`));
    const back = takeBack(silent, flood);
    silent.resume();
    await back;
    silent.destroy();
    other.destroy();
    t.pass();
  });
}

test('compare-backends on select closes a connection that select cannot watch, and serves the others', async (t) => {
  const server = await start(t, 'compare-backends', ['--port', '0', '--backend', 'select']);
  const sockets = await connectMany(server, 1100);
  const last = sockets.at(-1) as net.Socket;
  const ended = once(last, 'end');
  last.resume();
  await ended;
  for (const i of [0, 900]) await roundTrip(sockets[i] as net.Socket, Buffer.from('hello'));
  for (const socket of sockets) socket.destroy();
  t.is(server.stderr(), '');
});

test('compare-backends takes its backend from RAW_EPOLL_BACKEND, and says which it is', async (t) => {
  const { stdout } = await runNode(exampleFile('compare-backends'), {
    args: ['--port', '0'],
    env: { RAW_EPOLL_BACKEND: 'poll' },
    onStart: (child) => {
      child.stdout?.on('data', () => child.kill());
    },
  });
  t.regex(stdout, /^backend poll\nlistening on /);
});

test('compare-backends --chart tabulates and draws the cost of a wait on each backend', async (t) => {
  const file = path.join(folder, 'cost.svg');
  // With few descriptors the measurement ends after the first sizes.
  const { stdout, stderr, code } = await run('sh', [
    '-c',
    'ulimit -n 300 && exec "$0" "$@"',
    process.execPath,
    exampleFile('compare-backends'),
    ...['--chart', file],
  ]);
  t.is(code, 0, stderr);
  const svg = readFileSync(file, 'utf8');
  t.regex(svg, /^<svg [^]*<\/svg>\s*$/);
  const [head = '', ...rows] = stdout.trim().split('\n');
  for (const backend of backends) {
    t.true(head.includes(backend));
    t.true(svg.includes(`>${backend}</text>`), backend);
  }
  t.deepEqual(
    rows.map((row) => row.trim().split(/\s+/)[0]),
    ['10', '100', 'drawn'],
  );
  for (const row of rows.slice(0, 2)) {
    t.is(row.match(/[\d,]+ ns/g)?.length, backends.length);
  }
});

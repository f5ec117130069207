/** The ticker: everybody gets every tick, unless they do not read. */
import { once } from 'node:events';
import type net from 'node:net';
import test from 'ava';
import { run, runNode } from '../support/child.js';
import { descriptorsOf, residentBytesOf } from '../support/process-stats.js';
import { eventually } from '../support/eventually.js';
import { testWithPrograms } from '../support/programs.js';
import { SHADOW_BYTES } from '../support/sanitizers.js';
import { exampleFile } from '../support/server.js';
import { connectMany, connectTo } from './clients.js';
import { start } from './start.js';

const MIB = 1024 * 1024;

/** Hears ticks and gaps, and fails at the first tick that is not the next one. */
class Listener {
  readonly socket: net.Socket;
  ticks = 0;
  missed = 0;
  #last: number | undefined;
  #rest = '';

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      const lines = (this.#rest + chunk.toString('latin1')).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line);
    });
  }

  /** Resolves once it has heard so many ticks. */
  async hears(ticks: number): Promise<void> {
    while (this.ticks < ticks) await once(this.socket, 'data');
  }

  async misses(): Promise<void> {
    while (this.missed === 0) await once(this.socket, 'data');
  }

  #hear(line: string): void {
    const [word, number = ''] = line.split(/[ .]/, 2);
    if (word === 'missed') {
      this.missed += Number(number);
      this.#last = (this.#last ?? 0) + Number(number);
      return;
    }
    const tick = Number(number);
    if (word !== 'tick' || (this.#last !== undefined && tick !== this.#last + 1)) {
      throw new Error(`heard "${line.slice(0, 40)}" after tick ${String(this.#last)}`);
    }
    this.#last = tick;
    this.ticks++;
  }
}

testWithPrograms(['nc'], 'nc gets one tick after the other', async (t) => {
  const server = await start(t, 'ticker', ['--port', '0', '--interval', '5']);
  const { stdout } = await run('bash', ['-c', `nc 127.0.0.1 ${server.port} | head -n 20`]);
  const ticks = stdout
    .trim()
    .split('\n')
    .map((line) => Number(/^tick (\d+)$/.exec(line)?.[1]));
  t.is(ticks.length, 20);
  t.deepEqual(
    ticks,
    ticks.map((_, i) => (ticks[0] as number) + i),
  );
});

test('five hundred clients who come at once get every tick from their first on', async (t) => {
  const server = await start(t, 'ticker', ['--port', '0', '--interval', '20']);
  const before = descriptorsOf(server.pid).length;
  const early = new Listener(await connectTo(server));
  const listeners = (await connectMany(server, 500)).map((socket) => new Listener(socket));
  await Promise.all(listeners.map((listener) => listener.hears(5)));
  await early.hears(6);
  for (const listener of [early, ...listeners]) {
    t.is(listener.missed, 0);
    listener.socket.destroy();
  }
  t.is(await eventually(() => descriptorsOf(server.pid).length, before), before);
});

test.serial(
  'who does not read misses ticks and hears how many; the others go on hearing them',
  async (t) => {
    const bytes = 100_000;
    const options = ['--port', '0', '--interval', '8', '--bytes', String(bytes)];
    const server = await start(t, 'ticker', options);
    const stuck = await connectTo(server);
    const other = new Listener(await connectTo(server));
    await other.hears(20);
    const resident = residentBytesOf(server.pid);
    // Ten times what the kernel keeps of one connection.
    await other.hears(300);
    const growth = residentBytesOf(server.pid) - resident;
    t.true(growth < 16 * MIB + SHADOW_BYTES, `its memory grew by ${growth} bytes`);
    const late = new Listener(stuck);
    await late.misses();
    await late.hears(late.ticks + 5);
    t.true(late.missed > 100, `it missed ${late.missed}`);
    // A machine that is busy with other tests may keep a reader from reading, too.
    t.true(other.missed < late.missed / 4, `the other missed ${other.missed} of them`);
  },
);

test('what clients say is dropped, and their ends are heard', async (t) => {
  const server = await start(t, 'ticker', ['--port', '0', '--interval', '5']);
  const before = descriptorsOf(server.pid).length;
  const talker = new Listener(await connectTo(server));
  talker.socket.write(Buffer.alloc(4 * MIB));
  await talker.hears(3);
  talker.socket.end();
  await once(talker.socket, 'end');
  const reset = new Listener(await connectTo(server));
  await reset.hears(1);
  reset.socket.resetAndDestroy();
  t.is(await eventually(() => descriptorsOf(server.pid).length, before), before);
  t.is(server.stderr(), '');
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`it leaves on ${signal}, beside a client that does not read`, async (t) => {
    const server = await start(t, 'ticker', ['--port', '0', '--interval', '1', '--bytes', '99999']);
    await connectTo(server);
    const other = new Listener(await connectTo(server));
    await other.hears(100);
    const ended = once(other.socket, 'close');
    t.deepEqual(await server.stop(signal), [0, null]);
    other.socket.end();
    await ended;
  });
}

test('options that are no numbers are refused', async (t) => {
  for (const args of [
    ['--interval', '0'],
    ['--interval', 'x'],
    ['--bytes', '-1'],
    ['--bytes=1.5'],
  ]) {
    const { code, stderr } = await runNode(exampleFile('ticker'), { args });
    t.is(code, 2, args.join(' '));
    t.regex(stderr, /^ticker: /);
  }
});

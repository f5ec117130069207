/** The chat, with people, with crowds, and with those who do not read. */
import { once } from 'node:events';
import type net from 'node:net';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { fixture, run, runNode } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { cpuMsOf, descriptorsOf, residentBytesOf } from '../support/process-stats.js';
import { testWithPrograms } from '../support/programs.js';
import { SHADOW_BYTES } from '../support/sanitizers.js';
import { exampleFile, type RunningServer } from '../support/server.js';
import { connectTo } from './clients.js';
import { start } from './start.js';

const MIB = 1024 * 1024;

/** Somebody in the chat, who waits for lines. */
class Person {
  readonly socket: net.Socket;
  readonly #lines: string[] = [];
  #rest = '';
  #wake: () => void = () => undefined;

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      const parts = (this.#rest + chunk.toString()).split('\n');
      this.#rest = parts.pop() ?? '';
      this.#lines.push(...parts);
      this.#wake();
    });
  }

  say(...lines: string[]): void {
    this.socket.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** The next line. */
  async hears(): Promise<string> {
    while (this.#lines.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#lines.shift() ?? '';
  }
}

async function enter(server: RunningServer, name: string): Promise<Person> {
  const person = new Person(await connectTo(server));
  await person.hears();
  person.say(`/nick ${name}`);
  await person.hears();
  return person;
}

/** Ann, Bob and Cid, who know of each other. */
async function three(server: RunningServer): Promise<[Person, Person, Person]> {
  const ann = await enter(server, 'ann');
  const bob = await enter(server, 'bob');
  const cid = await enter(server, 'cid');
  for (const line of ['* guest2 has come', '* guest2 is bob now', '* guest3 has come']) {
    if ((await ann.hears()) !== line) throw new Error(`ann did not hear: ${line}`);
  }
  await ann.hears();
  await bob.hears();
  await bob.hears();
  return [ann, bob, cid];
}

test('what one says all others hear, and a whisper only one', async (t) => {
  const server = await start(t, 'chat', ['--port', '0']);
  const [ann, bob, cid] = await three(server);
  ann.say('hello', '', 'Grüße, 世界 🎉');
  for (const other of [bob, cid]) {
    t.is(await other.hears(), 'ann: hello');
    t.is(await other.hears(), 'ann: Grüße, 世界 🎉');
  }
  bob.say('/msg cid only for you', '/msg dan are you there', '/msg cid', '/who', '/dance');
  t.is(await cid.hears(), '(bob) only for you');
  t.is(await bob.hears(), '* nobody is called dan');
  t.is(await bob.hears(), '* nobody is called cid');
  t.is(await bob.hears(), '* ann, bob, cid');
  t.is(await bob.hears(), '* there is no /dance');
  cid.say('\x1b[2Jno \x07escapes\r');
  t.is(await ann.hears(), 'cid: [2Jno escapes');
  t.is(await bob.hears(), 'cid: [2Jno escapes');
});

test('names are one’s own', async (t) => {
  const server = await start(t, 'chat', ['--port', '0']);
  const [ann, bob] = await three(server);
  ann.say('/nick bob', '/nick ', '/nick a b', `/nick ${'x'.repeat(21)}`, '/nick Anna-1_2');
  t.is(await ann.hears(), '* somebody is called bob already');
  for (let i = 0; i < 3; i++) {
    t.is(await ann.hears(), '* a name has 1 to 20 letters, digits, - and _');
  }
  t.is(await ann.hears(), '* you are Anna-1_2 now');
  t.is(await bob.hears(), '* ann is Anna-1_2 now');
  bob.say('/msg ann x', '/msg Anna-1_2 x');
  t.is(await bob.hears(), '* nobody is called ann');
  t.is(await ann.hears(), '(bob) x');
});

test('everybody hears who has left, however that was', async (t) => {
  const server = await start(t, 'chat', ['--port', '0']);
  const descriptors = descriptorsOf(server.pid).length;
  const [ann, bob, cid] = await three(server);
  bob.say('/quit', 'not heard any more');
  t.is(await bob.hears(), '* goodbye');
  t.is(await ann.hears(), '* bob has left');
  bob.socket.end();
  t.is(await cid.hears(), '* bob has left');
  cid.socket.resetAndDestroy();
  t.is(await ann.hears(), '* cid has left');
  const dan = await enter(server, 'dan');
  t.is(await ann.hears(), '* guest4 has come');
  t.is(await ann.hears(), '* guest4 is dan now');
  const ended = once(dan.socket, 'end');
  dan.socket.end('last words\n'); // a half-close
  t.is(await ann.hears(), 'dan: last words');
  t.is(await ann.hears(), '* dan has left');
  await ended;
  ann.socket.destroy();
  t.is(await eventually(() => descriptorsOf(server.pid).length, descriptors), descriptors);
  t.is(server.stderr(), '');
});

test('a line may have 1,024 bytes, in any number of parts', async (t) => {
  const server = await start(t, 'chat', ['--port', '0']);
  const [ann, bob] = await three(server);
  const line = 'x'.repeat(1024);
  for (let i = 0; i < 1024; i += 100) {
    ann.socket.write(line.slice(i, i + 100));
    await new Promise((resolve) => setImmediate(resolve));
  }
  ann.say('', 'next');
  t.is(await bob.hears(), `ann: ${line}`);
  t.is(await bob.hears(), 'ann: next');
  ann.say(`${line}x`);
  t.is(await ann.hears(), '* that line is too long');
  t.is(await bob.hears(), '* ann has left');
  const flood = new Person(await connectTo(server));
  await flood.hears();
  flood.socket.write('y'.repeat(100_000)); // without an end
  t.is(await flood.hears(), '* that line is too long');
});

testWithPrograms(['nc'], 'nc and socat may talk, with either end of a line', async (t) => {
  const server = await start(t, 'chat', ['--port', '0']);
  const ann = await enter(server, 'ann');
  const input = 'hello from nc\r\n/who\r\n/quit\r\n';
  const { stdout } = await run('nc', ['127.0.0.1', String(server.port)], { input });
  t.deepEqual(stdout.split('\n').slice(1), ['* ann, guest2', '* goodbye', '']);
  t.is(await ann.hears(), '* guest2 has come');
  t.is(await ann.hears(), 'guest2: hello from nc');
  t.is(await ann.hears(), '* guest2 has left');
});

test.serial(
  'one who does not read is dropped, and the others hear each line at once',
  async (t) => {
    const server = await start(t, 'chat', ['--port', '0', '--limit', '100000']);
    const stuck = await connectTo(server);
    const [ann, bob] = [await enter(server, 'ann'), await enter(server, 'bob')];
    await ann.hears();
    await ann.hears();
    const resident = residentBytesOf(server.pid);
    const padding = '.'.repeat(900);
    let lines = 0;
    // Nobody says the next line before the last one was heard: a server that waited for the stuck
    // one would stand still here.
    for (let heard = ''; heard !== '* guest1 has left: reads too slowly';) {
      ann.say(`${lines} ${padding}`);
      heard = await bob.hears();
      if (heard === `ann: ${lines} ${padding}`) lines++;
      t.true(lines < 100_000, 'it was never dropped');
    }
    t.true(lines * 900 > 100_000);
    t.is(await bob.hears(), `ann: ${lines} ${padding}`);
    const growth = residentBytesOf(server.pid) - resident;
    t.true(growth < 64 * MIB + SHADOW_BYTES, `its memory grew by ${growth} bytes`);
    stuck.destroy();
  },
);

test.serial(
  'while memory is short nobody is heard, who keeps the others waiting is dropped, and no line is lost',
  async (t) => {
    const server = await start(t, 'chat', ['--port', '0', '--limit', '999999999'], {
      nodeArgs: ['--import', pathToFileURL(fixture('small-send-buffers')).href],
    });
    const stuck = [await connectTo(server), await connectTo(server)];
    const [ann, bob] = [await enter(server, 'ann'), await enter(server, 'bob')];
    await ann.hears();
    await ann.hears();
    const resident = residentBytesOf(server.pid);
    // More than the pool of 64 MiB holds for the two who do not read.
    const lines = 50_000;
    const padding = '.'.repeat(1000);
    for (let i = 0; i < lines; i++) ann.say(`${i} ${padding}`);
    const left = new Set<string>();
    for (let i = 0; i < lines;) {
      const heard = await bob.hears();
      if (heard === `ann: ${i} ${padding}`) i++;
      else if (!heard.startsWith('*')) t.fail(`heard ${heard.slice(0, 40)} instead of line ${i}`);
      else left.add(heard);
    }
    t.deepEqual(
      left,
      new Set([1, 2].map((number) => `* guest${number} has left: kept the others waiting`)),
    );
    const growth = residentBytesOf(server.pid) - resident;
    t.true(growth < 160 * MIB + SHADOW_BYTES, `its memory grew by ${growth} bytes`);
    for (const socket of stuck) socket.destroy();
  },
);

test('it leaves on SIGTERM, and tells everybody', async (t) => {
  const server = await start(t, 'chat', ['--port', '0']);
  const [ann, bob] = await three(server);
  const ended = [once(ann.socket, 'end'), once(bob.socket, 'end')];
  const stopped = server.stop('SIGTERM');
  t.is(await ann.hears(), '* the room is closed');
  t.is(await bob.hears(), '* the room is closed');
  await Promise.all(ended);
  t.deepEqual(await stopped, [0, null]);
});

test('a limit that is no number is refused', async (t) => {
  const { code, stderr } = await runNode(exampleFile('chat'), { args: ['--limit', 'x'] });
  t.is(code, 2);
  t.regex(stderr, /--limit must be a whole number/);
});

/** How many clients say how much. */
interface Crowd {
  readonly clients: number;
  readonly lines: number;
  readonly bytes: number;
}

// A stuck client has about four megabytes in the kernel before the server knows of it.
const SMALL: Crowd = { clients: 50, lines: 150, bytes: 1000 };
const FULL: Crowd = { clients: 500, lines: 40, bytes: 350 };
const crowds = process.env['RAW_EPOLL_FULL'] === '1' ? [SMALL, FULL] : [SMALL];

for (const { clients, lines, bytes } of crowds) {
  for (const stuck of [0, 1]) {
    test.serial(
      `${clients} clients hear each of ${clients * lines} lines once and in order, beside ${stuck} stuck`,
      async (t) => {
        const server = await start(t, 'chat', ['--port', '0']);
        const resident = residentBytesOf(server.pid);
        const cpuMs = cpuMsOf(server.pid);
        const args = [server.port, clients, lines, bytes, stuck].map(String);
        const crowd = await runNode(fixture('chat-crowd'), { args, timeoutMs: 280_000 });
        t.is(crowd.stderr, '');
        t.is(crowd.code, 0);
        const { delivered, dropped, seconds } = JSON.parse(crowd.stdout) as Record<string, number>;
        t.is(delivered, clients * (clients - 1) * lines);
        t.is(dropped, stuck);
        const growth = residentBytesOf(server.pid) - resident;
        t.true(growth < 192 * MIB + SHADOW_BYTES, `its memory grew by ${growth} bytes`);
        t.log(
          `${seconds?.toFixed(1)} s, ${cpuMsOf(server.pid) - cpuMs} ms of the server’s processor, ` +
            `${Math.round(growth / MIB)} MiB more`,
        );
      },
    );
  }
}

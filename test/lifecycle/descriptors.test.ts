import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { TcpListener, TcpStream } from '../../ts/index.js';
import { close } from '../../ts/sys/index.js';
import { fixture, runNode } from '../support/child.js';
import { portOf } from '../support/pairs.js';

/** Runs a fixture to its end and answers the JSON that it printed. */
async function report<T>(
  t: ExecutionContext,
  program: string,
  args: readonly string[] = [],
  nodeArgs: readonly string[] = [],
): Promise<T> {
  const child = await runNode(fixture(program), { args, nodeArgs, timeoutMs: 100_000 });
  t.deepEqual([child.code, child.signal], [0, null], child.stderr);
  return JSON.parse(child.stdout) as T;
}

/** A leak of each is seen with few; a hundred for the end that can come at any moment. */
const FEW = 20;
const MANY = Number(process.env['RAW_EPOLL_WORKERS'] ?? 100);

interface Descriptors {
  readonly before: string[];
  readonly after: string[];
  readonly ends: string[];
}

const endings: readonly (readonly [ending: string, workers: number, title: string, end: string])[] =
  [
    ['wait', MANY, 'terminated while they wait', '1'],
    ['natural end', FEW, 'at their natural end', '0'],
    ['process.exit', FEW, 'at process.exit()', '7'],
    ['error', FEW, 'at an uncaught error', '1 an error of the worker'],
    ['unhandled rejection', FEW, 'at an unhandled rejection', '1 a rejection of the worker'],
  ];

for (const [ending, workers, title, end] of endings) {
  test.serial(`${workers} workers leave no descriptor behind, ${title}`, async (t) => {
    const { before, after, ends } = await report<Descriptors>(t, 'lifecycle-workers', [
      ending,
      String(workers),
    ]);
    t.deepEqual(after, before);
    t.deepEqual(ends, [end]);
  });
}

test.serial('level 1 numbers of a worker stay open after its end', async (t) => {
  const { before, after } = await report<Descriptors>(t, 'lifecycle-workers', [
    'level 1',
    String(FEW),
  ]);
  const eventfds = (kinds: readonly string[]): number =>
    kinds.filter((kind) => kind === 'anon_inode:[eventfd]').length;
  t.is(eventfds(after) - eventfds(before), FEW);
});

/** What a cycle may seem to leave on the heap: noise. A loop that was left has a multiple of it. */
const LEFT_BYTES = 1000;

for (const [what, cycle] of [
  ['sets', 'epoll'],
  ['loops with run()', 'run'],
  ['loops with runAsync()', 'runAsync'],
]) {
  test(`a thousand ${what} leave no descriptor, thread, listener or memory behind`, async (t) => {
    const { before, after, grown } = await report<{ before: object; after: object; grown: number }>(
      t,
      'lifecycle-cycles',
      [cycle ?? ''],
      ['--expose-gc'],
    );
    t.deepEqual(after, before);
    t.log(`${(grown / 1000).toFixed(1)} bytes a cycle`);
    t.true(grown / 1000 < LEFT_BYTES);
  });
}

test('a spawned process inherits no descriptor of levels 2 and up', async (t) => {
  const seen = await report<Record<'before' | 'owned' | 'level1', string[]>>(t, 'lifecycle-spawn');
  t.deepEqual(seen.owned, seen.before);
  // The same look sees what level 1 opens without close-on-exec.
  t.deepEqual(seen.level1, [...seen.before, 'anon_inode:[eventfd]'].sort());
});

test('close() leaves alone the file that took over a number closed by sys.close', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const file = path.join(folder, 'victim');
  writeFileSync(file, 'still here');
  using listener = TcpListener.listen();
  const stream = TcpStream.connect({ port: portOf(listener) });
  const number = stream.fd;
  t.is(close(number), 0);
  const victim = openSync(file, 'r');
  t.is(victim, number); // The lowest free number is given out first.
  t.throws(
    () => {
      stream.close();
    },
    { code: 'EBADF' },
  );
  t.true(stream.closed);
  t.is(readFileSync(victim, 'utf8'), 'still here');
  closeSync(victim);
});

/**
 * Walk: a directory is listed by a function that starts nothing, and its callers decide the rest.
 *
 *     node build/examples/walk.js --root . --skip node_modules
 *     node build/examples/walk.js --root / --how loop
 *     node build/examples/walk.js --root / --how worker --find README.md
 *
 * A function that lists a directory can answer an array: then the caller waits for all of it. It can
 * start something in the background and answer a channel: then nobody can tell an end from a
 * failure, and whoever stops reading leaves it waiting for ever. Here it answers an iterator. The
 * caller takes as much as it wants, hears of what could not be read, and has three choices that
 * are all its own: to walk here and now, in slices beside what else a loop does, or on a thread.
 *
 * Exit code 1: something could not be read.
 */
import process from 'node:process';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Loop } from 'raw-epoll';
import { leave, ownOptions } from './lib/command-line.js';
import { walkDirectory, type Visited } from './lib/walk-directory.js';

/** What is told of one step. */
type Told = Pick<Visited, 'path' | 'error'>;

interface Wish {
  readonly root: string;
  readonly skip: string | undefined;
  readonly find: string | undefined;
}

/** The caller's own rules: where not to go, and when it has seen enough. */
function* wanted({ root, skip, find }: Wish): Generator<Told, void, undefined> {
  for (const visited of walkDirectory(root)) {
    const name = visited.path.slice(visited.path.lastIndexOf('/') + 1);
    if (name === skip) {
      visited.skip();
      continue;
    }
    const { path, error } = visited;
    yield error === undefined ? { path } : { path, error };
    if (name === find) return; // and what was open is closed
  }
}

let count = 0;

function tell({ path, error }: Told): void {
  if (error === undefined) {
    count++;
    console.log(path);
    // Nobody reads any more: `| head -1`. Other programs end of SIGPIPE here, which Node ignores.
    const refusal: NodeJS.ErrnoException | null = process.stdout.errored;
    if (refusal?.code === 'EPIPE') process.exit();
  } else {
    process.exitCode = 1;
    console.error(`walk: ${path}: ${error.message}`);
  }
}

/** Here and now: nothing else happens until it is over. */
function walkHere(wish: Wish): string {
  for (const step of wanted(wish)) tell(step);
  return 'here';
}

/** So long a slice takes; whatever else the loop has to do waits no longer. */
const SLICE_MS = 2;

/** In slices: after each, the loop does what else there is, such as the ticking of this timer. */
function walkOnLoop(wish: Wish): string {
  const loop = new Loop();
  const steps = wanted(wish);
  let [slices, ticks] = [0, 0];
  const slice = (): void => {
    slices++;
    for (const until = performance.now() + SLICE_MS; performance.now() < until;) {
      const { done, value } = steps.next();
      if (done === true) return;
      tell(value);
    }
    loop.defer(slice);
  };
  loop.setInterval(SLICE_MS, () => ticks++).unref();
  loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs: 0 });
  loop.defer(slice);
  loop.run(); // until nothing is left to do
  steps.return(); // after a signal there were more
  loop.close();
  return `on a loop, in ${slices} slices, beside ${ticks} ticks`;
}

/** On a thread, which the caller starts, hears the end of, and could terminate. */
async function walkOnWorker(wish: Wish): Promise<string> {
  const worker = new Worker(new URL(import.meta.url), { workerData: wish });
  worker.on('message', tell);
  await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
  return 'on a worker';
}

const WAYS = { here: walkHere, loop: walkOnLoop, worker: walkOnWorker };

if (isMainThread) {
  const own = ownOptions('walk', {
    root: '--root DIR          where to begin (.)',
    skip: '--skip NAME         is neither shown nor walked into',
    find: '--find NAME         is the last that is shown',
    how: '--how WAY           here, loop or worker (here)',
  });
  const how = own.how ?? 'here';
  if (!Object.hasOwn(WAYS, how))
    leave('walk', `--how must be here, loop or worker, not '${how}'`, 2);
  const wish = { root: own.root ?? '.', skip: own.skip, find: own.find };
  const where = await WAYS[how as keyof typeof WAYS](wish);
  console.error(`walked ${count} entries ${where}`);
} else {
  for (const step of wanted(workerData as Wish)) parentPort?.postMessage(step);
}

/** Every way in which a thread or a process ends, while a loop is running. */
import test from 'ava';
import { fixture, runNode } from '../support/child.js';

interface Ending {
  readonly way: string;
  readonly code?: number;
  readonly signal?: NodeJS.Signals;
  readonly output?: string;
}

const inMain: readonly Ending[] = [
  { way: 'its natural end', output: 'over\n' },
  { way: 'a stop', output: 'over\n' },
  { way: 'a shutdown', output: 'over\n' },
  { way: 'process.exit in a handler', code: 3 },
  { way: 'an error', code: 1 },
  { way: 'an unhandled rejection', code: 1 },
  { way: 'a signal', signal: 'SIGTERM' },
];

const inWorker: readonly Ending[] = [
  { way: 'its natural end', output: 'over\nworker: 0\n' },
  { way: 'a stop', output: 'over\nworker: 0\n' },
  { way: 'a shutdown', output: 'over\nworker: 0\n' },
  { way: 'process.exit in a handler', output: 'worker: 3\n' },
  { way: 'an error', output: 'on purpose\nworker: 1\n' },
  { way: 'an unhandled rejection', output: 'on purpose\nworker: 1\n' },
  { way: 'a signal', signal: 'SIGTERM' },
  { way: 'terminate()', output: 'worker: 1\n' },
  { way: 'process.exit of main', code: 4 },
  { way: 'an error of main', code: 1 },
  { way: 'the natural end of main' },
];

const drivers = [
  { title: 'run()', driver: 'run', host: 'uv' },
  { title: 'runAsync(), watched by libuv', driver: 'runAsync', host: 'uv' },
  { title: 'runAsync(), watched by a thread', driver: 'runAsync', host: 'thread' },
];

/** The last lines of a worker reach the output through main, which may have more to say first. */
const sorted = (text: string): string[] => text.split('\n').sort();

for (const { title, driver, host } of drivers) {
  for (const [place, endings] of Object.entries({ main: inMain, worker: inWorker })) {
    for (const { way, code, signal = null, output = '' } of endings) {
      test.serial(`${title} in ${place}: ${way}`, async (t) => {
        const child = await runNode(fixture('lifecycle-loop'), {
          args: [driver, place, way],
          env: { RAW_EPOLL_HOST_WATCH: host },
        });
        t.deepEqual([child.code, child.signal], [signal === null ? (code ?? 0) : null, signal]);
        // No promise is settled in run(): Node learns of this one when the loop has been closed.
        const late = driver === 'run' && way === 'an unhandled rejection' ? 'over\n' : '';
        t.deepEqual(sorted(child.stdout), sorted(`${late}${output}`), child.stderr);
      });
    }
  }
}

/**
 * What `inheritContext` costs a handler of a scope: `npm run bench:context`. An eventfd that is
 * always ready, and nothing else in the loop; both in turn, and the median of processor time.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { EventFd, Loop, READABLE } from '../ts/index.js';
import { optionsOrUsage, parseCount } from './lib/options.js';
import { median } from './lib/statistics.js';

/** So many are ready in a turn, so that the wait weighs little. */
const READY = 64;

/** Nanoseconds of processor time for each run of a handler. */
function measure(inheritContext: boolean, dispatches: number): number {
  using loop = new Loop();
  const storage = new AsyncLocalStorage<string>();
  const scope = storage.run('mine', () => loop.scope('measured', { inheritContext }));
  let runs = 0;
  for (let i = 0; i < READY; i++) {
    scope.register(scope.own(new EventFd({ initialValue: 1 })), READABLE, () => {
      runs++;
    });
  }
  const before = process.cpuUsage();
  while (runs < dispatches) loop.turn();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / runs;
}

function main(dispatches: number, rounds: number): void {
  const [without, inherited, extra]: [number[], number[], number[]] = [[], [], []];
  for (let round = -1; round < rounds; round++) {
    const pair = [measure(false, dispatches), measure(true, dispatches)] as const;
    if (round < 0) continue; // warm
    without.push(pair[0]);
    inherited.push(pair[1]);
    extra.push(pair[1] - pair[0]);
  }
  console.log('ns of processor time for each run of a handler, its share of the wait included\n');
  console.log(`without           ${median(without).toFixed(0)}`);
  console.log(`inheritContext    ${median(inherited).toFixed(0)}`);
  console.log(`extra             ${median(extra).toFixed(0)}`);
}

const options = optionsOrUsage('bench:context', () => {
  const { values } = parseArgs({
    options: {
      dispatches: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '9' },
    },
  });
  const { dispatches, rounds } = values;
  return {
    dispatches: parseCount('dispatches', dispatches),
    rounds: parseCount('rounds', rounds),
  };
});
if (options !== undefined) main(options.dispatches, options.rounds);

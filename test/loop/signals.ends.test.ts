/** How soon a signal reaches its function; `npm run bench:ends` holds it to the promise. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'ava';
import { fixture } from '../support/child.js';
import { median, promisedMs, REPETITIONS, showMs } from '../support/measure.js';
import { untilAsleep } from '../support/threads.js';

const LIMIT_MS = promisedMs(50);

/** From the sending of SIGINT to its function, in milliseconds, on the clock that both have. */
async function measure(place: string, how: string): Promise<number> {
  const child = spawn(process.execPath, [fixture('loop-signals'), place, how, 'auto', 'SIGINT'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  child.stdout.setEncoding('utf8');
  const [thread] = (await once(child.stdout, 'data')) as [string];
  await untilAsleep(thread.trim());
  let said = '';
  child.stdout.on('data', (text: string) => (said += text));
  const sent = process.hrtime.bigint();
  child.kill('SIGINT');
  await once(child, 'close');
  const heard = BigInt(/at (\d+)/.exec(said)?.[1] ?? 0);
  return Number(heard - sent) / 1e6;
}

for (const place of ['hear', 'hear on a worker']) {
  for (const how of ['run', 'runAsync']) {
    const where = place === 'hear' ? 'the main thread' : 'a worker';
    test.serial(`Ctrl-C reaches its function within 50 ms: ${where} in ${how}`, async (t) => {
      const times: number[] = [];
      for (let i = 0; i < REPETITIONS; i++) times.push(await measure(place, how));
      t.log(showMs(times));
      t.true(Math.min(...times) > 0, 'heard, and not before it was sent');
      t.true(median(times) <= LIMIT_MS, showMs(times));
    });
  }
}

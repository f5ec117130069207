/** `spinUs`: a wait that asks for a while before it blocks. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import {
  type BackendName,
  Epoll,
  EpollEvents,
  Loop,
  Poller,
  PollerEvents,
  READABLE,
  Waker,
} from '../../ts/index.js';
import { EPOLLIN } from '../../ts/sys/constants.js';
import { fixture } from '../support/child.js';
import { testedBackends } from '../support/backends.js';
import { newEventFd } from '../support/pairs.js';
import { testWithPrograms } from '../support/programs.js';
import { traced } from '../support/traced.js';

const WAIT = /^\d+ +(?:epoll_wait|epoll_pwait2?|p?poll|p?select6?)\(/;
/** A wait that does not block: a timeout of nothing. */
const ASKS = /, 0\)| 0, NULL, 8\)|\{tv_sec=0, tv_[un]sec=0\}/;
// A kqueue of Linux is a shim that makes calls of its own.
const traceable = testedBackends.filter((name) => name !== 'kqueue');

/** What a wait says, and its calls on the thread that waits. */
async function waitTraced(
  t: Parameters<typeof traced>[0],
  backend: string,
  spinUs: number,
  timeoutMs: number,
): Promise<{ said: { count: number; ns: number }; waits: string[] }> {
  const args = [backend, String(spinUs), String(timeoutMs)];
  const { calls, said } = await traced(t, fixture('poller-spin'), 'all', [], args);
  const marks = calls.flatMap((call, i) => (call.includes(' getppid(') ? [i] : []));
  const [from = 0, to = 0] = marks.slice(-2);
  const thread = `${calls[from]?.split(' ', 1).join() ?? ''} `;
  const waits = calls
    .slice(from + 1, to)
    .filter((call) => call.startsWith(thread) && WAIT.test(call));
  return { said: said as { count: number; ns: number }, waits };
}

for (const backend of traceable) {
  testWithPrograms(
    ['strace'],
    `a wait that spins asks again and again, and then blocks once (${backend})`,
    async (t) => {
      const { said, waits } = await waitTraced(t, backend, 50_000, 300);
      t.is(said.count, 0);
      t.true(said.ns >= 300e6);
      t.true(waits.length > 2);
      t.deepEqual(
        waits.slice(0, -1).filter((call) => !ASKS.test(call)),
        [],
      );
      t.notRegex(waits.at(-1) ?? '', ASKS);
    },
  );

  testWithPrograms(['strace'], `a wait that does not spin is one call (${backend})`, async (t) => {
    const { said, waits } = await waitTraced(t, backend, 0, 300);
    t.true(said.ns >= 300e6);
    t.is(waits.length, 1);
  });

  testWithPrograms(
    ['strace'],
    `a wait of 0 is one call, also if it may spin (${backend})`,
    async (t) => {
      const { waits } = await waitTraced(t, backend, 50_000, 0);
      t.is(waits.length, 1);
    },
  );
}

for (const backend of testedBackends) {
  test(`a wait that spins longer than its timeout ends with the timeout (${backend})`, (t) => {
    using poller = new Poller({ backend: backend as BackendName, spinUs: 100_000 });
    const events = new PollerEvents(8);
    for (const timeoutMs of [0.3, 2]) {
      const started = process.hrtime.bigint();
      t.is(poller.wait(events, timeoutMs), 0);
      t.true(Number(process.hrtime.bigint() - started) >= timeoutMs * 1e6);
    }
  });

  test(`what is ready is told by a set that spins (${backend})`, (t) => {
    using poller = new Poller({ backend: backend as BackendName, spinUs: 1000 });
    const events = new PollerEvents(8);
    const eventFd = newEventFd(t, 1);
    poller.add(eventFd, READABLE);
    t.is(poller.wait(events), 1);
    t.is(events.fd(0), eventFd.fd);
    eventFd.read();
    t.is(poller.wait(events, 0), 0);
    poller.wake();
    t.is(poller.wait(events), 0, 'a wake ends a wait that spins');
  });

  test(`a worker that spins is woken, and terminated (${backend})`, async (t) => {
    const worker = new Worker(fixture('poller-spin-worker'), { workerData: backend });
    const [posted] = (await once(worker, 'message')) as [{ id: number }];
    const waker = Waker.from(posted);
    for (let round = 0; round < 3; round++) {
      const woken = once(worker, 'message');
      waker.wake();
      t.deepEqual(await woken, [0]);
    }
    t.is(await worker.terminate(), 1);
  });
}

test('Epoll and Loop spin too', (t) => {
  using epoll = new Epoll({ spinUs: 1000 });
  const eventFd = newEventFd(t, 1);
  epoll.add(eventFd, EPOLLIN);
  t.is(epoll.wait(new EpollEvents(4)), 1);
  using loop = new Loop({ spinUs: 1000 });
  let runs = 0;
  loop.setTimeout(2, () => runs++);
  loop.run();
  t.is(runs, 1);
});

test('spinUs is a whole number, 0 … 100,000', (t) => {
  const opens = [
    (spinUs: unknown) => new Epoll({ spinUs: spinUs as number }),
    (spinUs: unknown) => new Poller({ spinUs: spinUs as number }),
    (spinUs: unknown) => new Loop({ spinUs: spinUs as number }),
  ];
  for (const open of opens) {
    for (const spinUs of [Number.NaN, -1, 0.5, 100_001, Infinity]) {
      t.throws(() => open(spinUs), { code: 'ERR_OUT_OF_RANGE', message: /spinUs/ });
    }
    for (const spinUs of [null, '5', true, 5n, {}]) {
      t.throws(() => open(spinUs), { code: 'ERR_INVALID_ARG_TYPE', message: /spinUs/ });
    }
    for (const spinUs of [0, 100_000, undefined]) open(spinUs).close();
  }
});

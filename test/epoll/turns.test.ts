/**
 * A set that Node's own loop drives. Everything is shown twice: with libuv watching the set, and
 * with the thread that does it where there is no libuv.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { closeSync } from 'node:fs';
import process from 'node:process';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { Epoll, EpollEvents, EventFd, UnixStream } from '../../ts/index.js';
import { EPOLLET, EPOLLIN } from '../../ts/sys/constants.js';
import { close, dup, eventfd_write } from '../../ts/sys/index.js';
import { countDescriptors } from '../support/descriptors.js';
import { expectEnding, type Ending } from '../support/endings.js';
import { eventually } from '../support/eventually.js';
import { newEpoll, newEventFd, unixPair } from '../support/pairs.js';

const HOSTS = ['uv', 'thread'] as const;

/** One test for each way of watching. Serial: the way is the process's. */
function testEach(title: string, body: (t: ExecutionContext) => Promise<void>): void {
  for (const host of HOSTS) {
    test.serial(`${title} (${host})`, async (t) => {
      process.env['RAW_EPOLL_HOST_WATCH'] = host;
      await body(t);
    });
  }
}

const nextTurn = <T>(turns: AsyncIterator<EpollEvents<T>>): Promise<EpollEvents<T>> =>
  turns.next().then(({ value }) => value as EpollEvents<T>);

testEach('a turn brings what is ready, and what becomes ready while it is awaited', async (t) => {
  const epoll = newEpoll<string>(t);
  const [first, second] = [newEventFd(t, 1), newEventFd(t)];
  epoll.add(first, EPOLLIN, 'first');
  epoll.add(second, EPOLLIN, 'second');
  const turns = epoll.turns();
  t.deepEqual(
    [...(await nextTurn(turns))].map(({ data }) => data),
    ['first'],
  );
  first.read();
  const coming = nextTurn(turns);
  await delay(5);
  second.write(1);
  t.deepEqual([...(await coming)], [{ fd: second.fd, events: EPOLLIN, data: 'second' }]);
  await turns.return?.();
});

testEach('promises, timers and immediates of Node run while a turn is awaited', async (t) => {
  const epoll = newEpoll(t);
  const eventFd = newEventFd(t);
  epoll.add(eventFd, EPOLLIN);
  const seen: string[] = [];
  const turns = epoll.turns();
  const coming = nextTurn(turns).then(() => seen.push('turn'));
  await Promise.resolve().then(() => seen.push('promise'));
  await setImmediate();
  seen.push('immediate');
  await delay(1);
  seen.push('timer');
  eventFd.write(1);
  await coming;
  t.deepEqual(seen, ['promise', 'immediate', 'timer', 'turn']);
  await turns.return?.();
});

testEach('timers run beside a set that is always ready', async (t) => {
  const epoll = newEpoll(t);
  epoll.add(newEventFd(t, 1), EPOLLIN);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  let count = 0;
  for await (const events of epoll.turns()) {
    count += events.length;
    if (ticks >= 20) break;
  }
  clearInterval(timer);
  t.true(count > 0);
});

testEach(
  'events that do not fit, and edges that were not taken, come with the next turn',
  async (t) => {
    const epoll = newEpoll(t);
    const eventFds = Array.from({ length: 100 }, () => newEventFd(t, 1));
    for (const eventFd of eventFds) epoll.add(eventFd, EPOLLIN | EPOLLET);
    const seen = new Set<number>();
    for await (const events of epoll.turns({ maxEvents: 7 })) {
      t.true(events.length <= 7);
      for (const { fd } of events) seen.add(fd);
      if (seen.size === 100) break;
      await setImmediate(); // the loop comes by with nobody asking
    }
    t.deepEqual(
      [...seen].sort((a, b) => a - b),
      eventFds.map(({ fd }) => fd).sort((a, b) => a - b),
    );
  },
);

testEach('the async context of the caller is there after a turn', async (t) => {
  const storage = new AsyncLocalStorage<string>();
  const epoll = newEpoll(t);
  const eventFd = newEventFd(t);
  epoll.add(eventFd, EPOLLIN);
  await storage.run('mine', async () => {
    const turns = epoll.turns();
    for (let i = 0; i < 3; i++) {
      const coming = nextTurn(turns);
      storage.run('other', () => setTimeout(() => eventFd.write(1), 1));
      await coming;
      t.is(storage.getStore(), 'mine');
      eventFd.read();
    }
    await turns.return?.();
  });
});

testEach('an abort ends the turn that is awaited with its reason, and the iteration', async (t) => {
  const epoll = newEpoll(t);
  epoll.add(newEventFd(t), EPOLLIN);
  const controller = new AbortController();
  const turns = epoll.turns({ signal: controller.signal });
  const coming = turns.next();
  const reason = new Error('enough');
  setTimeout(() => {
    controller.abort(reason);
  }, 1);
  t.is(await t.throwsAsync(coming), reason);
  t.true((await turns.next()).done);
});

testEach(
  'a signal that is aborted before the first turn, or between two, ends the iteration',
  async (t) => {
    const epoll = newEpoll(t);
    epoll.add(newEventFd(t, 1), EPOLLIN);
    const early = epoll.turns({ signal: AbortSignal.abort(new Error('early')) });
    await t.throwsAsync(early.next(), { message: 'early' });
    t.true((await early.next()).done);

    const controller = new AbortController();
    const turns = epoll.turns({ signal: controller.signal });
    t.is((await nextTurn(turns)).length, 1);
    controller.abort(new Error('between'));
    t.true((await turns.next()).done);
  },
);

testEach(
  'close ends the turn that is awaited and the iteration; before it, ERR_CLOSED',
  async (t) => {
    const epoll = new Epoll();
    const turns = epoll.turns();
    const coming = turns.next();
    setTimeout(() => {
      epoll.close();
    }, 1);
    t.true((await coming).done);
    t.true((await turns.next()).done);
    t.throws(() => epoll.turns(), { code: 'ERR_CLOSED' });
  },
);

testEach('a set that is closed before the first turn rejects it with ERR_CLOSED', async (t) => {
  const epoll = new Epoll();
  const turns = epoll.turns();
  epoll.close();
  await t.throwsAsync(turns.next(), { code: 'ERR_CLOSED' });
  t.true((await turns.next()).done);
});

testEach('the set may be closed in its own turn', async (t) => {
  const epoll = new Epoll();
  epoll.add(newEventFd(t, 1), EPOLLIN);
  let turns = 0;
  for await (const events of epoll.turns()) {
    turns++;
    epoll.close();
    t.is(events.fd(0), -1, 'stale from then on');
  }
  t.is(turns, 1);
});

testEach('wake ends a turn with no event', async (t) => {
  const epoll = newEpoll(t);
  const turns = epoll.turns();
  const coming = nextTurn(turns);
  setTimeout(() => {
    epoll.wake();
  }, 1);
  t.is((await coming).length, 0);
  await turns.return?.();
});

testEach('a turn that is asked for before the last one came is ERR_INVALID_STATE', async (t) => {
  const epoll = newEpoll(t);
  const turns = epoll.turns();
  const first = turns.next();
  await t.throwsAsync(turns.next(), { code: 'ERR_INVALID_STATE' });
  epoll.wake();
  t.false((await first).done);
  await turns.return?.();
});

testEach(
  'of two iterations of one set each goes on alone after the end of the other',
  async (t) => {
    const epoll = newEpoll(t);
    const eventFd = newEventFd(t);
    epoll.add(eventFd, EPOLLIN);
    const [one, other] = [epoll.turns(), epoll.turns()];
    const comingOne = one.next();
    const comingOther = nextTurn(other);
    await one.return?.();
    t.true((await comingOne).done);
    eventFd.write(1);
    t.is((await comingOther).length, 1);
    await other.return?.();
  },
);

testEach('a set that was built anew because of a ghost goes on giving turns', async (t) => {
  const epoll = newEpoll<string>(t);
  const ghost = new EventFd();
  const number = ghost.fd;
  const duplicate = dup(number);
  t.teardown(() => close(duplicate));
  epoll.add(ghost, EPOLLIN, 'ghost');
  const turns = epoll.turns();
  const coming = nextTurn(turns);
  closeSync(number);
  t.throws(() => {
    ghost.close();
  });
  const living = newEventFd(t, 1);
  epoll.add(living, EPOLLIN, 'living');
  await coming;
  t.is(eventfd_write(duplicate, 1), 0); // the ghost is ready, and the set is built anew
  const seen: (string | undefined)[] = [];
  for (let i = 0; i < 3; i++) seen.push(...[...(await nextTurn(turns))].map(({ data }) => data));
  t.deepEqual(new Set(seen), new Set(['living']));
  living.read();
  const quiet = nextTurn(turns);
  living.write(1);
  t.is((await quiet).data(0), 'living');
  await turns.return?.();
});

testEach(
  'a number that was closed behind the set’s back rejects with EBADF, and takes nobody with it',
  async (t) => {
    const epoll = new Epoll();
    epoll.add(newEventFd(t, 1), EPOLLIN);
    const turns = epoll.turns();
    const coming = turns.next(); // libuv has not come to register it yet
    closeSync(epoll.fd);
    await t.throwsAsync(coming, { code: 'EBADF' });
    t.throws(
      () => {
        epoll.close();
      },
      { code: 'EBADF' },
    );
  },
);

testEach('a set that is nested as deeply as the kernel allows rejects with ELOOP', async (t) => {
  const sets = Array.from({ length: 6 }, () => newEpoll(t));
  const depth = sets.findIndex((set, i) => {
    const inner = sets[i - 1];
    if (inner === undefined) return false;
    try {
      set.add(inner, EPOLLIN);
      return false;
    } catch {
      return true;
    }
  });
  const deepest = sets[depth - 1];
  t.truthy(deepest);
  const turns = deepest?.turns();
  if (process.env['RAW_EPOLL_HOST_WATCH'] === 'thread') {
    deepest?.wake(); // poll(2) asks no set
    t.false((await turns?.next())?.done);
  } else {
    await t.throwsAsync(async () => turns?.next(), { code: 'ELOOP' });
  }
  await turns?.return?.();
});

testEach('a thousand iterations leave no descriptor', async (t) => {
  const epoll = newEpoll(t);
  epoll.add(newEventFd(t, 1), EPOLLIN);
  const first = epoll.turns();
  await first.next();
  await first.return?.();
  const before = countDescriptors();
  for (let i = 0; i < 1000; i++) {
    for await (const events of epoll.turns()) {
      t.is(events.length, 1);
      break;
    }
  }
  t.true(await eventually(() => countDescriptors() <= before, true));
});

testEach('a stream of a megabyte passes through turns beside the sockets of Node', async (t) => {
  const [left, right] = unixPair(t);
  const socket = right.toNetSocket();
  t.teardown(() => socket.destroy());
  const total = 2 ** 20;
  socket.end(Buffer.alloc(total, 'x'));
  const epoll = newEpoll<UnixStream>(t);
  epoll.add(left, EPOLLIN, left);
  const buffer = Buffer.alloc(65_536);
  let received = 0;
  for await (const events of epoll.turns()) {
    if (events.length === 0) continue;
    const n = events.data(0)?.read(buffer) ?? 0;
    if (n === 0) break;
    received += n;
  }
  t.is(received, total);
});

test('turns refuses what is no signal and no capacity', (t) => {
  const epoll = newEpoll(t);
  t.throws(() => epoll.turns({ signal: {} as AbortSignal }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => epoll.turns({ maxEvents: 0 }), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => epoll.turns({ maxEvents: Number.NaN }), { code: 'ERR_OUT_OF_RANGE' });
  for (const options of [null, 5, { ref: 0 }]) {
    t.throws(() => epoll.turns(options as object), { code: 'ERR_INVALID_ARG_TYPE' });
  }
});

const endings: readonly Ending[] = [
  { way: 'left', code: 0, output: 'turn 1\nleft\n' },
  { way: 'unreferenced', code: 0, output: 'end\n' },
  { way: 'awaits something else', code: 13, output: 'turn 1\n' },
  { way: 'process.exit', code: 3, output: '' },
  { way: 'thrown in a turn', code: 1, output: 'turn 1\n' },
  { way: 'worker terminated', code: 0, output: 'terminated 1\n' },
  { way: 'worker at its end', code: 0, output: 'worker 0\n' },
  { way: 'worker exits', code: 0, output: 'worker 5\n' },
  { way: 'process.exit beside a worker', code: 4, output: '' },
  { way: 'no descriptor left', code: 0, output: 'EMFILE\n' },
];

for (const ending of endings) {
  testEach(`a process whose set gives turns has its end: ${ending.way}`, (t) =>
    expectEnding(t, 'epoll-turns', ending),
  );
}

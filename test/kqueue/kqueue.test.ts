import process from 'node:process';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import {
  EventFd,
  Kqueue,
  type KqueueChange,
  KqueueEvents,
  Pipe,
  UnixStream,
} from '../../ts/index.js';
import {
  EV_ADD,
  EV_CLEAR,
  EV_DELETE,
  EV_DISABLE,
  EV_DISPATCH,
  EV_ENABLE,
  EV_EOF,
  EV_ONESHOT,
  EVFILT_READ,
  EVFILT_TIMER,
  EVFILT_USER,
  EVFILT_WRITE,
  NOTE_TRIGGER,
} from '../../ts/sys/constants.js';
import { close, dup3, kevent, KeventArray } from '../../ts/sys/index.js';
import { hasKqueue, NOT_OPEN, openFiles } from '../sys/support/kernel.js';

const check = hasKqueue ? test : test.skip;

/** What the set has, without waiting. */
function collect<T>(kqueue: Kqueue<T>): KqueueEvents<T> {
  const events = new KqueueEvents<T>(16);
  kqueue.wait(events, 0);
  return events;
}

function udatas<T>(events: KqueueEvents<T>): (T | undefined)[] {
  return Array.from({ length: events.length }, (_, i) => events.udata(i));
}

(hasKqueue ? test.skip : test)('without a kqueue the class says so', (t) => {
  t.throws(() => new Kqueue(), { code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' });
});

check('change and wait speak the words of the kernel', (t) => {
  using kqueue = new Kqueue<string>();
  const [a, b] = UnixStream.pair();
  using left = a;
  using right = b;
  kqueue.change([
    { ident: left, filter: EVFILT_READ, flags: EV_ADD, udata: 'read' },
    { ident: left.fd, filter: EVFILT_WRITE, flags: EV_ADD | EV_ONESHOT, udata: 'write' },
  ]);
  t.deepEqual(
    [...collect(kqueue)].map(({ filter, udata }) => [filter, udata]),
    [[EVFILT_WRITE, 'write']],
  );
  right.write(Buffer.from('hello'));
  const events = new KqueueEvents<string>(4);
  t.is(kqueue.wait(events), 1);
  t.is(events.ident(0), left.fd);
  t.is(events.filter(0), EVFILT_READ);
  t.is(events.flags(0) & EV_EOF, 0);
  t.is(events.fflags(0), 0);
  t.is(events.data(0), 5);
  t.is(events.udata(0), 'read');
  right.close();
  t.is(kqueue.wait(events), 1);
  t.is(events.flags(0) & EV_EOF, EV_EOF);
  t.throws(() => events.ident(1), { code: 'ERR_OUT_OF_RANGE' });
});

check('a refused change leaves the set as it was, and the others are made', (t) => {
  using kqueue = new Kqueue<string>();
  using pipe = Pipe.pair().writer;
  const error = t.throws(
    () => {
      kqueue.change([
        { ident: pipe, filter: EVFILT_READ, flags: EV_DELETE },
        { ident: NOT_OPEN, filter: EVFILT_READ, flags: EV_ADD, udata: 'no' },
        { ident: pipe, filter: EVFILT_WRITE, flags: EV_ADD, udata: 'yes' },
      ]);
    },
    { code: 'ENOENT' },
  );
  t.like(error, { syscall: 'kevent', fd: pipe.fd });
  t.deepEqual(
    [...kqueue.entries()].map(({ ident, udata }) => [ident, udata]),
    [[pipe.fd, 'yes']],
  );
  t.deepEqual(udatas(collect(kqueue)), ['yes']);
  t.throws(
    () => {
      kqueue.change({ ident: 5, filter: -99, flags: EV_ADD });
    },
    { code: 'EINVAL' },
  );
});

check('misuse throws before any change is made', (t) => {
  using kqueue = new Kqueue();
  const good = { ident: 1, filter: EVFILT_USER, flags: EV_ADD };
  for (const [bad, code] of [
    [null, 'ERR_INVALID_ARG_TYPE'],
    [{}, 'ERR_INVALID_ARG_TYPE'],
    [{ ...good, ident: 0.5 }, 'ERR_OUT_OF_RANGE'],
    [{ ...good, ident: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ ...good, filter: 2 ** 40 }, 'ERR_OUT_OF_RANGE'],
    [{ ...good, flags: Number.NaN }, 'ERR_OUT_OF_RANGE'],
    [{ ...good, fflags: '1' }, 'ERR_INVALID_ARG_TYPE'],
    [{ ...good, data: 2n ** 64n }, 'ERR_OUT_OF_RANGE'],
  ] as [KqueueChange<unknown>, string][]) {
    t.throws(
      () => {
        kqueue.change([good, bad]);
      },
      { code },
    );
  }
  t.is(kqueue.get(1, EVFILT_USER), undefined);
  for (const timeoutMs of [Number.NaN, -1]) {
    t.throws(() => kqueue.wait(new KqueueEvents(), timeoutMs), { code: 'ERR_OUT_OF_RANGE' });
  }
  t.throws(() => kqueue.wait({} as KqueueEvents), { code: 'ERR_INVALID_ARG_TYPE' });
});

check('more changes than the first batch holds are made in one call', (t) => {
  using kqueue = new Kqueue<number>();
  const idents = Array.from({ length: 100 }, (_, i) => i);
  kqueue.change(
    idents.map((ident) => ({
      ...{ ident, filter: EVFILT_USER, flags: EV_ADD | EV_CLEAR },
      ...{ fflags: NOTE_TRIGGER, udata: ident },
    })),
  );
  const events = new KqueueEvents<number>(128);
  t.is(kqueue.wait(events), 100);
  t.deepEqual(
    udatas(events).sort((a = 0, b = 0) => a - b),
    idents,
  );
});

check(
  'EV_DISPATCH and EV_DISABLE report again after EV_ENABLE, with the udata that was there',
  (t) => {
    using kqueue = new Kqueue<string>();
    using writer = Pipe.pair().writer;
    const knote = { ident: writer, filter: EVFILT_WRITE };
    kqueue.change({ ...knote, flags: EV_ADD | EV_DISPATCH, udata: 'first' });
    t.deepEqual(udatas(collect(kqueue)), ['first']);
    t.is(collect(kqueue).length, 0);
    kqueue.change({ ...knote, flags: EV_ENABLE });
    t.deepEqual(udatas(collect(kqueue)), ['first']);
    kqueue.change({ ...knote, flags: EV_ENABLE, udata: 'second' });
    kqueue.change({ ...knote, flags: EV_DISABLE });
    t.is(collect(kqueue).length, 0);
    kqueue.change({ ...knote, flags: EV_ENABLE });
    t.deepEqual(udatas(collect(kqueue)), ['second']);
  },
);

check('a one-shot is gone once reported, and its event lives until the next wait', (t) => {
  using kqueue = new Kqueue<string>();
  using writer = Pipe.pair().writer;
  const knote = { ident: writer, filter: EVFILT_WRITE };
  kqueue.change({ ...knote, flags: EV_ADD | EV_ONESHOT, udata: 'once' });
  const events = collect(kqueue);
  t.is(events.udata(0), 'once');
  t.is(kqueue.get(writer, EVFILT_WRITE), undefined);
  t.is([...kqueue.entries()].length, 0);
  t.throws(
    () => {
      kqueue.change({ ...knote, flags: EV_DELETE });
    },
    { code: 'ENOENT' },
  );
  t.is(events.udata(0), 'once');
  collect(kqueue);
  t.is(events.ident(0), -1);
});

// --- stale events ---------------------------------------------------------------------------

/** A set with two events in a batch: `first` and `second`, of writers that are ready. */
function twoEvents() {
  const kqueue = new Kqueue<string>();
  const writers = [Pipe.pair().writer, Pipe.pair().writer] as const;
  for (const [i, ident] of writers.entries()) {
    kqueue.change({ ident, filter: EVFILT_WRITE, flags: EV_ADD, udata: String(i) });
  }
  const events = collect(kqueue);
  const indexOf = (fd: number): number => (events.ident(0) === fd ? 0 : 1);
  return { kqueue, events, writers, at: indexOf(writers[0].fd) };
}

const endings: Readonly<Record<string, (kqueue: Kqueue<string>, writer: Pipe) => void>> = {
  EV_DELETE: (kqueue, ident) => {
    kqueue.change({ ident, filter: EVFILT_WRITE, flags: EV_DELETE });
  },
  'EV_DELETE and EV_ADD': (kqueue, ident) => {
    kqueue.change([
      { ident, filter: EVFILT_WRITE, flags: EV_DELETE },
      { ident, filter: EVFILT_WRITE, flags: EV_ADD, udata: 'successor' },
    ]);
  },
  'close of its owner': (_, writer) => {
    writer.close();
  },
  'close, and the same number added again': (kqueue, writer) => {
    const { fd } = writer;
    using counter = new EventFd(); // before, or it would get that number itself
    writer.close();
    dup3(counter.fd, fd, 0);
    kqueue.change({ ident: fd, filter: EVFILT_WRITE, flags: EV_ADD, udata: 'successor' });
    close(fd);
  },
  'close behind its back, and the same number added again': (kqueue, writer) => {
    const { fd } = writer;
    using counter = new EventFd();
    dup3(counter.fd, fd, 0);
    kqueue.change({ ident: fd, filter: EVFILT_WRITE, flags: EV_ADD, udata: 'successor' });
  },
  'close of the set': (kqueue) => {
    kqueue.close();
  },
};

for (const [name, end] of Object.entries(endings)) {
  check(`an event is stale after ${name}, and reaches no successor`, (t) => {
    const { kqueue, events, writers, at } = twoEvents();
    end(kqueue, writers[0]);
    t.deepEqual(
      [events.ident(at), events.filter(at), events.flags(at), events.fflags(at), events.data(at)],
      [-1, 0, 0, 0, 0],
    );
    t.is(events.udata(at), undefined);
    if (!kqueue.closed)
      t.deepEqual(
        [...events].map(({ udata }) => udata),
        ['1'],
      );
    kqueue.close();
    for (const writer of writers) writer.close();
  });
}

check('a descriptor that leaves its owner leaves the set', (t) => {
  using kqueue = new Kqueue<string>();
  const { writer } = Pipe.pair();
  kqueue.change({ ident: writer, filter: EVFILT_WRITE, flags: EV_ADD });
  const fd = writer.release();
  t.is(collect(kqueue).length, 0);
  t.is(kqueue.get(fd, EVFILT_WRITE), undefined);
  close(fd);
});

// --- waiting --------------------------------------------------------------------------------

check('wait is never early, whatever the fraction, and never late of an event', (t) => {
  using kqueue = new Kqueue();
  const events = new KqueueEvents(1);
  for (const ms of [0.001, 0.4, 1, 2.5, 60]) {
    const started = process.hrtime.bigint();
    t.is(kqueue.wait(events, ms), 0);
    t.true(process.hrtime.bigint() - started >= BigInt(Math.floor(ms * 1e6)));
  }
  kqueue.change({ ident: 1, filter: EVFILT_TIMER, flags: EV_ADD, data: 1 });
  for (const ms of [2 ** 31, 2 ** 53, 1e300, Infinity]) t.is(kqueue.wait(events, ms), 1);
});

for (const without of ['', 'EVFILT_USER', 'EVFILT_USER,eventfd']) {
  // One after the other: the variable is of the whole process.
  (hasKqueue ? test.serial : test.serial.skip)(
    `wakes coalesce, and are never shown, without "${without}"`,
    (t) => {
      process.env['RAW_EPOLL_WITHOUT'] = without;
      using kqueue = new Kqueue<string>();
      delete process.env['RAW_EPOLL_WITHOUT'];
      const events = new KqueueEvents<string>(4);
      for (let i = 0; i < 3; i++) kqueue.wake();
      t.is(kqueue.wait(events), 0);
      t.is(kqueue.wait(events, 0), 0);
      using writer = Pipe.pair().writer;
      kqueue.change({ ident: writer, filter: EVFILT_WRITE, flags: EV_ADD, udata: 'event' });
      kqueue.wake();
      t.is(kqueue.wait(events), 1);
      t.deepEqual(udatas(events), ['event']);
    },
  );
}

check('a waker ends a wait from another thread', async (t) => {
  using kqueue = new Kqueue();
  const index = new URL('../../ts/index.js', import.meta.url).href;
  const code = `import { workerData } from 'node:worker_threads';
    const { Waker } = await import(${JSON.stringify(index)});
    Waker.from(workerData.waker).wake();`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  const worker = new Worker(url, { workerData: { waker: kqueue.waker() } });
  t.is(kqueue.wait(new KqueueEvents()), 0);
  await worker.terminate();
});

check('close is idempotent, ends the waker, and leaves no descriptor', (t) => {
  const before = openFiles();
  const kqueue = new Kqueue();
  const waker = kqueue.waker();
  kqueue.close();
  kqueue.close();
  t.true(kqueue.closed);
  t.false(waker.wake());
  t.deepEqual(openFiles(), before);
  for (const use of [
    () => {
      kqueue.change([]);
    },
    () => kqueue.wait(new KqueueEvents()),
    () => {
      kqueue.wake();
    },
    () => kqueue.get(1, EVFILT_READ),
    () => [...kqueue.entries()],
  ]) {
    t.throws(use, { code: 'ERR_CLOSED' });
  }
});

check('release gives away a queue that works, and has no wake in it', (t) => {
  const kqueue = new Kqueue();
  const waker = kqueue.waker();
  kqueue.wake();
  const fd = kqueue.release();
  t.false(waker.wake());
  t.is(kevent(fd, null, 0, new KeventArray(4), 4, 0), 0);
  t.is(close(fd), 0);
});

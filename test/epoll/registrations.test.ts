/** What a set knows follows the kernel, and nothing that is refused changes it. */
import { openSync, closeSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { Epoll, EpollEvents, SystemError } from '../../ts/index.js';
import {
  AF_UNIX,
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLRDHUP,
  F_DUPFD_CLOEXEC,
  O_CLOEXEC,
  SOCK_STREAM,
} from '../../ts/sys/constants.js';
import { close, dup3, fcntl, socketpair } from '../../ts/sys/index.js';
import { fixture, run } from '../support/child.js';
import { kernelRegistrations } from '../support/kernel-view.js';
import { closing, newEpoll, newEventFd, unixPair } from '../support/pairs.js';
import { testWithPrograms } from '../support/programs.js';
import { reportedNow } from '../support/readiness.js';

/** All that a set says of itself, and what the kernel says of it. */
function everything(epoll: Epoll, numbers: readonly number[]): unknown {
  return {
    size: epoll.size,
    entries: [...epoll.entries()],
    gets: numbers.map((fd) => epoll.get(fd)),
    has: numbers.map((fd) => epoll.has(fd)),
    kernel: kernelRegistrations(epoll.fd),
    reported: reportedNow(epoll),
  };
}

/** A number that is open nowhere near the others, and closed at once. */
function closedNumber(fd: number): number {
  const number = fcntl(fd, F_DUPFD_CLOEXEC, 700);
  close(number);
  return number;
}

/** Registers a number and closes it without a word to the set. No other test gets the number. */
function closedBehindBack(t: ExecutionContext, epoll: Epoll<string>): number {
  const pair = new Int32Array(2);
  t.is(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  const [number, peer] = [fcntl(pair[0]!, F_DUPFD_CLOEXEC, 800), pair[1]!];
  close(pair[0]!);
  epoll.add(number, EPOLLIN, 'before');
  close(number);
  close(peer);
  return number;
}

/** Puts another file behind a free number, and answers the number. */
function reuse(t: ExecutionContext, fd: number, source: number): number {
  t.is(dup3(source, fd, O_CLOEXEC), fd);
  t.teardown(() => close(fd));
  return fd;
}

/** Something of the file system, to read. */
function opened(t: ExecutionContext, file: string): number {
  const fd = openSync(file, 'r');
  t.teardown(() => {
    closeSync(fd);
  });
  return fd;
}

test('add, modify and delete show in size, get, has, entries, and in the kernel', (t) => {
  const epoll = newEpoll<string>(t);
  const [left, right] = unixPair(t);
  epoll.add(right, EPOLLIN | EPOLLET, 'right');
  epoll.add(left, EPOLLIN, 'left');
  const expected = [
    { fd: left.fd, events: EPOLLIN, data: 'left' },
    { fd: right.fd, events: (EPOLLIN | EPOLLET) >>> 0, data: 'right' },
  ];
  t.is(epoll.size, 2);
  t.deepEqual([...epoll.entries()], expected);
  t.deepEqual(epoll.get(right), expected[1]);
  t.true(epoll.has(left) && epoll.has(right.fd));
  t.deepEqual(
    kernelRegistrations(epoll.fd),
    expected.map(({ fd, events }) => ({ fd, events: (events | EPOLLERR | EPOLLHUP) >>> 0 })),
  );
  epoll.modify(left, EPOLLOUT);
  t.is(kernelRegistrations(epoll.fd)[0]?.events, (EPOLLOUT | EPOLLERR | EPOLLHUP) >>> 0);
  t.is(epoll.get(left)?.events, EPOLLOUT);
  epoll.delete(left);
  t.is(epoll.size, 1);
  t.false(epoll.has(left));
  t.is(epoll.get(left), undefined);
  t.deepEqual(
    kernelRegistrations(epoll.fd).map(({ fd }) => fd),
    [right.fd],
  );
});

interface Refusal {
  readonly rule: string;
  readonly code: string;
  readonly call: 'add' | 'modify' | 'delete';
  /** What is asked for. Default: `EPOLLIN`. */
  readonly events?: number;
  /** Registers what the refusal needs; answers the descriptor to call it with. */
  readonly fd: (t: ExecutionContext, epoll: Epoll<string>) => number;
}

/** A descriptor that is in the set, with a mask. */
function registered(t: ExecutionContext, epoll: Epoll<string>, events: number): number {
  const { fd } = newEventFd(t, 1);
  epoll.add(fd, events, 'before');
  return fd;
}

const refusals: readonly Refusal[] = [
  {
    rule: 'add of what is registered',
    code: 'EEXIST',
    call: 'add',
    fd: (t, epoll) => registered(t, epoll, EPOLLOUT),
  },
  {
    rule: 'add of a one-shot that has fired',
    code: 'EEXIST',
    call: 'add',
    fd: (t, epoll) => {
      const fd = registered(t, epoll, EPOLLIN | EPOLLONESHOT);
      epoll.wait(new EpollEvents<string>(), 0);
      return fd;
    },
  },
  {
    rule: 'add of a closed number',
    code: 'EBADF',
    call: 'add',
    fd: (_t, epoll) => closedNumber(epoll.fd),
  },
  { rule: 'add of -1', code: 'EBADF', call: 'add', fd: () => -1 },
  {
    rule: 'add of a regular file',
    code: 'EPERM',
    call: 'add',
    fd: (t) => opened(t, import.meta.filename),
  },
  {
    rule: 'add of a directory',
    code: 'EPERM',
    call: 'add',
    fd: (t) => opened(t, import.meta.dirname),
  },
  { rule: 'add of the set itself', code: 'EINVAL', call: 'add', fd: (_t, epoll) => epoll.fd },
  {
    rule: 'add that closes a cycle of sets',
    code: 'ELOOP',
    call: 'add',
    fd: (t, epoll) => {
      const outer = newEpoll(t);
      outer.add(epoll, EPOLLIN);
      return outer.fd;
    },
  },
  {
    rule: 'add of EPOLLEXCLUSIVE with what it does not take',
    code: 'EINVAL',
    call: 'add',
    events: EPOLLIN | EPOLLRDHUP | EPOLLEXCLUSIVE,
    fd: (t) => newEventFd(t).fd,
  },
  {
    rule: 'modify of what is not registered',
    code: 'ENOENT',
    call: 'modify',
    fd: (t) => newEventFd(t).fd,
  },
  {
    rule: 'modify of a closed number',
    code: 'EBADF',
    call: 'modify',
    fd: (_t, epoll) => closedNumber(epoll.fd),
  },
  {
    rule: 'modify of what is EPOLLEXCLUSIVE',
    code: 'EINVAL',
    call: 'modify',
    fd: (t, epoll) => registered(t, epoll, EPOLLOUT | EPOLLEXCLUSIVE),
  },
  {
    rule: 'modify to EPOLLEXCLUSIVE',
    code: 'EINVAL',
    call: 'modify',
    events: EPOLLIN | EPOLLEXCLUSIVE,
    fd: (t, epoll) => registered(t, epoll, EPOLLOUT),
  },
  {
    rule: 'delete of what is not registered',
    code: 'ENOENT',
    call: 'delete',
    fd: (t) => newEventFd(t).fd,
  },
  {
    rule: 'delete of a closed number',
    code: 'EBADF',
    call: 'delete',
    fd: (_t, epoll) => closedNumber(epoll.fd),
  },
  ...(['add', 'modify', 'delete'] as const).map((call) => ({
    rule: `${call} of a registered number that somebody has closed`,
    code: 'EBADF',
    call,
    fd: closedBehindBack,
  })),
  ...(['modify', 'delete'] as const).map((call) => ({
    rule: `${call} of a registered number that is another file by now`,
    code: 'ENOENT',
    call,
    fd: (t: ExecutionContext, epoll: Epoll<string>) =>
      reuse(t, closedBehindBack(t, epoll), newEventFd(t, 1).fd),
  })),
  ...(['add', 'modify', 'delete'] as const).map((call) => ({
    rule: `${call} of a registered number that is a regular file by now`,
    code: 'EPERM',
    call,
    fd: (t: ExecutionContext, epoll: Epoll<string>) =>
      reuse(t, closedBehindBack(t, epoll), opened(t, import.meta.filename)),
  })),
];

for (const { rule, code, call, events = EPOLLIN, fd: prepare } of refusals) {
  test(`${rule} is refused with ${code} and changes nothing`, (t) => {
    const epoll = newEpoll<string>(t);
    const bystander = newEventFd(t, 1);
    epoll.add(bystander, EPOLLIN, 'bystander');
    const fd = prepare(t, epoll);
    const before = everything(epoll, [bystander.fd, fd]);
    const attempt = (): void => {
      if (call === 'delete') epoll.delete(fd);
      else epoll[call](fd, events, 'after');
    };
    const error = t.throws(attempt, { code, instanceOf: SystemError });
    t.is(error.syscall, 'epoll_ctl');
    t.is(error.fd, fd);
    t.deepEqual(everything(epoll, [bystander.fd, fd]), before);
  });
}

for (const code of ['ENOSPC', 'ENOMEM']) {
  testWithPrograms(
    ['strace'],
    `add that the kernel refuses with ${code} throws it and changes nothing`,
    async (t) => {
      // Late enough to hit none of the calls with which Node starts.
      const inject = `inject=epoll_ctl:error=${code}:when=60`;
      const child = await run('strace', [
        ...['-qq', '-o', '/dev/null', '-e', 'trace=epoll_ctl', '-e', inject],
        ...[process.execPath, fixture('epoll-refused-add')],
      ]);
      const said = JSON.parse(child.stdout) as { size: number };
      const books = { size: said.size, has: false, entries: said.size };
      t.deepEqual(said, { code, size: said.size, before: books, after: books, addedLater: true });
    },
  );
}

test('modify replaces the data, and keeps it if none is given', (t) => {
  const epoll = newEpoll<string | null>(t);
  const eventFd = newEventFd(t);
  epoll.add(eventFd, EPOLLIN, 'one');
  epoll.modify(eventFd, EPOLLOUT);
  t.is(epoll.get(eventFd)?.data, 'one');
  epoll.modify(eventFd, EPOLLOUT, undefined);
  t.is(epoll.get(eventFd)?.data, 'one');
  epoll.modify(eventFd, EPOLLOUT, 'two');
  t.is(epoll.get(eventFd)?.data, 'two');
  epoll.modify(eventFd, EPOLLOUT, null);
  t.is(epoll.get(eventFd)?.data, null);
});

test('any value is good as data, and comes back as the very same', (t) => {
  const epoll = newEpoll(t);
  const events = new EpollEvents();
  const values: unknown[] = [
    0,
    '',
    false,
    null,
    Number.NaN,
    1n,
    Symbol('s'),
    {},
    () => 1,
    undefined,
  ];
  for (const value of values) {
    const eventFd = newEventFd(t, 1);
    epoll.add(eventFd, EPOLLIN, value);
    epoll.wait(events, 0);
    t.is(events.data(0), value);
    eventFd.close();
  }
});

test('data is let go of with delete, close, and replacement', async (t) => {
  const epoll = newEpoll<object>(t);
  const eventFds = [newEventFd(t), newEventFd(t), newEventFd(t)] as const;
  const collected = eventFds.map((eventFd) => {
    const data = { eventFd: eventFd.fd };
    epoll.add(eventFd, EPOLLIN, data);
    return new WeakRef(data);
  });
  epoll.delete(eventFds[0]);
  eventFds[1].close();
  epoll.modify(eventFds[2], EPOLLIN, {});
  for (let turn = 0; turn < 50 && collected.some((ref) => ref.deref()); turn++) {
    await new Promise(setImmediate);
    globalThis.gc?.();
  }
  t.deepEqual(
    collected.map((ref) => ref.deref()),
    [undefined, undefined, undefined],
  );
});

test('entries goes on while the set changes: what is gone is left out, what comes later is shown', (t) => {
  const epoll = newEpoll<number>(t);
  const eventFds = Array.from({ length: 5 }, () => newEventFd(t));
  for (const eventFd of eventFds) epoll.add(eventFd, EPOLLIN, eventFd.fd);
  const late = fcntl(eventFds[0]!.fd, F_DUPFD_CLOEXEC, 900); // Above what the table holds so far.
  const sorted = eventFds.map(({ fd }) => fd).sort((a, b) => a - b);
  const seen: number[] = [];
  for (const { fd } of epoll.entries()) {
    seen.push(fd);
    if (seen.length !== 1) continue;
    epoll.delete(sorted[1]!);
    eventFds.find((eventFd) => eventFd.fd === sorted[2])?.close();
    epoll.add(late, EPOLLIN, late);
  }
  t.deepEqual(seen, [sorted[0], sorted[3], sorted[4], late]);
  epoll.delete(late);
  t.is(close(late), 0);
});

test('entries ends when the set is closed on the way', (t) => {
  const epoll = newEpoll(t);
  for (let i = 0; i < 3; i++) epoll.add(newEventFd(t), EPOLLIN);
  let seen = 0;
  for (const entry of epoll.entries()) {
    t.is(typeof entry.fd, 'number');
    seen++;
    epoll.close();
  }
  t.is(seen, 1);
});

test('a set takes descriptors as numbers and as objects with one', (t) => {
  const epoll = newEpoll(t);
  const eventFd = newEventFd(t);
  epoll.add(eventFd.fd, EPOLLIN);
  t.true(epoll.has(eventFd));
  epoll.modify({ fd: eventFd.fd }, EPOLLOUT);
  t.is(epoll.get(eventFd.fd)?.events, EPOLLOUT);
  epoll.delete({ fd: eventFd.fd });
  t.false(epoll.has(eventFd));
});

test('two sets keep their own books', (t) => {
  const first = newEpoll<string>(t);
  const second = newEpoll<string>(t);
  const eventFd = newEventFd(t);
  first.add(eventFd, EPOLLIN, 'first');
  second.add(eventFd, EPOLLOUT, 'second');
  second.delete(eventFd);
  t.deepEqual(first.get(eventFd), { fd: eventFd.fd, events: EPOLLIN, data: 'first' });
  t.is(second.size, 0);
  eventFd.close();
  t.is(first.size, 0);
});

test('get answers a copy: what is done to it does not reach the set', (t) => {
  const epoll = newEpoll<string>(t);
  const eventFd = newEventFd(t);
  epoll.add(eventFd, EPOLLIN, 'data');
  const got = epoll.get(eventFd) as { events: number };
  got.events = 0;
  t.is(epoll.get(eventFd)?.events, EPOLLIN);
});

test('a set that is closed leaves its descriptors open', (t) => {
  const epoll = closing(t, new Epoll());
  const eventFd = newEventFd(t, 7);
  epoll.add(eventFd, EPOLLIN);
  epoll.close();
  t.is(eventFd.read(), 7n);
});

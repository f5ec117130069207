import test from 'ava';
import { Epoll, EpollEvents, EventFd, OwnedDescriptor } from '../../ts/index.js';
import { EPOLL_CLOEXEC, EPOLLIN, F_GETFD, FD_CLOEXEC } from '../../ts/sys/constants.js';
import { close, fcntl } from '../../ts/sys/index.js';
import { fixture, runNode } from '../support/child.js';
import { countDescriptors } from '../support/descriptors.js';
import { isOpen } from '../support/kernel-view.js';
import { closing, newEpoll, newEventFd } from '../support/pairs.js';

/** Every method of a set, with arguments that are good for an open one. */
const methods: Readonly<Record<string, (epoll: Epoll, fd: number) => unknown>> = {
  add: (epoll, fd) => {
    epoll.add(fd, EPOLLIN);
  },
  modify: (epoll, fd) => {
    epoll.modify(fd, EPOLLIN);
  },
  delete: (epoll, fd) => {
    epoll.delete(fd);
  },
  get: (epoll, fd) => epoll.get(fd),
  has: (epoll, fd) => epoll.has(fd),
  entries: (epoll) => epoll.entries(),
  wait: (epoll) => epoll.wait(new EpollEvents(), 0),
  wake: (epoll) => {
    epoll.wake();
  },
  waker: (epoll) => epoll.waker(),
  release: (epoll) => epoll.release(),
};

for (const [name, call] of Object.entries(methods)) {
  test(`${name} of a closed set throws ERR_CLOSED`, (t) => {
    const epoll = new Epoll();
    const eventFd = newEventFd(t);
    epoll.add(eventFd, EPOLLIN);
    epoll.close();
    const error = t.throws(() => call(epoll, eventFd.fd), { code: 'ERR_CLOSED' });
    t.regex(error.message, /Epoll is closed/);
  });

  test(`${name} of something that is no set throws a TypeError`, (t) => {
    const { fd } = newEventFd(t);
    const method = (Epoll.prototype as unknown as Record<string, unknown>)[name] as () => unknown;
    for (const receiver of [
      undefined,
      null,
      5,
      {},
      Object.create(Epoll.prototype),
      new EventFd(),
    ]) {
      t.throws(() => Reflect.apply(method, receiver, [fd, EPOLLIN]) as unknown, {
        instanceOf: TypeError,
      });
      if (receiver instanceof EventFd) receiver.close();
    }
  });
}

test('a closed set has no number, no size, and says that it is closed', (t) => {
  const epoll = new Epoll();
  epoll.add(newEventFd(t), EPOLLIN);
  t.false(epoll.closed);
  const { fd } = epoll;
  epoll.close();
  t.true(epoll.closed);
  t.is(epoll.fd, -1);
  t.is(epoll.size, 0);
  t.false(isOpen(fd));
});

test('close again, and dispose after close, do nothing', (t) => {
  const epoll = new Epoll();
  epoll.close();
  const before = countDescriptors();
  epoll.close();
  epoll[Symbol.dispose]();
  t.is(countDescriptors(), before);
});

test('a set gives back each descriptor that it took', (t) => {
  const before = countDescriptors();
  for (let i = 0; i < 50; i++) {
    using epoll = new Epoll();
    t.true(epoll.fd >= 0);
  }
  t.is(countDescriptors(), before);
});

test('`using` closes a set when an error leaves the block', (t) => {
  let kept: Epoll | undefined;
  t.throws(
    () => {
      using epoll = new Epoll();
      kept = epoll;
      throw new Error('on the way');
    },
    { message: 'on the way' },
  );
  t.true(kept?.closed);
});

test('a set is an owned descriptor, close-on-exec always', (t) => {
  const epoll = newEpoll(t);
  t.true(epoll instanceof OwnedDescriptor);
  t.is(fcntl(epoll.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  const flagged = closing(t, new Epoll({ flags: EPOLL_CLOEXEC }));
  t.is(fcntl(flagged.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
});

test('unknown flags of a set are EINVAL, and no number is ERR_INVALID_ARG_TYPE', (t) => {
  const before = countDescriptors();
  t.throws(() => new Epoll({ flags: 1 }), { code: 'EINVAL' });
  t.throws(() => new Epoll({ flags: '0' as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => new Epoll({ flags: null as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => new Epoll({ flags: Number.NaN }), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => new Epoll({ flags: 0.5 }), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => new Epoll({ flags: 2 ** 32 }), { code: 'ERR_OUT_OF_RANGE' });
  t.is(countDescriptors(), before);
});

const notDescriptors: readonly unknown[] = [
  undefined,
  null,
  '5',
  true,
  5n,
  {},
  { fd: '5' },
  [],
  () => 5,
  Symbol('5'),
];

for (const name of ['add', 'modify', 'delete', 'get', 'has'] as const) {
  test(`${name} of what is no descriptor throws ERR_INVALID_ARG_TYPE and changes nothing`, (t) => {
    const epoll = newEpoll(t);
    for (const fd of notDescriptors) {
      const attempt = (): unknown => (epoll[name] as (...args: unknown[]) => unknown)(fd, EPOLLIN);
      t.throws(attempt, { code: 'ERR_INVALID_ARG_TYPE', instanceOf: TypeError });
    }
    t.is(epoll.size, 0);
  });
}

for (const name of ['add', 'modify', 'delete'] as const) {
  test(`${name} of a number that is no int32 throws ERR_OUT_OF_RANGE and changes nothing`, (t) => {
    const epoll = newEpoll(t);
    for (const fd of [Number.NaN, 0.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, Infinity, -Infinity]) {
      t.throws(
        () => {
          epoll[name](fd, EPOLLIN);
        },
        { code: 'ERR_OUT_OF_RANGE', instanceOf: RangeError },
      );
    }
    t.is(epoll.size, 0);
  });

  test(`${name} of any int32 that is not open is EBADF`, (t) => {
    const epoll = newEpoll(t);
    for (const fd of [-1, -2, 2 ** 31 - 1, -(2 ** 31), 1_000_000]) {
      t.throws(
        () => {
          epoll[name](fd, EPOLLIN);
        },
        { code: 'EBADF' },
      );
    }
    t.is(epoll.size, 0);
  });

  test(`${name} of a closed object throws ERR_CLOSED and names its class`, (t) => {
    const epoll = newEpoll(t);
    const eventFd = new EventFd();
    eventFd.close();
    const error = t.throws(
      () => {
        epoll[name](eventFd, EPOLLIN);
      },
      { code: 'ERR_CLOSED' },
    );
    t.regex(error.message, /EventFd is closed/);
  });
}

for (const name of ['add', 'modify'] as const) {
  test(`${name} with a mask that is none throws and changes nothing`, (t) => {
    const epoll = newEpoll<string>(t);
    const eventFd = newEventFd(t);
    if (name === 'modify') epoll.add(eventFd, EPOLLIN, 'before');
    const before = [...epoll.entries()];
    for (const mask of [undefined, null, '1', true, 1n, {}]) {
      t.throws(
        () => {
          epoll[name](eventFd, mask as never, 'after');
        },
        { code: 'ERR_INVALID_ARG_TYPE' },
      );
    }
    for (const mask of [Number.NaN, 0.5, 2 ** 32, -(2 ** 31) - 1, Infinity]) {
      t.throws(
        () => {
          epoll[name](eventFd, mask, 'after');
        },
        { code: 'ERR_OUT_OF_RANGE' },
      );
    }
    t.deepEqual([...epoll.entries()], before);
  });
}

test('wait takes nothing but EpollEvents', (t) => {
  const epoll = newEpoll(t);
  for (const events of [
    undefined,
    null,
    {},
    [],
    new Uint32Array(3),
    Object.create(EpollEvents.prototype),
  ]) {
    t.throws(() => epoll.wait(events as never, 0), { instanceOf: TypeError });
  }
});

test('an fd getter that throws or closes the set is survived', (t) => {
  const epoll = new Epoll();
  const throwing = {
    get fd(): number {
      throw new Error('of the getter');
    },
  };
  t.throws(
    () => {
      epoll.add(throwing, EPOLLIN);
    },
    { message: 'of the getter' },
  );
  const eventFd = newEventFd(t);
  const closingIt = {
    get fd(): number {
      epoll.close();
      return eventFd.fd;
    },
  };
  t.throws(
    () => {
      epoll.add(closingIt, EPOLLIN);
    },
    { code: 'ERR_CLOSED' },
  );
});

test('release gives the number of the set away once, and the new owner closes it', (t) => {
  const epoll = new Epoll();
  const fd = epoll.release();
  t.true(isOpen(fd));
  t.true(epoll.closed);
  t.throws(() => epoll.release(), { code: 'ERR_CLOSED' });
  epoll.close();
  t.true(isOpen(fd));
  t.is(close(fd), 0);
});

test('a set whose number another thread closes waits to its end and is EBADF from then on', async (t) => {
  const child = await runNode(fixture('epoll-closed-under-wait'));
  t.is(child.stderr, '');
  t.is(child.code, 0);
  t.deepEqual(JSON.parse(child.stdout), {
    ...{ count: 0, early: false },
    ...{ wait: 'EBADF', add: 'EBADF', closing: 'EBADF', again: 'none' },
  });
});

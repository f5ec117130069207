import test from 'ava';
import { EPOLL_CTL_ADD, EPOLLOUT } from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { Descriptors, must, pipe } from './support/kernel.js';
import { refuses } from './support/misuse.js';

const { EpollEventArray } = sys;

test('EpollEventArray has the capacity that was asked for, and zeros', (t) => {
  for (const capacity of [1, 2, 1_000, 100_000]) {
    const events = new EpollEventArray(capacity);
    t.is(events.capacity, capacity);
    for (const i of [0, capacity - 1]) {
      t.is(events.getEvents(i), 0);
      t.is(events.getData(i), 0n);
      t.is(events.getDataLow(i), 0);
      t.is(events.getDataHigh(i), 0);
    }
  }
});

for (const capacity of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53]) {
  test(`EpollEventArray refuses the capacity ${String(capacity)}`, (t) => {
    refuses(t, () => new EpollEventArray(capacity), 'ERR_OUT_OF_RANGE', 'capacity');
  });
}

for (const capacity of [undefined, null, '1', true, 1n, {}, [1]]) {
  test(`EpollEventArray refuses the capacity of type ${typeof capacity} ${String(capacity)}`, (t) => {
    refuses(t, () => new EpollEventArray(capacity as number), 'ERR_INVALID_ARG_TYPE', 'capacity');
  });
}

const getters = ['getEvents', 'getData', 'getDataLow', 'getDataHigh'] as const;

for (const getter of getters) {
  test(`EpollEventArray.${getter} refuses what is no index`, (t) => {
    const events = new EpollEventArray(3);
    for (const i of [-1, 3, 4, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32]) {
      refuses(t, () => events[getter](i), 'ERR_OUT_OF_RANGE', 'i');
    }
    for (const i of [undefined, null, '0', true, 0n, {}, Symbol.iterator]) {
      refuses(t, () => events[getter](i as number), 'ERR_INVALID_ARG_TYPE', 'i');
    }
  });

  test(`EpollEventArray.${getter} refuses a wrong receiver`, (t) => {
    const method = EpollEventArray.prototype[getter] as (i: number) => unknown;
    const pretender: unknown = Object.create(EpollEventArray.prototype);
    for (const receiver of [
      undefined,
      null,
      {},
      1,
      pretender,
      new Proxy(new EpollEventArray(1), {}),
    ]) {
      t.throws(() => method.call(receiver, 0), { instanceOf: TypeError });
    }
  });
}

test('EpollEventArray is no function', (t) => {
  const call = EpollEventArray as unknown as (capacity: number) => unknown;
  t.throws(() => call(1), { instanceOf: TypeError });
});

test('EpollEventArray can be extended', (t) => {
  class Named extends EpollEventArray {
    readonly name = 'named';
  }
  using open = new Descriptors();
  const epfd = open.own(sys.epoll_create1(0));
  must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, pipe(open)[1], EPOLLOUT));
  const events = new Named(1);
  t.is(sys.epoll_wait(epfd, events, 1, 0), 1);
  t.is(events.getEvents(0), EPOLLOUT);
});

test('EpollEventArray keeps its own length when somebody writes another capacity', (t) => {
  using open = new Descriptors();
  const epfd = open.own(sys.epoll_create1(0));
  const events = new EpollEventArray(2);
  Object.assign(events, { capacity: 1_000 });
  refuses(t, () => sys.epoll_wait(epfd, events, 3, 0), 'ERR_OUT_OF_RANGE', 'maxevents');
});

/** Things that are no EpollEventArray, however much they look like one. */
const pretenders: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  null: () => null,
  'a plain object': () => ({ capacity: 1 }),
  'a Uint32Array': () => new Uint32Array(64),
  'a Buffer': () => Buffer.alloc(64),
  'an object with its prototype': () => Object.create(EpollEventArray.prototype) as unknown,
  'a Proxy of one': () => new Proxy(new EpollEventArray(1), {}),
  'a revoked Proxy of one': () => {
    const { proxy, revoke } = Proxy.revocable(new EpollEventArray(1), {});
    revoke();
    return proxy;
  },
  'the class itself': () => EpollEventArray,
  'a Uint32Array with its prototype': () =>
    Object.setPrototypeOf(new Uint32Array(64), EpollEventArray.prototype) as unknown,
};

for (const [name, make] of Object.entries(pretenders)) {
  test(`the waits refuse ${name} as events`, (t) => {
    using open = new Descriptors();
    const epfd = open.own(sys.epoll_create1(0));
    must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, pipe(open)[1], EPOLLOUT));
    const events = make() as sys.EpollEventArray;
    const calls = [
      () => sys.epoll_wait(epfd, events, 1, 0),
      () => sys.epoll_pwait(epfd, events, 1, 0, null),
      () => sys.epoll_pwait2(epfd, events, 1, 0),
    ];
    for (const call of calls) refuses(t, call, 'ERR_INVALID_ARG_TYPE', 'events');
  });
}

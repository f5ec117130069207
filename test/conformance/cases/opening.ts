import { readlinkSync } from 'node:fs';
import process from 'node:process';
import { Poller, PollerEvents } from '../../../ts/index.js';
import { INT_MAX } from '../../../ts/errors.js';
import { F_GETFD, FD_CLOEXEC } from '../../../ts/sys/constants.js';
import { fcntl } from '../../../ts/sys/index.js';
import { countDescriptors, openDescriptors } from '../../support/descriptors.js';
import { isOpen } from '../../support/kernel-view.js';
import { closing } from '../../support/pairs.js';
import { type Case, group } from '../case.js';
import type { Kit } from '../kit.js';
import { reasons, type Need } from '../needs.js';

/** The descriptors that opening a poller adds. */
function opened(k: Kit): number[] {
  const before = new Set(openDescriptors().filter(isOpen));
  k.open();
  return openDescriptors().filter((fd) => !before.has(fd) && isOpen(fd));
}

export const opening: readonly Case[] = group('opening', {
  'backend names what was asked for': (k) => {
    k.t.is(k.open().backend, k.backend);
  },
  'Poller.backends() lists it': (k) => {
    k.t.true(Poller.backends().includes(k.backend));
  },
  'Poller.backends() leaves no descriptor open': (k) => {
    const before = countDescriptors();
    Poller.backends();
    k.t.is(countDescriptors(), before);
  },
  'auto takes the backend that RAW_EPOLL_BACKEND names': (k) => {
    process.env['RAW_EPOLL_BACKEND'] = k.backend;
    k.t.is(closing(k.t, new Poller({ backend: 'auto' })).backend, k.backend);
    k.t.is(closing(k.t, new Poller()).backend, k.backend);
  },
  'a backend that is asked for is taken whatever RAW_EPOLL_BACKEND names': (k) => {
    process.env['RAW_EPOLL_BACKEND'] = 'nonsense';
    k.t.is(k.open().backend, k.backend);
  },
  'RAW_EPOLL_BACKEND that names nothing known is ERR_OUT_OF_RANGE': (k) => {
    process.env['RAW_EPOLL_BACKEND'] = `${k.backend}x`;
    const error = k.refused('ERR_OUT_OF_RANGE', () => new Poller());
    k.t.regex(error.message, new RegExp(`auto, .*${k.backend}.*Received "${k.backend}x"`));
  },
  'an unknown backend is ERR_OUT_OF_RANGE, no string ERR_INVALID_ARG_TYPE': (k) => {
    const open = (backend: unknown) => () => new Poller({ backend: backend as never });
    for (const name of ['', 'Epoll', ` ${k.backend}`]) k.refused('ERR_OUT_OF_RANGE', open(name));
    for (const name of [null, 1, {}, [k.backend], true]) {
      k.refused('ERR_INVALID_ARG_TYPE', open(name));
    }
  },
  'options that are no object are ERR_INVALID_ARG_TYPE': (k) => {
    for (const options of [null, 1, k.backend, true]) {
      k.refused('ERR_INVALID_ARG_TYPE', () => new Poller(options as never));
    }
  },
  'a fresh poller is open, empty and says so': (k) => {
    const poller = k.open();
    k.t.false(poller.closed);
    k.t.is(poller.size, 0);
    k.t.deepEqual([...poller.entries()], []);
    k.t.deepEqual(k.all(poller), []);
  },
  'opening takes a few descriptors, all close-on-exec': (k) => {
    const fds = opened(k);
    k.t.true(fds.length >= 1 && fds.length <= 7, fds.join());
    for (const fd of fds) k.t.is(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  },
  'what wakes it is what was asked for': (k) => {
    const links = opened(k).map((fd) => readlinkSync(`/proc/self/fd/${fd}`));
    const pipes = links.filter((link) => link.startsWith('pipe:')).length;
    k.t.is(pipes, k.without.includes('eventfd') ? 2 : 0);
  },
  'close gives every descriptor back': (k) => {
    const before = countDescriptors();
    for (let i = 0; i < 50; i++) new Poller({ backend: k.backend }).close();
    k.t.is(countDescriptors(), before);
  },
  'supports says what the row of the backend says': (k) => {
    const { supports } = k.open();
    for (const need of Object.keys(reasons) as Need[]) k.t.is(supports[need], k.has(need), need);
    k.t.true(supports.descriptorMax >= 255 && supports.descriptorMax <= INT_MAX);
  },
  'fd is a descriptor where sets nest, and -1 elsewhere': (k) => {
    const poller = k.open();
    k.t.is(poller.fd >= 0, k.has('nested'));
    poller.close();
    k.t.is(poller.fd, -1);
  },
  'a batch whose capacity was overwritten is refused, and fails no later wait': (k) => {
    const poller = k.open();
    poller.add(k.eventFd(1), 1);
    for (const capacity of [0, -1, 5, 2 ** 31, Number.NaN, '4', undefined]) {
      const batch = new PollerEvents(4);
      Object.defineProperty(batch, 'capacity', { value: capacity });
      k.t.throws(() => poller.wait(batch));
    }
    k.t.is(poller.wait(new PollerEvents(4)), 1);
  },
  'two pollers know nothing of each other': (k) => {
    const [one, other] = [k.open(), k.open()];
    one.add(k.eventFd(1), 1);
    k.t.is(other.size, 0);
    k.t.deepEqual(k.all(other), []);
    k.t.is(one.wait(new PollerEvents(), 0), 1);
  },
});

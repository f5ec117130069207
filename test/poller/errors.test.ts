/** What a refused call of the kernel says about itself. */
import { closeSync } from 'node:fs';
import test from 'ava';
import { Poller, PollerEvents, READABLE, SystemError, type BackendName } from '../../ts/index.js';
import { newEventFd } from '../support/pairs.js';

const CALLS: Readonly<Record<string, { change: string; wait: string }>> = {
  epoll: { change: 'epoll_ctl', wait: 'epoll_wait' },
  kqueue: { change: 'kevent', wait: 'kevent' },
};

for (const backend of Poller.backends()) {
  const calls = CALLS[backend];
  if (calls === undefined) continue; // no descriptor that somebody could close
  test(`a set on ${backend} that was closed behind the back names the call that found out`, (t) => {
    const poller = new Poller({ backend: backend as BackendName });
    const eventFd = newEventFd(t);
    closeSync(poller.fd);
    const ofWait = t.throws(() => poller.wait(new PollerEvents(1), 0), { instanceOf: SystemError });
    t.deepEqual([ofWait.code, ofWait.syscall], ['EBADF', calls.wait]);
    const ofAdd = t.throws(
      () => {
        poller.add(eventFd, READABLE);
      },
      { instanceOf: SystemError },
    );
    t.deepEqual([ofAdd.code, ofAdd.syscall], ['EBADF', calls.change]);
    poller.close();
  });
}

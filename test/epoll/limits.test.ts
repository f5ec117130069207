import test from 'ava';
import { Epoll, EpollEvents } from '../../ts/index.js';
import { EPOLLET, EPOLLIN, F_DUPFD_CLOEXEC } from '../../ts/sys/constants.js';
import { close, fcntl } from '../../ts/sys/index.js';
import { fixture, run } from '../support/child.js';
import { descriptorLimit } from '../support/kernel-view.js';
import { newEpoll, newEventFd } from '../support/pairs.js';

const MANY = 15_000;

test.serial('a large descriptor number is as good as a small one', (t) => {
  const epoll = newEpoll<string>(t);
  const eventFd = newEventFd(t, 1);
  for (const lowest of [63, 64, 65, 1023, 1024, 5000]) {
    const number = fcntl(eventFd.fd, F_DUPFD_CLOEXEC, lowest);
    t.true(number >= lowest);
    epoll.add(number, EPOLLIN, `fd ${number}`);
    const events = new EpollEvents<string>();
    t.is(epoll.wait(events, 0), 1);
    t.is(events.fd(0), number);
    t.is(events.data(0), `fd ${number}`);
    epoll.delete(number);
    t.is(events.fd(0), -1);
    t.is(epoll.size, 0);
    t.is(close(number), 0);
  }
});

const testMany = descriptorLimit() >= MANY + 1000 ? test.serial : test.serial.skip;

testMany(`${MANY} registrations are reported, each once and each with its data`, (t) => {
  const epoll = newEpoll<number>(t);
  const source = newEventFd(t);
  const numbers = Array.from({ length: MANY }, () => fcntl(source.fd, F_DUPFD_CLOEXEC, 0));
  t.teardown(() => {
    for (const fd of numbers) close(fd);
  });
  for (const fd of numbers) epoll.add(fd, EPOLLIN | EPOLLET, fd);
  t.is(epoll.size, MANY);
  t.is([...epoll.entries()].length, MANY);
  source.write();
  const events = new EpollEvents<number>(1000);
  const seen = new Set<number>();
  let shown = 0;
  for (let count = epoll.wait(events, 0); count > 0; count = epoll.wait(events, 0)) {
    for (const { fd, data } of events) {
      shown++;
      seen.add(fd);
      if (data !== fd) t.fail(`fd ${fd} carries the data of ${String(data)}`);
    }
  }
  t.is(shown, MANY);
  t.deepEqual(
    [...seen].sort((a, b) => a - b),
    numbers.sort((a, b) => a - b),
  );
  for (const fd of numbers) epoll.delete(fd);
  t.is(epoll.size, 0);
});

testMany('a set with many registrations closes at once and knows none of them afterwards', (t) => {
  const source = newEventFd(t, 1);
  const numbers = Array.from({ length: MANY }, () => fcntl(source.fd, F_DUPFD_CLOEXEC, 0));
  t.teardown(() => {
    for (const fd of numbers) close(fd);
  });
  const epoll = new Epoll<number>();
  for (const fd of numbers) epoll.add(fd, EPOLLIN, fd);
  const events = new EpollEvents<number>(MANY);
  t.is(epoll.wait(events, 0), MANY);
  epoll.close();
  t.is(epoll.size, 0);
  t.true(Array.from({ length: MANY }, (_, i) => events.fd(i)).every((fd) => fd === -1));
});

test('a set that finds no descriptor for itself or its wake throws EMFILE and leaves none open', async (t) => {
  const child = await run('sh', [
    ...['-c', 'ulimit -n 200 && exec "$0" "$1"', process.execPath, fixture('epoll-full-table')],
  ]);
  t.is(child.stderr, '');
  t.deepEqual(JSON.parse(child.stdout), [
    { free: 0, thrown: 'EMFILE epoll_create1', left: 0 },
    { free: 1, thrown: 'EMFILE eventfd', left: 1 },
    { free: 2, thrown: null, left: 0 },
  ]);
});

/**
 * A registration whose descriptor was closed while a duplicate of it stayed open lives on in the
 * kernel, and no call can remove it by its number: epoll(7), questions and answers. The set is
 * built anew when it reports, and everything else goes on.
 */
import { closeSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { Epoll, EpollEvents, EventFd, UnixStream } from '../../ts/index.js';
import {
  EPOLL_CTL_ADD,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  F_GETFD,
  FD_CLOEXEC,
  O_CLOEXEC,
} from '../../ts/sys/constants.js';
import { close, dup, dup3, epoll_ctl, fcntl } from '../../ts/sys/index.js';
import { countDescriptors } from '../support/descriptors.js';
import { kernelRegistrations } from '../support/kernel-view.js';
import { closing, newEpoll, newEventFd, unixPair } from '../support/pairs.js';
import { conditionsOf, reportedNow } from '../support/readiness.js';

const ghostWarnings: Error[] = [];
process.removeAllListeners('warning'); // The one that prints.
process.on('warning', (warning) => {
  if ((warning as NodeJS.ErrnoException).code === 'RAW_EPOLL_GHOST') ghostWarnings.push(warning);
});

/**
 * Leaves a ready ghost in a set: an object is closed after somebody closed its number behind its
 * back, with a duplicate open. Answers the number.
 */
function haunt(t: ExecutionContext, epoll: Epoll, mask: number = EPOLLIN): number {
  const eventFd = new EventFd({ initialValue: 1 });
  const number = eventFd.fd;
  const duplicate = dup(number);
  t.teardown(() => close(duplicate));
  epoll.add(eventFd, mask);
  closeSync(number);
  t.throws(
    () => {
      eventFd.close();
    },
    { code: 'EBADF' },
  );
  t.true(kernelRegistrations(epoll.fd).some(({ fd }) => fd === number));
  return number;
}

/** The one wait that meets the ghost. */
function lay(t: ExecutionContext, epoll: Epoll, ghost: number): void {
  const shown = reportedNow(epoll);
  t.false(shown.has(ghost));
  t.deepEqual(
    kernelRegistrations(epoll.fd).map(({ fd }) => fd),
    [...epoll.entries()].map(({ fd }) => fd),
    'the kernel knows what the set knows, and no more',
  );
}

test.serial('the ghost of an object that was closed behind its back is never shown', (t) => {
  const epoll = newEpoll(t);
  const ghost = haunt(t, epoll);
  t.is(epoll.size, 0);
  lay(t, epoll, ghost);
  const events = new EpollEvents();
  const started = performance.now();
  t.is(epoll.wait(events, 30), 0);
  t.true(performance.now() - started >= 30, 'the set is quiet again');
});

test.serial(
  'a ghost of a number that was reused and added again does not reach the successor',
  (t) => {
    const epoll = newEpoll<string>(t);
    const [left, right] = unixPair(t);
    const [, quiet] = unixPair(t);
    const number = dup(left.fd);
    epoll.add(number, EPOLLIN, 'first');
    t.is(dup3(quiet.fd, number, O_CLOEXEC), number); // Closes the first one; `left` keeps it alive.
    epoll.add(number, EPOLLIN, 'second');
    t.is(epoll.size, 1);
    right.write(Buffer.from('for the first'));
    lay(t, epoll, number);
    t.deepEqual([...epoll.entries()], [{ fd: number, events: EPOLLIN, data: 'second' }]);
    t.is(conditionsOf(epoll, number), '-');
    epoll.delete(number);
    t.is(close(number), 0);
  },
);

test.serial('a ghost of a number that delete was refused for is never shown', (t) => {
  const epoll = newEpoll<string>(t);
  const eventFd = newEventFd(t, 1);
  const number = dup(eventFd.fd);
  epoll.add(number, EPOLLIN, 'ghost');
  t.is(close(number), 0);
  t.throws(
    () => {
      epoll.delete(number);
    },
    { code: 'EBADF' },
  );
  const events = new EpollEvents<string>();
  t.is(epoll.wait(events, 0), 0);
  t.is(epoll.wait(events, 0), 0);
  t.is(kernelRegistrations(epoll.fd).length, 0);
});

test.serial('a registration that level 1 put into a set is a ghost', (t) => {
  const epoll = newEpoll(t);
  const stranger = newEventFd(t, 1);
  t.is(
    epoll_ctl(epoll.fd, EPOLL_CTL_ADD, stranger.fd, EPOLLIN, 2n ** 63n + BigInt(stranger.fd)),
    0,
  );
  t.is(reportedNow(epoll).size, 0);
  t.is(kernelRegistrations(epoll.fd).length, 0);
});

test.serial('what is ready beside a ghost comes with the same wait', (t) => {
  const epoll = newEpoll<string>(t);
  const before = newEventFd(t, 1);
  epoll.add(before, EPOLLIN, 'before');
  haunt(t, epoll);
  const after = newEventFd(t, 1);
  epoll.add(after, EPOLLIN, 'after');
  const events = new EpollEvents<string>();
  t.is(epoll.wait(events), 2);
  t.deepEqual([...events].map(({ data }) => data).sort(), ['after', 'before']);
});

test.serial('registrations of every mode go on after a set was built anew', (t) => {
  const epoll = newEpoll<string>(t);
  const [level, edge, fired, armed, exclusive] = Array.from({ length: 5 }, () => newEventFd(t));
  epoll.add(level!, EPOLLIN, 'level');
  epoll.add(edge!, EPOLLIN | EPOLLET, 'edge');
  epoll.add(fired!, EPOLLIN | EPOLLONESHOT, 'fired');
  epoll.add(armed!, EPOLLIN | EPOLLONESHOT, 'armed');
  epoll.add(exclusive!, EPOLLIN | EPOLLEXCLUSIVE, 'exclusive');
  fired!.write();
  t.is(conditionsOf(epoll as Epoll, fired!), 'IN');
  const entries = [...epoll.entries()];
  lay(t, epoll, haunt(t, epoll));

  t.deepEqual([...epoll.entries()], entries);
  for (const eventFd of [level, edge, fired, armed, exclusive]) eventFd!.write();
  const events = new EpollEvents<string>();
  epoll.wait(events, 0);
  t.deepEqual([...events].map(({ data }) => data).sort(), ['armed', 'edge', 'exclusive', 'level']);
  epoll.wait(events, 0);
  t.deepEqual([...events].map(({ data }) => data).sort(), ['exclusive', 'level']);
  edge!.write();
  t.is(conditionsOf(epoll as Epoll, edge!), 'IN');
  epoll.modify(fired!, EPOLLIN | EPOLLONESHOT);
  t.is(conditionsOf(epoll as Epoll, fired!), 'IN');
});

test.serial('an edge that nobody has seen yet is not lost when a set is built anew', (t) => {
  const epoll = newEpoll(t);
  const edges = Array.from({ length: 4 }, () => newEventFd(t));
  for (const edge of edges) epoll.add(edge, EPOLLIN | EPOLLET);
  haunt(t, epoll);
  for (const edge of edges) edge.write();
  const one = new EpollEvents(1);
  const seen = new Set<number>();
  for (let i = 0; i < 20; i++) if (epoll.wait(one, 0) > 0) seen.add(one.fd(0));
  t.is(seen.size, 4);
});

test.serial(
  'a one-shot that has fired says nothing of a hang-up after a set was built anew',
  (t) => {
    const epoll = newEpoll(t);
    const [left, right] = unixPair(t);
    epoll.add(left, EPOLLOUT | EPOLLONESHOT);
    t.is(conditionsOf(epoll, left), 'OUT');
    lay(t, epoll, haunt(t, epoll));
    right.close();
    t.is(conditionsOf(epoll, left), '-');
    epoll.modify(left, EPOLLIN | EPOLLONESHOT);
    t.is(conditionsOf(epoll, left), 'IN|HUP');
  },
);

test.serial('a one-shot that has fired stays silent however often a set is built anew', (t) => {
  const epoll = newEpoll<string>(t);
  const eventFd = newEventFd(t, 1);
  epoll.add(eventFd, EPOLLIN | EPOLLONESHOT, 'data');
  t.is(conditionsOf(epoll as Epoll, eventFd), 'IN');
  for (let i = 0; i < 3; i++) {
    lay(t, epoll, haunt(t, epoll));
    t.is(conditionsOf(epoll as Epoll, eventFd), '-');
  }
  epoll.modify(eventFd, EPOLLIN | EPOLLONESHOT);
  const events = new EpollEvents<string>();
  t.is(epoll.wait(events, 0), 1);
  t.is(events.data(0), 'data');
  lay(t, epoll, haunt(t, epoll));
  t.is(conditionsOf(epoll as Epoll, eventFd), '-');
  epoll.delete(eventFd);
  t.is(epoll.size, 0);
});

test.serial('a silent one-shot whose number was reused does not silence its successor', (t) => {
  const epoll = newEpoll(t);
  const [first, second] = [newEventFd(t, 1), newEventFd(t, 1)];
  const number = dup(first.fd);
  epoll.add(number, EPOLLIN | EPOLLONESHOT);
  t.is(conditionsOf(epoll, number), 'IN');
  lay(t, epoll, haunt(t, epoll));
  t.is(dup3(second.fd, number, O_CLOEXEC), number); // The silent one lives on with `first`.
  epoll.add(number, EPOLLIN | EPOLLONESHOT);
  haunt(t, epoll);
  const seen = [conditionsOf(epoll, number), conditionsOf(epoll, number)];
  t.deepEqual(seen, ['IN', '-']);
  epoll.modify(number, EPOLLIN | EPOLLONESHOT);
  lay(t, epoll, haunt(t, epoll));
  t.is(close(number), 0);
});

test.serial('a set that is built anew does not register a stranger under an old number', (t) => {
  const epoll = newEpoll<string>(t);
  const [gone, stranger] = [newEventFd(t, 1), newEventFd(t, 1)];
  const number = dup(gone.fd);
  epoll.add(number, EPOLLIN, 'of the one that is gone');
  t.is(dup3(stranger.fd, number, O_CLOEXEC), number);
  const shown = reportedNow(epoll);
  t.is(shown.size, 1, 'its own ghost, which nobody can tell from the living');
  t.throws(
    () => {
      epoll.delete(number);
    },
    { code: 'ENOENT' },
  );
  t.is(reportedNow(epoll as Epoll).size, 0);
  t.is(kernelRegistrations(epoll.fd).length, 0);
  t.is(epoll.size, 0, 'the table follows the kernel');
  t.is(close(number), 0);
});

test.serial('a set in a set goes on after either was built anew', (t) => {
  const outer = newEpoll(t);
  const inner = newEpoll(t);
  const eventFd = newEventFd(t);
  inner.add(eventFd, EPOLLIN);
  outer.add(inner, EPOLLIN);
  lay(t, inner, haunt(t, inner));
  lay(t, outer, haunt(t, outer));
  t.is(conditionsOf(outer, inner), '-');
  eventFd.write();
  t.is(conditionsOf(outer, inner), 'IN');
  t.is(conditionsOf(inner, eventFd), 'IN');
  eventFd.read();
  t.is(conditionsOf(outer, inner), '-');
});

test.serial('a one-shot set in a set stays disabled after the inner one was built anew', (t) => {
  const outer = newEpoll(t);
  const inner = newEpoll(t);
  const eventFd = newEventFd(t, 1);
  inner.add(eventFd, EPOLLIN);
  outer.add(inner, EPOLLIN | EPOLLONESHOT);
  t.is(conditionsOf(outer, inner), 'IN');
  lay(t, inner, haunt(t, inner));
  t.is(conditionsOf(outer, inner), '-');
});

test.serial('a set that was built anew has its number, close-on-exec, and its wake', (t) => {
  const epoll = newEpoll(t);
  const number = epoll.fd;
  const waker = epoll.waker();
  const descriptors = countDescriptors();
  const ghost = haunt(t, epoll); // Leaves its duplicate open.
  lay(t, epoll, ghost);
  t.is(epoll.fd, number);
  t.is(fcntl(number, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  t.is(countDescriptors(), descriptors + 1);
  t.true(waker.wake());
  t.is(epoll.wait(new EpollEvents(1), 30_000), 0);
});

test.serial('a batch that was fetched before a set was built anew stays as true as it was', (t) => {
  const epoll = newEpoll<string>(t);
  const eventFd = newEventFd(t, 1);
  epoll.add(eventFd, EPOLLIN, 'data');
  const earlier = new EpollEvents<string>();
  epoll.wait(earlier, 0);
  lay(t, epoll, haunt(t, epoll));
  t.is(earlier.data(0), 'data');
  epoll.delete(eventFd);
  t.is(earlier.fd(0), -1);
});

test.serial('each set warns once of its ghosts, with code RAW_EPOLL_GHOST', async (t) => {
  await new Promise(setImmediate);
  ghostWarnings.length = 0;
  const [first, second] = [newEpoll(t), newEpoll(t)];
  for (let i = 0; i < 3; i++) lay(t, first, haunt(t, first));
  lay(t, second, haunt(t, second));
  await new Promise(setImmediate);
  t.is(ghostWarnings.length, 2);
  for (const epoll of [first, second]) {
    t.is(ghostWarnings.filter(({ message }) => message.includes(`epoll ${epoll.fd} `)).length, 1);
  }
  t.is(ghostWarnings[0]?.name, 'GhostEventWarning');
});

test.serial('close of an object leaves no ghost, though a duplicate stays open', async (t) => {
  await new Promise(setImmediate);
  ghostWarnings.length = 0;
  const epoll = newEpoll(t);
  const [left, right] = UnixStream.pair();
  const duplicate = dup(left.fd);
  t.teardown(() => close(duplicate));
  closing(t, right);
  epoll.add(left, EPOLLIN);
  right.write(Buffer.from('a'));
  left.close();
  t.is(kernelRegistrations(epoll.fd).length, 0);
  t.is(reportedNow(epoll).size, 0);
  await new Promise(setImmediate);
  t.is(ghostWarnings.length, 0);
});

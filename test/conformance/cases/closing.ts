import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { EventFd, Poller, PollerEvents, READABLE } from '../../../ts/index.js';
import { close, dup, dup3 } from '../../../ts/sys/index.js';
import { fixture } from '../../support/child.js';
import { countDescriptors } from '../../support/descriptors.js';
import { isOpen } from '../../support/kernel-view.js';
import { promisedMs } from '../../support/measure.js';
import { type Case, group, inModes, needing } from '../case.js';
import type { Kit } from '../kit.js';

/** A registered counter that was closed behind its back, and its number. */
function closedBehind(k: Kit, poller: Poller<string>, initialValue = 1): number {
  const eventFd = new EventFd({ initialValue });
  const fd = eventFd.release();
  k.add(poller, fd, READABLE, 'closed');
  close(fd);
  return fd;
}

/** Puts a new counter behind a closed number, until the end of the case. */
function reopen(k: Kit, fd: number, initialValue: number): void {
  const eventFd = k.eventFd(initialValue);
  if (eventFd.fd === fd) return; // It was the lowest that was free.
  k.t.is(dup3(eventFd.fd, fd, 0), fd);
  k.t.teardown(() => void close(fd));
}

const CALLS: Readonly<Record<string, (poller: Poller, fd: number) => unknown>> = {
  add: (poller, fd) => {
    poller.add(fd, READABLE);
  },
  modify: (poller, fd) => {
    poller.modify(fd, READABLE);
  },
  delete: (poller, fd) => {
    poller.delete(fd);
  },
  get: (poller, fd) => poller.get(fd),
  has: (poller, fd) => poller.has(fd),
  entries: (poller) => poller.entries(),
  wait: (poller) => poller.wait(new PollerEvents(), 0),
  wake: (poller) => {
    poller.wake();
  },
  waker: (poller) => poller.waker(),
};

export const closing: readonly Case[] = group('closing', {
  'a closed poller says so, and knows nothing': (k) => {
    const poller = k.open();
    poller.add(k.eventFd(), READABLE);
    poller.close();
    k.t.true(poller.closed);
    k.t.is(poller.size, 0);
    k.t.is(poller.backend, k.backend);
  },
  'every call on a closed poller is ERR_CLOSED': (k) => {
    const poller = k.open();
    const { fd } = k.eventFd();
    poller.add(fd, READABLE);
    poller.close();
    for (const call of Object.values(CALLS)) {
      const error = k.refused('ERR_CLOSED', () => call(poller, fd));
      k.t.regex(error.message, /Poller is closed/);
    }
  },
  'close again, and dispose after close, do nothing': (k) => {
    const poller = k.open();
    poller.close();
    const before = countDescriptors();
    poller.close();
    poller[Symbol.dispose]();
    k.t.is(countDescriptors(), before);
  },
  '`using` closes it when an error leaves the block': (k) => {
    let kept: Poller | undefined;
    k.t.throws(
      () => {
        using poller = new Poller({ backend: k.backend });
        kept = poller;
        throw new Error('on the way');
      },
      { message: 'on the way' },
    );
    k.t.true(kept?.closed);
  },
  'closing the poller leaves its descriptors open': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    poller.add(eventFd, READABLE);
    poller.close();
    k.t.true(isOpen(eventFd.fd));
  },
  'an owned descriptor leaves every poller before it is closed': inModes((k) => {
    const pollers = [k.open(), k.open()];
    const eventFd = k.eventFd(1);
    for (const poller of pollers) k.add(poller, eventFd, READABLE);
    const { fd } = eventFd;
    const copy = dup(fd);
    eventFd.close();
    for (const poller of pollers) {
      k.t.false(poller.has(fd));
      k.t.is(poller.size, 0);
      k.t.deepEqual(k.all(poller), []);
    }
    close(copy);
  }),
  'a released descriptor leaves every poller': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    poller.add(eventFd, READABLE);
    const fd = eventFd.release();
    k.t.false(poller.has(fd));
    k.t.deepEqual(k.all(poller), []);
    poller.add(fd, READABLE);
    k.t.is(k.ready(poller, fd), 'R');
    poller.delete(fd);
    close(fd);
  },
  'a number that is reused after a proper close is a new registration': inModes((k) => {
    const poller = k.open<string>();
    const first = k.eventFd(1);
    k.add(poller, first, READABLE, 'first');
    const { fd } = first;
    k.t.is(k.ready(poller, fd), 'R');
    first.close();
    const second = k.eventFd();
    k.t.is(second.fd, fd);
    k.t.is(k.ready(poller, fd), '-');
    k.add(poller, second, READABLE, 'second');
    k.t.is(k.ready(poller, fd), '-');
    second.write();
    k.t.is(k.ready(poller, fd), 'R');
    k.t.is(poller.get(fd)?.data, 'second');
  }),
  'a descriptor that was closed behind the back is not reported': inModes((k) => {
    const poller = k.open<string>();
    closedBehind(k, poller);
    k.t.deepEqual(k.all(poller), []);
  }),
  'it does not end the wait, nor spin: the wait takes its time': inModes((k) => {
    const poller = k.open<string>();
    closedBehind(k, poller);
    const before = process.cpuUsage();
    for (let i = 0; i < 3; i++) {
      const { count, ms } = k.timed(poller, 30);
      k.t.is(count, 0);
      k.t.true(ms >= 30, `${ms} ms`);
    }
    const { user, system } = process.cpuUsage(before);
    k.t.true(user + system < 1000 * promisedMs(60), `${user + system} us of 90 ms`);
  }),
  'it does not fail the wait: the others are reported': inModes((k) => {
    const poller = k.open<string>();
    const others = [k.eventFd(1), k.eventFd(1)];
    k.add(poller, others[0]!, READABLE);
    closedBehind(k, poller);
    k.add(poller, others[1]!, READABLE);
    const wanted = others.map(({ fd }) => `${fd}:R`).sort();
    k.t.deepEqual(k.all(poller).sort(), wanted);
  }),
  'many that were closed behind the back neither': (k) => {
    const poller = k.open<string>();
    const eventFds = Array.from({ length: 60 }, () => new EventFd({ initialValue: 1 }));
    for (const eventFd of eventFds) poller.add(eventFd, READABLE);
    const numbers = eventFds.map((eventFd) => eventFd.fd);
    for (const [i, fd] of numbers.entries()) if (i % 2) close(fd);
    k.t.is(k.all(poller).length, 30);
    k.t.is(k.all(poller).length, 30);
    for (const eventFd of eventFds) {
      try {
        eventFd.close();
      } catch {
        continue; // EBADF: closed behind its back
      }
    }
    k.t.is(poller.size, 0);
    k.t.deepEqual(k.all(poller), []);
  },
  'modify and delete of it are EBADF, and it stays in the table': inModes((k) => {
    const poller = k.open<string>();
    const fd = closedBehind(k, poller);
    k.refused('EBADF', () => {
      poller.modify(fd, READABLE);
    });
    k.refused('EBADF', () => {
      poller.delete(fd);
    });
    k.t.true(poller.has(fd));
    k.t.is(poller.get(fd)?.data, 'closed');
  }),
  'after a wait its number is free: a new file behind it is added like any other': inModes((k) => {
    const poller = k.open<string>();
    const fd = closedBehind(k, poller);
    k.t.deepEqual(k.all(poller), []);
    reopen(k, fd, 1);
    k.t.is(k.ready(poller, fd), '-');
    k.add(poller, fd, READABLE, 'new');
    k.t.is(k.ready(poller, fd), 'R');
    k.t.is(poller.get(fd)?.data, 'new');
    k.t.is(poller.size, 1);
    poller.delete(fd);
  }),
  'after a wait, modify and delete of a new file behind its number are ENOENT': inModes((k) => {
    const poller = k.open<string>();
    const fd = closedBehind(k, poller);
    k.t.deepEqual(k.all(poller), []);
    reopen(k, fd, 1);
    k.refused('ENOENT', () => {
      poller.modify(fd, READABLE);
    });
    k.refused('ENOENT', () => {
      poller.delete(fd);
    });
    k.t.is(k.ready(poller, fd), '-');
  }),
  'after a refused call its number is free as well': (k) => {
    const poller = k.open<string>();
    const fd = closedBehind(k, poller);
    k.refused('EBADF', () => {
      poller.delete(fd);
    });
    reopen(k, fd, 1);
    k.t.is(k.ready(poller, fd), '-');
    poller.add(fd, READABLE, { data: 'new' });
    k.t.is(k.ready(poller, fd), 'R');
    poller.delete(fd);
  },
  'a new file behind its number is told from it even without a wait': needing(
    ['remembers'],
    (k) => {
      const poller = k.open<string>();
      const fd = closedBehind(k, poller);
      reopen(k, fd, 1);
      k.t.is(k.ready(poller, fd), '-');
      k.refused('ENOENT', () => {
        poller.delete(fd);
      });
      poller.add(fd, READABLE, { data: 'new' });
      k.t.is(k.ready(poller, fd), 'R');
      poller.delete(fd);
    },
  ),
  'closed while a duplicate is open: once delete was refused, it is not reported and does not spin':
    inModes((k) => {
      const poller = k.open<string>();
      const eventFd = new EventFd({ initialValue: 1 });
      const copy = dup(eventFd.fd);
      const fd = eventFd.release();
      k.add(poller, fd, READABLE);
      close(fd);
      k.refused('EBADF', () => {
        poller.delete(fd);
      });
      poller.wait(new PollerEvents(), 0); // Where the kernel keeps a ghost, this gets rid of it.
      k.t.deepEqual(k.all(poller), []);
      const { count, ms } = k.timed(poller, 20);
      k.t.is(count, 0);
      k.t.true(ms >= 20, `${ms} ms`);
      close(copy);
    }),
  'a poller that nobody holds is collected, reported, and its descriptors closed': async (k) => {
    const before = countDescriptors();
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', listen);
    ((): void => {
      const poller = new Poller<Poller>({ backend: k.backend });
      using eventFd = new EventFd();
      poller.add(eventFd, READABLE, { data: poller });
    })();
    for (let i = 0; i < 50 && countDescriptors() > before; i++) {
      globalThis.gc?.();
      await turn();
    }
    await turn();
    process.off('warning', listen);
    k.t.is(countDescriptors(), before);
    k.t.true(
      warnings.some((message) => message.startsWith('Poller (fd ')),
      warnings.join(),
    );
  },
  'one that is registered in a closed poller is closed like any other': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    poller.add(eventFd, READABLE);
    poller.close();
    eventFd.close();
    k.t.true(eventFd.closed);
  },
  'a worker that ends takes its pollers with it': async (k) => {
    await once(new Worker(fixture('poller-owner'), { workerData: { row: k.row } }), 'exit');
    const before = countDescriptors();
    for (let i = 0; i < 3; i++) {
      await once(new Worker(fixture('poller-owner'), { workerData: { row: k.row } }), 'exit');
    }
    k.t.is(countDescriptors(), before);
  },
  'a worker may use it as the main thread does': async (k) => {
    const worker = new Worker(fixture('poller-owner'), { workerData: { row: k.row } });
    const exit = once(worker, 'exit');
    const [shown] = (await once(worker, 'message')) as [string];
    k.t.is(shown, 'readable 1, then 0');
    await exit;
  },
  'a descriptor of another thread may be watched by its number': async (k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    const worker = new Worker(fixture('poller-owner'), {
      workerData: { row: k.row, fd: eventFd.fd },
    });
    const exit = once(worker, 'exit');
    const [shown] = (await once(worker, 'message')) as [string];
    k.t.is(shown, 'readable 0, then 0');
    poller.add(eventFd, READABLE);
    k.t.is(k.ready(poller, eventFd), '-');
    await exit;
  },
});

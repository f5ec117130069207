import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import {
  EventFd,
  type Poller,
  type PollerMode,
  PRIORITY,
  READABLE,
  WRITABLE,
  type SystemError,
} from '../../../ts/index.js';
import { EEXIST, EOPNOTSUPP, F_DUPFD } from '../../../ts/sys/constants.js';
import { close, dup, fcntl } from '../../../ts/sys/index.js';
import { type Case, group, inModes, needing } from '../case.js';
import type { Kit } from '../kit.js';

const CALLS = {
  add: (poller: Poller, fd: number) => {
    poller.add(fd, READABLE);
  },
  modify: (poller: Poller, fd: number) => {
    poller.modify(fd, READABLE);
  },
  delete: (poller: Poller, fd: number) => {
    poller.delete(fd);
  },
};

/** Every call that takes a descriptor refuses it so. */
function refuses(k: Kit, code: string, fd: unknown, names = Object.keys(CALLS)): void {
  const poller = k.open();
  for (const name of names) {
    k.refused(code, () => {
      CALLS[name as keyof typeof CALLS](poller, fd as number);
    });
  }
  k.t.is(poller.size, 0);
}

/** A number so high that nothing gets it by chance. */
function closedNumber(): number {
  using eventFd = new EventFd();
  const fd = fcntl(eventFd.fd, F_DUPFD, 900);
  close(fd);
  return fd;
}

function withFile(path: string, use: (fd: number) => void): void {
  const fd = openSync(path, 'r');
  use(fd);
  closeSync(fd);
}

/** Each call that takes an interest and options refuses these. */
function refusesOptions(k: Kit, code: string, interest: unknown, options?: unknown): void {
  const poller = k.open();
  const [eventFd, other] = [k.eventFd(), k.eventFd()];
  poller.add(other, READABLE, { data: 'kept' });
  const before = [...poller.entries()];
  const given = (options === undefined ? [interest] : [interest, options]) as [never, never];
  k.refused(code, () => {
    poller.add(eventFd, ...given);
  });
  k.refused(code, () => {
    poller.modify(other, ...given);
  });
  k.t.deepEqual([...poller.entries()], before);
}

export const registration: readonly Case[] = group('registration', {
  'add registers: has, get, size and entries say so': inModes((k) => {
    const poller = k.open<string>();
    const { fd } = k.eventFd();
    k.add(poller, fd, READABLE, 'one');
    const wanted = { fd, interest: READABLE, mode: k.mode, exclusive: false, data: 'one' };
    k.t.true(poller.has(fd));
    k.t.deepEqual(poller.get(fd), wanted);
    k.t.is(poller.size, 1);
    k.t.deepEqual([...poller.entries()], [wanted]);
  }),
  'an object with an fd is as good as its number': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    poller.add(eventFd, READABLE);
    k.t.true(poller.has(eventFd.fd) && poller.has(eventFd) && poller.has({ fd: eventFd.fd }));
    poller.modify(eventFd.fd, READABLE | WRITABLE);
    poller.delete({ fd: eventFd.fd });
    k.t.is(poller.size, 0);
  },
  'add without a mode is level': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    poller.add(eventFd, READABLE);
    k.t.is(poller.get(eventFd)?.mode, 'level');
  },
  'adding twice is EEXIST': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    k.add(poller, eventFd, READABLE);
    k.refused('EEXIST', () => {
      k.add(poller, eventFd, WRITABLE);
    });
  }),
  'a refused second add leaves interest and data of the first': (k) => {
    const poller = k.open<string>();
    const eventFd = k.eventFd(1);
    poller.add(eventFd, READABLE, { data: 'first' });
    k.refused('EEXIST', () => {
      poller.add(eventFd, WRITABLE, { data: 'second' });
    });
    k.t.is(poller.get(eventFd)?.interest, READABLE);
    k.t.is(poller.get(eventFd)?.data, 'first');
    k.t.is(k.ready(poller, eventFd), 'R');
  },
  'modifying the unknown is ENOENT': (k) => {
    refuses(k, 'ENOENT', k.eventFd().fd, ['modify']);
  },
  'deleting the unknown is ENOENT': (k) => {
    refuses(k, 'ENOENT', k.eventFd().fd, ['delete']);
  },
  'deleting twice is ENOENT': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    k.add(poller, eventFd, READABLE);
    poller.delete(eventFd);
    k.refused('ENOENT', () => {
      poller.delete(eventFd);
    });
    k.t.is(poller.size, 0);
  }),
  'delete and add again is a new registration': inModes((k) => {
    const poller = k.open<string>();
    const eventFd = k.eventFd(1);
    k.add(poller, eventFd, READABLE, 'old');
    poller.delete(eventFd);
    k.t.is(k.ready(poller, eventFd), '-');
    k.add(poller, eventFd, READABLE, 'new');
    k.t.is(poller.get(eventFd)?.data, 'new');
    k.t.is(k.ready(poller, eventFd), 'R');
  }),
  'a deleted descriptor is not reported': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    k.add(poller, eventFd, READABLE);
    poller.delete(eventFd);
    k.t.deepEqual(k.all(poller), []);
    k.t.false(poller.has(eventFd));
    k.t.is(poller.get(eventFd), undefined);
  }),
  'deleting one leaves the others': (k) => {
    const poller = k.open();
    const eventFds = Array.from({ length: 20 }, () => k.eventFd(1));
    for (const eventFd of eventFds) poller.add(eventFd, READABLE);
    const left = new Set(eventFds.map(({ fd }) => fd));
    for (const { fd } of [...eventFds].sort((a, b) => (a.fd % 7) - (b.fd % 7))) {
      poller.delete(fd);
      left.delete(fd);
      const wanted = [...left].sort((a, b) => a - b).map((number) => `${number}:R`);
      k.t.deepEqual(k.all(poller), wanted);
    }
  },
  'modify replaces the interest': inModes((k) => {
    const poller = k.open();
    const [left] = k.pair();
    k.add(poller, left, READABLE);
    k.t.is(k.ready(poller, left), '-');
    poller.modify(left, WRITABLE);
    k.t.is(poller.get(left)?.interest, WRITABLE);
    k.t.is(k.ready(poller, left), 'W');
  }),
  'modify replaces the data': (k) => {
    const poller = k.open<string>();
    const eventFd = k.eventFd();
    poller.add(eventFd, READABLE, { data: 'old' });
    poller.modify(eventFd, READABLE, { data: 'new' });
    k.t.is(poller.get(eventFd)?.data, 'new');
  },
  'modify without data, or with undefined, keeps it': (k) => {
    const poller = k.open<string>();
    const eventFd = k.eventFd();
    poller.add(eventFd, READABLE, { data: 'kept' });
    poller.modify(eventFd, WRITABLE);
    k.t.is(poller.get(eventFd)?.data, 'kept');
    poller.modify(eventFd, WRITABLE, { data: undefined as never });
    k.t.is(poller.get(eventFd)?.data, 'kept');
  },
  'modify without a mode keeps it': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    k.add(poller, eventFd, READABLE);
    poller.modify(eventFd, READABLE | WRITABLE);
    k.t.is(poller.get(eventFd)?.mode, k.mode);
  }),
  'modify changes the mode': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    poller.add(eventFd, READABLE);
    k.t.is(k.ready(poller, eventFd), 'R');
    poller.modify(eventFd, READABLE, { mode: k.mode });
    k.t.is(poller.get(eventFd)?.mode, k.mode);
    k.t.is(k.ready(poller, eventFd), 'R');
    k.t.is(k.ready(poller, eventFd), k.mode === 'level' ? 'R' : '-');
    poller.modify(eventFd, READABLE, { mode: 'level' });
    k.t.is(k.ready(poller, eventFd), 'R');
    k.t.is(k.ready(poller, eventFd), 'R');
  }),
  'entries come in the order of their numbers': (k) => {
    const poller = k.open();
    const eventFds = Array.from({ length: 9 }, () => k.eventFd());
    for (const eventFd of eventFds.toReversed()) poller.add(eventFd, READABLE);
    const numbers = eventFds.map(({ fd }) => fd).sort((a, b) => a - b);
    k.t.deepEqual(
      [...poller.entries()].map(({ fd }) => fd),
      numbers,
    );
  },
  'the set may be changed while its entries are walked': (k) => {
    const poller = k.open();
    for (let i = 0; i < 9; i++) poller.add(k.eventFd(), READABLE);
    for (const { fd } of poller.entries()) poller.delete(fd);
    k.t.is(poller.size, 0);
  },
  'a descriptor that is not open is EBADF': (k) => {
    refuses(k, 'EBADF', closedNumber());
  },
  'any int32 that is no descriptor is EBADF': (k) => {
    for (const fd of [-1, -2, 1_000_000, 2 ** 31 - 1, -(2 ** 31)]) refuses(k, 'EBADF', fd);
  },
  'a regular file is EPERM': (k) => {
    withFile(process.execPath, (fd) => {
      refuses(k, 'EPERM', fd);
    });
  },
  'a directory is EPERM': (k) => {
    const folder = mkdtempSync(`${tmpdir()}/raw-epoll-`);
    withFile(folder, (fd) => {
      refuses(k, 'EPERM', fd);
    });
    rmSync(folder, { recursive: true });
  },
  'what is no number and has no fd is ERR_INVALID_ARG_TYPE': (k) => {
    for (const fd of [undefined, null, '5', true, 5n, {}, { fd: '5' }, [], Symbol('5')]) {
      refuses(k, 'ERR_INVALID_ARG_TYPE', fd);
    }
  },
  'a number that is no int32 is ERR_OUT_OF_RANGE': (k) => {
    for (const fd of [Number.NaN, 0.5, 2 ** 31, -(2 ** 31) - 1, Infinity]) {
      refuses(k, 'ERR_OUT_OF_RANGE', fd);
    }
  },
  'a closed object is ERR_CLOSED and named': (k) => {
    const poller = k.open();
    const eventFd = new EventFd();
    eventFd.close();
    const error = k.refused('ERR_CLOSED', () => {
      poller.add(eventFd, READABLE);
    });
    k.t.regex(error.message, /EventFd is closed/);
  },
  'an interest that is no number is ERR_INVALID_ARG_TYPE': (k) => {
    for (const interest of [undefined, null, '1', true, 1n, {}]) {
      refusesOptions(k, 'ERR_INVALID_ARG_TYPE', interest);
    }
  },
  'an interest with other bits is ERR_OUT_OF_RANGE': (k) => {
    for (const interest of [8, -1, 0x2001, 2 ** 31, Number.NaN, 0.5, Infinity]) {
      refusesOptions(k, 'ERR_OUT_OF_RANGE', interest);
    }
  },
  'a mode that is none is ERR_OUT_OF_RANGE, no string ERR_INVALID_ARG_TYPE': (k) => {
    for (const mode of ['', 'Level', 'et', 'toString', '__proto__']) {
      refusesOptions(k, 'ERR_OUT_OF_RANGE', READABLE, { mode });
    }
    for (const mode of [null, 1, {}, true]) {
      refusesOptions(k, 'ERR_INVALID_ARG_TYPE', READABLE, { mode });
    }
  },
  'register options that are no object are ERR_INVALID_ARG_TYPE': (k) => {
    for (const options of [null, 1, 'level', true]) {
      refusesOptions(k, 'ERR_INVALID_ARG_TYPE', READABLE, options);
    }
    refusesOptions(k, 'ERR_INVALID_ARG_TYPE', READABLE, { exclusive: 1 });
  },
  'an fd getter that throws is passed on and changes nothing': (k) => {
    const poller = k.open();
    const thrower = {
      get fd(): number {
        throw new Error('of the getter');
      },
    };
    k.t.throws(
      () => {
        poller.add(thrower, READABLE);
      },
      { message: 'of the getter' },
    );
    k.t.is(poller.size, 0);
  },
  'an fd getter or an option that closes the poller is ERR_CLOSED': (k) => {
    const [one, other] = [k.open(), k.open()];
    const eventFd = k.eventFd();
    k.refused('ERR_CLOSED', () => {
      one.add(
        {
          get fd(): number {
            one.close();
            return eventFd.fd;
          },
        },
        READABLE,
      );
    });
    k.refused('ERR_CLOSED', () => {
      other.add(eventFd, READABLE, {
        get mode(): PollerMode {
          other.close();
          return 'level';
        },
      });
    });
  },
  'an error names its code, the descriptor, the call and the backend': (k) => {
    const poller = k.open();
    const { fd } = k.eventFd();
    poller.add(fd, READABLE);
    const error = k.refused('EEXIST', () => {
      poller.add(fd, READABLE);
    }) as SystemError;
    k.t.is(error.name, 'SystemError');
    k.t.is(error.errno, -EEXIST);
    k.t.is(error.fd, fd);
    k.t.regex(
      error.message,
      new RegExp(`^EEXIST: file exists, ${error.syscall} add fd ${fd}, backend ${k.backend}$`),
    );
  },
  'a mode that the backend lacks is EOPNOTSUPP and names both': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    poller.add(eventFd, READABLE);
    for (const mode of ['edge', 'oneshot', 'edgeOneshot'] as const) {
      if (k.has(mode)) continue;
      for (const call of ['add', 'modify'] as const) {
        const error = k.refused('EOPNOTSUPP', () => {
          poller[call](eventFd, READABLE, { mode });
        }) as SystemError;
        k.t.is(error.errno, -EOPNOTSUPP);
        k.t.regex(error.message, new RegExp(`in mode ${mode}, backend ${k.backend}$`));
      }
    }
    k.t.is(poller.get(eventFd)?.mode, 'level');
    k.t.is(k.ready(poller, eventFd), 'R');
  },
  'an interest or option that the backend lacks is EOPNOTSUPP and named': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    if (!k.has('priority')) {
      const error = k.refused('EOPNOTSUPP', () => {
        poller.add(eventFd, PRIORITY);
      });
      k.t.regex(error.message, /for PRIORITY, backend/);
    }
    if (!k.has('exclusive')) {
      const error = k.refused('EOPNOTSUPP', () => {
        poller.add(eventFd, READABLE, { exclusive: true });
      });
      k.t.regex(error.message, /as exclusive, backend/);
    }
    k.t.is(poller.size, 0);
  },
  'exclusive registers, reports, and is not to be modified': needing(['exclusive'], (k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    poller.add(eventFd, READABLE, { exclusive: true });
    k.t.true(poller.get(eventFd)?.exclusive);
    k.t.is(k.ready(poller, eventFd), 'R');
    k.refused('EINVAL', () => {
      poller.modify(eventFd, READABLE | WRITABLE);
    });
    k.t.is(poller.get(eventFd)?.interest, READABLE);
  }),
  'exclusive: false is as good as nothing': (k) => {
    const poller = k.open();
    poller.add(k.eventFd(1), READABLE, { exclusive: false });
    k.t.is(k.all(poller).length, 1);
  },
  'data comes back as it went in, whatever it is': (k) => {
    const poller = k.open();
    const values = [undefined, null, 0, '', Symbol('s'), () => 1, { of: 'mine' }, Number.NaN];
    for (const data of values) {
      const eventFd = k.eventFd(1);
      poller.add(eventFd, READABLE, { data });
      k.t.is(poller.get(eventFd)?.data, data);
      poller.delete(eventFd);
    }
  },
  'data of a deleted registration is let go': async (k) => {
    const poller = k.open<object>();
    const eventFd = k.eventFd(1);
    const reference = ((): WeakRef<object> => {
      const data = { of: 'mine' };
      poller.add(eventFd, READABLE, { data });
      return new WeakRef(data);
    })();
    poller.delete(eventFd);
    for (let i = 0; i < 20 && reference.deref() !== undefined; i++) {
      await turn();
      globalThis.gc?.();
    }
    k.t.is(reference.deref(), undefined);
  },
  'interest 0 is accepted and reports nothing of what is there': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    poller.add(eventFd, 0);
    k.t.is(poller.get(eventFd)?.interest, 0);
    k.t.is(k.ready(poller, eventFd), '-');
    poller.modify(eventFd, READABLE);
    k.t.is(k.ready(poller, eventFd), 'R');
    poller.modify(eventFd, 0);
    k.t.is(k.ready(poller, eventFd), '-');
    poller.delete(eventFd);
  },
  'interest 0 keeps its place: adding again is EEXIST': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    poller.add(eventFd, 0);
    k.refused('EEXIST', () => {
      poller.add(eventFd, READABLE);
    });
  },
  'three hundred registrations are all reported': inModes((k) => {
    const poller = k.open();
    const eventFds = Array.from({ length: 300 }, () => k.eventFd(1));
    for (const eventFd of eventFds) k.add(poller, eventFd, READABLE);
    k.t.is(poller.size, 300);
    const seen = new Set<string>();
    // In one batch as a rule. A kernel may take several.
    for (let i = 0; i < 30 && seen.size < 300; i++)
      for (const line of k.all(poller)) seen.add(line);
    k.t.is(seen.size, 300);
  }),
  'two numbers of one description are two registrations': (k) => {
    const poller = k.open<string>();
    const eventFd = k.eventFd(1);
    const copy = dup(eventFd.fd);
    poller.add(eventFd, READABLE, { data: 'one' });
    poller.add(copy, READABLE, { data: 'two' });
    k.t.is(k.all(poller).length, 2);
    poller.delete(copy);
    close(copy);
    k.t.is(k.ready(poller, eventFd), 'R');
  },
  'one descriptor in two pollers reports to both': inModes((k) => {
    const [one, other] = [k.open(), k.open()];
    const eventFd = k.eventFd();
    k.add(one, eventFd, READABLE);
    k.add(other, eventFd, READABLE);
    eventFd.write();
    k.t.is(k.ready(one, eventFd), 'R');
    k.t.is(k.ready(other, eventFd), 'R');
  }),
  'a high descriptor is watched, or refused with its limit': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd(1);
    const high = fcntl(eventFd.fd, F_DUPFD, 1500);
    k.t.true(high >= 1500);
    if (poller.supports.descriptorMax >= high) {
      poller.add(high, READABLE);
      k.t.is(k.ready(poller, high), 'R');
      poller.delete(high);
    } else {
      const error = k.refused('ERR_OUT_OF_RANGE', () => {
        poller.add(high, READABLE);
      });
      k.t.regex(error.message, new RegExp(`${poller.supports.descriptorMax + 1}.*${k.backend}`));
      k.refused('ENOENT', () => {
        poller.modify(high, READABLE);
      });
      k.refused('ENOENT', () => {
        poller.delete(high);
      });
    }
    close(high);
  },
});

import { Epoll, type Poller, READABLE } from '../../../ts/index.js';
import { EPOLLIN } from '../../../ts/sys/constants.js';
import { close, dup } from '../../../ts/sys/index.js';
import { closing } from '../../support/pairs.js';
import { conditionsOf } from '../../support/readiness.js';
import { type Case, group, needing } from '../case.js';
import type { Kit } from '../kit.js';

/** A poller that watches another one. */
function nested(k: Kit): { outer: Poller; inner: Poller } {
  const [outer, inner] = [k.open(), k.open()];
  outer.add(inner, READABLE);
  return { outer, inner };
}

export const nesting: readonly Case[] = group('nesting', {
  'a poller in a poller is readable while a wait would bring something': needing(
    ['nested'],
    (k) => {
      const { outer, inner } = nested(k);
      const eventFd = k.eventFd();
      inner.add(eventFd, READABLE);
      k.t.is(k.ready(outer, inner), '-');
      eventFd.write();
      k.t.is(k.ready(outer, inner), 'R');
      k.t.is(k.ready(inner, eventFd), 'R');
      eventFd.read();
      k.t.is(k.ready(outer, inner), '-');
    },
  ),
  'a wake of the inner one makes it readable': needing(['nested'], (k) => {
    const { outer, inner } = nested(k);
    inner.wake();
    k.t.is(k.ready(outer, inner), 'R');
    k.timed(inner, 0);
    k.t.is(k.ready(outer, inner), '-');
  }),
  'an inner poller that is closed leaves the outer one': needing(['nested'], (k) => {
    const { outer, inner } = nested(k);
    const { fd } = inner;
    inner.close();
    k.t.false(outer.has(fd));
    k.t.deepEqual(k.all(outer), []);
  }),
  'a closed inner poller is ERR_CLOSED and named': needing(['nested'], (k) => {
    const { outer, inner } = nested(k);
    inner.close();
    const error = k.refused('ERR_CLOSED', () => {
      outer.add(inner, READABLE);
    });
    k.t.regex(error.message, /Poller is closed/);
  }),
  'where sets do not nest, an open poller is no descriptor: EBADF': (k) => {
    const [outer, inner] = [k.open(), k.open()];
    if (k.has('nested')) outer.add(inner, READABLE);
    else
      k.refused('EBADF', () => {
        outer.add(inner, READABLE);
      });
    k.t.is(outer.size, k.has('nested') ? 1 : 0);
  },
  'a poller watches an epoll set': (k) => {
    const poller = k.open();
    const set = closing(k.t, new Epoll());
    const eventFd = k.eventFd(1);
    poller.add(set, READABLE);
    k.t.is(k.ready(poller, set), '-');
    set.add(eventFd, EPOLLIN);
    k.t.is(k.ready(poller, set), 'R');
    k.t.is(conditionsOf(set, eventFd), 'IN');
  },
  'an epoll set that was built anew is still watched': (k) => {
    const poller = k.open();
    const set = closing(k.t, new Epoll());
    const eventFd = k.eventFd(1);
    const number = dup(eventFd.fd);
    poller.add(set, READABLE);
    set.add(number, EPOLLIN);
    close(number);
    k.refused('EBADF', () => {
      set.delete(number);
    });
    k.t.is(conditionsOf(set, number), '-'); // The ghost is met, and the set replaced.
    k.t.is(k.ready(poller, set), '-');
    set.wake();
    k.t.is(k.ready(poller, set), 'R');
  },
});

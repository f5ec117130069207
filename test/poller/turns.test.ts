/** A poller that Node's own loop drives: the rest is said of Epoll, in test/epoll/turns.test.ts. */
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { Poller, PollerEvents, READABLE, type BackendName } from '../../ts/index.js';
import { testedBackends } from '../support/backends.js';
import { closing, newEventFd } from '../support/pairs.js';

for (const backend of testedBackends) {
  const newPoller = (t: Parameters<typeof closing>[0]): Poller<string> =>
    closing(t, new Poller<string>({ backend: backend as BackendName }));
  using probe = new Poller({ backend: backend as BackendName });

  if (!probe.supports.nested) {
    test(`turns of ${backend} are refused: there is no descriptor to watch`, (t) => {
      t.throws(() => newPoller(t).turns(), {
        code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
        message: new RegExp(backend),
      });
    });
    continue;
  }

  test(`turns of ${backend} bring what becomes ready while Node’s timers run`, async (t) => {
    const poller = newPoller(t);
    const eventFd = newEventFd(t);
    poller.add(eventFd, READABLE, { data: 'mine' });
    const turns = poller.turns();
    const coming = turns.next();
    await delay(1);
    eventFd.write(1);
    const { value } = await coming;
    t.true(value instanceof PollerEvents);
    t.deepEqual(
      [...(value ?? [])].map(({ data, readable }) => [data, readable]),
      [['mine', true]],
    );
    await turns.return?.();
  });

  test(`closing a poller on ${backend} ends its turns`, async (t) => {
    const poller = newPoller(t);
    const coming = poller.turns().next();
    await delay(1);
    poller.close();
    t.true((await coming).done);
    t.throws(() => poller.turns(), { code: 'ERR_CLOSED' });
  });

  test(`turns of ${backend} read each option once, and a getter may close the poller`, async (t) => {
    const poller = newPoller(t);
    const read: string[] = [];
    const once = <V>(name: string, value: V): V => {
      read.push(name);
      poller.close();
      return value;
    };
    const turns = poller.turns({
      get signal() {
        return once('signal', new AbortController().signal);
      },
      get maxEvents() {
        return once('maxEvents', 3);
      },
      get ref() {
        return once('ref', true);
      },
    });
    t.deepEqual(read.sort(), ['maxEvents', 'ref', 'signal']);
    await t.throwsAsync(turns.next(), { code: 'ERR_CLOSED' });
  });

  test(`turns of ${backend} refuse what is no signal and no capacity`, (t) => {
    const poller = newPoller(t);
    t.throws(() => poller.turns({ signal: 1 as unknown as AbortSignal }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
    t.throws(() => poller.turns({ maxEvents: -1 }), { code: 'ERR_OUT_OF_RANGE' });
    t.throws(() => poller.turns({ ref: 'no' as unknown as boolean }), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
    t.throws(() => poller.turns(null as unknown as object), { code: 'ERR_INVALID_ARG_TYPE' });
  });
}

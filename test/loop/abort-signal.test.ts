/** One AbortSignal for many: it ends all of them, and nobody is left on it. */
import { getEventListeners } from 'node:events';
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { Channel, connectAsync, Epoll, Loop, Poller, READABLE } from '../../ts/index.js';
import { closing, newEventFd } from '../support/pairs.js';
import { places } from '../support/places.js';

/** More than the listeners that Node takes without a warning. */
const MANY = 12;

const newLoop = (t: ExecutionContext): Loop => closing(t, new Loop());

/** Starts something that a signal ends; what it answers settles then. */
type Start = (t: ExecutionContext, signal: AbortSignal) => Promise<unknown>;

const STARTS: Readonly<Record<string, Start>> = {
  connectAsync: (t, signal) => {
    const { port } = places(t, { '127.0.0.1': 'silent' });
    return connectAsync(newLoop(t).root, { host: '127.0.0.1', port, signal });
  },
  scope: (t, signal) =>
    new Promise((resolve) => {
      const scope = newLoop(t).scope('with a signal', { signal });
      scope.signal.addEventListener('abort', resolve);
    }),
  runAsync: (t, signal) => {
    const loop = newLoop(t);
    loop.register(newEventFd(t), READABLE, () => undefined);
    return loop.runAsync({ signal });
  },
  'turns of Epoll': (t, signal) =>
    closing(t, new Epoll()).turns({ signal })[Symbol.asyncIterator]().next(),
  'turns of Poller': (t, signal) =>
    closing(t, new Poller()).turns({ signal })[Symbol.asyncIterator]().next(),
  receive: (t, signal) => {
    const { sender, receiver } = Channel.open();
    closing(t, sender);
    return closing(t, receiver).receive({ signal });
  },
};

for (const [name, start] of Object.entries(STARTS)) {
  test.serial(
    `one signal ends ${MANY}: ${name}; Node warns of nothing, nothing stays`,
    async (t) => {
      const warnings: Error[] = [];
      const hear = (warning: Error): void => void warnings.push(warning);
      process.on('warning', hear);
      t.teardown(() => process.off('warning', hear));
      const { signal, abort } = newAbort();

      const all = Array.from({ length: MANY }, () => start(t, signal));
      await setImmediate(); // Warnings are told later.
      t.is(getEventListeners(signal, 'abort').length, 1);
      abort();
      await Promise.allSettled(all);
      t.is(getEventListeners(signal, 'abort').length, 0);
      t.deepEqual(warnings, []);
    },
  );

  test.serial(`a listener that stops the event does not keep it: ${name}`, async (t) => {
    const { signal, abort } = newAbort();
    signal.addEventListener('abort', (event) => {
      event.stopImmediatePropagation();
    });
    const one = start(t, signal);
    abort();
    await Promise.allSettled([one]);
    t.is(getEventListeners(signal, 'abort').length, 1, 'the one that stopped it');
  });
}

test('who ends before the signal leaves it to the others', (t) => {
  const loop = newLoop(t);
  const { signal, abort } = newAbort();
  const [first, second] = [loop.scope('first', { signal }), loop.scope('second', { signal })];
  first.close();
  t.is(getEventListeners(signal, 'abort').length, 1);
  second.close();
  t.is(getEventListeners(signal, 'abort').length, 0);
  const third = loop.scope('third', { signal });
  abort();
  t.true(third.closed);
});

test('a scope that the end of another closes is closed once, with the reason of that', (t) => {
  const loop = newLoop(t);
  const { signal, abort } = newAbort();
  const outer = loop.scope('outer', { signal });
  const inner = outer.scope('inner', { signal });
  let closed = 0;
  inner.own({ [Symbol.dispose]: () => closed++ });
  abort();
  t.deepEqual([outer.closed, inner.closed, closed], [true, true, 1]);
  t.is(getEventListeners(signal, 'abort').length, 0);
});

function newAbort(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort(new Error('enough'));
  };
  return { signal: controller.signal, abort };
}

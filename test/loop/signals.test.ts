/** Signals that a loop watches, sent by the process to itself. */
import { constants } from 'node:os';
import process from 'node:process';
import test from 'ava';
import { Loop, Poller, READABLE, type BackendName, type SignalWatch } from '../../ts/index.js';
import { countDescriptors } from '../support/descriptors.js';
import { closing, newEventFd, type Teardown } from '../support/pairs.js';
import { caughtSignals, isCaught, raise } from '../support/signals.js';

// One after the other, because the signals are those of the process.
const backends = Poller.backends() as BackendName[];

for (const backend of backends) {
  const newLoop = (t: Teardown): Loop => closing(t, new Loop({ backend }));

  test.serial(`a signal runs its function in the next turn, and no other (${backend})`, (t) => {
    const loop = newLoop(t);
    const seen: string[] = [];
    loop.onSignal('SIGUSR2', (signal) => seen.push(signal));
    loop.onSignal('SIGHUP', (signal) => seen.push(signal));
    t.is(loop.turn(0), 0);
    raise('SIGUSR2');
    t.deepEqual(seen, []);
    t.is(loop.turn(), 1);
    t.deepEqual(seen, ['SIGUSR2']);
    t.is(loop.turn(0), 0);
    raise('SIGHUP');
    loop.turn();
    t.deepEqual(seen, ['SIGUSR2', 'SIGHUP']);
  });

  test.serial(
    `signals before a turn are one, and different ones are kept apart (${backend})`,
    (t) => {
      const loop = newLoop(t);
      const seen: string[] = [];
      loop.onSignal('SIGUSR2', (signal) => seen.push(signal));
      loop.onSignal('SIGHUP', (signal) => seen.push(signal));
      for (let i = 0; i < 100; i++) raise('SIGHUP', 'SIGUSR2');
      loop.turn();
      t.deepEqual(seen, ['SIGUSR2', 'SIGHUP'], 'in the order in which they are watched');
      t.is(loop.turn(0), 0);
    },
  );

  test.serial(`each watch of each loop is told, in the order of their coming (${backend})`, (t) => {
    const loops = [newLoop(t), newLoop(t)];
    const seen: string[] = [];
    for (const [i, loop] of loops.entries()) {
      loop.onSignal('SIGUSR2', () => seen.push(`${i} first`));
      loop.onSignal('SIGUSR2', () => seen.push(`${i} second`));
    }
    raise('SIGUSR2');
    for (const loop of loops) loop.turn();
    t.deepEqual(seen, ['0 first', '0 second', '1 first', '1 second']);
  });

  test.serial(`a watch does not keep the loop running (${backend})`, async (t) => {
    const loop = newLoop(t);
    loop.onSignal('SIGUSR2', () => undefined);
    t.is(loop.size, 0);
    loop.run();
    using poller = new Poller({ backend });
    if (poller.supports.nested) await loop.runAsync();
    const timer = loop.setTimeout(1e6, () => undefined);
    t.is(loop.size, 1);
    loop.onSignal('SIGHUP', () => {
      timer.cancel();
    });
    raise('SIGHUP');
    loop.run();
    t.is(loop.size, 0);
  });

  test.serial(`a function that throws keeps no other from running (${backend})`, (t) => {
    const loop = newLoop(t);
    const seen: string[] = [];
    const errors = [new Error('one'), new Error('two')];
    for (const error of errors) {
      loop.onSignal('SIGUSR2', () => {
        throw error;
      });
    }
    loop.onSignal('SIGUSR2', () => seen.push('signal'));
    loop.register(newEventFd(t, 1), READABLE, () => seen.push('ready'));
    loop.defer(() => seen.push('deferred'));
    raise('SIGUSR2');
    const thrown = t.throws(() => loop.turn(), { instanceOf: AggregateError });
    t.deepEqual(thrown.errors, errors);
    t.deepEqual(seen.sort(), ['deferred', 'ready', 'signal']);
    raise('SIGUSR2');
    t.throws(() => loop.turn());
    t.is(seen.length, 5);
  });

  test.serial(`a watch may be closed in a function, its own or another's (${backend})`, (t) => {
    const loop = newLoop(t);
    const seen: string[] = [];
    const watches: SignalWatch[] = [];
    for (const name of ['first', 'second', 'third']) {
      const watch = loop.onSignal('SIGUSR2', () => {
        seen.push(name);
        for (const other of watches) other.close();
        loop.onSignal('SIGHUP', () => seen.push('new'));
      });
      watches.push(watch);
    }
    raise('SIGUSR2');
    loop.turn();
    t.deepEqual(seen, ['first']);
    t.deepEqual(
      watches.map(({ active }) => active),
      [false, false, false],
    );
    t.false(isCaught('SIGUSR2'));
    raise('SIGHUP');
    loop.turn();
    t.deepEqual(seen, ['first', 'new']);
  });

  test.serial(`the loop may be closed in a function (${backend})`, (t) => {
    const loop = newLoop(t);
    let runs = 0;
    const watches = [1, 2].map(() =>
      loop.onSignal('SIGUSR2', () => {
        runs++;
        loop.close();
      }),
    );
    loop.setInterval(1e6, () => undefined);
    raise('SIGUSR2');
    loop.run();
    t.is(runs, 1);
    t.false(isCaught('SIGUSR2'));
    t.false(watches.some(({ active }) => active));
    for (const watch of watches) watch.close();
    t.throws(() => loop.onSignal('SIGUSR2', () => undefined), { code: 'ERR_CLOSED' });
  });

  test.serial(`what came for a watch that is closed runs nothing (${backend})`, (t) => {
    const loop = newLoop(t);
    const fail = (): void => {
      t.fail('ran after the close');
    };
    const other = loop.onSignal('SIGHUP', fail);
    loop.onSignal('SIGUSR2', fail).close();
    const watch = loop.onSignal('SIGUSR2', fail);
    raise('SIGUSR2');
    watch.close();
    const next = loop.onSignal('SIGUSR2', fail);
    loop.turn(0);
    next.close();
    other.close();
    t.is(loop.turn(0), 0);
  });

  test.serial(
    `a thousand watches and loops leave no descriptor and no handler (${backend})`,
    (t) => {
      const loop = newLoop(t);
      const listeners = process.listenerCount('newListener');
      const watch = loop.onSignal('SIGUSR2', () => undefined);
      t.true(isCaught('SIGUSR2'));
      watch.close();
      watch.close();
      t.false(isCaught('SIGUSR2'));
      const before = { caught: caughtSignals(), descriptors: countDescriptors() };
      for (let i = 0; i < 1000; i++) {
        using other = new Loop({ backend });
        using first = loop.onSignal('SIGUSR2', () => undefined);
        other.onSignal('SIGUSR2', () => undefined);
        other.onSignal('SIGHUP', () => undefined);
        raise('SIGUSR2');
        t.is(loop.turn() + other.turn(), 2);
        t.true(first.active);
      }
      t.deepEqual({ caught: caughtSignals(), descriptors: countDescriptors() }, before);
      t.is(process.listenerCount('newListener'), listeners);
    },
  );
}

test.serial('a watch knows its signal and its label', (t) => {
  const loop = closing(t, new Loop());
  const watch = loop.onSignal('SIGUSR2', () => undefined, { label: 'reload' });
  t.deepEqual([watch.signal, watch.label, watch.active], ['SIGUSR2', 'reload', true]);
  t.is(loop.onSignal('SIGUSR2', () => undefined).label, 'SIGUSR2');
  {
    using other = watch;
    t.true(other.active);
  }
  t.false(watch.active);
});

test.serial('two names of one signal are one signal', (t) => {
  const loop = closing(t, new Loop());
  const seen: string[] = [];
  const watch = loop.onSignal('SIGIO', (signal) => seen.push(signal));
  loop.onSignal('SIGPOLL', (signal) => seen.push(signal));
  raise('SIGPOLL');
  loop.turn();
  watch.close();
  raise('SIGIO');
  loop.turn();
  t.deepEqual(seen, ['SIGIO', 'SIGPOLL', 'SIGPOLL']);
});

test.serial('SIGKILL and SIGSTOP are refused as by sigaction, and leave nothing', (t) => {
  const loop = closing(t, new Loop());
  const before = countDescriptors();
  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    t.throws(() => loop.onSignal(signal, () => undefined), {
      code: 'EINVAL',
      message: `EINVAL: invalid argument, sigaction ${signal}`,
    });
  }
  t.is(countDescriptors(), before);
});

test.serial('faults of the program itself are refused, and so is what is no signal', (t) => {
  const loop = closing(t, new Loop());
  const fail = (): void => {
    t.fail();
  };
  const before = { caught: caughtSignals(), descriptors: countDescriptors() };
  const faults = ['SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGSYS', 'SIGTRAP'];
  for (const name of [...faults, '', 'INT', 'sigint', 'SIGRTMIN', 'toString', '__proto__', '2']) {
    t.throws(() => loop.onSignal(name as NodeJS.Signals, fail), { code: 'ERR_OUT_OF_RANGE' }, name);
  }
  for (const value of [undefined, null, 2, Number.NaN, 2n, {}, ['SIGINT'], Symbol('SIGINT')]) {
    t.throws(() => loop.onSignal(value as NodeJS.Signals, fail), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  for (const value of [undefined, null, 1, 'fail', {}]) {
    t.throws(() => loop.onSignal('SIGUSR2', value as () => void), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  for (const value of [null, 1, 'label', fail]) {
    t.throws(() => loop.onSignal('SIGUSR2', fail, value as object), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
  }
  t.deepEqual({ caught: caughtSignals(), descriptors: countDescriptors() }, before);
});

test.serial('every other signal that the system names can be watched', (t) => {
  const loop = closing(t, new Loop());
  const faults = ['SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGSYS', 'SIGTRAP'];
  const names = Object.keys(constants.signals).filter(
    (name) => ![...faults, 'SIGKILL', 'SIGSTOP'].includes(name),
  ) as NodeJS.Signals[];
  t.true(names.length > 20);
  for (const name of names) {
    const seen: string[] = [];
    using watch = loop.onSignal(name, (signal) => seen.push(signal));
    t.true(isCaught(name));
    // Node starts its debugger with this one as well.
    if (name !== 'SIGUSR1') {
      raise(name);
      loop.turn();
      t.deepEqual(seen, [watch.signal]);
    }
  }
});

test.serial('a watch ends with its scope, and is listed in it until then', (t) => {
  const loop = closing(t, new Loop());
  const scope = loop.scope('reload');
  const watch = scope.onSignal('SIGUSR2', () => undefined);
  loop.onSignal('SIGHUP', () => undefined, { label: 'other' });
  const entries = [...loop.entries()].map(({ fd, kind, label, scope: of }) => [
    fd,
    kind,
    label,
    of,
  ]);
  t.deepEqual(entries, [
    [-1, 'signal', 'SIGUSR2', 'root/reload'],
    [-1, 'signal', 'other', 'root'],
  ]);
  t.is(watch.scope, scope);
  scope.close();
  t.false(watch.active);
  t.false(isCaught('SIGUSR2'));
  t.true(isCaught('SIGHUP'));
  t.throws(() => scope.onSignal('SIGUSR2', () => undefined), { code: 'ERR_CLOSED' });
});

test.serial('what its function throws goes to the scope of the watch', (t) => {
  const loop = closing(t, new Loop());
  const [handling, failing] = [loop.scope('handling'), loop.scope('failing')];
  const seen: unknown[] = [];
  const errors = [new Error('handled'), new Error('not handled')];
  handling.onError = (error) => seen.push(error);
  for (const [i, scope] of [handling, failing].entries()) {
    scope.onSignal('SIGUSR2', () => {
      throw errors[i] as Error;
    });
    scope.onSignal('SIGUSR2', () => seen.push(scope.name));
  }
  raise('SIGUSR2');
  t.throws(() => loop.turn(), { is: errors[1] as Error });
  t.deepEqual(seen, [errors[0], 'handling'], 'the sibling of the one that failed is closed');
  t.deepEqual([handling.closed, failing.closed], [false, true]);
});

test.serial('a watch ends with a shutdown', (t) => {
  const loop = closing(t, new Loop());
  loop.onSignal('SIGUSR2', () => {
    loop.shutdown({ graceMs: 1000 });
  });
  loop.setInterval(1e6, () => undefined);
  raise('SIGUSR2');
  loop.run();
  t.false(isCaught('SIGUSR2'));
  loop.assertEmpty();
});

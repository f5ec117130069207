/** A loop beside Node's own, watched over libuv and over a thread. */
import { AsyncLocalStorage } from 'node:async_hooks';
import net from 'node:net';
import { once } from 'node:events';
import process from 'node:process';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import {
  Loop,
  Poller,
  READABLE,
  TcpListener,
  WOULD_BLOCK,
  type BackendName,
  type Stream,
} from '../../ts/index.js';
import { countDescriptors } from '../support/descriptors.js';
import { eventually } from '../support/eventually.js';
import { closing, newEventFd, portOf } from '../support/pairs.js';

const watchable: BackendName[] = [];
for (const backend of Poller.backends() as BackendName[]) {
  using poller = new Poller({ backend });
  if (poller.supports.nested) watchable.push(backend);
  else {
    test.serial(`runAsync on ${backend} is refused: there is no descriptor to watch`, async (t) => {
      const loop = closing(t, new Loop({ backend }));
      await t.throwsAsync(loop.runAsync(), {
        code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
        message: new RegExp(backend),
      });
      loop.run();
    });
  }
}

/** It would reject the run. */
const unexpected = (): never => {
  throw new Error('ran unexpectedly');
};

function testEach(
  title: string,
  body: (t: ExecutionContext, newLoop: () => Loop) => Promise<void>,
): void {
  for (const backend of watchable) {
    for (const host of ['uv', 'thread']) {
      test.serial(`${title} (${backend}, ${host})`, async (t) => {
        process.env['RAW_EPOLL_HOST_WATCH'] = host;
        await body(t, () => closing(t, new Loop({ backend })));
      });
    }
  }
}

testEach(
  'handlers, timers and deferred calls run, and end the run with them',
  async (t, newLoop) => {
    const loop = newLoop();
    const eventFd = newEventFd(t);
    const seen: string[] = [];
    const registration = loop.register(eventFd, READABLE, () => {
      seen.push('ready');
      registration.deregister();
    });
    loop.defer(() => {
      seen.push('deferred');
      loop.setTimeout(1, () => {
        seen.push('timer');
        eventFd.write(1);
      });
    });
    await loop.runAsync();
    t.deepEqual(seen, ['deferred', 'timer', 'ready']);
    t.is(loop.size, 0);
  },
);

testEach('promises, timers and immediates of Node go on beside it', async (t, newLoop) => {
  const loop = newLoop();
  loop.register(newEventFd(t, 1), READABLE, () => undefined); // always ready
  const running = loop.runAsync();
  for (let i = 0; i < 20; i++) {
    await setImmediate();
    await delay(1);
  }
  loop.stop();
  await running;
  t.pass();
});

testEach(
  'what is taken out from outside is heard of: it may have been the last',
  async (t, newLoop) => {
    const loop = newLoop();
    const ways: (() => () => void)[] = [
      () => {
        const registration = loop.register(newEventFd(t), READABLE, unexpected);
        return () => {
          registration.deregister();
        };
      },
      () => {
        const eventFd = newEventFd(t);
        loop.register(eventFd, READABLE, unexpected);
        return () => {
          eventFd.close();
        };
      },
      () => {
        const timer = loop.setTimeout(1e9, t.fail);
        return () => {
          timer.cancel();
        };
      },
      () => {
        const scope = loop.scope('server');
        scope.register(newEventFd(t), READABLE, unexpected);
        scope.setTimeout(1e9, t.fail);
        return () => {
          scope.close();
        };
      },
    ];
    for (const way of ways) {
      const takeOut = way();
      const running = loop.runAsync();
      await delay(2);
      takeOut();
      await running;
      t.is(loop.size, 0);
    }
  },
);

testEach('the last thing may be taken out from outside and another put in', async (t, newLoop) => {
  const loop = newLoop();
  const timer = loop.setTimeout(1e9, t.fail);
  const running = loop.runAsync();
  await delay(2);
  timer.cancel();
  let hasRun = false;
  loop.setTimeout(5, () => (hasRun = true));
  await running;
  t.true(hasRun);
});

testEach('again() from outside a turn is heard of at once', async (t, newLoop) => {
  const loop = newLoop();
  const seen: string[] = [];
  const registration = loop.register(newEventFd(t), READABLE, () => {
    seen.push('again');
    if (seen.length === 1)
      void Promise.resolve().then(() => {
        registration.again();
      });
    else registration.deregister();
  });
  const running = loop.runAsync();
  await delay(2);
  registration.again();
  await running;
  t.deepEqual(seen, ['again', 'again']);
});

testEach('what a turn throws that closes the loop rejects the run', async (t, newLoop) => {
  const thrown = newLoop();
  thrown.defer(() => {
    thrown.close();
    throw new Error('by the handler');
  });
  await t.throwsAsync(thrown.runAsync(), { message: 'by the handler' });
  const disposed = newLoop();
  disposed.root.own({
    [Symbol.dispose]: () => {
      throw new Error('at its disposal');
    },
  });
  disposed.defer(() => {
    disposed.close();
  });
  await t.throwsAsync(disposed.runAsync(), { message: 'at its disposal' });
});

testEach('what is added from outside is heard of at once', async (t, newLoop) => {
  const loop = newLoop();
  loop.setTimeout(1e9, () => undefined);
  const running = loop.runAsync();
  await delay(2);
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    loop.defer(resolve);
  });
  seen.push('deferred');
  await new Promise<void>((resolve) => {
    loop.setTimeout(1, resolve);
  });
  seen.push('timer');
  await new Promise<void>((resolve) => {
    const registration = loop.register(newEventFd(t, 1), READABLE, () => {
      registration.deregister();
      resolve();
    });
  });
  seen.push('ready');
  loop.stop();
  await running;
  t.deepEqual(seen, ['deferred', 'timer', 'ready']);
});

testEach('timers are not early', async (t, newLoop) => {
  const loop = newLoop();
  const late: number[] = [];
  for (const ms of [0, 0.3, 1, 5, 20]) {
    const started = performance.now();
    loop.setTimeout(ms, () => late.push(performance.now() - started - ms));
  }
  await loop.runAsync();
  t.is(late.length, 5);
  t.true(
    late.every((ms) => ms >= 0),
    String(late),
  );
});

testEach('a signal, stop and close end the run', async (t, newLoop) => {
  const eventFd = newEventFd(t);
  const ways: ((loop: Loop, controller: AbortController) => void)[] = [
    (_, controller) => {
      controller.abort();
    },
    (loop) => {
      loop.stop();
    },
    (loop) => {
      loop.close();
    },
  ];
  for (const end of ways) {
    const loop = newLoop();
    loop.register(eventFd, READABLE, () => undefined);
    const controller = new AbortController();
    const running = loop.runAsync({ signal: controller.signal });
    await delay(1);
    end(loop, controller);
    await running;
    loop.close();
  }
  const loop = newLoop();
  loop.register(eventFd, READABLE, () => undefined);
  await loop.runAsync({ signal: AbortSignal.abort() });
  t.pass();
});

testEach('what a handler throws rejects the run, and the next one goes on', async (t, newLoop) => {
  const loop = newLoop();
  const eventFd = newEventFd(t, 1);
  let runs = 0;
  loop.register(eventFd, READABLE, () => {
    if (++runs === 1) throw new Error('on purpose');
    loop.stop();
  });
  await t.throwsAsync(loop.runAsync(), { message: 'on purpose' });
  await loop.runAsync();
  t.is(runs, 2);
});

testEach('handlers have the async context of the run', async (t, newLoop) => {
  const loop = newLoop();
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const eventFd = newEventFd(t);
  const registration = loop.register(eventFd, READABLE, () => {
    seen.push(storage.getStore());
    registration.deregister();
  });
  const running = storage.run('mine', () => loop.runAsync());
  setTimeout(() => eventFd.write(1), 1);
  await running;
  t.deepEqual(seen, ['mine']);
});

testEach(
  'nor do those who arm something bring theirs to the handlers of others',
  async (t, newLoop) => {
    const loop = newLoop();
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const note = (): void => {
      seen.push(storage.getStore());
    };
    const eventFd = newEventFd(t);
    loop.register(eventFd, READABLE, () => {
      note();
      loop.stop();
    });
    const running = storage.run('mine', () => loop.runAsync());
    await new Promise<void>((resolve) => {
      storage.run('another', () => {
        loop.setTimeout(1, note);
        loop.defer(() => {
          note();
          eventFd.write(1); // in the same visit
          resolve();
        });
      });
    });
    await running;
    t.true(seen.length >= 2);
    t.deepEqual([...new Set(seen)], ['mine']);
  },
);

testEach('a run that is left with nothing for a moment goes on', async (t, newLoop) => {
  const loop = newLoop();
  const unreferenced = loop.register(newEventFd(t), READABLE, () => undefined).unref();
  const last = loop.register(newEventFd(t), READABLE, () => undefined);
  const running = loop.runAsync();
  await setImmediate();
  last.deregister();
  unreferenced.again();
  let ran = false;
  loop.setTimeout(1, () => {
    ran = true;
  });
  await running;
  t.true(ran);
});

testEach('a run ends when nothing is left but what is unreferenced', async (t, newLoop) => {
  const loop = newLoop();
  loop.register(newEventFd(t), READABLE, () => undefined).unref();
  loop.setInterval(1e6, () => undefined).unref();
  await loop.runAsync();

  const registration = loop.register(newEventFd(t), READABLE, () => undefined);
  let over = false;
  const running = loop.runAsync().then(() => {
    over = true;
  });
  await delay(1);
  t.false(over);
  registration.unref(); // from outside of a turn
  await running;
  t.is(loop.size, 0);
});

testEach('a timer far away does not make Node’s loop spin', async (t, newLoop) => {
  const loop = newLoop();
  const warnings: Error[] = [];
  const note = (warning: Error): void => {
    warnings.push(warning);
  };
  process.on('warning', note); // Node warns of a timer that overflows, and has it run at once.
  loop.setTimeout(Number.MAX_SAFE_INTEGER, () => {
    t.fail('far too early');
  });
  const running = loop.runAsync();
  await delay(5);
  loop.stop();
  await running;
  process.off('warning', note);
  t.deepEqual(warnings, []);
});

testEach('a server on the loop serves a client of Node in the same process', async (t, newLoop) => {
  const loop = newLoop();
  const listener = closing(t, TcpListener.listen({ port: 0 }));
  const buffer = Buffer.alloc(65_536);
  const serve = (stream: Stream): void => {
    const length = stream.read(buffer);
    if (length === 0) stream.close();
    else if (length !== WOULD_BLOCK) stream.write(buffer.subarray(0, length));
  };
  loop.register(listener, READABLE, () => {
    const stream = listener.accept();
    if (stream !== null)
      loop.register(stream, READABLE, () => {
        serve(stream);
      });
  });
  const running = loop.runAsync();
  const socket = net.connect(portOf(listener), '127.0.0.1');
  for (let i = 0; i < 50; i++) {
    socket.write(`message ${i}`);
    const [data] = (await once(socket, 'data')) as [Buffer];
    t.is(data.toString(), `message ${i}`);
  }
  const closed = once(socket, 'close');
  socket.end();
  await closed;
  loop.stop();
  await running;
});

testEach('a thousand runs leave no descriptor', async (t, newLoop) => {
  const loop = newLoop();
  loop.defer(() => undefined);
  await loop.runAsync();
  const before = await eventually(countDescriptors, 0, 50);
  for (let i = 0; i < 1000; i++) {
    loop.defer(() => undefined);
    await loop.runAsync();
  }
  t.true(await eventually(() => countDescriptors() <= before, true));
});

test.serial('runAsync refuses what is no signal', async (t) => {
  const loop = closing(t, new Loop());
  await t.throwsAsync(loop.runAsync({ signal: {} as AbortSignal }), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
});

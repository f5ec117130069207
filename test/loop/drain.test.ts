/** Edge-triggered sources that have their share of a turn, and go on in the next. */
import test from 'ava';
import {
  drain,
  Loop,
  Poller,
  READABLE,
  TcpListener,
  TcpStream,
  WOULD_BLOCK,
  WRITABLE,
  type BackendName,
  type DrainResult,
} from '../../ts/index.js';
import {
  awaitReady,
  closing,
  newEventFd,
  portOf,
  unixPair,
  type Teardown,
} from '../support/pairs.js';
import { EPOLLIN } from '../../ts/sys/constants.js';

const edgeBackends: BackendName[] = [];
for (const backend of Poller.backends() as BackendName[]) {
  using poller = new Poller({ backend });
  if (poller.supports.edge) edgeBackends.push(backend);
}

/** A step that answers these, one after the other. */
function answers(...values: unknown[]): () => number {
  return () => values.shift() as number;
}

test('drain goes on until there is nothing left', (t) => {
  for (const end of [WOULD_BLOCK, 0, null, Number.NaN, -104]) {
    const step = answers(10, 20, end, 30);
    t.is(drain(step, { maxBytes: 1000 }), 'drained');
    t.is(step(), 30, 'it asked no more after the end');
  }
});

test('drain ends at its budget, which the last step may exceed', (t) => {
  const step = answers(10, 20, 30, 40, WOULD_BLOCK);
  t.is(drain(step, { maxBytes: 25 }), 'budget');
  t.is(drain(step, { maxBytes: 30 }), 'budget');
  t.is(drain(step, { maxBytes: 41 }), 'drained');
});

test('drain refuses what is no step, no answer and no budget', (t) => {
  const step = answers(0, 0);
  for (const maxBytes of [0, -1, 0.5, Number.NaN, Infinity]) {
    t.throws(() => drain(step, { maxBytes }), { code: 'ERR_OUT_OF_RANGE' });
  }
  t.throws(() => drain(step, {} as { maxBytes: number }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => drain(step, undefined as unknown as { maxBytes: number }), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
  t.throws(() => drain('step' as unknown as () => number, { maxBytes: 1 }), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
  for (const answer of [undefined, '5', {}, 5n]) {
    t.throws(() => drain(answers(answer), { maxBytes: 1 }), { code: 'ERR_INVALID_RETURN_VALUE' });
  }
});

for (const backend of edgeBackends) {
  const newLoop = (t: Teardown): Loop => closing(t, new Loop({ backend }));
  const title = (text: string): string => `${text} (${backend})`;

  test(title('a handler at its budget runs again without a new edge, until it is drained'), (t) => {
    const loop = newLoop(t);
    const [left, right] = unixPair(t);
    const buffer = new Uint8Array(10);
    const results: DrainResult[] = [];
    loop.register(
      left,
      READABLE,
      (ready) => {
        t.true(ready.readable);
        t.is(ready.fd, left.fd);
        results.push(ready.drain(() => left.read(buffer), { maxBytes: 30 }));
      },
      { mode: 'edge' },
    );
    right.write(new Uint8Array(100));
    for (let turn = 0; turn < 4; turn++) t.is(loop.turn(), 1, 'it does not wait');
    t.deepEqual(results, ['budget', 'budget', 'budget', 'drained']);
    t.is(loop.turn(0), 0);
    right.write(new Uint8Array(1));
    t.is(loop.turn(), 1, 'an edge as ever');
  });

  test(title('a source that floods keeps no other from its share of each turn'), (t) => {
    const loop = newLoop(t);
    const [flooded, flood] = unixPair(t);
    const [calm, other] = unixPair(t);
    const buffer = new Uint8Array(4096);
    const chunk = new Uint8Array(65_536);
    let floodedBytes = 0;
    let calmTurns = 0;
    loop.register(
      flooded,
      READABLE,
      (ready) => {
        ready.drain(
          () => {
            while (flood.write(chunk) > 0); // always more than it reads
            const taken = flooded.read(buffer);
            floodedBytes += taken;
            return taken;
          },
          { maxBytes: 16_384 },
        );
      },
      { mode: 'edge' },
    );
    loop.register(calm, READABLE, () => {
      calmTurns++;
      calm.read(buffer);
    });
    flood.write(chunk);
    for (let turn = 1; turn <= 100; turn++) {
      other.write(chunk.subarray(0, 1));
      loop.turn();
      t.is(calmTurns, turn);
      t.true(floodedBytes >= turn * 16_384 && floodedBytes <= turn * 20_480, 'it has its share');
    }
  });

  test(title('two sources that flood have their turns in turn'), (t) => {
    const loop = newLoop(t);
    const order: number[] = [];
    for (const number of [0, 1]) {
      loop.register(
        newEventFd(t, 1),
        READABLE,
        (ready) => {
          order.push(number);
          ready.drain(() => 1, { maxBytes: 5 });
        },
        { mode: 'edge' },
      );
    }
    for (let turn = 0; turn < 50; turn++) t.is(loop.turn(), 2);
    for (let turn = 0; turn < 50; turn++) {
      t.deepEqual(new Set(order.slice(2 * turn, 2 * turn + 2)), new Set([0, 1]));
    }
  });

  test(title('an event and again in one turn are one run'), (t) => {
    const loop = newLoop(t);
    const [left, right] = unixPair(t);
    let runs = 0;
    const registration = loop.register(
      left,
      READABLE,
      () => {
        runs++;
        registration.again();
        registration.again();
      },
      { mode: 'edge' },
    );
    for (let turn = 1; turn <= 5; turn++) {
      right.write(new Uint8Array(1)); // an edge for each turn
      t.is(loop.turn(), 1);
      t.is(runs, turn);
    }
  });

  test(title('again asked for by others does not put a run off'), (t) => {
    const loop = newLoop(t);
    let runs = 0;
    const registration = loop.register(
      newEventFd(t),
      READABLE,
      () => {
        runs++;
      },
      { mode: 'edge' },
    );
    loop.register(newEventFd(t, 1), READABLE, () => {
      registration.again();
    });
    loop.turn();
    t.is(runs, 0);
    for (let turn = 1; turn <= 5; turn++) {
      loop.turn();
      t.is(runs, Math.ceil(turn / 2), 'what was asked for while it waited is one with it');
    }
  });

  test(title('who is gone is not run again'), (t) => {
    const loop = newLoop(t);
    const eventFd = newEventFd(t, 1);
    let runs = 0;
    const registration = loop.register(eventFd, READABLE, () => {
      runs++;
      registration.again();
      registration.deregister();
      registration.again();
    });
    loop.turn();
    const successor = loop.register(eventFd, WRITABLE, () => undefined);
    t.is(loop.turn(), 1, 'the successor alone');
    t.is(runs, 1);
    successor.deregister();
    t.is(loop.turn(0), 0);
    const last = loop.register(eventFd, READABLE, () => {
      last.again();
      loop.close();
    });
    loop.turn();
    last.again();
    t.is(loop.size, 0);
  });

  test(
    title('in a run without an event what is asked for counts as ready, until it is closed'),
    (t) => {
      const loop = newLoop(t);
      const [left] = unixPair(t);
      let runs = 0;
      const registration = loop.register(left, READABLE, (ready) => {
        runs++;
        t.deepEqual([ready.readable, ready.writable, ready.priority], [true, false, false]);
        t.deepEqual([ready.error, ready.hangup, ready.readClosed], [false, false, false]);
        t.is(ready.registration, registration);
        left.close();
        t.is(ready.fd, -1);
        t.is(ready.registration, undefined);
        t.false(ready.readable);
      });
      registration.again();
      t.is(loop.turn(), 1);
      t.is(runs, 1);
    },
  );

  test(title('what a run without an event throws keeps no other from running'), (t) => {
    const loop = newLoop(t);
    const seen: string[] = [];
    const one = loop.register(newEventFd(t), READABLE, () => {
      throw new Error('on purpose');
    });
    const two = loop.register(newEventFd(t), READABLE, () => seen.push('two'));
    one.again();
    two.again();
    t.throws(() => loop.turn(), { message: 'on purpose' });
    t.deepEqual(seen, ['two']);
    t.is(loop.turn(0), 0);
  });

  test(title('a backlog is taken in shares, and each connection is found'), (t) => {
    const loop = newLoop(t);
    const listener = closing(t, TcpListener.listen({ port: 0 }));
    const clients = Array.from({ length: 25 }, () =>
      closing(t, TcpStream.connect({ port: portOf(listener) })),
    );
    for (const client of clients) client.write(new Uint8Array(1));
    awaitReady(listener, EPOLLIN);
    let accepted = 0;
    let turns = 0;
    loop.register(
      listener,
      READABLE,
      (ready) => {
        turns++;
        ready.drain(
          () => {
            const stream = listener.accept();
            if (stream === null) return null;
            closing(t, stream);
            accepted++;
            return 1;
          },
          { maxBytes: 10 },
        );
      },
      { mode: 'edge' },
    );
    while (accepted < clients.length) loop.turn(1000);
    t.true(turns >= 3);
  });
}

test('again lets Node’s loop pass in runAsync', async (t) => {
  const loop = closing(t, new Loop());
  let runs = 0;
  const registration = loop.register(
    newEventFd(t, 1),
    READABLE,
    () => {
      runs++;
      registration.again();
    },
    { mode: 'edge' },
  );
  const running = loop.runAsync();
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  loop.stop();
  await running;
  t.true(runs > 1);
});

/** Ends among other descriptors: every backend and mode, a select over several kinds, loops. */
import test from 'ava';
import {
  ByteChannel,
  ByteReceiver,
  CHANNEL_END,
  Loop,
  Poller,
  PollerEvents,
  READABLE,
  TimerFd,
  WOULD_BLOCK,
  type BackendName,
  type PollerMode,
} from '../../ts/index.js';
import { testedBackends } from '../support/backends.js';
import { runNode, fixture } from '../support/child.js';
import { countDescriptors } from '../support/descriptors.js';
import { closing, tcpPair } from '../support/pairs.js';

const FAR_MS = 30_000;
const one = Uint8Array.of(1);
const MODES: readonly PollerMode[] = ['level', 'edge', 'oneshot', 'edgeOneshot'];

for (const backend of testedBackends) {
  for (const mode of MODES) {
    using probe = new Poller({ backend: backend as BackendName });
    if (mode !== 'level' && !probe.supports[mode]) continue;
    test(`who takes all there is hears of the next, on either side (${backend}, ${mode})`, (t) => {
      const { sender, receiver } = ByteChannel.open({ capacity: 2 });
      closing(t, sender);
      closing(t, receiver);
      const poller = closing(t, new Poller({ backend: backend as BackendName }));
      const events = new PollerEvents(4);
      const buffer = new Uint8Array(1);
      poller.add(receiver, READABLE, { mode });
      poller.add(sender, READABLE, { mode });
      const ready = (): number[] => {
        const count = poller.wait(events, 0);
        const fds = Array.from({ length: count }, (_, i) => events.fd(i));
        for (const fd of fds) if (mode.endsWith('neshot')) poller.modify(fd, READABLE);
        return fds;
      };
      for (let round = 0; round < 3; round++) {
        t.true(ready().includes(sender.fd), 'there is room');
        while (sender.trySend(one));
        t.deepEqual(ready(), [receiver.fd]);
        while (receiver.tryReceive(buffer) >= 0);
        t.deepEqual(ready(), [sender.fd]);
        while (sender.trySend(one));
        t.deepEqual(ready(), [receiver.fd]);
        t.is(receiver.tryReceive(buffer), 1);
        while (receiver.tryReceive(buffer) >= 0);
      }
      ready();
      sender.close();
      t.deepEqual(ready(), [receiver.fd]);
      t.is(receiver.tryReceive(buffer), CHANNEL_END);
    });
  }
}

test('one wait selects over two channels, a socket and a timer', (t) => {
  const first = ByteChannel.open();
  const second = ByteChannel.open();
  for (const end of [first.sender, first.receiver, second.sender, second.receiver]) {
    closing(t, end);
  }
  const { client, server } = tcpPair(t);
  const timer = closing(t, new TimerFd());
  const poller = closing(t, new Poller<string>());
  const events = new PollerEvents<string>(8);
  poller.add(first.receiver, READABLE, { data: 'first' });
  poller.add(second.receiver, READABLE, { data: 'second' });
  poller.add(server, READABLE, { data: 'socket' });
  poller.add(timer, READABLE, { data: 'timer' });
  const next = (): (string | undefined)[] => {
    poller.wait(events, FAR_MS);
    return Array.from({ length: events.length }, (_, i) => events.data(i));
  };
  const buffer = new Uint8Array(8);
  second.sender.trySend(one);
  t.deepEqual(next(), ['second']);
  while (second.receiver.tryReceive(buffer) >= 0);
  client.write(one);
  t.deepEqual(next(), ['socket']);
  server.read(buffer);
  timer.set({ valueNs: 1_000_000 });
  t.deepEqual(next(), ['timer']);
  timer.read();
  first.sender.trySend(one);
  second.sender.close();
  t.deepEqual(next().sort(), ['first', 'second']);
  t.is(first.receiver.tryReceive(buffer), 1);
  t.is(second.receiver.tryReceive(buffer), CHANNEL_END);
});

test('in a loop: handlers for both ends, closed in their own handler, owned by a scope', (t) => {
  const loop = closing(t, new Loop());
  const scope = loop.scope('channel');
  const { sender, receiver } = ByteChannel.open({ capacity: 3 });
  scope.own(receiver);
  scope.own(sender);
  const message = new Uint32Array(1);
  const came: number[] = [];
  let sent = 0;
  loop.register(receiver, READABLE, () => {
    for (;;) {
      const length = receiver.tryReceive(message);
      if (length === CHANNEL_END) receiver.close();
      if (length < 0) return;
      came.push(message[0] as number);
    }
  });
  loop.register(sender, READABLE, () => {
    for (; sent < 10; sent++) if (!sender.trySend(Uint32Array.of(sent))) return;
    sender.close();
  });
  loop.run();
  t.deepEqual(came, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  t.true(sender.closed && receiver.closed);
});

test('a closed scope closes the ends that it owns, and the peer is told', (t) => {
  const loop = closing(t, new Loop());
  const scope = loop.scope('channel');
  const { sender, receiver } = ByteChannel.open();
  closing(t, receiver);
  scope.own(sender, { label: 'jobs' });
  t.deepEqual(
    [...scope.entries()].map(({ kind, label, fd }) => [kind, label, fd]),
    [['ByteSender', 'jobs', sender.fd]],
  );
  scope.close();
  t.true(sender.closed);
  t.is(receiver.tryReceive(one), CHANNEL_END);
});

test('many receivers in many sets: what one leaves, another hears of', (t) => {
  const { sender, receiver } = ByteChannel.open();
  closing(t, sender);
  const receivers = [receiver, ...[1, 2, 3].map(() => ByteReceiver.from(receiver.share()))];
  const events = new PollerEvents(1);
  const buffer = new Uint8Array(1);
  const sets = receivers.map((end, i) => {
    closing(t, end);
    const poller = closing(t, new Poller());
    const edge = poller.supports.edge && i % 2 === 1;
    poller.add(end, READABLE, { mode: edge ? 'edge' : 'level' });
    return poller;
  });
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 4; i++) sender.trySend(one);
    let taken = 0;
    for (const [i, poller] of sets.entries()) {
      t.is(poller.wait(events, 0), 1, `set ${i} in round ${round}`);
      if (receivers[i]?.tryReceive(buffer) === 1) taken++;
    }
    t.is(taken, 4);
    for (const end of receivers) t.is(end.tryReceive(buffer), WOULD_BLOCK);
    for (const poller of sets) t.is(poller.wait(events, 0), 0);
  }
});

test.serial('a thousand channels leave no descriptor', (t) => {
  const before = countDescriptors();
  for (let i = 0; i < 1000; i++) {
    const { sender, receiver } = ByteChannel.open({ capacity: i % 2 });
    const other = ByteReceiver.from(receiver.share());
    sender.trySend(one);
    receiver.close();
    sender.close();
    other.close();
  }
  t.is(countDescriptors(), before);
});

test('with a full descriptor table nothing is lost and nothing leaks', async (t) => {
  const { code, stdout, stderr } = await runNode(fixture('channel-full-table'));
  t.deepEqual([code, stderr], [0, '']);
  t.deepEqual(JSON.parse(stdout), {
    opened: 'EMFILE',
    claimed: 'EMFILE',
    shared: 'EMFILE',
    waited: 'EMFILE',
    claimedLater: 1,
    left: 0,
  });
});

test('an end that is collected without close() is reported, and closed', async (t) => {
  const { code, stdout, stderr } = await runNode(fixture('channel-collected'), {
    nodeArgs: ['--expose-gc'],
  });
  t.is(code, 0, stderr);
  t.is(stdout, 'end\n');
  t.regex(stderr, /ByteSender \(fd \d+\) was garbage-collected without close\(\)/);
});

for (const name of ['byte-channel', 'waits']) {
  test(`with pipes in place of eventfds, ${name} holds too`, async (t) => {
    // The tests themselves, in a process of their own.
    const { code, stdout } = await runNode('node_modules/ava/entrypoints/cli.mjs', {
      args: [`build/test/channel/${name}.test.js`],
      env: { RAW_EPOLL_WITHOUT: 'eventfd', FORCE_COLOR: '0' },
      timeoutMs: 120_000,
    });
    t.is(code, 0, stdout);
  });
}

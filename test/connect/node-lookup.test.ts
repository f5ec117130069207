/** Names that node:dns looks up, where Node's own loop turns and where it does not. */
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { connectAsync, Loop } from '../../ts/index.js';
import { closing } from '../support/pairs.js';
import { places } from '../support/places.js';
import { peerOf, Trial } from './kit.js';

/** getaddrinfo(3) reads it as 127.0.0.1, and asks nobody; to us it is a name. */
const NAME = '127.1';
/** A name that none can have: no server is asked. */
const NO_NAME = 'a..b';

test('in runAsync() node:dns is asked', async (t) => {
  const { port } = places(t, { '127.0.0.1': 'listens' });
  const loop = closing(t, new Loop());
  const connected = connectAsync(loop.scope('client'), { host: NAME, port });
  await loop.runAsync();
  t.is(peerOf(await connected), '127.0.0.1');
});

test('a name that does not exist has the error of node:dns', async (t) => {
  const loop = closing(t, new Loop());
  const refused = t.throwsAsync(connectAsync(loop.root, { host: NO_NAME, port: 1 }), {
    code: 'ENOTFOUND',
    message: 'getaddrinfo ENOTFOUND a..b',
  });
  await loop.runAsync();
  await refused;
});

test('turns with Node between them are as good', async (t) => {
  const { port } = places(t, { '127.0.0.1': 'listens' });
  const trial = new Trial(t).connect({ host: NAME, port });
  while (trial.told.length === 0) {
    trial.loop.turn(1);
    await setImmediate();
  }
  t.is(peerOf(trial.stream), '127.0.0.1');
});

test('in run() a name is refused at once, with what to do instead', (t) => {
  const trial = new Trial(t).connect({ host: NAME, port: 1 });
  trial.loop.run();
  t.is(trial.error.code, 'ERR_INVALID_STATE');
  t.regex(trial.error.message, /node:dns .* run\(\) .*Resolver.*runAsync\(\)/);
  t.deepEqual([...trial.loop.entries()], []);
});

test('in turns that never return to Node a name is refused within a second or two', (t) => {
  const trial = new Trial(t).connect({ host: NAME, port: 1 }).untilTold();
  t.is(trial.error.code, 'ERR_INVALID_STATE');
  t.deepEqual([...trial.loop.entries()], []);
});

test('a lookup that began beside Node does not hang in a run() after it', async (t) => {
  const trial = new Trial(t).connect({ host: NAME, port: 1 });
  trial.loop.turn(0);
  trial.loop.run();
  t.is(trial.error.code, 'ERR_INVALID_STATE');
  await setImmediate();
});

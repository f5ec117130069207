import test from 'ava';
import { hasKqueue } from '../sys/support/kernel.js';
import { connectTo, roundTrip } from './clients.js';
import { start } from './start.js';

(hasKqueue ? test : test.skip)('kqueue-echo gives every client its own bytes back', async (t) => {
  const server = await start(t, 'kqueue-echo', ['--port', '0']);
  for (let i = 0; i < 3; i++) {
    const client = await connectTo(server);
    await roundTrip(client, Buffer.from('x'.repeat(1 << (8 * i))));
    client.destroy();
  }
  t.pass();
});

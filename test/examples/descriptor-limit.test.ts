/** The echo servers with fewer descriptors than clients. */
import { setTimeout as delay } from 'node:timers/promises';
import type net from 'node:net';
import { eventually } from '../support/eventually.js';
import { cpuMsOf, descriptorsOf } from '../support/process-stats.js';
import { testWithPrograms } from '../support/programs.js';
import type { RunningServer } from '../support/server.js';
import { connectTo, roundTrip } from './clients.js';
import { start } from './start.js';

const LIMIT = 200;
const CLIENTS = 400;

/** Those in use below the limit. What is above it was inherited, and does not count against it. */
function countDescriptors({ pid }: RunningServer): number {
  return descriptorsOf(pid).filter((fd) => fd < LIMIT).length;
}

/** Connects and sends a byte. It comes back, or the connection is closed at once. */
async function tryToBeServed(
  server: RunningServer,
): Promise<{ readonly socket: net.Socket; readonly served: boolean }> {
  const socket = await connectTo(server);
  const served = await new Promise<boolean>((resolve) => {
    socket.once('data', () => {
      resolve(true);
    });
    // Closed with the byte unread, it may see a reset instead of the end of the stream.
    for (const event of ['end', 'error']) {
      socket.on(event, () => {
        resolve(false);
      });
    }
    socket.write('x');
  });
  return { socket, served };
}

for (const name of ['echo', 'echo-edge', 'echo-sys']) {
  testWithPrograms(
    ['prlimit'],
    `${name} with ${LIMIT} descriptors closes the clients for whom it has none, rests, and serves again`,
    async (t) => {
      // Soft and hard: Node raises its own limit to the hard one.
      const through = ['prlimit', `--nofile=${LIMIT}:${LIMIT}`];
      const server = await start(t, name, ['--port', '0'], { through });
      const before = countDescriptors(server);

      const tries = Array.from({ length: CLIENTS }, () => tryToBeServed(server));
      const clients = await Promise.all(tries);
      const lucky = clients.filter(({ served }) => served);
      // The spare one was in use before, and is again.
      t.is(lucky.length, LIMIT - before);
      t.is(countDescriptors(server), LIMIT);

      // A loop that spins on a listener which stays ready would use the whole second.
      const cpuMs = cpuMsOf(server.pid);
      await delay(1000);
      const used = cpuMsOf(server.pid) - cpuMs;
      t.true(used <= 200, `${used} ms of processor time in an idle second`);

      await Promise.all(lucky.map(({ socket }) => roundTrip(socket, Buffer.from('still here?'))));
      for (const { socket } of clients) socket.destroy();
      t.is(await eventually(() => countDescriptors(server), before), before);

      const late = await connectTo(server);
      await roundTrip(late, Buffer.from('welcome'));
      late.destroy();
      t.deepEqual(await server.stop(), [0, null]);
      t.is(server.stderr(), '');
    },
  );
}

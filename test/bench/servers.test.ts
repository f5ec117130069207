/** The servers that are compared: that they do the same, and that they are what is measured. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { runToEnd } from '../../bench/lib/child.js';
import { sampleServer } from '../../bench/lib/load.js';
import { startServer, withServer } from '../../bench/lib/running.js';
import { type Server, serverNamed, servers, type Work } from '../../bench/lib/servers.js';
import { eventually } from '../support/eventually.js';
import { stateOf } from '../support/process-stats.js';
import { testWithPrograms } from '../support/programs.js';

const PASSWORDS = /^\[(?:[a-zA-Z0-9#@$]{12} ){99}[a-zA-Z0-9#@$]{12}\]$/;

/** Starts all servers that do this work and are here, one after the other, without pinning them. */
async function forEach(
  t: ExecutionContext,
  work: Work,
  check: (server: Server, url: string, pid: number) => Promise<void>,
): Promise<void> {
  const here = servers.filter(
    ({ serves, absence }) => serves[work] !== undefined && absence() === undefined,
  );
  t.true(here.length >= 3);
  for (const server of here) {
    await withServer(server, { work, core: undefined, onPath: false }, async (running) => {
      const port = 'port' in running.at ? running.at.port : NaN;
      await check(server, `http://127.0.0.1:${port}`, running.process.pid);
    });
  }
}

testWithPrograms(
  ['cc'],
  'every server says the same over HTTP, and all but C the date',
  async (t) => {
    await forEach(t, 'http', async ({ name, runtime }, url) => {
      const answer = await fetch(`${url}/hello`);
      t.is(answer.status, 200, name);
      t.is(await answer.text(), 'Hello', name);
      t.regex(answer.headers.get('content-type') ?? '', /^text\/plain/, name);
      t.is(answer.headers.has('date'), runtime !== 'C', name);
    });
  },
);

testWithPrograms(
  ['cc'],
  'every page of passwords has a hundred, and is as long as that of C',
  async (t) => {
    await forEach(t, 'passwords', async ({ name, runtime }, url) => {
      const answer = await fetch(`${url}/password`);
      t.is(answer.status, 200, name);
      const page = await answer.text();
      if (runtime !== 'C') t.regex(page, PASSWORDS, name);
      t.is(page.length, 1301, name);
    });
  },
);

testWithPrograms(
  ['cc'],
  'who is not asked sleeps: the others have the core to themselves',
  async (t) => {
    await forEach(t, 'echo', async ({ name }, _url, pid) => {
      t.is(await eventually(() => stateOf(pid), 'S'), 'S', name);
    });
  },
);

testWithPrograms(
  ['cc', 'python3'],
  'the cost of a server has that of threads that have ended',
  async (t) => {
    // As Flask has them: each answers, having computed for at least 200 ms of its own time.
    const program = `
import threading, time
def work():
    start = time.thread_time()
    while time.thread_time() - start < 0.2: pass
thread = threading.Thread(target=work)
thread.start()
thread.join()
print("listening on 127.0.0.1:1", flush=True)
time.sleep(60)
`;
    const server: Server = {
      ...serverNamed('c'),
      serves: { echo: () => ['python3', '-c', program] },
    };
    await withServer(server, { work: 'echo', core: undefined, onPath: false }, async (running) => {
      const { cpuNs, helperNs } = await sampleServer(running);
      t.true(cpuNs >= 200e6, `${cpuNs} ns`);
      t.true(helperNs >= 190e6, `${helperNs} ns`);
    });
  },
);

test('a server that has ended says what it said itself, and where it is in the repository', async (t) => {
  const traced = '[4130:0x1661dc00]       34 ms: Scavenge 4.1 (4.2) -> 3.3 (5.2) MB, 1 / 0 ms';
  const program = `console.log('${traced}'); console.log('it is over'); process.exit(3);`;
  const file = fileURLToPath(new URL('../../bench/servers/net.js', import.meta.url));
  const server: Server = {
    ...serverNamed('net'),
    serves: { echo: () => [process.execPath, '-e', program, '--', file] },
  };
  const error = await t.throwsAsync(
    startServer(server, { work: 'echo', core: undefined, onPath: false }),
  );
  t.regex(
    error.message,
    / build\/bench\/servers\/net\.js .* ended \(exit code 3\):\nit is over\n$/,
  );
});

test('a program that only starts the server is refused, and so is the server ended', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'raw-epoll-wrapper-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const wrapper = path.join(folder, 'wrapper');
  const pidFile = path.join(folder, 'pid');
  writeFileSync(
    wrapper,
    `#!/bin/sh\nsleep 60 &\necho $! > ${pidFile}\necho listening on 127.0.0.1:1\nwait\n`,
  );
  chmodSync(wrapper, 0o755);
  const server: Server = { ...serverNamed('c'), serves: { echo: () => [wrapper] } };
  await t.throwsAsync(startServer(server, { work: 'echo', core: undefined, onPath: false }), {
    message: /wrapper only starts another program/,
  });
  const pid = Number(await runToEnd(['cat', pidFile], 10_000));
  t.deepEqual(await eventually(() => isGone(pid), true), true);
});

function isGone(pid: number): boolean {
  try {
    return stateOf(pid) === 'Z';
  } catch {
    return true;
  }
}

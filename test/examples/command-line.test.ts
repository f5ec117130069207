/** What the examples have in common on the outside: options, exit codes, signals. */
import { once } from 'node:events';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import test from 'ava';
import { runNode } from '../support/child.js';
import { exampleFile } from '../support/server.js';
import { connectTo, roundTrip } from './clients.js';
import { start } from './start.js';

const SERVERS = ['echo', 'echo-edge', 'echo-sys', 'compare-backends'];

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);
const testOnIpv6 = hasIpv6 ? test : test.skip;

/** Options that are refused, and what must be said about them. */
const REFUSED: readonly (readonly [args: readonly string[], reason: RegExp])[] = [
  [['--prot', '8080'], /--prot/],
  [['8080'], /8080/],
  [['--port'], /--port/],
  [['--port', ''], /--port must be a number from 0 to 65535, not ''/],
  [['--port', '65536'], /--port must be a number from 0 to 65535, not '65536'/],
  [['--port', '-1'], /--port/],
  [['--port=-1'], /--port must be a number from 0 to 65535, not '-1'/],
  [['--port', '80.5'], /--port must be a number/],
  [['--port', '0x50'], /--port must be a number/],
  [['--port', 'http'], /--port must be a number/],
  [['--host', 'localhost'], /--host must be an IPv4 or IPv6 address, not 'localhost'/],
  [['--host', '127.0.0.1.1'], /--host must be/],
  [['--host', ''], /--host must be/],
  [['--host', 'fe80::1%1'], /--host must be/],
  [['--backend', 'kqueue'], /--backend must be auto or epoll, not 'kqueue'/],
  [['--backend'], /--backend/],
  [['--help=yes'], /--help/],
  [['--path', ''], /--path must be 1 to 107 bytes long, not 0/],
  [['--path', `/tmp/${'ä'.repeat(60)}`], /--path must be 1 to 107 bytes long, not 125/],
  [['--path', '/tmp/a', '--port', '0'], /--path stands alone/],
  [['--path', '/tmp/a', '--host', '::1'], /--path stands alone/],
  [['--spin-us', '0.5'], /--spin-us must be a whole number from 0 to 100000, not '0.5'/],
  [['--spin-us', '100001'], /--spin-us must be a whole number from 0 to 100000, not '100001'/],
];

for (const [args, reason] of REFUSED) {
  test(`${args.map((arg) => `'${arg}'`).join(' ')} is refused with a reason and exit code 2`, async (t) => {
    const { code, stdout, stderr } = await runNode(exampleFile('echo'), { args });
    t.is(code, 2);
    t.regex(stderr, reason);
    t.regex(stderr, /^echo: [^\n]+\n$/, 'one line, which names the program');
    t.is(stdout, '');
  });
}

for (const name of SERVERS) {
  test(`${name} refuses an unknown option with exit code 2`, async (t) => {
    const { code, stderr } = await runNode(exampleFile(name), { args: ['--unknown'] });
    t.is(code, 2);
    t.regex(stderr, new RegExp(`^${name}: .*--unknown`));
  });

  test(`${name} --help names every option and leaves with exit code 0`, async (t) => {
    const { code, stdout, stderr } = await runNode(exampleFile(name), { args: ['--help'] });
    t.is(code, 0);
    for (const option of ['host', 'port', 'path', 'backend', 'help']) {
      t.regex(stdout, new RegExp(`--${option}\\b`));
    }
    t.is(stderr, '');
  });

  test(`${name} on a port in use says so and leaves with exit code 1`, async (t) => {
    const owner = net.createServer().listen(0, '127.0.0.1');
    await once(owner, 'listening');
    t.teardown(() => owner.close());
    const { port } = owner.address() as net.AddressInfo;
    const { code, stdout, stderr } = await runNode(exampleFile(name), {
      args: ['--port', String(port)],
    });
    t.is(code, 1);
    t.regex(stderr, new RegExp(`^${name}: EADDRINUSE: [^\\n]+\\n$`));
    t.is(stdout, '');
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${name} leaves with exit code 0 after ${signal}, closing its clients`, async (t) => {
      const server = await start(t, name, ['--port', '0', '--backend', 'epoll']);
      const idle = await connectTo(server);
      await roundTrip(idle, Buffer.from('hello'));
      const ended = once(idle, 'end');
      idle.resume();
      t.deepEqual(await server.stop(signal), [0, null]);
      await ended;
      idle.destroy();
      t.is(server.stderr(), '');
    });
  }

  test(`${name} can be started again at once on the port that it had`, async (t) => {
    const first = await start(t, name, ['--port', '0']);
    const client = await connectTo(first);
    await roundTrip(client, Buffer.from('hello'));
    await first.stop(); // closes first, so its end of the connection stays in TIME_WAIT
    client.destroy();
    const second = await start(t, name, ['--port', String(first.port)]);
    t.is(second.address, first.address);
  });

  testOnIpv6(`${name} serves IPv6 and shows the address in brackets`, async (t) => {
    const server = await start(t, name, ['--host', '::1', '--port', '0']);
    t.regex(server.address, /^\[::1\]:\d+$/);
    const client = await connectTo(server);
    await roundTrip(client, Buffer.from('hello'));
    client.destroy();
  });
}

test('echo says on one line where it listens, and on the next how to try it', async (t) => {
  const { stdout } = await runNode(exampleFile('echo'), {
    args: ['--port', '0'],
    onStart: (child) => {
      child.stdout?.on('data', () => child.kill());
    },
  });
  t.regex(stdout, /^listening on 127\.0\.0\.1:(\d+)\ntry: nc 127\.0\.0\.1 \1\n$/);
});

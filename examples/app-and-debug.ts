/**
 * Two servers in one process, which end together.
 *
 *     node build/examples/app-and-debug.js --fail-after 5000
 *     and elsewhere: curl http://127.0.0.1:8080/ping
 *                    curl http://127.0.0.1:8080/slow?ms=7000
 *                    curl http://127.0.0.1:8081/debug/entries
 *
 * The question is who ends what. In Go it takes a `done` channel on which each server tells how it
 * ended, a `stop` channel that is closed after the first of them, and a goroutine for each server
 * that waits for that and calls `Shutdown`. Here each server is a scope, which owns all that belongs
 * to it, and the loop knows all scopes. So the first failure, or a signal, is answered with one
 * call: nobody is let in any more, requests under way are finished, both scopes are closed, and
 * `run()` returns. Whoever is not done by the deadline is cut off, and named.
 *
 * Exit code 1: a server has failed; 0: a signal.
 */
import process from 'node:process';
import type { Scope, Shutdown } from 'raw-epoll';
import { commandLine, leave, wholeNumber } from './lib/command-line.js';
import { describeEntries } from './lib/describe-entries.js';
import { announceHttp, authorityOf } from './lib/http/announce.js';
import { HttpServer } from './lib/http/http-server.js';
import { LATER, Mux, type Handler } from './lib/http/mux.js';
import { Reply } from './lib/http/reply.js';
import { listenAt } from './lib/listen.js';
import { BACKENDS, openLoop } from './lib/open-loop.js';

const NAME = 'app-and-debug';
const { at, backend, own } = commandLine(NAME, {
  backends: BACKENDS,
  options: {
    'debug-port': '--debug-port N      of the second server (8081)',
    'fail-after': '--fail-after MS     then the second server fails (never)',
    grace: '--grace MS          for requests under way, at the end (5000)',
  },
});
const debugPort = wholeNumber(NAME, '--debug-port', own['debug-port'], 8081);
if (debugPort > 65_535) leave(NAME, `--debug-port must be 65535 at most, not ${debugPort}`, 2);
const failAfterMs = wholeNumber(NAME, '--fail-after', own['fail-after'], Infinity);
const graceMs = wholeNumber(NAME, '--grace', own.grace, 5000);

const loop = openLoop(NAME, { backend, track: true });
let shutdown: Shutdown | undefined;

/** A scope whose failure is the failure of the program. */
function serverScope(name: string): Scope {
  const scope = loop.scope(name);
  scope.onError = (error) => {
    console.error(`${NAME}: server ${name} failed: ${String(error)}`);
    process.exitCode = 1;
    shutdown ??= loop.shutdown({ graceMs });
  };
  return scope;
}

const app = serverScope('app');
const debug = serverScope('debug');

/** A request that takes its time. The scope is not closed before it is answered. */
const slow: Handler = (request) => {
  const ms = Number(new URLSearchParams(request.query).get('ms') ?? 1000);
  if (!(ms >= 0 && ms <= 3_600_000)) return new Reply(400, 'ms must be a number up to an hour\n');
  const answer = (): void => {
    request.answer(new Reply(200, 'done\n'));
  };
  app.setTimeout(ms, answer, { label: '/slow' });
  return LATER;
};

const appListener = listenAt(NAME, at);
const debugListener = listenAt(NAME, {
  host: 'host' in at ? at.host : '127.0.0.1',
  port: debugPort,
});

const pong = new Reply(200, 'pong');
new HttpServer(
  app,
  new Mux().handle('GET', '/ping', () => pong).handle('GET', '/slow', slow),
).serve(appListener);
new HttpServer(
  debug,
  new Mux().handle('GET', '/debug/entries', () => new Reply(200, describeEntries(loop.entries()))),
).serve(debugListener);

if (failAfterMs < Infinity) {
  debug.setTimeout(failAfterMs, () => {
    throw new Error('mock exit of the debug server');
  });
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // A second signal is impatient.
  loop.onSignal(signal, () => {
    shutdown = loop.shutdown({ graceMs: shutdown === undefined ? graceMs : 0 });
  });
}

console.log(`debug: curl http://${authorityOf(debugListener.address)}/debug/entries`);
announceHttp(appListener.address, '/ping');
loop.run();
loop.close();

for (const { scope, kind, label } of shutdown?.forced ?? []) {
  console.error(`${NAME}: cut off in ${scope}: ${kind} ${label}`);
}

/**
 * A server that is replaced while it serves: no request fails.
 *
 *     node build/examples/restart.js --port 8000      and elsewhere: wrk -c100 -d10s http://127.0.0.1:8000/
 *                                                                    kill -HUP <pid>
 *
 * On SIGHUP the process starts its successor, and passes it the listening socket over a Unix socket:
 * `SCM_RIGHTS`. Both have the same open socket then, with one queue of connections, so there is no
 * moment in which nobody listens, and none waits in a queue that is thrown away. When the successor
 * says that it serves, this process ends as it would on SIGTERM: it accepts no more, answers what it
 * is asked, saying that this was the last answer on the connection, and closes. A client that is
 * idle may just be sending a request: for a second its connection is kept, and that request is
 * answered.
 *
 * A successor that leaves, or is not ready in time, is given up, and this process goes on. Who was
 * started by systemd takes the socket that systemd has opened.
 */
import { spawn } from 'node:child_process';
import process from 'node:process';
import {
  inheritedDescriptors,
  READABLE,
  TcpListener,
  UnixStream,
  WOULD_BLOCK,
  type Scope,
} from 'raw-epoll';
import { commandLine, leave, wholeNumber } from './lib/command-line.js';
import { announceHttp } from './lib/http/announce.js';
import { HttpServer } from './lib/http/http-server.js';
import { Mux } from './lib/http/mux.js';
import { Reply } from './lib/http/reply.js';
import { listenAt } from './lib/listen.js';
import { BACKENDS, openLoop } from './lib/open-loop.js';

const NAME = 'restart';
/** The number of the successor's end of the Unix socket: next to stdio. */
const CHANNEL = 3;
const { at, backend, own } = commandLine(NAME, {
  backends: BACKENDS,
  options: {
    successor: '--successor FILE    the program that takes over (this one)',
    'ready-within': '--ready-within MS   or the successor is given up (10000)',
    grace: '--grace MS          for requests under way, at the end (10000)',
    parting: '--parting MS        for idle clients to ask once more, at the end (1000)',
    generation: '--generation N      what a predecessor says to its successor (1)',
  },
});
if ('path' in at) leave(NAME, '--path: whoever closes a Unix listener removes its path', 2);
const successor = own.successor ?? String(process.argv[1]);
const readyWithinMs = wholeNumber(NAME, '--ready-within', own['ready-within'], 10_000, 1);
const graceMs = wholeNumber(NAME, '--grace', own.grace, 10_000);
const partingMs = wholeNumber(NAME, '--parting', own.parting, 1000);
const generation = wholeNumber(NAME, '--generation', own.generation, 1, 1);

const loop = openLoop(NAME, { backend });
const predecessor = generation > 1 ? UnixStream.adopt(CHANNEL) : undefined;
const listener = takeListener();

/** Open while a successor is starting; once closed, it has taken over or is given up. */
let attempt: Scope | undefined;

const hello = new Reply(200, 'Hello');
const pid = new Reply(200, `${process.pid}\n`);
const mux = new Mux()
  .handle('GET', '/', () => hello)
  .handle('GET', '/pid', () => pid)
  .handle('POST', '/pid', () => pid);
new HttpServer(loop.scope('http'), mux, { limits: { partingMs } }).serve(listener);

loop.onSignal('SIGHUP', restart);
loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs });
console.log(`generation ${generation} is process ${process.pid}`);
announceHttp(listener.address, '/pid');
tellPredecessor();
await loop.runAsync();
loop.close();

/** From the predecessor, from systemd, or a new one. */
function takeListener(): TcpListener {
  const options = { reserveDescriptor: true };
  if (predecessor !== undefined) {
    // It was sent before this process was started: there is nothing to wait for.
    const message = predecessor.receive(Buffer.alloc(1));
    const [descriptor] = message === WOULD_BLOCK ? [] : message.descriptors;
    if (descriptor === undefined) leave(NAME, 'the predecessor has passed no listener', 1);
    return TcpListener.adopt(descriptor, options);
  }
  const [inherited] = inheritedDescriptors({ unsetEnvironment: true });
  if (inherited !== undefined) return TcpListener.adopt(inherited.fd, options);
  return listenAt(NAME, at) as TcpListener;
}

/** That it can go. If it is gone already, this process is alone, and serves all the same. */
function tellPredecessor(): void {
  try {
    predecessor?.write(Uint8Array.of(1));
  } catch {
    console.error(`${NAME}: the predecessor is gone already`);
  }
  predecessor?.close();
}

function restart(): void {
  if (loop.draining || attempt?.closed === false) {
    console.error(`${NAME}: process ${process.pid} has a successor already`);
    return;
  }
  attempt = loop.scope('successor', { timeoutMs: readyWithinMs });
  try {
    start(attempt);
  } catch (error) {
    console.error(`${NAME}: no successor can be started: ${String(error)}`);
    attempt.close();
  }
}

function start(scope: Scope): void {
  const [ours, theirs] = UnixStream.pair();
  scope.own(ours, { label: 'to the successor' });
  scope.own(theirs);
  ours.sendDescriptors([listener]);
  const before = process.argv.slice(2, generation > 1 ? -2 : undefined);
  const child = spawn(
    process.execPath,
    [...process.execArgv, successor, ...before, '--generation', `${generation + 1}`],
    { stdio: ['inherit', 'inherit', 'inherit', theirs.fd] },
  );
  theirs.close(); // it has a duplicate
  child.unref(); // it stays when this process ends
  child.on('error', (error) => {
    console.error(`${NAME}: ${error.message}`);
  });
  let ready = false;
  scope.own({
    [Symbol.dispose]: () => {
      if (ready) return;
      child.kill('SIGKILL');
      console.error(`${NAME}: process ${child.pid} does not take over; ${process.pid} goes on`);
    },
  });
  // A byte: it serves. The end of the stream, or ECONNRESET if it has not even read: it is gone.
  scope.onError = () => {
    scope.close();
  };
  scope.register(ours, READABLE, () => {
    ready = ours.read(Buffer.alloc(1)) > 0;
    scope.close();
    if (!ready) return;
    loop.shutdown({ graceMs });
    console.log(`process ${process.pid} has handed over`);
  });
}

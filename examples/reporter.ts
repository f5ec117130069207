/**
 * Reporter: a site that has worker threads report each request, and loses none of them at the end.
 *
 *     node build/examples/reporter.js --workers 2 --work 1000
 *     and elsewhere: curl http://127.0.0.1:8080/?anything      a few times, and then stop it: Ctrl-C
 *
 * In Go it is a channel, workers that range over it, and a flag that says that it is closed. Three
 * things are easy to get wrong. The flag is read by one goroutine and written by another: a race.
 * Whoever sends to a closed channel panics, so it must not be closed before everybody who sends has
 * ended. And the program must not end before the workers have.
 *
 * Here there is one sender, the loop, which also closes the channel, so there is no race to lose;
 * and the order of the end stands in the last lines: nobody is let in any more, requests under way
 * are answered, the channel is closed, the workers take what is in it, and with the last of them
 * the loop has nothing left. A second signal is impatient, and what was lost is told.
 *
 * Exit code 1: something was lost.
 */
import process from 'node:process';
import { commandLine, wholeNumber } from './lib/command-line.js';
import { announceHttp } from './lib/http/announce.js';
import { HttpServer } from './lib/http/http-server.js';
import { LATER, Mux, type Handler } from './lib/http/mux.js';
import { Reply } from './lib/http/reply.js';
import { listenAt } from './lib/listen.js';
import { openLoop } from './lib/open-loop.js';
import { Reporter } from './lib/reporter.js';

const NAME = 'reporter';
const { at, backend, own } = commandLine(NAME, {
  backends: ['auto', 'epoll', 'kqueue'], // Node's loop goes on, to hear of the ends of workers
  options: {
    workers: '--workers N         threads that report (2)',
    capacity: '--capacity N        messages that wait for them at most (64)',
    work: '--work MS           that each report takes (0)',
  },
});
const workers = wholeNumber(NAME, '--workers', own.workers, 2, 1);
const capacity = wholeNumber(NAME, '--capacity', own.capacity, 64, 1);
const workMs = wholeNumber(NAME, '--work', own.work, 0);

const loop = openLoop(NAME, { backend });
const site = loop.scope('site');
const listener = listenAt(NAME, at);

const reporter = new Reporter(loop.root, {
  ...{ workers, capacity, workMs, fd: process.stdout.fd },
  failed: (error) => {
    console.error(`${NAME}: a worker has failed: ${error.message}`);
  },
  ended: ({ accepted, reported, lost }) => {
    console.log(`accepted ${accepted}, reported ${reported}, lost ${lost}`);
    if (lost > 0) process.exitCode = 1;
  },
});

const [created, gone] = [new Reply(201), new Reply(503, 'no worker is left\n')];
const report: Handler = (request) => {
  reporter.report(`${request.method} ${request.query}`, (accepted) => {
    request.answer(accepted ? created : gone);
  });
  return LATER;
};
new HttpServer(site, new Mux().handle('GET', '/', report).handle('POST', '/', report)).serve(
  listener,
);

// The site is closed when its last request is answered: then nobody sends any more.
site.signal.addEventListener('abort', () => {
  reporter.shutdown();
});
loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs: Infinity });
announceHttp(listener.address, '/?anything');
await loop.runAsync();
loop.close();

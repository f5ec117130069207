/**
 * Tracker: a site that tells a collector of each request, and can say what became of every event.
 *
 *     node build/examples/tracker.js --collector 127.0.0.1:9000
 *     and elsewhere: nc -l 127.0.0.1 9000         you are the collector: Enter asks for an event
 *                    curl http://127.0.0.1:8080/
 *
 * It takes four steps to get there. What comes first to mind is to start the sending and go on: at
 * the end of the program nobody knows what is still under way (fire and hope). So they are counted,
 * and the end waits for them (a WaitGroup): for ever, if the collector hangs. So the end has a
 * deadline, and what is left then is told, not lost in silence. And still each request starts one
 * more of them, so a slow collector fills the memory: the queue gets a bound, and whoever finds it
 * full waits for room, with a deadline as well. In Go these are a channel, a `select` with
 * `ctx.Done()`, and a goroutine that nobody must forget; here they are an array, a timer, and a
 * scope that owns both.
 *
 * The order of the end: nobody is let in any more, requests under way are answered, then the
 * tracker accepts nothing more, delivers what it has, and reports what it could not.
 */
import { isIP } from 'node:net';
import { commandLine, leave, wholeNumber } from './lib/command-line.js';
import { EventTracker } from './lib/event-tracker.js';
import { announceHttp } from './lib/http/announce.js';
import { HttpServer } from './lib/http/http-server.js';
import { LATER, Mux, type Handler } from './lib/http/mux.js';
import { Reply } from './lib/http/reply.js';
import { listenAt } from './lib/listen.js';
import { BACKENDS, openLoop } from './lib/open-loop.js';

const NAME = 'tracker';
const { at, backend, own } = commandLine(NAME, {
  backends: BACKENDS,
  options: {
    collector: '--collector HOST:PORT   of who gets the events (127.0.0.1:9000)',
    capacity: '--capacity N            events that wait for it at most (10)',
    timeout: '--timeout MS            that a request waits for room (100)',
    grace: '--grace MS              for all that is under way, at the end (5000)',
  },
});
const capacity = wholeNumber(NAME, '--capacity', own.capacity, 10, 1);
const timeoutMs = wholeNumber(NAME, '--timeout', own.timeout, 100);
const graceMs = wholeNumber(NAME, '--grace', own.grace, 5000);

function collectorAt(text: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^\[?([^[\]]*?)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (isIP(host) !== 0 && Number(port) > 0 && Number(port) < 65_536) {
    return { host, port: Number(port) };
  }
  leave(NAME, `--collector must be an IP address and a port, not '${text}'`, 2);
}

const loop = openLoop(NAME, { backend });
const site = loop.scope('site');

const tracker = new EventTracker(loop.root, {
  collector: collectorAt(own.collector ?? '127.0.0.1:9000'),
  capacity,
  dropped: (event, onItsWay) => {
    console.error(`${NAME}: dropped ${event}${onItsWay ? ', which may have arrived' : ''}`);
  },
  ended: ({ accepted, delivered, dropped }) => {
    console.log(`accepted ${accepted}, delivered ${delivered}, dropped ${dropped}`);
  },
});

const [created, busy] = [new Reply(201), new Reply(503, 'the collector is slow\n')];
const track: Handler = (request) => {
  tracker.event(`${request.method} ${request.query}`, timeoutMs, (accepted) => {
    request.answer(accepted ? created : busy);
  });
  return LATER;
};

const listener = listenAt(NAME, at);
new HttpServer(site, new Mux().handle('GET', '/', track).handle('POST', '/', track)).serve(
  listener,
);

// The site is closed when its last request is answered.
site.signal.addEventListener('abort', () => {
  tracker.shutdown({ graceMs });
});
loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs });
announceHttp(listener.address, '/');
loop.run();
loop.close();

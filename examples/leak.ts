/**
 * A handler that forgets what it has started, and the list that finds it. leak-fixed is its twin.
 *
 *     node build/examples/leak.js
 *     and elsewhere: curl http://127.0.0.1:8080/leak              a few times, and then
 *                    curl http://127.0.0.1:8080/debug/entries
 *
 * In Go it is a goroutine that waits for a channel into which nobody sends: it is there for ever, and
 * the goroutine profile grows with every request. Here it is a registration whose event never comes.
 * The list of what is open grows with every request too, and its last column names the line to blame:
 * what no scope owns belongs to the root of the loop, which ends with the program.
 */
import { EventFd, READABLE } from 'raw-epoll';
import { commandLine } from './lib/command-line.js';
import { describeEntries } from './lib/describe-entries.js';
import { announceHttp } from './lib/http/announce.js';
import { HttpServer } from './lib/http/http-server.js';
import { Mux, type Handler } from './lib/http/mux.js';
import { Reply } from './lib/http/reply.js';
import { listenAt } from './lib/listen.js';
import { BACKENDS, openLoop } from './lib/open-loop.js';

const { at, backend } = commandLine('leak', { backends: BACKENDS });
const loop = openLoop('leak', { backend, track: true });

/** Asks somebody, who never answers. */
const leak: Handler = () => {
  const answer = new EventFd();
  loop.register(answer, READABLE, () => {
    console.log(`the answer is ${String(answer.read())}`);
    answer.close();
  });
  return new Reply(200, 'will leak\n');
};

const mux = new Mux()
  .handle('GET', '/leak', leak)
  .handle('GET', '/debug/entries', () => new Reply(200, describeEntries(loop.entries())));

const listener = listenAt('leak', at);
new HttpServer(loop.scope('http'), mux).serve(listener);

loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs: 5000 });
announceHttp(listener.address, '/leak');
loop.run();
loop.close();

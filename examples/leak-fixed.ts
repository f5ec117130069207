/**
 * The twin of leak: what a request starts has an owner, and an end.
 *
 *     node build/examples/leak-fixed.js
 *     and elsewhere: curl http://127.0.0.1:8080/leak              a few times, and then
 *                    curl http://127.0.0.1:8080/debug/entries
 *
 * Each question has a scope of its own that owns all that belongs to it, and that is closed when the
 * answer is there, or when its time has passed, whichever is first. So the list is as long after a
 * thousand requests as before the first.
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

const PATIENCE_MS = 100;

const { at, backend } = commandLine('leak-fixed', { backends: BACKENDS });
const loop = openLoop('leak-fixed', { backend, track: true });
const questions = loop.scope('questions');

/** Asks somebody, who never answers, for as long as anybody wants to know. */
const ask: Handler = () => {
  const question = questions.scope('question', { timeoutMs: PATIENCE_MS });
  const answer = question.own(new EventFd());
  question.register(answer, READABLE, () => {
    console.log(`the answer is ${String(answer.read())}`);
    question.close();
  });
  return new Reply(200, 'will not leak\n');
};

const mux = new Mux()
  .handle('GET', '/leak', ask)
  .handle('GET', '/debug/entries', () => new Reply(200, describeEntries(loop.entries())));

const listener = listenAt('leak-fixed', at);
new HttpServer(loop.scope('http'), mux).serve(listener);

loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs: 5000 });
announceHttp(listener.address, '/leak');
loop.run();
loop.close();

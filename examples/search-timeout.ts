/**
 * Search timeout: an answer, or the deadline, whichever comes first; and then nothing is left.
 *
 *     node build/examples/search-timeout.js                  takes 200 ms, may take 100
 *     node build/examples/search-timeout.js --timeout 300
 *
 * `search` takes its time, and its caller has none. In Go the caller starts a goroutine that sends
 * its result on a channel, and selects between that channel and a context with a timeout. If the
 * context wins and the channel has no buffer, nobody ever receives, and the goroutine stays for
 * good. Here the search belongs to a scope that has the timeout: when the time is up the scope ends,
 * and with it the question that is under way. Who was asked hears of that too, and stops.
 *
 * Exit code 1: the deadline has passed.
 */
import process from 'node:process';
import { Loop, UnixStream, type Scope } from 'raw-epoll';
import { ownOptions, wholeNumber } from './lib/command-line.js';

const NAME = 'search-timeout';
const own = ownOptions(NAME, {
  takes: '--takes MS        that the search takes (200)',
  timeout: '--timeout MS      that it may take (100)',
});
const takesMs = wholeNumber(NAME, '--takes', own.takes, 200);
const timeoutMs = wholeNumber(NAME, '--timeout', own.timeout, 100);

/** What is searched, at the other end of a connection: it answers after a while. */
function serve(database: Scope, stream: UnixStream): void {
  const visitor = database.scope('visitor');
  visitor.connection(stream, {
    data: (term, connection) => {
      const record = `some value for ${term.toString()}`;
      visitor.setTimeout(takesMs, () => {
        connection.end(record);
      });
    },
    close: () => {
      visitor.close(); // and whatever was still to be answered
    },
  });
}

/** Finds a record; tells it, or why there is none, when the scope ends. Starts nothing outside of the scope. */
function search(
  scope: Scope,
  database: Scope,
  term: string,
  tell: (record: string, error?: Error) => void,
): void {
  const [here, there] = UnixStream.pair();
  serve(database, there);
  let record = '';
  const question = scope.connection(here, {
    data: (chunk) => {
      record += chunk.toString();
    },
    close: (_, error) => {
      tell(record, error);
    },
  });
  question.write(term);
}

const loop = new Loop();
const began = performance.now();
const searching = loop.scope('search', { timeoutMs });
search(searching, loop.scope('database'), 'abc', (record, error) => {
  const ms = Math.round(performance.now() - began);
  if (error === undefined) {
    console.log(`Received: ${record}, after ${ms} ms`);
    searching.close(); // and its deadline
  } else {
    console.error(`${NAME}: search canceled after ${ms} ms: ${error.message}`);
    process.exitCode = 1;
  }
});
loop.run();
for (const { kind, scope } of loop.entries()) console.error(`${NAME}: left: ${kind} in ${scope}`);

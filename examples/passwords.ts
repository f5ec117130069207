/**
 * A site of passwords: a hundred new ones for each request.
 *
 *     node build/examples/passwords.js
 *     and elsewhere: curl http://127.0.0.1:8080/password
 *                    ab -n 500000 -c 1000 http://127.0.0.1:8080/password
 *
 * The Go program that it answers starts a hundred goroutines for each request, which pass their
 * passwords through a channel. There is nothing to wait for in a password, so there is nothing to be
 * gained by that: here one thread makes them one after the other, and waits for its clients in one
 * place. `npm run bench -- --only passwords` has both side by side.
 *
 * Passwords come from the kernel's generator of random numbers, by way of `node:crypto`, and every
 * character is as likely as any other. Go's program draws from `math/rand`, which is no source for
 * passwords.
 */
import { randomFillSync } from 'node:crypto';
import { commandLine } from './lib/command-line.js';
import { announceHttp } from './lib/http/announce.js';
import { HttpServer } from './lib/http/http-server.js';
import { Mux } from './lib/http/mux.js';
import { Reply } from './lib/http/reply.js';
import { listenAt } from './lib/listen.js';
import { BACKENDS, openLoop } from './lib/open-loop.js';

const CHARACTERS = Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#@$');
const COUNT = 100;
const LENGTH = 12;

/** Random numbers of 16 bits, fetched many at a time: a call costs more than they do. */
const random = new Uint16Array(32 * 1024);
let used = random.length;

/** Numbers from here on would make the first characters likelier than the last ones. */
const LIMIT = 2 ** 16 - (2 ** 16 % CHARACTERS.length);

function randomCharacter(): number {
  for (;;) {
    if (used === random.length) {
      randomFillSync(random);
      used = 0;
    }
    const number = random[used++] as number;
    if (number < LIMIT) return CHARACTERS[number % CHARACTERS.length] as number;
  }
}

/**
 * `[one two three …]`, as Go prints a slice of strings. An answer is copied when it is given, so
 * one page is enough for all.
 */
const page = Buffer.from(`[${Array(COUNT).fill('.'.repeat(LENGTH)).join(' ')}]`);
const answer = new Reply(200, page);

function passwords(): Reply {
  for (let password = 0; password < COUNT; password++) {
    const from = 1 + password * (LENGTH + 1);
    for (let i = 0; i < LENGTH; i++) page[from + i] = randomCharacter();
  }
  return answer;
}

const { at, backend } = commandLine('passwords', { backends: BACKENDS });
const loop = openLoop('passwords', { backend });
const listener = listenAt('passwords', at);

const mux = new Mux().handle('GET', '/', passwords).handle('GET', '/password', passwords);
new HttpServer(loop.scope('http'), mux).serve(listener);

loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs: 5000 });
announceHttp(listener.address, '/password');
loop.run();
loop.close();

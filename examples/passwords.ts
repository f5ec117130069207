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
 * place. `npm run bench -- --only passwords` has both side by side; workers.ts puts the site on more
 * threads.
 *
 * Passwords come from the kernel's generator of random numbers, by way of `node:crypto`, and every
 * character is as likely as any other. Go's program draws from `math/rand`, which is no source for
 * passwords.
 */
import { commandLine } from './lib/command-line.js';
import { announceHttp } from './lib/http/announce.js';
import { HttpServer } from './lib/http/http-server.js';
import { Mux } from './lib/http/mux.js';
import { listenAt } from './lib/listen.js';
import { BACKENDS, openLoop } from './lib/open-loop.js';
import { passwords } from './lib/passwords.js';

const { at, backend } = commandLine('passwords', { backends: BACKENDS });
const loop = openLoop('passwords', { backend });
const listener = listenAt('passwords', at);

const mux = new Mux().handle('GET', '/', passwords).handle('GET', '/password', passwords);
new HttpServer(loop.scope('http'), mux).serve(listener);

loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs: 5000 });
announceHttp(listener.address, '/password');
loop.run();
loop.close();

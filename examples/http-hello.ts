/**
 * Hello over HTTP.
 *
 *     node build/examples/http-hello.js --port 8000
 *     and elsewhere: curl http://127.0.0.1:8000/hello
 *                    curl -T README.md -H 'Transfer-Encoding: chunked' http://127.0.0.1:8000/echo
 *                    ab -n 1000 -c 100 http://127.0.0.1:8000/
 *
 * In Go this is `http.HandleFunc` and `ListenAndServe`, and who waits for what is out of sight. Here
 * are its parts: a loop, a scope that owns the server, a listener, a table of routes, and the
 * signals that end it. What happens between a read and an answer is in lib/http, on llhttp, the
 * parser of Node's own `http`: HTTP/1.1 and 1.0, connections that persist, requests in a row,
 * chunks, and bounds for all that a client can send, or be slow in sending.
 */
import { commandLine } from './lib/command-line.js';
import { announceHttp } from './lib/http/announce.js';
import { HttpServer } from './lib/http/http-server.js';
import { Mux } from './lib/http/mux.js';
import { Reply } from './lib/http/reply.js';
import { listenAt } from './lib/listen.js';
import { BACKENDS, openLoop } from './lib/open-loop.js';

const { at, backend } = commandLine('http-hello', { backends: BACKENDS });
const loop = openLoop('http-hello', { backend });
const listener = listenAt('http-hello', at);

const hello = new Reply(200, 'Hello');
const mux = new Mux()
  .handle('GET', '/', () => hello)
  .handle('GET', '/hello', () => hello)
  .handle('POST', '/echo', echo)
  .handle('PUT', '/echo', echo);

function echo({ body }: { readonly body: Uint8Array }): Reply {
  return new Reply(200, body, { type: 'application/octet-stream' });
}

new HttpServer(loop.scope('http'), mux).serve(listener);

loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs: 5000 });
announceHttp(listener.address, '/hello');
loop.run();
loop.close();

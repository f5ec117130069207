/**
 * Hello over HTTP on `Bun.serve`.
 *
 *     bun hello.js [--host 127.0.0.1] [--port 0]
 *
 * What differs in the work: a whole HTTP server, with `Request` and `Response` objects of the Fetch
 * standard and a Date in each answer. A new `Response` for each request, as handlers are written; a
 * prepared one under `static` would not go through a handler at all.
 */
/* global Bun, Response */
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
  },
});
const server = Bun.serve({
  hostname: values.host,
  port: Number(values.port),
  routes: { '/hello': () => new Response('Hello') },
  fetch: () => new Response('not found', { status: 404 }),
});
console.log(`listening on ${values.host}:${server.port}`);

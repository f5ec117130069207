/**
 * Hello over HTTP on `Deno.serve`.
 *
 *     deno run --allow-net hello.js [--host 127.0.0.1] [--port 0]
 *
 * What differs in the work: a whole HTTP server, with `Request` and `Response` objects of the Fetch
 * standard and a Date in each answer.
 */
/* global Deno, Response */
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  args: Deno.args,
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
  },
});

Deno.serve(
  {
    hostname: values.host,
    port: Number(values.port),
    onListen({ hostname, port }) {
      console.log(`listening on ${hostname}:${port}`);
    },
  },
  (request) =>
    new URL(request.url).pathname === '/hello'
      ? new Response('Hello')
      : new Response('not found', { status: 404 }),
);

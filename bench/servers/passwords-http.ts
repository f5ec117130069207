/**
 * The site of passwords on Node's own `http`: the same page, made by the same function as in
 * examples/passwords.ts.
 *
 *     node build/bench/servers/passwords-http.js [--host H] [--port N]
 */
import { createServer } from 'node:http';
import { passwordPage } from '../../examples/lib/passwords.js';
import { announce, BACKLOG, endOnSignal, parsePlace } from './lib/place.js';

const server = createServer((request, response) => {
  if (request.url !== '/password') {
    response.writeHead(404).end();
    return;
  }
  // A string: Node keeps what it is given until it is sent, and head and body go out together.
  const page = passwordPage().toString('latin1');
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': page.length };
  response.writeHead(200, headers).end(page, 'latin1');
});
const { place } = parsePlace();
server.listen({ host: place.host, port: place.port, backlog: BACKLOG }, () => {
  announce(server.address());
});
endOnSignal();

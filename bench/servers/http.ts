/**
 * Hello over HTTP on `node:http`.
 *
 *     node build/bench/servers/http.js [--host H] [--port N]
 *
 * What differs in the work: a request and a response with their streams for each message, a Date in
 * each answer. The length is given, so that the answer is not sent in chunks.
 */

import { createServer } from 'node:http';
import { announce, BACKLOG, endOnSignal, parsePlace } from './lib/place.js';

const BODY = 'Hello';

const { place } = parsePlace();
const server = createServer((request, response) => {
  if (request.url !== '/hello') {
    response.writeHead(404).end();
    return;
  }
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': BODY.length };
  response.writeHead(200, headers).end(BODY);
});
server.listen({ host: place.host, port: place.port, backlog: BACKLOG }, () => {
  announce(server.address());
});
endOnSignal();

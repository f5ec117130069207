/**
 * The site of passwords on Node's own `http`: the same page, made in the same way as in
 * examples/passwords.ts.
 *
 *     node build/bench/servers/passwords-http.js [--host H] [--port N]
 */
import { randomFillSync } from 'node:crypto';
import { createServer } from 'node:http';
import { announce, BACKLOG, endOnSignal, parsePlace } from './lib/place.js';

const CHARACTERS = Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#@$');
const COUNT = 100;
const LENGTH = 12;
const LIMIT = 2 ** 16 - (2 ** 16 % CHARACTERS.length);

const random = new Uint16Array(32 * 1024);
let used = random.length;

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

const page = Buffer.from(`[${Array(COUNT).fill('.'.repeat(LENGTH)).join(' ')}]`);

function passwords(): string {
  for (let password = 0; password < COUNT; password++) {
    const from = 1 + password * (LENGTH + 1);
    for (let i = 0; i < LENGTH; i++) page[from + i] = randomCharacter();
  }
  // A string: Node keeps what it is given until it is sent, and head and body go out together.
  return page.toString('latin1');
}

const server = createServer((request, response) => {
  if (request.url !== '/password') {
    response.writeHead(404).end();
    return;
  }
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': page.length };
  response.writeHead(200, headers).end(passwords(), 'latin1');
});
const { place } = parsePlace();
server.listen({ host: place.host, port: place.port, backlog: BACKLOG }, () => {
  announce(server.address());
});
endOnSignal();

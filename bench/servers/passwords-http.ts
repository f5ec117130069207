/**
 * The site of passwords on Node's own `http`: the same page, made in the same way as in
 * examples/passwords.ts.
 *
 *     node build/bench/servers/passwords-http.js
 */
import { randomFillSync } from 'node:crypto';
import { createServer } from 'node:http';

const CHARACTERS = Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#@$');
const COUNT = 100;
const LENGTH = 12;
const LIMIT = 2 ** 16 - (2 ** 16 % CHARACTERS.length);
/** As many as the other servers allow to wait for `accept`. */
const BACKLOG = 4096;

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
server.listen({ host: '127.0.0.1', port: 0, backlog: BACKLOG }, () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP address');
  console.log(`listening on ${address.address}:${String(address.port)}`);
});
process.once('SIGTERM', () => process.exit(0));

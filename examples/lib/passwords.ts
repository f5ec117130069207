/** A page of a hundred new passwords. */
import { randomFillSync } from 'node:crypto';
import { Reply } from './http/reply.js';

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

/** A hundred new ones. The answer is good until the next call. */
export function passwords(): Reply {
  for (let password = 0; password < COUNT; password++) {
    const from = 1 + password * (LENGTH + 1);
    for (let i = 0; i < LENGTH; i++) page[from + i] = randomCharacter();
  }
  return answer;
}

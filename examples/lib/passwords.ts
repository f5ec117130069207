/** A page of a hundred new passwords. */
import { randomFillSync } from 'node:crypto';
import { Reply } from './http/reply.js';

const CHARACTERS = Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#@$');
const COUNT = 100;
const LENGTH = 12;

/** Random numbers of 16 bits, fetched many at a time: a call costs more than they do. */
const random = new Uint16Array(32 * 1024);
let used = random.length;

/**
 * The high half of a number times the count of characters says which one. With some low halves one
 * of them would be likelier than the others: those numbers are refused.
 */
const REFUSED = 2 ** 16 % CHARACTERS.length;

/** One in four thousand is refused: that half of these were is not to be expected in any lifetime. */
const ENOUGH_FOR_A_PAGE = 2 * COUNT * LENGTH;

/** `[one two three …]`, as Go prints a slice of strings. */
const page = Buffer.from(`[${Array(COUNT).fill('.'.repeat(LENGTH)).join(' ')}]`);

/** A page of new ones. It is good until the next call. */
export function passwordPage(): Buffer {
  if (random.length - used < ENOUGH_FOR_A_PAGE) {
    randomFillSync(random);
    used = 0;
  }
  // The longest loop of a request. With a call in it, or `used` in the place of `next`, it takes nearly
  // twice as long.
  let next = used;
  for (let password = 0; password < COUNT; password++) {
    let place = 1 + password * (LENGTH + 1);
    const end = place + LENGTH;
    while (place < end) {
      const product = (random[next++] as number) * CHARACTERS.length;
      if ((product & 0xffff) >= REFUSED) page[place++] = CHARACTERS[product >>> 16] as number;
    }
  }
  used = next;
  return page;
}

/** An answer is copied when it is given, so one is enough for all. */
const answer = new Reply(200, page);

/** The page as an answer. It is good until the next call. */
export function passwords(): Reply {
  passwordPage();
  return answer;
}

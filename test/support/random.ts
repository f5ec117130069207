import { createCipheriv, createHash, randomInt } from 'node:crypto';
import process from 'node:process';

/** Numbers that look random and are the same for the same seed. */
export class Random {
  readonly seed: number;
  #state: number;

  /** `RAW_EPOLL_SEED` repeats a run; print `seed` in every test that draws numbers. */
  constructor(seed: number = Number(process.env['RAW_EPOLL_SEED'] ?? randomInt(2 ** 31))) {
    this.seed = seed;
    this.#state = seed >>> 0;
  }

  /** 0 <= number < 1, with 32 bits of it: a 32-bit counter, scrambled (splitmix32). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  }

  /** An integer, lowest <= integer < end. */
  integer(lowest: number, end: number): number {
    return lowest + Math.floor(this.next() * (end - lowest));
  }

  /** As many bytes, in which no part is like another. */
  bytes(length: number): Buffer {
    const key = createHash('sha256').update(String(this.next())).digest();
    return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
  }
}

/** The time as a server needs it: looked at once in a while, not for each request. */
export class Clock {
  /** Milliseconds on the clock of `performance.now()`. */
  now = 0;
  /** The line that goes into every head: RFC 9110, 6.6.1. */
  date = '';
  #second = 0;

  constructor() {
    this.look();
  }

  look(): void {
    this.now = performance.now();
    const second = Math.floor(Date.now() / 1000);
    if (second === this.#second) return;
    this.#second = second;
    this.date = `Date: ${new Date(1000 * second).toUTCString()}\r\n`;
  }
}

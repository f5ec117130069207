/** How far a run is: on a terminal one line that changes, elsewhere nothing but what is said. */

/** A run of several steps. */
export class Progress {
  readonly #steps: number;
  readonly #started = performance.now();
  #step = 0;
  #name = '';

  constructor(steps: number) {
    this.#steps = steps;
  }

  /** The next step begins. */
  next(name: string): void {
    this.#step++;
    this.#name = name;
    this.show('');
  }

  /** What the step is doing. */
  show(what: string): void {
    if (!process.stderr.isTTY) return;
    const minutes = ((performance.now() - this.#started) / 60_000).toFixed(1);
    const step = `${String(this.#step)} of ${String(this.#steps)}`;
    process.stderr.write(`\r\x1b[K[${minutes} min] ${step}, ${this.#name}: ${what}`);
  }

  /** Clears the line, and says something that stays. */
  say(text: string): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    console.log(text);
  }
}

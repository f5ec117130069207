/** A promise that is settled from outside. `Promise.withResolvers` came with Node 22. @internal */
export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Nobody has to listen: a rejection that is not heard is no error. */
  hush(): void {
    this.promise.catch(() => undefined);
  }
}

/** How much of everything a client may have. */
export interface Limits {
  /** The target of a request, in bytes: more is answered with 414. */
  readonly targetBytes: number;
  /** Request line and header fields together, in bytes: 431. */
  readonly headBytes: number;
  /** Header fields: 431. */
  readonly fields: number;
  /** The body of a request: 413. */
  readonly bodyBytes: number;
  /** From the first byte of a request to the end of its head: 408. More bytes win no time. */
  readonly headMs: number;
  /** From the head to the end of the body: 408. */
  readonly bodyMs: number;
  /** Between two requests, and before the first one: closed without an answer. */
  readonly idleMs: number;
  /**
   * The same once the server drains: a client may just be sending its next request, which is answered
   * and its last one. 0: closed at once.
   */
  readonly partingMs: number;
  /** For a client to take what it was sent: it is cut off. */
  readonly writeMs: number;
  /** For a client to close, after it was told that its connection is: it is cut off. */
  readonly lingerMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  targetBytes: 8 * 1024,
  headBytes: 16 * 1024,
  fields: 100,
  bodyBytes: 1024 * 1024,
  headMs: 10_000,
  bodyMs: 30_000,
  idleMs: 60_000,
  partingMs: 0,
  writeMs: 30_000,
  lingerMs: 2_000,
};

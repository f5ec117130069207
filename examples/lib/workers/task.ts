/** What the threads of examples/workers.ts share, and how they count. */

/** How they come by their clients. */
export const FORMS = ['reuseport', 'exclusive', 'acceptor'] as const;
export type Form = (typeof FORMS)[number];

/** What a worker is given. */
export interface Task {
  readonly form: Form;
  /** `reuseport`: where to listen. */
  readonly host: string;
  readonly port: number;
  /** `exclusive`: the listener; `acceptor`: the line that clients come over. The main thread's. */
  readonly fd: number;
  readonly counts: Counts;
}

/** Clients and requests of each worker, in memory that all threads see. */
export type Counts = Int32Array;

const CLIENTS = 0;
const REQUESTS = 1;
const FIELDS = 2;

export function newCounts(size: number): Counts {
  return new Int32Array(new SharedArrayBuffer(size * FIELDS * Int32Array.BYTES_PER_ELEMENT));
}

/** Only the worker itself counts, so nothing can be lost; Atomics let the others see it. */
export function countClient(counts: Counts, worker: number): void {
  Atomics.add(counts, worker * FIELDS + CLIENTS, 1);
}

export function countRequest(counts: Counts, worker: number): void {
  Atomics.add(counts, worker * FIELDS + REQUESTS, 1);
}

/** One line for each worker. */
export function describeCounts(counts: Counts): string {
  const lines: string[] = [];
  for (let at = 0; at < counts.length; at += FIELDS) {
    const [clients, requests] = [Atomics.load(counts, at), Atomics.load(counts, at + REQUESTS)];
    lines.push(`worker ${at / FIELDS}: ${clients} connections, ${requests} requests`);
  }
  return lines.join('\n');
}

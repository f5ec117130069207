/**
 * Which backends a run is about. Tests that have a row for each backend look here.
 *
 * `RAW_EPOLL_TEST_BACKENDS=kqueue` leaves the rows of the others out, for a run with an addon whose
 * other backends have been judged already (tools/kqueue-tests.sh); names are separated by commas.
 */
import process from 'node:process';
import { Poller } from '../../ts/index.js';

const chosen = process.env['RAW_EPOLL_TEST_BACKENDS']?.split(',');

for (const name of chosen ?? []) {
  // A slip would leave nothing to fail.
  if (!Poller.backends().includes(name))
    throw new Error(`RAW_EPOLL_TEST_BACKENDS: no ${name} here`);
}

/** Whether nothing is left out: also what belongs to no backend is to run. */
export const allBackends: boolean = chosen === undefined;

/** Whether the run is about this backend. */
export function isTested(backend: string): boolean {
  return chosen === undefined || chosen.includes(backend);
}

/** The backends that are here and that the run is about. */
export const testedBackends: readonly string[] = Poller.backends().filter(isTested);

/** From names to addresses. */
import dns from 'node:dns';
import { isIP } from 'node:net';
import { invalidReturnValue } from '../errors.js';
import type { Candidates, Family } from './candidates.js';

/**
 * How a {@link Lookup} answers: with addresses, best first, perhaps none, or with an error. The
 * first answer counts.
 */
export type LookupAnswer = (error: Error | null, addresses?: readonly string[]) => void;

/**
 * Finds the addresses of a name in one family, 4 or 6, and answers once, at once or later, on the
 * thread of the loop.
 */
export type Lookup = (name: string, family: 4 | 6, answer: LookupAnswer) => void;

/**
 * Asks `node:dns` as `net.connect` does: getaddrinfo(3), with /etc/hosts and all else that
 * nsswitch.conf names, on a thread of libuv's pool. The answer comes when Node's own loop turns.
 * @internal
 */
export const nodeLookup: Lookup = (name, family, answer) => {
  dns.lookup(name, { family, all: true }, (error, found) => {
    if (error === null)
      answer(
        null,
        found.map(({ address }) => address),
      );
    else answer(error);
  });
};

/**
 * Adds the addresses of a host that needs no lookup: an address, or `localhost` and the names under
 * it, which are the loopback by definition (RFC 6761, section 6.3), whatever /etc/hosts has.
 *
 * @returns  False if it needs one.
 * @internal
 */
export function addKnown(candidates: Candidates, host: string): boolean {
  const family = isIP(host);
  if (family !== 0) {
    candidates.add(family as Family, [host]);
    return true;
  }
  if (!/(^|\.)localhost\.?$/i.test(host)) return false;
  candidates.add(6, ['::1']);
  candidates.add(4, ['127.0.0.1']);
  return true;
}

/** The addresses of an answer, or what is wrong with it; somebody else's function gave it. @internal */
export function checkAnswer(error: unknown, addresses: unknown): readonly string[] | Error {
  if (error instanceof Error) return error;
  const isList = Array.isArray(addresses) && addresses.every((one) => typeof one === 'string');
  return isList ? addresses : invalidReturnValue('lookup', 'an array of addresses', addresses);
}

/** There was no error, and no address either. @internal */
export function noAddress(host: string): Error {
  return Object.assign(new Error(`ENOTFOUND: ${host} has no address`), { code: 'ENOTFOUND' });
}

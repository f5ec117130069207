/** The thread of a `Resolver`: asks `node:dns`, on a loop of Node that always turns. */
import { parentPort, workerData } from 'node:worker_threads';
import { Sender } from '../channel/channel.js';
import type { SharedEnd } from '../channel/channel-end.js';
import { nodeLookup } from './lookup.js';
import type { ResolverAnswer, ResolverQuestion } from './resolver.js';

const sender = Sender.from<ResolverAnswer>(workerData as SharedEnd);

/** It waits for room if there is none: nobody here has anything else to do. */
function answer(id: number, error: unknown, addresses: readonly string[] = []): void {
  const { message, code } = (error ?? {}) as NodeJS.ErrnoException;
  sender.sendSync({ id, addresses, message, code });
}

parentPort?.on('message', ({ id, name, family }: ResolverQuestion) => {
  try {
    nodeLookup(name, family, (error, addresses) => {
      answer(id, error, addresses);
    });
  } catch (error) {
    answer(id, error); // What node:dns takes for no name at all.
  }
});

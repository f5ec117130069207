import type { PollerSupports } from '../../ts/index.js';

/** What a case may need and a backend may lack: a name of `Poller.supports`. */
export type Need = Exclude<keyof PollerSupports, 'descriptorMax'>;

/** Why a backend is let off. */
export const reasons: Readonly<Record<Need, string>> = {
  edge: 'the kernel keeps no state between two waits, and tells no arrival from what was there',
  oneshot: 'the kernel has no registration that disables itself',
  edgeOneshot: 'as mode `edge`',
  exclusive: 'only epoll(7) has EPOLLEXCLUSIVE',
  priority: 'the kernel has no filter for urgent data',
  hangup: 'the kernel tells three conditions, and shows hang-up and error as two of them',
  unasked: 'the kernel tells the end of a direction only to who asks for that direction',
  readClosed: 'the kernel shows the end of the stream as something to read, and no more',
  nested: 'the set has no descriptor of its own',
  remembers: 'the kernel knows numbers, and not which file was behind one before',
};

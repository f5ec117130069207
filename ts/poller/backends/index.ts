import type { BackendKind } from '../backend.js';
import { epoll } from './epoll.js';
import { kqueue } from './kqueue.js';
import { poll } from './poll.js';
import { select } from './select.js';

/** Every kind of backend, best first: the order in which `auto` tries them. @internal */
export const backendKinds: BackendKind[] = [epoll, kqueue, poll, select];

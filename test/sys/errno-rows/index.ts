import { descriptorRows, descriptorRowsOfFullTable, descriptorRowsOfNobody } from './descriptor.js';
import { epollRows, epollRowsOfFullTable, epollRowsOfSignals } from './epoll.js';
import { eventRows, eventRowsOfFullTable, eventRowsOfNobody } from './events.js';
import { injectedRows } from './injected.js';
import { notifyRows, notifyRowsOfFullTable } from './notify.js';
import type { ErrnoRow, InjectedRow } from './row.js';
import { kqueueRows, kqueueRowsOfFullTable, kqueueRowsOfSignals } from './kqueue.js';
import { pollRows, pollRowsOfFullTable, pollRowsOfSignals } from './poll.js';
import {
  socketRows,
  socketRowsOfFullTable,
  socketRowsOfNobody,
  socketRowsOfSignals,
} from './socket.js';
import { transferRows, transferRowsOfSignals } from './transfer.js';

/** The errno tables of level 1, by the process that they need. */
export const errnoRows: Readonly<Record<Exclude<ErrnoTable, 'injected'>, readonly ErrnoRow[]>> & {
  readonly injected: readonly InjectedRow[];
} = {
  /** Any process. */
  plain: [
    ...epollRows,
    ...pollRows,
    ...kqueueRows,
    ...socketRows,
    ...transferRows,
    ...descriptorRows,
    ...eventRows,
    ...notifyRows,
  ],
  /** A low limit of descriptors. */
  'full table': [
    ...epollRowsOfFullTable,
    ...pollRowsOfFullTable,
    ...kqueueRowsOfFullTable,
    ...socketRowsOfFullTable,
    ...descriptorRowsOfFullTable,
    ...eventRowsOfFullTable,
    ...notifyRowsOfFullTable,
  ],
  /** Not root. */
  nobody: [...socketRowsOfNobody, ...descriptorRowsOfNobody, ...eventRowsOfNobody],
  /** SIGUSR2 with a handler, again and again. */
  signals: [
    ...epollRowsOfSignals,
    ...pollRowsOfSignals,
    ...kqueueRowsOfSignals,
    ...socketRowsOfSignals,
    ...transferRowsOfSignals,
  ],
  /** strace. */
  injected: injectedRows,
};

/** Names of the tables. */
export type ErrnoTable = 'plain' | 'full table' | 'nobody' | 'signals' | 'injected';

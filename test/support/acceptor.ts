import type net from 'node:net';
import { READABLE, type Listener, type Loop, type Stream } from '../../ts/index.js';

/** When a connection is handed over: as soon as it is there, or with the first bytes, already read. */
export type HandOver = 'at once' | 'with what was read';

/** Accepts connections in a loop, and gives each to Node as a socket. */
export function acceptFor(
  loop: Loop,
  listener: Listener<Stream>,
  when: HandOver,
  take: (socket: net.Socket) => void,
): void {
  loop.register(listener, READABLE, () => {
    for (let stream; (stream = listener.accept()) !== null;) {
      if (when === 'at once') take(stream.toNetSocket({ allowHalfOpen: true }));
      else giveWithFirstBytes(loop, stream, take);
    }
  });
}

function giveWithFirstBytes(loop: Loop, stream: Stream, take: (socket: net.Socket) => void): void {
  loop.connection(stream, {
    data: (chunk, connection) => {
      take(connection.toNetSocket({ allowHalfOpen: true, unread: chunk }));
    },
  });
}

/** Who gets the events of the tracker: on Node's own sockets, and of many kinds. */
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';

export interface CollectorHabits {
  /** How long it thinks before it confirms an event, in ms. 0: at once. */
  readonly thinksMs: number;
  /** After so many events it does `then`. */
  readonly patience: number;
  /**
   * Falls silent; or resets the connection, after an event or, with one more asked for, before it
   * takes it. With whoever comes next it begins anew.
   */
  readonly then: 'silence' | 'reset' | 'reset-before';
}

export const PROMPT: CollectorHabits = { thinksMs: 0, patience: Infinity, then: 'silence' };

/** Asks for events, one by one, and remembers them. */
export class Collector {
  /** In the order of their coming. */
  readonly received: string[] = [];
  readonly port: number;
  readonly #server: net.Server;

  private constructor(server: net.Server, habits: CollectorHabits) {
    this.#server = server;
    this.port = (server.address() as net.AddressInfo).port;
    server.on('connection', (socket) => {
      this.#serve(socket, habits);
    });
  }

  static async listen(habits: CollectorHabits): Promise<Collector> {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Collector(server, habits);
  }

  /** Resolves when it has heard everything that was sent to it. */
  async close(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: net.Socket, { thinksMs, patience, then }: CollectorHabits): void {
    let left = patience;
    const ask = (): void => {
      if (left-- > 0 || then === 'reset-before') socket.write('\n');
      else if (then === 'reset') socket.resetAndDestroy();
    };
    socket.setNoDelay().on('error', () => undefined);
    createInterface({ input: socket }).on('line', (event) => {
      if (left < 0 && then === 'reset-before') {
        socket.resetAndDestroy();
        return;
      }
      this.received.push(event);
      if (thinksMs === 0) ask();
      else setTimeout(ask, thinksMs);
    });
    ask();
  }
}

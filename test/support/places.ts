/** Loopback addresses that take connections, refuse them, or do not answer. */
import {
  AF_INET,
  AF_INET6,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from '../../ts/sys/constants.js';
import { bind, close, socket } from '../../ts/sys/index.js';
import { SystemError, TcpListener, TcpStream } from '../../ts/index.js';
import { awaitReady, portOf, type Teardown } from './pairs.js';
import { EPOLLOUT } from '../../ts/sys/constants.js';

/** What happens to a client: it is taken, refused (RST), or never hears of its SYN. */
export type Manner = 'listens' | 'refuses' | 'silent';

/** Addresses that share a port. */
export interface Places {
  readonly port: number;
  /** Of those that listen. */
  readonly listeners: Readonly<Record<string, TcpListener>>;
}

/** Holds a port of every address for as long as the test runs, so that nobody else answers there. */
export function places(t: Teardown, manners: Readonly<Record<string, Manner>>): Places {
  for (;;) {
    const held: (() => void)[] = [];
    try {
      const found = hold(manners, held);
      t.teardown(() => {
        for (const release of held) release();
      });
      return found;
    } catch (error) {
      for (const release of held) release();
      // The kernel chose a port that another address has in use.
      if ((error as SystemError).code !== 'EADDRINUSE') throw error;
    }
  }
}

function hold(manners: Readonly<Record<string, Manner>>, held: (() => void)[]): Places {
  const first = TcpListener.listen();
  const port = portOf(first);
  first.close();
  const listeners: Record<string, TcpListener> = {};
  for (const [host, manner] of Object.entries(manners)) {
    if (manner === 'refuses') held.push(holdUnheard(host, port));
    else listeners[host] = listenAt(host, port, manner, held);
  }
  return { port, listeners };
}

function listenAt(host: string, port: number, manner: Manner, held: (() => void)[]): TcpListener {
  const backlog = manner === 'silent' ? 0 : 511;
  const listener = TcpListener.listen({ host, port, backlog });
  held.push(() => {
    listener.close();
  });
  if (manner === 'silent') {
    // One connection fills the queue of a listener without backlog: the kernel drops what comes then.
    const filler = TcpStream.connect({ host, port });
    held.push(() => {
      filler.close();
    });
    awaitReady(filler, EPOLLOUT);
  }
  return listener;
}

/** A socket that is bound and does not listen: the kernel refuses for it. */
function holdUnheard(host: string, port: number): () => void {
  const family = host.includes(':') ? AF_INET6 : AF_INET;
  const fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const result = bind(fd, { family, address: host, port });
  if (result < 0) {
    close(fd);
    throw new SystemError(result, 'bind');
  }
  return () => {
    close(fd);
  };
}

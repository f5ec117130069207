/** A worker of examples/workers.ts: the site of passwords, on a loop of its own. */
import { joinGroup, READABLE, TcpListener, TcpStream, UnixStream, WOULD_BLOCK } from 'raw-epoll';
import { SOMAXCONN } from 'raw-epoll/constants';
import { HttpServer } from '../http/http-server.js';
import { Mux } from '../http/mux.js';
import type { Reply } from '../http/reply.js';
import type { Request } from '../http/request.js';
import { passwords } from '../passwords.js';
import { countClient, countRequest, type Form, type Task } from './task.js';

const member = joinGroup();
const { form, host, port, fd, counts } = member.data as Task;

/** So often a page is made anew at most. */
const TIMES_MAX = 1000;

/** `?times=20`: works twenty times as much for the page, to see what more work does. */
function page({ query }: Request): Reply {
  countRequest(counts, member.index);
  for (let more = timesOf(query) - 1; more > 0; more--) passwords();
  return passwords();
}

function timesOf(query: string): number {
  const times = Number(new URLSearchParams(query).get('times') ?? 1);
  return Math.min(TIMES_MAX, Math.trunc(times) || 1);
}

const scope = member.loop.scope('http');
const server = new HttpServer(
  scope,
  new Mux().handle('GET', '/', page).handle('GET', '/password', page),
  {
    onClient: () => {
      countClient(counts, member.index);
    },
  },
);

const forms: Readonly<Record<Form, () => void>> = {
  /** A listener of its own: the kernel has a queue for each, and chooses by the client's address. */
  reuseport: () => {
    const options = { reusePort: true, backlog: SOMAXCONN, reserveDescriptor: true };
    server.serve(TcpListener.listen({ host, port, ...options }));
  },

  /**
   * One queue for all. Whoever is woken takes one, and not all that wait: the others are there to
   * serve them as well.
   */
  exclusive: () => {
    const listener = TcpListener.duplicate(fd, { reserveDescriptor: true });
    server.serve(listener, { exclusive: true, clientsPerTurn: 1 });
  },

  /** Clients come as descriptors, which the kernel keeps until they are taken. */
  acceptor: () => {
    const line = scope.own(UnixStream.duplicate(fd));
    const letter = new Uint8Array(1);
    scope.register(line, READABLE, () => {
      for (;;) {
        const message = line.receive(letter, 0, 1, 1);
        if (message === WOULD_BLOCK) return;
        if (message.bytes === 0) {
          line.close(); // The acceptor has closed its end: nobody comes any more.
          return;
        }
        for (const client of message.descriptors) server.welcome(TcpStream.adopt(client));
      }
    });
  },
};

forms[form]();
member.ready();
member.run();

/**
 * A TCP proxy: what comes in goes to another address, and what comes from there goes back.
 *
 *     node build/examples/proxy.js --to 127.0.0.1:8081      and elsewhere: nc 127.0.0.1 8080
 *
 * Four things that are easy to get wrong:
 *
 * - Back pressure, both ways: while one side does not take what it is owed, the other is not read. So
 *   a pair costs two high-water marks at most, however much is under way.
 * - The half-close is kept: the end of one direction is the end of that direction, and the other
 *   goes on. `nc -N` sends its end and still gets the answer.
 * - Connecting takes time and may fail: the client is not read until it has succeeded.
 * - What breaks one side breaks the other: a reset goes through as a reset, so that nobody takes
 *   half of something for all of it.
 */
import { isIP } from 'node:net';
import {
  READABLE,
  TcpStream,
  UnixStream,
  WRITABLE,
  type Connection,
  type ConnectionHandlers,
  type Stream,
} from 'raw-epoll';
import { announce, commandLine, leave, type ListenAt } from './lib/command-line.js';
import { listenAt } from './lib/listen.js';
import { BACKENDS, openLoop } from './lib/open-loop.js';

const PROGRAM = 'proxy';
const CONNECT_MS = 10_000;

/** One of the two directions: from the connection whose handlers these are to the other one. */
class Direction implements ConnectionHandlers {
  readonly #done: () => void;
  #other: Connection | undefined;

  constructor(done: () => void) {
    this.#done = done;
  }

  leadTo(other: Connection): void {
    this.#other = other;
  }

  data(chunk: Buffer, connection: Connection): void {
    if (this.#other?.write(chunk) === false) connection.pause();
  }

  end(): void {
    this.#other?.end();
  }

  /** This one has taken all that it was owed: the other may be read again. */
  drain(): void {
    this.#other?.resume();
  }

  close(_: Connection, error: Error | undefined): void {
    this.#done();
    if (error === undefined || this.#other === undefined || this.#other.closed) return;
    const { stream } = this.#other;
    if (stream instanceof TcpStream) stream.setLinger(0);
    this.#other.destroy(error);
  }
}

/** Has two streams exchange what they get. A shutdown gives them the time to finish. */
function join(client: Stream, upstream: Stream): void {
  const work = loop.root.hold();
  let open = 2;
  const done = (): void => {
    if (--open === 0) work.release();
  };
  const [there, back] = [new Direction(done), new Direction(done)];
  const marks = { highWaterMark: 256 * 1024, lowWaterMark: 64 * 1024 };
  const [left, right] = [
    loop.connection(client, there, marks),
    loop.connection(upstream, back, marks),
  ];
  there.leadTo(right);
  back.leadTo(left);
}

/**
 * Connects for a client. The scope is the attempt: success, refusal and the time limit, whichever is
 * first, close it, and with it whatever of the attempt is left.
 */
function serve(client: Stream): void {
  const attempt = loop.scope('attempt', { timeoutMs: CONNECT_MS });
  attempt.own(client);
  attempt.onError = (error) => {
    console.error(`${PROGRAM}: ${(error as Error).message}`);
    attempt.close(error);
  };
  try {
    const upstream = attempt.own(connect());
    const connecting = attempt.register(upstream, WRITABLE, () => {
      const error = upstream.takeError();
      if (error !== null) throw error;
      connecting.deregister();
      join(client, upstream);
      attempt.close();
    });
  } catch (error) {
    attempt.fail(error); // what the kernel knows at once
  }
}

function connect(): Stream {
  if ('path' in target) return UnixStream.connect(target);
  const stream = TcpStream.connect(target);
  stream.setNoDelay();
  return stream;
}

/** `127.0.0.1:8081`, `[::1]:8081`, or a path. */
function parseTarget(text: string | undefined): ListenAt {
  if (text?.includes('/') === true) return { path: text };
  const [, host = '', port = ''] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(text ?? '') ?? [];
  if (isIP(host) !== 0 && Number(port) > 0 && Number(port) < 65_536) {
    return { host, port: Number(port) };
  }
  const wanted = '--to must be ADDRESS:PORT or the path of a Unix socket';
  leave(PROGRAM, text === undefined ? wanted : `${wanted}, not '${text}'`, 2);
}

const { at, backend, own } = commandLine(PROGRAM, {
  backends: BACKENDS,
  options: { to: '--to ADDRESS:PORT   where to connect for each client, or a path' },
});
const target = parseTarget(own.to);
const loop = openLoop(PROGRAM, { backend });
const listener = loop.root.own(listenAt(PROGRAM, at));
loop.register(listener, READABLE, () => {
  for (let stream; (stream = listener.accept()) !== null;) {
    if (stream instanceof TcpStream) stream.setNoDelay();
    serve(stream);
  }
});
loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs: 2000 });
announce(listener.address);
loop.run();

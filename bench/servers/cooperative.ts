/**
 * An echo server beside an interval of Node, which notes how late it is while there are clients, and
 * by how much the processor time since the last tick exceeds the interval: what else runs on the
 * core is not in that. SIGTERM ends it: it prints the milliseconds, as JSON.
 *
 *     node build/bench/servers/cooperative.js --drive runAsync|Epoll.turns|Poller.turns|net
 */
import net from 'node:net';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Epoll, Loop, Poller, READABLE, SystemError, TcpListener, type TcpStream } from 'raw-epoll';
import { EPOLLIN } from 'raw-epoll/constants';

const INTERVAL_MS = 10;

const buffer = new Uint8Array(64 * 1024);
let clients = 0;

/** Small messages over a loopback: the kernel takes what it has just given. */
function echo(stream: TcpStream): void {
  try {
    const length = stream.read(buffer);
    if (length > 0) stream.write(buffer, 0, length);
    if (length !== 0) return;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
  clients--;
  stream.close();
}

function accept(listener: TcpListener, serve: (stream: TcpStream) => void): void {
  for (let stream; (stream = listener.accept()) !== null;) {
    clients++;
    stream.setNoDelay();
    serve(stream);
  }
}

function listen(): TcpListener {
  const listener = TcpListener.listen({ host: '127.0.0.1', port: 0 });
  if ('port' in listener.address) announce(listener.address.port);
  return listener;
}

function announce(port: number): void {
  console.log(`listening on 127.0.0.1:${String(port)}`);
}

/** How each of them drives the server. */
const drives: Readonly<Record<string, () => Promise<void> | void>> = {
  runAsync() {
    const loop = new Loop();
    const listener = listen();
    const serve = (stream: TcpStream): void => {
      loop.register(stream, READABLE, () => {
        echo(stream);
      });
    };
    loop.register(listener, READABLE, () => {
      accept(listener, serve);
    });
    return loop.runAsync();
  },

  async 'Epoll.turns'() {
    const epoll = new Epoll<TcpStream>();
    const listener = listen();
    epoll.add(listener, EPOLLIN);
    const serve = (stream: TcpStream): void => {
      epoll.add(stream, EPOLLIN, stream);
    };
    for await (const events of epoll.turns()) {
      for (let i = 0; i < events.length; i++) {
        const stream = events.data(i);
        if (stream !== undefined) echo(stream);
        else accept(listener, serve);
      }
    }
  },

  async 'Poller.turns'() {
    const poller = new Poller<TcpStream>();
    const listener = listen();
    poller.add(listener, READABLE);
    const serve = (stream: TcpStream): void => {
      poller.add(stream, READABLE, { data: stream });
    };
    for await (const events of poller.turns()) {
      for (let i = 0; i < events.length; i++) {
        const stream = events.data(i);
        if (stream !== undefined) echo(stream);
        else accept(listener, serve);
      }
    }
  },

  net() {
    const server = net.createServer({ noDelay: true }, (socket) => {
      clients++;
      socket.on('data', (chunk) => socket.write(chunk));
      socket.on('error', () => undefined).on('close', () => clients--);
    });
    server.listen(0, '127.0.0.1', () => {
      announce((server.address() as net.AddressInfo).port);
    });
  },
};

const { values } = parseArgs({ options: { drive: { type: 'string', default: 'runAsync' } } });
const late: number[] = [];
const own: number[] = [];
let last = performance.now();
let used = process.cpuUsage();
setInterval(() => {
  const now = performance.now();
  const { user, system } = process.cpuUsage(used);
  used = process.cpuUsage();
  if (clients > 0) {
    late.push(Math.max(0, now - last - INTERVAL_MS));
    own.push(Math.max(0, (user + system) / 1000 - INTERVAL_MS));
  }
  last = now;
}, INTERVAL_MS);
process.on('SIGTERM', () => {
  console.log(JSON.stringify({ late, own }));
  process.exit();
});
await drives[values.drive]?.();

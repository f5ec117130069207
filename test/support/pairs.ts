/** Connected pairs that the end of a test closes. */
import { EPOLLIN, EPOLLOUT } from '../../ts/sys/constants.js';
import {
  Epoll,
  EpollEvents,
  EventFd,
  Loop,
  Pipe,
  TcpListener,
  TcpStream,
  UnixStream,
  type SystemError,
  type TcpConnectOptions,
  type TcpListenOptions,
} from '../../ts/index.js';

/** The part of an ava context that closes things at the end. */
export interface Teardown {
  teardown: (body: () => void) => void;
}

/** Closes an object at the end of the test, whatever happened to its number. */
export function closing<T extends { close: () => void }>(t: Teardown, object: T): T {
  t.teardown(() => {
    object.close();
  });
  return object;
}

export function newEpoll<T = unknown>(t: Teardown): Epoll<T> {
  return closing(t, new Epoll<T>());
}

export function newLoop(t: Teardown): Loop {
  return closing(t, new Loop());
}

export function newEventFd(t: Teardown, initialValue = 0): EventFd {
  return closing(t, new EventFd({ initialValue }));
}

export function unixPair(t: Teardown): [UnixStream, UnixStream] {
  const [left, right] = UnixStream.pair();
  return [closing(t, left), closing(t, right)];
}

export function pipePair(t: Teardown): { reader: Pipe; writer: Pipe } {
  const { reader, writer } = Pipe.pair();
  return { reader: closing(t, reader), writer: closing(t, writer) };
}

/** A connection over the loopback, established at both ends. */
export function tcpPair(
  t: Teardown,
  options: TcpListenOptions = {},
): { client: TcpStream; server: TcpStream } {
  using listener = TcpListener.listen(options);
  const client = closing(t, TcpStream.connect({ host: hostOf(listener), port: portOf(listener) }));
  const server = closing(t, acceptOne(listener));
  awaitReady(client, EPOLLOUT);
  return { client, server };
}

/** Takes one connection, waiting for it. */
export function acceptOne<S>(listener: { readonly fd: number; accept: () => S | null }): S {
  awaitReady(listener, EPOLLIN);
  const stream = listener.accept();
  if (stream === null) throw new Error('the listener was ready and had no connection');
  return stream;
}

/** Waits until a descriptor has one of the conditions. */
export function awaitReady(descriptor: { readonly fd: number }, conditions: number): void {
  if (waitFor(descriptor, conditions, 10_000)) return;
  throw new Error(`fd ${descriptor.fd} did not become ready`);
}

/** Whether a descriptor becomes ready within some time. */
export function waitFor({ fd }: { readonly fd: number }, conditions: number, ms: number): boolean {
  using epoll = new Epoll();
  epoll.add(fd, conditions);
  return epoll.wait(new EpollEvents(1), ms) > 0;
}

/** The code that a connect fails with: it may be refused at once, or a little later. */
export function connectError(t: Teardown, options: TcpConnectOptions): string | undefined {
  try {
    const stream = closing(t, TcpStream.connect(options));
    awaitReady(stream, EPOLLOUT);
    return stream.takeError()?.code;
  } catch (error) {
    return (error as SystemError).code;
  }
}

/** The port that a listener got from the kernel. */
export function portOf(listener: TcpListener): number {
  const { address } = listener;
  if (!('port' in address)) throw new Error('a TCP listener without a port');
  return address.port;
}

function hostOf(listener: TcpListener): string {
  const { address } = listener;
  if (!('address' in address)) throw new Error('a TCP listener without an address');
  return address.address;
}

/**
 * What the compiler accepts and refuses. The lines are never run: `tsc` is the test, and each
 * `@ts-expect-error` fails the build when its line becomes legal.
 */
import test from 'ava';
import {
  ByteChannel,
  Channel,
  connect,
  connectAsync,
  type Credentials,
  DatagramBatch,
  Epoll,
  EpollEvents,
  EventFd,
  Loop,
  Pipe,
  Poller,
  PollerEvents,
  PRIORITY,
  READABLE,
  Receiver,
  type ReceivedMessage,
  type Scope,
  type SignalWatch,
  type SocketAddress,
  SystemError,
  type TcpInfo,
  TcpListener,
  TcpStream,
  TimerFd,
  UdpSocket,
  UnixListener,
  UnixStream,
  Waker,
  WOULD_BLOCK,
  WRITABLE,
} from 'raw-epoll';
import * as constants from 'raw-epoll/constants';
import * as sys from 'raw-epoll/sys';

interface Connection {
  readonly name: string;
}

/** Something is done with the values, so that they are no waste. */
function use(...values: readonly unknown[]): number {
  return values.length;
}

export function level2(stream: TcpStream): void {
  const epoll = new Epoll<Connection>();
  const events = new EpollEvents<Connection>(16);
  epoll.add(stream, constants.EPOLLIN, { name: 'a' });
  epoll.add(7, constants.EPOLLIN);
  // @ts-expect-error data of another type
  epoll.add(stream, constants.EPOLLIN, 'text');
  // @ts-expect-error a batch of another type
  epoll.wait(new EpollEvents<string>());
  const count: number = epoll.wait(events, 0.5);
  const name: string | undefined = events.data(count)?.name;
  // @ts-expect-error data may be gone
  events.data(0).name.trim();
  for (const { fd, events: mask, data } of events) {
    const numbers: [number, number] = [fd, mask];
    const connection: Connection | undefined = data;
    use(numbers, connection, name);
  }
  // @ts-expect-error read-only
  epoll.fd = 3;
  // @ts-expect-error wakers come from a set, or from a posted one
  use(new Waker(1));
  use(Waker.from({ id: 1 }));
}

export async function channels(): Promise<void> {
  const { sender, receiver } = Channel.open<Connection>({ capacity: 0 });
  const sent: boolean = await sender.send({ name: 'a' });
  // @ts-expect-error a value of another type
  sender.trySend('text');
  const name: string | undefined = (await receiver.receive()).value?.name;
  // @ts-expect-error the time may be over
  use((await receiver.receive({ timeoutMs: 1 })).value);
  // @ts-expect-error there may be nothing now
  use(receiver.tryReceive().value);
  for await (const { name: each } of receiver) use(each);
  use(Receiver.from<Connection>(receiver.share()), sent, name);
  const bytes = ByteChannel.open();
  const value: Uint8Array | undefined = bytes.receiver.receiveSync().value;
  // @ts-expect-error bytes come in views
  bytes.sender.trySend('text');
  // @ts-expect-error ends come from a channel, or from a posted one
  use(new Receiver(), value);
}

export function level3(stream: TcpStream): void {
  const poller = new Poller<Connection>({ backend: 'poll' });
  const events = new PollerEvents<Connection>(16);
  poller.add(stream, READABLE | WRITABLE, { mode: 'oneshot', data: { name: 'a' } });
  poller.add(7, PRIORITY);
  // @ts-expect-error data of another type
  poller.add(stream, READABLE, { data: 'text' });
  // @ts-expect-error an unknown mode
  poller.modify(stream, READABLE, { mode: 'both' });
  // @ts-expect-error an unknown backend
  use(new Poller({ backend: 'iocp' }));
  // @ts-expect-error a batch of another kind
  poller.wait(new EpollEvents<Connection>());
  const count: number = poller.wait(events, 0.5);
  const readable: boolean = events.readable(count) && poller.supports.edge;
  // @ts-expect-error data may be gone
  events.data(0).name.trim();
  for (const { fd, data, hangup } of events) use(fd, data?.name, hangup, readable);
  // @ts-expect-error read-only
  poller.backend = 'epoll';
  const waker: Waker = poller.waker();
  use(waker, poller.get(stream)?.mode, Poller.backends());
}

export function connecting(scope: Scope): void {
  connect(scope, { port: 80 }, (error, stream) => {
    // @ts-expect-error one of the two is null or undefined
    stream.write(new Uint8Array(1));
    if (error === null) use(stream.write(new Uint8Array(1)));
    else use(error.message);
  });
  // @ts-expect-error without a port
  connect(scope, { host: 'localhost' }, () => undefined);
  // @ts-expect-error Node's way to choose
  connect(scope, { port: 80, family: 6 }, () => undefined);
  const promised: Promise<TcpStream> = connectAsync(scope, { host: 'name', port: 80 });
  use(promised);
}

export function signals(): void {
  using loop = new Loop();
  using watch: SignalWatch = loop.onSignal('SIGINT', (signal) => {
    const name: NodeJS.Signals = signal;
    use(name);
  });
  // @ts-expect-error a number is no name
  loop.onSignal(2, () => undefined);
  // @ts-expect-error no signal
  loop.onSignal('SIGNAL', () => undefined, { label: 'none' });
  // @ts-expect-error read-only
  watch.signal = 'SIGTERM';
}

export function descriptors(): void {
  using listener = TcpListener.listen({ port: 0, reserveDescriptor: true });
  const accepted: TcpStream | null = listener.accept();
  const read: number | undefined = accepted?.read(new Uint8Array(4), 0, 4);
  const address: SocketAddress = listener.address;
  const [left, right]: [UnixStream, UnixStream] = UnixStream.pair();
  const unixAccepted: UnixStream | null = UnixListener.listen({ path: '\0name' }).accept();
  const fired: bigint | -1 = new TimerFd().read();
  const counted: bigint | typeof WOULD_BLOCK = new EventFd().read();
  const { reader, writer }: { reader: Pipe; writer: Pipe } = Pipe.pair();
  const error: SystemError | null = left.takeError();
  const udp: UdpSocket = UdpSocket.bind({ port: 0 });
  const length: number = udp.receive(new Uint8Array(4), 0, 4, {});
  const batch = new DatagramBatch(8, 512);
  const went: number = udp.sendBatch(batch);
  const message: ReceivedMessage | -1 = left.receive(new Uint8Array(4));
  if (message !== WOULD_BLOCK) use(TcpStream.adopt(message.descriptors[0] ?? 0));
  // @ts-expect-error may be nothing
  const sure: ReceivedMessage = left.receive(new Uint8Array(4));
  // @ts-expect-error one descriptor is no list
  left.sendDescriptors(right);
  use(length, went, sure);
  // @ts-expect-error a name of a direction, not a number
  right.shutdown(1);
  // @ts-expect-error a port is needed
  TcpStream.connect({ host: '::1' });
  // @ts-expect-error an ArrayBuffer is no view
  reader.read(new ArrayBuffer(8));
  use(read, address, unixAccepted, fired, counted, writer, error);
}

export function options(stream: TcpStream, unix: UnixStream): void {
  const listener = TcpListener.listen({ deferAccept: 5, fastOpen: 16 });
  const info: TcpInfo = stream.info();
  // @ts-expect-error a kernel may leave it out
  const acked: number = info.bytes_acked;
  // @ts-expect-error the name of no state
  use(info.state === 'OPEN', info.state === 'ESTABLISHED', info.rtt + info.total_retrans);
  stream.setLinger(null);
  // @ts-expect-error closing would block the thread
  stream.setLinger(5);
  // @ts-expect-error a number is no boolean
  stream.setCork(1);
  const limits: [number, number, number | null] = [
    stream.userTimeout,
    stream.notSentLowat,
    stream.linger,
  ];
  // @ts-expect-error set by its method, which can refuse
  stream.userTimeout = 5;
  const { pid, uid, gid }: Credentials = unix.peerCredentials;
  const numbers: [number, boolean] = [listener.deferAccept, listener.reusePort];
  use(acked, limits, pid, uid, gid, numbers, UdpSocket.bind().busyPoll);
}

export function level1(): void {
  const events = new sys.EpollEventArray(8);
  const answer: number = sys.epoll_wait(3, events, 8, -1);
  const data: bigint = events.getData(0);
  sys.epoll_ctl(3, constants.EPOLL_CTL_ADD, 4);
  sys.epoll_ctl(3, constants.EPOLL_CTL_ADD, 4, constants.EPOLLIN, 2n ** 64n - 1n);
  // @ts-expect-error bare memory is no EpollEventArray
  sys.epoll_wait(3, new Uint8Array(96), 8, -1);
  sys.bind(4, { family: constants.AF_INET, address: '127.0.0.1', port: 0 });
  // @ts-expect-error a port is missing
  sys.bind(4, { family: constants.AF_INET, address: '127.0.0.1' });
  sys.accept4(4, null, 0);
  const fds = new sys.PollFdArray(1);
  fds.set(0, 4, constants.POLLIN);
  sys.poll(fds, 1, -1);
  sys.ppoll(fds, 1, null, [constants.SIGINT]);
  // @ts-expect-error bare memory is no PollFdArray
  sys.poll(new Uint8Array(8), 1, -1);
  sys.select(5, new sys.FdSet(), null, null, 5n);
  const changes = new sys.KeventArray(1);
  changes.set(0, 4, constants.EVFILT_READ, constants.EV_ADD, 0, 0n, 2n ** 64n - 1n);
  sys.kevent(sys.kqueue(), changes, 1, null, 0, null);
  // @ts-expect-error an array of epoll is none of kqueue
  sys.kevent(3, null, 0, events, 8, 0);
  // @ts-expect-error what is left out is no null
  sys.select(5, new sys.FdSet());
  use(answer, data);
}

test('the public surface has the classes and functions of the contract', (t) => {
  for (const value of [Epoll, EpollEvents, EventFd, Pipe, SystemError, TcpListener, TcpStream]) {
    t.is(typeof value, 'function');
  }
  t.is(WOULD_BLOCK, -1);
  t.is(constants.EPOLLET, 2 ** 31);
  t.deepEqual(
    Object.keys(sys)
      .filter((name) => /^[a-z]/.test(name))
      .sort(),
    LEVEL_1,
  );
});

/** The system calls of the contract, in the order of the alphabet. */
const LEVEL_1 = [
  'accept4',
  'bind',
  'close',
  'connect',
  'dup',
  'dup2',
  'dup3',
  'epoll_create1',
  'epoll_ctl',
  'epoll_pwait',
  'epoll_pwait2',
  'epoll_wait',
  'errnoName',
  'eventfd',
  'eventfd_read',
  'eventfd_write',
  'fcntl',
  'getpeername',
  'getsockname',
  'getsockopt',
  'inotify_add_watch',
  'inotify_init1',
  'inotify_rm_watch',
  'ioctl',
  'kevent',
  'kqueue',
  'listen',
  'pidfd_open',
  'pipe2',
  'poll',
  'ppoll',
  'read',
  'readv',
  'recv',
  'recvfrom',
  'recvmmsg',
  'recvmsg',
  'select',
  'send',
  'sendfile',
  'sendmmsg',
  'sendmsg',
  'sendto',
  'setsockopt',
  'shutdown',
  'socket',
  'socketpair',
  'splice',
  'strerror',
  'timerfd_create',
  'timerfd_gettime',
  'timerfd_settime',
  'write',
  'writev',
];

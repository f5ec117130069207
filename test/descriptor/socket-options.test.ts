/** Options of sockets, against what the kernel says at level 1 and what it does. */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import test from 'ava';
import {
  TcpListener,
  type TcpListenOptions,
  TcpStream,
  UdpSocket,
  UnixListener,
  UnixStream,
  WOULD_BLOCK,
} from '../../ts/index.js';
import { tcpInfoOf } from '../../ts/descriptor/tcp-info.js';
import {
  EPOLLIN,
  EPOLLOUT,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SO_BUSY_POLL,
  SO_LINGER,
  SO_PEERCRED,
  SO_REUSEPORT,
  SOL_SOCKET,
  TCP_CLOSING,
  TCP_CORK,
  TCP_DEFER_ACCEPT,
  TCP_ESTABLISHED,
  TCP_FASTOPEN,
  TCP_INFO,
  TCP_NOTSENT_LOWAT,
  TCP_QUICKACK,
  TCP_USER_TIMEOUT,
} from '../../ts/sys/constants.js';
import { getsockopt, poll, PollFdArray, setsockopt } from '../../ts/sys/index.js';
import { binding } from '../../ts/native.js';
import { countDescriptors } from '../support/descriptors.js';
import { needs } from '../support/emulator.js';
import { eventually } from '../support/eventually.js';
import { acceptOne, awaitReady, closing, portOf, tcpPair, unixPair } from '../support/pairs.js';

const text = (length: number): Uint8Array => new Uint8Array(length).fill(0x61);

/** An option of ints, from the kernel. */
function kernel({ fd }: { readonly fd: number }, level: number, name: number, ints = 1): number[] {
  const value = new Int32Array(ints);
  if (getsockopt(fd, level, name, value) !== value.byteLength) throw new Error('another length');
  return [...value];
}

/** The conditions that a descriptor has now. */
function ready({ fd }: { readonly fd: number }, conditions: number): number {
  const fds = new PollFdArray(1);
  fds.set(0, fd, conditions);
  poll(fds, 1, 0);
  return fds.getRevents(0);
}

const testOfInfo = needs('TCP_INFO');

test('setCork sets and clears TCP_CORK', (t) => {
  const { client } = tcpPair(t);
  t.false(client.cork);
  client.setCork();
  t.deepEqual(kernel(client, IPPROTO_TCP, TCP_CORK), [1]);
  t.true(client.cork);
  client.setCork(false);
  t.deepEqual(kernel(client, IPPROTO_TCP, TCP_CORK), [0]);
  t.false(client.cork);
});

testOfInfo('a cork holds small writes back until it is pulled', (t) => {
  const { client, server } = tcpPair(t);
  client.setCork();
  client.write(text(10));
  client.write(text(20));
  t.is(client.info().notsent_bytes, 30);
  t.is(client.info().data_segs_out, 0);
  t.is(server.read(new Uint8Array(64)), WOULD_BLOCK);
  client.setCork(false);
  awaitReady(server, EPOLLIN);
  t.is(server.read(new Uint8Array(64)), 30);
  t.is(client.info().data_segs_out, 1);
});

test('setQuickAck sets and clears TCP_QUICKACK', (t) => {
  const { client } = tcpPair(t);
  for (const on of [false, true]) {
    client.setQuickAck(on);
    t.deepEqual(kernel(client, IPPROTO_TCP, TCP_QUICKACK), [Number(on)]);
    t.is(client.quickAck, on);
  }
});

test('setUserTimeout sets TCP_USER_TIMEOUT in milliseconds', (t) => {
  const { client } = tcpPair(t);
  t.is(client.userTimeout, 0);
  for (const ms of [1, 30_000, 2 ** 31 - 1, 0]) {
    client.setUserTimeout(ms);
    t.deepEqual(kernel(client, IPPROTO_TCP, TCP_USER_TIMEOUT), [ms]);
    t.is(client.userTimeout, ms);
  }
});

testOfInfo('setNotSentLowat decides how much unsent data leaves a stream writable', (t) => {
  const { client } = tcpPair(t);
  t.is(client.notSentLowat, 0);
  while (client.info().notsent_bytes === 0) client.write(text(65_536));
  // There is unsent data now, and room for more of it.
  t.is(ready(client, EPOLLOUT), EPOLLOUT);
  client.setNotSentLowat(1);
  t.deepEqual(kernel(client, IPPROTO_TCP, TCP_NOTSENT_LOWAT), [1]);
  t.is(client.notSentLowat, 1);
  t.is(ready(client, EPOLLOUT), 0);
  client.setNotSentLowat(2 ** 32 - 1);
  t.is(client.notSentLowat, 2 ** 32 - 1);
  t.is(ready(client, EPOLLOUT), EPOLLOUT);
});

test('with a linger of 0 the peer reads ECONNRESET, without one the end of the stream', (t) => {
  for (const [seconds, outcome] of [
    [0, 'ECONNRESET'],
    [null, 0],
  ] as const) {
    const { client, server } = tcpPair(t);
    client.setLinger(0);
    client.setLinger(seconds);
    t.is(client.linger, seconds);
    t.deepEqual(kernel(client, SOL_SOCKET, SO_LINGER, 2), [seconds === null ? 0 : 1, 0]);
    client.close();
    awaitReady(server, EPOLLIN);
    if (outcome === 0) t.is(server.read(text(1)), 0);
    else t.throws(() => server.read(text(1)), { code: outcome });
  }
});

test('linger answers what level 1 set, in seconds', (t) => {
  const { client } = tcpPair(t);
  t.is(setsockopt(client.fd, SOL_SOCKET, SO_LINGER, Int32Array.of(1, 17)), 0);
  t.is(client.linger, 17);
  client.setLinger(null);
  t.is(client.linger, null);
});

test('setBusyPoll sets SO_BUSY_POLL in microseconds, or is refused as the kernel says', (t) => {
  const { client } = tcpPair(t);
  for (const socket of [client, closing(t, UdpSocket.bind())]) {
    const refused = setsockopt(socket.fd, SOL_SOCKET, SO_BUSY_POLL, 51);
    if (refused === 0) {
      socket.setBusyPoll(50);
      t.deepEqual(kernel(socket, SOL_SOCKET, SO_BUSY_POLL), [50]);
      t.is(socket.busyPoll, 50);
      socket.setBusyPoll(0);
      t.is(socket.busyPoll, 0);
    } else {
      const error = t.throws(() => {
        socket.setBusyPoll(51);
      });
      t.is((error as { errno?: unknown }).errno, refused);
    }
  }
});

test('a listener with deferAccept is not readable until data comes', (t) => {
  for (const set of ['option', 'method'] as const) {
    const deferAccept = set === 'option' ? { deferAccept: 30 } : {};
    const listener = closing(t, TcpListener.listen(deferAccept));
    if (set === 'method') listener.setDeferAccept(30);
    t.is(listener.deferAccept, kernel(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT)[0]!);
    t.true(listener.deferAccept >= 30);
    const client = closing(t, TcpStream.connect({ port: portOf(listener) }));
    awaitReady(client, EPOLLOUT);
    t.is(client.info().state, 'ESTABLISHED');
    t.is(ready(listener, EPOLLIN), 0);
    t.is(listener.accept(), null);
    client.write(text(3));
    const server = closing(t, acceptOne(listener));
    t.is(server.read(new Uint8Array(8)), 3);
  }
});

test('deferAccept of 0 is off', (t) => {
  const listener = closing(t, TcpListener.listen({ deferAccept: 30 }));
  listener.setDeferAccept(0);
  t.is(listener.deferAccept, 0);
  closing(t, TcpStream.connect({ port: portOf(listener) }));
  closing(t, acceptOne(listener));
});

test('fastOpen sets the length of the queue of TCP_FASTOPEN', (t) => {
  const listener = closing(t, TcpListener.listen({ fastOpen: 16 }));
  t.deepEqual(kernel(listener, IPPROTO_TCP, TCP_FASTOPEN), [16]);
  t.is(listener.fastOpen, 16);
  listener.setFastOpen(0);
  t.is(listener.fastOpen, 0);
  listener.setFastOpen(5);
  t.deepEqual(kernel(listener, IPPROTO_TCP, TCP_FASTOPEN), [5]);
});

test('reusePort and ipv6Only answer what the kernel has', (t) => {
  for (const reusePort of [false, true]) {
    const listener = closing(t, TcpListener.listen({ reusePort }));
    t.deepEqual(kernel(listener, SOL_SOCKET, SO_REUSEPORT), [Number(reusePort)]);
    t.is(listener.reusePort, reusePort);
    t.throws(() => listener.ipv6Only, { code: 'EOPNOTSUPP', message: /getsockopt fd \d+$/ });
  }
});

const testIpv6 = canListen6() ? test : test.skip; // no IPv6 in this kernel or namespace

function canListen6(): boolean {
  try {
    TcpListener.listen({ host: '::1' }).close();
    return true;
  } catch {
    return false;
  }
}

testIpv6('ipv6Only of an IPv6 listener is what it was made with', (t) => {
  for (const ipv6Only of [false, true]) {
    const listener = closing(t, TcpListener.listen({ host: '::', ipv6Only }));
    t.deepEqual(kernel(listener, IPPROTO_IPV6, IPV6_V6ONLY), [Number(ipv6Only)]);
    t.is(listener.ipv6Only, ipv6Only);
  }
});

test('peerCredentials are those of the process at the other end', (t) => {
  const own = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
  const [left] = unixPair(t);
  t.deepEqual(left.peerCredentials, own as never);
  t.deepEqual(kernel(left, SOL_SOCKET, SO_PEERCRED, 3), Object.values(own) as number[]);

  const path = `\0raw-epoll-credentials-${process.pid}`;
  const listener = closing(t, UnixListener.listen({ path }));
  closing(t, UnixStream.connect({ path }));
  t.deepEqual(closing(t, acceptOne(listener)).peerCredentials, own as never);
});

test('peerCredentials of another process name it', (t) => {
  const path = `\0raw-epoll-other-${process.pid}`;
  const listener = closing(t, UnixListener.listen({ path }));
  const program = `import os, socket; s = socket.socket(socket.AF_UNIX); s.connect("\\0${path.slice(1)}"); print(os.getpid(), os.getuid(), os.getgid())`;
  const { stdout } = spawnSync('python3', ['-c', program], { encoding: 'utf8' });
  const [pid, uid, gid] = stdout.trim().split(' ').map(Number);
  t.not(pid, process.pid);
  t.deepEqual(closing(t, acceptOne(listener)).peerCredentials, { pid, uid, gid } as never);
});

test('info tells the state, and each change of it', async (t) => {
  const { client, server } = tcpPair(t);
  t.is(client.info().state, 'ESTABLISHED');
  client.shutdown('write');
  awaitReady(server, EPOLLIN);
  t.is(server.info().state, 'CLOSE_WAIT');
  t.is(await eventually(() => client.info().state, 'FIN_WAIT2'), 'FIN_WAIT2');
  server.shutdown('write');
  t.is(await eventually(() => server.info().state, 'CLOSE'), 'CLOSE');
});

testOfInfo('info counts bytes and segments, and measures the way', async (t) => {
  const { client, server } = tcpPair(t);
  client.write(text(1000));
  awaitReady(server, EPOLLIN);
  t.is(await eventually(() => client.info().unacked, 0), 0);
  const sent = client.info();
  t.is(sent.bytes_acked, 1001); // with the SYN
  t.is(sent.data_segs_out, 1);
  t.is(sent.data_segs_in, 0);
  t.is(sent.notsent_bytes, 0);
  t.is(sent.total_retrans, 0);
  t.true(sent.rtt > 0 && sent.rtt < 1_000_000, String(sent.rtt));
  t.true(sent.min_rtt! > 0 && sent.min_rtt! <= sent.rtt * 8, String(sent.min_rtt));
  t.true(sent.snd_cwnd > 0 && sent.snd_mss > 500 && sent.pmtu >= sent.snd_mss);
  t.true(sent.segs_out! >= 2 && sent.segs_in! >= 2);
  const received = server.info();
  t.is(received.bytes_received, 1000);
  t.is(received.data_segs_in, 1);
});

testOfInfo('info is where python finds it in the struct', (t) => {
  const { client } = tcpPair(t);
  const bytes = Buffer.alloc(256);
  const length = getsockopt(client.fd, IPPROTO_TCP, TCP_INFO, bytes);
  // The head of the struct by hand: eight bytes, then 24 words of 32 bits, then 64 bits each.
  const program = `
import json, struct, sys
b = sys.stdin.buffer.read()
u8 = struct.unpack_from("8B", b)
u32 = struct.unpack_from("=24I", b, 8)
u64 = struct.unpack_from("=4Q", b, 104)
segs = struct.unpack_from("=6I", b, 136)
print(json.dumps(dict(state=u8[0], rto=u32[0], snd_mss=u32[2], pmtu=u32[13], rtt=u32[15], rttvar=u32[16],
  snd_cwnd=u32[18], total_retrans=u32[23], bytes_acked=u64[2], bytes_received=u64[3],
  segs_out=segs[0], segs_in=segs[1], notsent_bytes=segs[2], min_rtt=segs[3])))`;
  const { stdout, stderr } = spawnSync('python3', ['-c', program], {
    input: bytes.subarray(0, length),
    encoding: 'utf8',
  });
  const expected = JSON.parse(stdout || '{}') as Record<string, number>;
  t.is(expected['state'], TCP_ESTABLISHED, stderr);
  t.like(tcpInfoOf(bytes.subarray(0, length)), { ...expected, state: 'ESTABLISHED' });
});

testOfInfo('what the kernel did not fill in is absent', (t) => {
  const { client } = tcpPair(t);
  const bytes = new Uint8Array(256);
  const { layout } = binding;
  const head = layout['tcp_info_bytes_acked'] ?? 0;
  t.true(getsockopt(client.fd, IPPROTO_TCP, TCP_INFO, bytes) > head);
  const early = tcpInfoOf(bytes.subarray(0, head + 7)); // all of the field but a byte
  t.is(early.state, 'ESTABLISHED');
  t.is(Object.keys(early).at(-1), 'total_retrans');
  t.false('bytes_acked' in early);
  t.true('bytes_acked' in tcpInfoOf(bytes.subarray(0, head + 8)));
});

test('a state that has no name yet is its number', (t) => {
  t.is(tcpInfoOf(Uint8Array.of(TCP_CLOSING)).state, 'CLOSING');
  t.is(tcpInfoOf(Uint8Array.of(77)).state, '77');
});

/** The objects that have options. */
function sockets(): { stream: TcpStream; listener: TcpListener; udp: UdpSocket; unix: UnixStream } {
  const listener = TcpListener.listen();
  const stream = TcpStream.connect({ port: portOf(listener) });
  const [unix, peer] = UnixStream.pair();
  peer.close();
  return { stream, listener, udp: UdpSocket.bind(), unix };
}

type Kind = keyof ReturnType<typeof sockets>;

const NUMBERS: readonly (readonly [Kind, setter: string, highest: number])[] = [
  ['stream', 'setUserTimeout', 2 ** 31 - 1],
  ['stream', 'setNotSentLowat', 2 ** 32 - 1],
  ['stream', 'setLinger', 0],
  ['stream', 'setBusyPoll', 2 ** 31 - 1],
  ['udp', 'setBusyPoll', 2 ** 31 - 1],
  ['listener', 'setDeferAccept', 2 ** 31 - 1],
  ['listener', 'setFastOpen', 2 ** 31 - 1],
];

const BOOLEANS: readonly (readonly [Kind, setter: string])[] = [
  ['stream', 'setCork'],
  ['stream', 'setQuickAck'],
  ['stream', 'setNoDelay'],
  ['stream', 'setKeepAlive'],
];

const GETTERS: readonly (readonly [Kind, getter: string])[] = [
  ['stream', 'cork'],
  ['stream', 'quickAck'],
  ['stream', 'userTimeout'],
  ['stream', 'notSentLowat'],
  ['stream', 'linger'],
  ['stream', 'busyPoll'],
  ['udp', 'busyPoll'],
  ['listener', 'deferAccept'],
  ['listener', 'fastOpen'],
  ['listener', 'reusePort'],
  ['listener', 'ipv6Only'],
  ['unix', 'peerCredentials'],
];

function call(object: object, method: string, ...args: readonly unknown[]): unknown {
  const found = Reflect.get(object, method) as (...args: readonly unknown[]) => unknown;
  return Reflect.apply(found, object, args);
}

/** Neither is one of these a number of an option, nor a boolean. */
const NEITHER = [Symbol('x'), 1n, '1', [1], {}, Object];

for (const [kind, setter, highest] of NUMBERS) {
  const check = needs(setter === 'setBusyPoll' ? 'SO_BUSY_POLL' : undefined);
  check(`${setter} of ${kind} takes 0 … ${highest} and nothing else`, (t) => {
    const objects = sockets();
    for (const wrong of [NaN, Infinity, -1, 0.5, highest + 1, -(2 ** 31)]) {
      t.throws(() => call(objects[kind], setter, wrong), { code: 'ERR_OUT_OF_RANGE' });
    }
    for (const wrong of [...NEITHER, true, undefined]) {
      t.throws(() => call(objects[kind], setter, wrong), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    t.notThrows(() => call(objects[kind], setter, 0));
    objects[kind].close();
    t.throws(() => call(objects[kind], setter, 0), { code: 'ERR_CLOSED' });
    for (const object of Object.values(objects)) object.close();
  });
}

for (const [kind, setter] of BOOLEANS) {
  test(`${setter} of ${kind} takes a boolean and nothing else`, (t) => {
    const objects = sockets();
    for (const wrong of [...NEITHER, 1, 0, NaN, null]) {
      t.throws(() => call(objects[kind], setter, wrong), { code: 'ERR_INVALID_ARG_TYPE' });
    }
    t.notThrows(() => call(objects[kind], setter));
    objects[kind].close();
    t.throws(() => call(objects[kind], setter, true), { code: 'ERR_CLOSED' });
    for (const object of Object.values(objects)) object.close();
  });
}

test('options of what is closed are ERR_CLOSED', (t) => {
  const objects = sockets();
  for (const object of Object.values(objects)) object.close();
  for (const [kind, getter] of GETTERS) {
    t.throws(() => Reflect.get(objects[kind], getter) as unknown, { code: 'ERR_CLOSED' }, getter);
  }
  t.throws(() => objects.stream.info(), { code: 'ERR_CLOSED' });
});

test.serial('listen refuses options that are none, and leaves no descriptor behind', (t) => {
  const wrong: readonly [TcpListenOptions, string][] = [
    [{ deferAccept: -1 }, 'ERR_OUT_OF_RANGE'],
    [{ deferAccept: NaN }, 'ERR_OUT_OF_RANGE'],
    [{ fastOpen: 2 ** 31 }, 'ERR_OUT_OF_RANGE'],
    [{ fastOpen: '5' as never }, 'ERR_INVALID_ARG_TYPE'],
    [{ reuseAddress: 1 as never }, 'ERR_INVALID_ARG_TYPE'],
  ];
  const before = countDescriptors();
  for (const [options, code] of wrong) {
    t.throws(() => TcpListener.listen(options), { code });
  }
  t.is(countDescriptors(), before);
});

test.serial('an option of which the headers know nothing is refused when it is used', (t) => {
  const { client } = tcpPair(t);
  const constants = binding.constants as Record<string, number | undefined>;
  const layout = binding.layout as Record<string, number | undefined>;
  const { TCP_CORK: cork } = constants;
  const { ['tcp_info_size']: size } = layout;
  t.teardown(() => {
    constants['TCP_CORK'] = cork;
    layout['tcp_info_size'] = size;
  });
  delete constants['TCP_CORK'];
  delete layout['tcp_info_size'];
  const code = 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM';
  t.throws(
    () => {
      client.setCork();
    },
    { code, message: 'TCP_CORK is not available on this system' },
  );
  t.throws(() => client.cork, { code });
  t.throws(() => client.info(), { code });
});

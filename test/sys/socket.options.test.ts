import { execFileSync } from 'node:child_process';
import process from 'node:process';
import test from 'ava';
import { testWithPrograms } from '../support/programs.js';
import { OTHERS } from '../support/sanitizers.js';
import {
  AF_INET,
  AF_UNIX,
  F_SETFL,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_TCP,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_PEERCRED,
  SO_PRIORITY,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_TYPE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_CONGESTION,
  TCP_INFO,
  TCP_NODELAY,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import {
  boundSocket,
  Descriptors,
  errnoNumber,
  inWords,
  listener,
  must,
  refusingPort,
  socket,
  tcpPair,
  unixPair,
} from './support/kernel.js';

const INT = 4;
/** States of tcp(7), as `struct tcp_info` begins with them. */
const ESTABLISHED = 1;
const LISTEN = 10;

function intOption(fd: number, level: number, option: number): number {
  const value = new Int32Array(1);
  if (must(sys.getsockopt(fd, level, option, value)) !== INT) throw new Error('not an int');
  return value[0] as number;
}

test('setsockopt takes a number as a C int, getsockopt gives it back', (t) => {
  using open = new Descriptors();
  const { client } = tcpPair(open);
  for (const [level, option, values] of [
    [SOL_SOCKET, SO_KEEPALIVE, [1, 0]],
    [IPPROTO_TCP, TCP_NODELAY, [1, 0]],
    [IPPROTO_IP, IP_TTL, [1, 255, 64]],
    [SOL_SOCKET, SO_PRIORITY, [6, 0]],
  ] as const) {
    for (const value of values) {
      t.is(sys.setsockopt(client, level, option, value), 0);
      t.is(intOption(client, level, option), value);
    }
  }
});

test('setsockopt takes the bytes of any view', (t) => {
  using open = new Descriptors();
  const { client } = tcpPair(open);
  const memory = new ArrayBuffer(16);
  new Int32Array(memory).set([0, 77, 0, 0]);
  for (const view of [
    new Int32Array(memory, 4, 1),
    new Uint8Array(memory, 4, 4),
    new DataView(memory, 4, 4),
    Buffer.from(memory, 4, 4),
  ]) {
    must(sys.setsockopt(client, IPPROTO_IP, IP_TTL, 64));
    t.is(sys.setsockopt(client, IPPROTO_IP, IP_TTL, view), 0);
    t.is(intOption(client, IPPROTO_IP, IP_TTL), 77);
  }
});

test('setsockopt takes -1 and 2 ** 32 - 1 for the same C int', (t) => {
  using open = new Descriptors();
  const { client } = tcpPair(open);
  for (const value of [-1, 2 ** 32 - 1]) {
    must(sys.setsockopt(client, IPPROTO_IP, IP_TTL, 7));
    t.is(sys.setsockopt(client, IPPROTO_IP, IP_TTL, value), 0, 'the default of ip(7)');
    t.is(intOption(client, IPPROTO_IP, IP_TTL), 64);
  }
});

test('the kernel answers for what the library did not set', (t) => {
  using open = new Descriptors();
  const { fd, port } = listener(open);
  t.true(port > 0);
  t.is(intOption(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
  t.is(intOption(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
  t.is(intOption(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
  t.is(intOption(unixPair(open)[0], SOL_SOCKET, SO_DOMAIN), AF_UNIX);
});

test('SO_ERROR gives the error of a connect once', (t) => {
  using open = new Descriptors();
  const fd = socket(open, AF_INET, SOCK_STREAM);
  const port = refusingPort(open);
  t.is(inWords(sys.connect(fd, { family: AF_INET, address: '127.0.0.1', port })), 'EINPROGRESS');
  t.is(intOption(fd, SOL_SOCKET, SO_ERROR), errnoNumber('ECONNREFUSED') as number);
  t.is(intOption(fd, SOL_SOCKET, SO_ERROR), 0);
});

test('SO_LINGER is a struct of two ints', (t) => {
  using open = new Descriptors();
  const { client } = tcpPair(open);
  t.is(sys.setsockopt(client, SOL_SOCKET, SO_LINGER, new Int32Array([1, 7])), 0);
  const linger = new Int32Array(2);
  t.is(sys.getsockopt(client, SOL_SOCKET, SO_LINGER, linger), 8);
  t.deepEqual([...linger], [1, 7]);
  t.is(inWords(sys.setsockopt(client, SOL_SOCKET, SO_LINGER, 1)), 'EINVAL', 'an int is too short');
  must(sys.setsockopt(client, SOL_SOCKET, SO_LINGER, new Int32Array([0, 0])));
});

test('SO_RCVTIMEO is a struct timeval, and ends a recv that blocks', (t) => {
  using open = new Descriptors();
  const [fd] = unixPair(open);
  must(sys.fcntl(fd, F_SETFL, 0));
  t.is(sys.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, new BigInt64Array([3n, 40_000n])), 0);
  const kept = new BigInt64Array(2);
  t.is(sys.getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, kept), 16);
  t.is(kept[0], 3n);
  t.true((kept[1] as bigint) >= 40_000n, 'rounded up to a tick of the kernel');
  must(sys.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, new BigInt64Array([0n, 40_000n])));
  const started = process.hrtime.bigint();
  t.is(inWords(sys.recv(fd, new Uint8Array(1), 0, 1, 0)), 'EAGAIN');
  // The kernel counts in ticks of at most 10 ms, and begins in the middle of one.
  t.true(process.hrtime.bigint() - started >= 30_000_000n);
});

test('TCP_INFO is cut to the view, and the answer is how much of it was filled', (t) => {
  using open = new Descriptors();
  const { client, listener: listening } = tcpPair(open);
  const info = new Uint8Array(1_024).fill(0xaa);
  const whole = sys.getsockopt(client, IPPROTO_TCP, TCP_INFO, info);
  t.true(whole >= 104, 'as of Linux 2.6');
  t.true(whole < info.length);
  t.is(info[0], ESTABLISHED);
  t.true(
    info.subarray(whole).every((byte) => byte === 0xaa),
    'the rest is untouched',
  );
  t.is(sys.getsockopt(listening, IPPROTO_TCP, TCP_INFO, info), whole);
  t.is(info[0], LISTEN);
  for (const length of [0, 1, 7, 103]) {
    info.fill(0xaa);
    const slice = info.subarray(100, 100 + length);
    t.is(sys.getsockopt(client, IPPROTO_TCP, TCP_INFO, slice), length);
    const outside = [...info.subarray(0, 100), ...info.subarray(100 + length)];
    t.true(outside.every((byte) => byte === 0xaa));
    if (length > 0) t.is(slice[0], ESTABLISHED);
  }
});

test('an option can be text', (t) => {
  using open = new Descriptors();
  const { client } = tcpPair(open);
  t.is(sys.setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, Buffer.from('reno')), 0);
  const name = Buffer.alloc(16);
  t.is(sys.getsockopt(client, IPPROTO_TCP, TCP_CONGESTION, name), 16);
  t.is(name.toString('latin1').replaceAll('\0', ''), 'reno');
});

test('SO_PEERCRED tells who is at the other end', (t) => {
  using open = new Descriptors();
  const credentials = new Int32Array(3);
  t.is(sys.getsockopt(unixPair(open)[0], SOL_SOCKET, SO_PEERCRED, credentials), 12);
  t.deepEqual([...credentials], [process.pid, process.getuid?.() ?? -1, process.getgid?.() ?? -1]);
});

/** `232.1.1.1` as four bytes. */
function inBytes(address: string): number[] {
  return address.split('.').map(Number);
}

/** Numbers of Linux that ts/sys/constants.ts does not have, because these options are refused. */
const SO_GET_FILTER = 26;
const SO_ATTACH_REUSEPORT_CBPF = 51;
const IP_ADD_SOURCE_MEMBERSHIP = 39;
const IP_MSFILTER = 41;
const TCP_ZEROCOPY_RECEIVE = 35;

test('getsockopt does not let the kernel write as many sources as IP_MSFILTER says', (t) => {
  using open = new Descriptors();
  const fd = socket(open, AF_INET, SOCK_DGRAM);
  const groupAtLoopback = [...inBytes('232.1.1.1'), ...inBytes('127.0.0.1')];
  for (const source of ['127.0.0.5', '127.0.0.6', '127.0.0.7']) {
    const membership = Uint8Array.from([...groupAtLoopback, ...inBytes(source)]);
    must(sys.setsockopt(fd, IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, membership));
  }
  const memory = new Uint8Array(64).fill(0xaa);
  const filter = memory.subarray(0, 16); // struct ip_msfilter up to imsf_slist
  filter.set(groupAtLoopback);
  new Uint32Array(memory.buffer, 8, 2).set([1, 3]); // MCAST_INCLUDE, three sources
  t.is(inWords(sys.getsockopt(fd, IPPROTO_IP, IP_MSFILTER, filter)), 'EINVAL');
  t.true(memory.subarray(16).every((byte) => byte === 0xaa));
});

testWithPrograms(
  ['python3'],
  'getsockopt does not let the kernel write the instructions of SO_GET_FILTER',
  (t) => {
    using open = new Descriptors();
    const fd = socket(open, AF_INET, SOCK_DGRAM);
    // Three times "accept the whole packet", by a program that can hand an address over.
    const attach = `
import ctypes, socket, struct
code = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0xffff) * 3)
program = struct.pack('HxxxxxxQ', 3, ctypes.addressof(code))
socket.socket(fileno=0).setsockopt(socket.SOL_SOCKET, ${SO_GET_FILTER}, program)
`;
    const env = { ...process.env, ...OTHERS };
    execFileSync('python3', ['-c', attach], { stdio: [fd, 'inherit', 'inherit'], env });
    const memory = new Uint8Array(64).fill(0xaa);
    const answer = sys.getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, memory.subarray(0, 3));
    t.is(inWords(answer), 'EINVAL');
    t.true(memory.every((byte) => byte === 0xaa));
  },
);

test('getsockopt does not let the kernel follow the addresses of TCP_ZEROCOPY_RECEIVE', (t) => {
  using open = new Descriptors();
  const { client, server } = tcpPair(open);
  must(sys.send(client, Buffer.from('received'), 0, 8, 0));
  // All zeros, which the kernel would accept: it has bytes for the address 0, and no room there.
  const request = new Uint8Array(64);
  const answer = sys.getsockopt(server, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, request);
  t.is(inWords(answer), 'EINVAL');
});

test('setsockopt does not hand addresses to the kernel', (t) => {
  using open = new Descriptors();
  const { fd } = boundSocket(open);
  const program = new BigUint64Array([1n, 4_096n]); // struct sock_fprog: EFAULT, if it was read
  for (const option of [SO_GET_FILTER, SO_ATTACH_REUSEPORT_CBPF]) {
    t.is(inWords(sys.setsockopt(fd, SOL_SOCKET, option, program)), 'EINVAL');
  }
});

test('a view without bytes is the kernel’s to judge', (t) => {
  using open = new Descriptors();
  const { client } = tcpPair(open);
  const empty = new Uint8Array(0);
  t.is(sys.getsockopt(client, SOL_SOCKET, SO_REUSEADDR, empty), 0);
  t.is(inWords(sys.setsockopt(client, SOL_SOCKET, SO_REUSEADDR, empty)), 'EINVAL');
});

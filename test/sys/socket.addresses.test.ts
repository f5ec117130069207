import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import process from 'node:process';
import test, { type ExecutionContext } from 'ava';
import { needs } from '../support/emulator.js';
import { eventually } from '../support/eventually.js';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_UNSPEC,
  IPPROTO_IPV6,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { boundSocket, Descriptors, inWords, must, socket, unixPair } from './support/kernel.js';
import { refuses } from './support/misuse.js';

const AF_NETLINK = 16;
const IPV6_FLOWINFO_SEND = 33;

/** A family of IP addresses, and the address of the loopback in it. */
interface Inet {
  readonly name: string;
  readonly family: number;
  readonly address: string;
  /** What a filled address has beside family, address and port. */
  readonly rest: object;
}

const IPV4: Inet = { name: 'IPv4', family: AF_INET, address: '127.0.0.1', rest: {} };
const IPV6: Inet = {
  name: 'IPv6',
  family: AF_INET6,
  address: '::1',
  rest: { flowinfo: 0, scopeId: 0 },
};

const hasIpv6 = ((): boolean => {
  using open = new Descriptors();
  const fd = sys.socket(AF_INET6, SOCK_STREAM, 0);
  return fd >= 0 && sys.bind(open.own(fd), { family: AF_INET6, address: '::1', port: 0 }) === 0;
})();

type Body = (t: ExecutionContext) => Promise<void> | void;

/** A test that the kernel needs IPv6 for. */
function ipv6Test(title: string, body: Body): void {
  if (hasIpv6) test(title, body);
  else test.skip(`${title} (the kernel has no IPv6 here)`, body);
}

function addressOf(fd: number, ask = sys.getsockname): sys.SocketAddressOut {
  const address: sys.SocketAddressOut = {};
  must(ask(fd, address));
  return address;
}

/** Accepts one connection that is on its way. */
async function accepted(
  open: Descriptors,
  fd: number,
  peer: sys.SocketAddressOut,
): Promise<number> {
  let connection = -1;
  const arrived = await eventually(() => {
    connection = sys.accept4(fd, peer, SOCK_NONBLOCK);
    return connection >= 0;
  }, true);
  if (!arrived) throw new Error(`no connection: ${inWords(connection)}`);
  return open.own(connection);
}

for (const { name, family, address, rest } of [IPV4, IPV6]) {
  const check: (title: string, body: Body) => void = family === AF_INET ? test : ipv6Test;

  check(`a client of node:net and accept4 agree about both ${name} addresses`, async (t) => {
    using open = new Descriptors();
    const fd = socket(open, family, SOCK_STREAM);
    t.is(sys.bind(fd, { family, address, port: 0 }), 0);
    t.is(sys.listen(fd, 8), 0);
    const own = addressOf(fd);
    t.deepEqual(own, { family, address, port: own.port as number, ...rest });
    const client = net.connect({ host: address, port: own.port as number });
    await once(client, 'connect');
    const peer: sys.SocketAddressOut = {};
    const connection = await accepted(open, fd, peer);
    t.deepEqual(peer, { family, address, port: client.localPort as number, ...rest });
    t.deepEqual(addressOf(connection, sys.getpeername), peer);
    t.deepEqual(addressOf(connection), own);
    client.destroy();
  });

  check(`a server of node:net and connect agree about both ${name} addresses`, async (t) => {
    using open = new Descriptors();
    const server = net.createServer().listen(0, address);
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const arrival = once(server, 'connection') as Promise<[net.Socket]>;
    const fd = open.own(sys.socket(family, SOCK_STREAM, 0));
    t.is(sys.connect(fd, { family, address, port }), 0);
    const [connection] = await arrival;
    t.deepEqual(addressOf(fd, sys.getpeername), { family, address, port, ...rest });
    t.is(addressOf(fd).port, connection.remotePort);
    t.is(addressOf(fd).address, connection.remoteAddress);
    connection.destroy();
    server.close();
  });
}

test('bind chooses a port for 0, and 65535 is a port', (t) => {
  using open = new Descriptors();
  const { fd, port } = boundSocket(open);
  t.true(port > 0 && port < 65_536);
  t.is(sys.connect(fd, { family: AF_INET, address: '127.0.0.1', port: 65_535 }), 0);
  t.is(addressOf(fd, sys.getpeername).port, 65_535);
});

test('the wildcard address is 0.0.0.0', (t) => {
  using open = new Descriptors();
  const fd = socket(open, AF_INET, SOCK_DGRAM);
  t.deepEqual(addressOf(fd), { family: AF_INET, address: '0.0.0.0', port: 0 });
});

for (const port of [-1, 65_536, 2 ** 32, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
  test(`an address refuses the port ${port}`, (t) => {
    using open = new Descriptors();
    const fd = socket(open, AF_INET, SOCK_DGRAM);
    const address = { family: AF_INET, address: '127.0.0.1', port };
    refuses(t, () => sys.bind(fd, address), 'ERR_OUT_OF_RANGE', 'port');
    refuses(t, () => sys.connect(fd, address), 'ERR_OUT_OF_RANGE', 'port');
    t.is(addressOf(fd).port, 0);
  });
}

const NO_IPV4 = [
  ...['', ' ', 'localhost', '127.1', '1.2.3', '256.0.0.1', '1.2.3.4.5', '01.2.3.4', '0x7f.0.0.1'],
  ...[' 127.0.0.1', '127.0.0.1 ', '127.0.0.1\n', '127.0.0.1\0', '127.0.0.1:80', '::1', '१२७.०.०.१'],
];
const NO_IPV6 = [
  ...['', ' ', 'localhost', '127.0.0.1', ':', ':::', '::1::', '1:2:3:4:5:6:7', '::g', '::12345'],
  ...['::1%1', '::1%lo', '[::1]', '::1 ', '::1\0', '1:2:3:4:5:6:7:8:9', '::1.2.3'],
];

for (const [family, texts] of [
  [AF_INET, NO_IPV4],
  [AF_INET6, NO_IPV6],
] as const) {
  for (const text of texts) {
    test(`${JSON.stringify(text)} is no address of family ${family}`, (t) => {
      using open = new Descriptors();
      const fd = socket(open, AF_INET, SOCK_DGRAM);
      const bind = (): number => sys.bind(fd, { family, address: text, port: 0 });
      refuses(t, bind, 'ERR_OUT_OF_RANGE', 'address');
    });
  }
}

ipv6Test('IPv6 addresses come back in the form of RFC 5952', (t) => {
  using open = new Descriptors();
  const fd = socket(open, AF_INET6, SOCK_DGRAM);
  for (const [given, shown] of [
    ['0:0:0:0:0:0:0:1', '::1'],
    ['::FFFF:127.0.0.1', '::ffff:127.0.0.1'],
  ] as const) {
    must(sys.connect(fd, { family: AF_INET6, address: given, port: 9 }));
    t.is(addressOf(fd, sys.getpeername).address, shown);
  }
});

needs('flowinfo', ipv6Test)(
  'flowinfo reaches the kernel and comes back in the byte order of the host',
  (t) => {
    using open = new Descriptors();
    const fd = socket(open, AF_INET6, SOCK_DGRAM);
    must(sys.setsockopt(fd, IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1));
    const flowinfo = 0x0a50_0000; // a traffic class alone: labels have to be leased
    must(sys.connect(fd, { family: AF_INET6, address: '::1', port: 9, flowinfo }));
    t.is(addressOf(fd, sys.getpeername).flowinfo, flowinfo);
  },
);

ipv6Test('scopeId names the interface of a link-local address', (t) => {
  using open = new Descriptors();
  const group = { family: AF_INET6, address: 'ff02::1', port: 0 };
  const loopback = Number(readFileSync('/sys/class/net/lo/ifindex', 'latin1'));
  const fd = socket(open, AF_INET6, SOCK_DGRAM);
  t.is(inWords(sys.bind(fd, group)), 'EINVAL', 'left out: 0, no interface');
  t.is(inWords(sys.bind(fd, { ...group, scopeId: 2 ** 32 - 1 })), 'ENODEV');
  t.is(sys.bind(fd, { ...group, scopeId: loopback }), 0);
  t.is(addressOf(fd).scopeId, loopback);
});

for (const property of ['flowinfo', 'scopeId'] as const) {
  test(`${property} is a uint32`, (t) => {
    using open = new Descriptors();
    const fd = socket(open, AF_UNIX, SOCK_DGRAM);
    const connect = (value: unknown): number =>
      sys.connect(fd, { family: AF_INET6, address: '::1', port: 1, [property]: value });
    for (const value of [-1, 2 ** 32, 0.5, Number.NaN]) {
      refuses(t, () => connect(value), 'ERR_OUT_OF_RANGE', property);
    }
    for (const value of [null, '1', 1n, true, {}]) {
      refuses(t, () => connect(value), 'ERR_INVALID_ARG_TYPE', property);
    }
    // The kernel is asked: this is no Unix address.
    for (const value of [undefined, 0, 2 ** 32 - 1]) t.is(inWords(connect(value)), 'EINVAL');
  });
}

test('a Unix path is a socket in the file system that node:net can connect to', async (t) => {
  using open = new Descriptors();
  const file = path.join(open.folder(), 'socket');
  const fd = socket(open, AF_UNIX, SOCK_STREAM);
  t.is(sys.bind(fd, { family: AF_UNIX, path: file }), 0);
  t.is(sys.listen(fd, 8), 0);
  t.true(statSync(file).isSocket());
  t.deepEqual(addressOf(fd), { family: AF_UNIX, path: file });
  const client = net.connect(file);
  await once(client, 'connect');
  const peer: sys.SocketAddressOut = {};
  const connection = await accepted(open, fd, peer);
  t.deepEqual(peer, { family: AF_UNIX, path: '' }, 'a client has no name');
  t.deepEqual(addressOf(connection), { family: AF_UNIX, path: file });
  client.destroy();
});

test('connect finds a Unix server of node:net', async (t) => {
  using open = new Descriptors();
  const file = path.join(open.folder(), 'socket');
  const server = net.createServer().listen(file);
  await once(server, 'listening');
  const fd = socket(open, AF_UNIX, SOCK_STREAM);
  t.is(sys.connect(fd, { family: AF_UNIX, path: file }), 0);
  t.deepEqual(addressOf(fd, sys.getpeername), { family: AF_UNIX, path: file });
  t.deepEqual(addressOf(fd), { family: AF_UNIX, path: '' });
  server.close();
});

test('an abstract name is in no file system and keeps its zero bytes', (t) => {
  using open = new Descriptors();
  const name = `\0raw-epoll-${process.pid}\0with\0zeros`;
  const fd = socket(open, AF_UNIX, SOCK_STREAM);
  t.is(sys.bind(fd, { family: AF_UNIX, path: name }), 0);
  t.is(sys.listen(fd, 1), 0);
  t.deepEqual(addressOf(fd), { family: AF_UNIX, path: name });
  t.true(readFileSync('/proc/net/unix', 'latin1').includes(name.replaceAll('\0', '@')));
  t.is(sys.connect(socket(open, AF_UNIX, SOCK_STREAM), { family: AF_UNIX, path: name }), 0);
  const shorter = { family: AF_UNIX, path: name.slice(0, -1) };
  t.is(inWords(sys.connect(socket(open, AF_UNIX, SOCK_STREAM), shorter)), 'ECONNREFUSED');
});

test('the two ends of a socketpair have no names', (t) => {
  using open = new Descriptors();
  for (const fd of unixPair(open)) {
    t.deepEqual(addressOf(fd), { family: AF_UNIX, path: '' });
    t.deepEqual(addressOf(fd, sys.getpeername), { family: AF_UNIX, path: '' });
  }
});

test('bind to no name lets the kernel choose an abstract one', (t) => {
  using open = new Descriptors();
  const fd = socket(open, AF_UNIX, SOCK_STREAM);
  t.is(sys.bind(fd, { family: AF_UNIX, path: '' }), 0);
  t.regex(addressOf(fd).path ?? '', /^\0[0-9a-f]{5}$/);
});

test('a path has at most 107 bytes, and an abstract name as many after its zero byte', (t) => {
  using open = new Descriptors();
  const folder = open.folder();
  const fits = `${folder}/${'x'.repeat(106 - folder.length)}`;
  const wide = `${folder}/${'x'.repeat(105 - folder.length)}\u{e4}`; // 107 characters, 108 bytes
  const abstract = `\0${String(process.pid).padEnd(107, 'x')}`;
  t.is(Buffer.byteLength(fits), 107);
  const bound = (name: string): number => {
    const fd = socket(open, AF_UNIX, SOCK_STREAM);
    must(sys.bind(fd, { family: AF_UNIX, path: name }));
    return fd;
  };
  t.is(addressOf(bound(fits)).path, fits);
  t.true(existsSync(fits));
  t.is(addressOf(bound(abstract)).path, abstract);
  for (const name of [`${fits}x`, wide, `${abstract}x`, 'x'.repeat(10_000)]) {
    refuses(t, () => bound(name), 'ERR_OUT_OF_RANGE', 'path');
  }
});

test('a path has no zero byte but the first of an abstract name', (t) => {
  using open = new Descriptors();
  const folder = open.folder();
  const fd = socket(open, AF_UNIX, SOCK_STREAM);
  for (const name of [`${folder}/a\0b`, `${folder}/a\0`]) {
    refuses(t, () => sys.bind(fd, { family: AF_UNIX, path: name }), 'ERR_OUT_OF_RANGE', 'path');
  }
  t.deepEqual(readdirSync(folder), []);
});

test('a path is UTF-8: half of a surrogate pair becomes U+FFFD', (t) => {
  using open = new Descriptors();
  const folder = open.folder();
  const fd = socket(open, AF_UNIX, SOCK_STREAM);
  must(sys.bind(fd, { family: AF_UNIX, path: `${folder}/\ud83d-\u{1f600}` }));
  t.deepEqual(readdirSync(folder), ['\ufffd-\u{1f600}']);
  t.is(addressOf(fd).path, `${folder}/\ufffd-\u{1f600}`);
});

test('addresses are filled in place, and other properties stay', (t) => {
  using open = new Descriptors();
  const { fd, port } = boundSocket(open);
  const address = { mine: 1, path: '/left', port: 0, family: -1, scopeId: 3 };
  t.is(sys.getsockname(fd, address), 0);
  t.deepEqual(address as object, {
    mine: 1,
    path: '/left',
    port,
    family: AF_INET,
    scopeId: 3,
    address: '127.0.0.1',
  });
});

test('a refused call leaves the address as it is', (t) => {
  using open = new Descriptors();
  const address: sys.SocketAddressOut & { mine: number } = { mine: 1 };
  t.is(inWords(sys.getpeername(boundSocket(open).fd, address)), 'ENOTCONN');
  t.is(inWords(sys.accept4(boundSocket(open, SOCK_STREAM).fd, address, 0)), 'EINVAL');
  t.deepEqual(address, { mine: 1 });
});

test('an address can be an object of any kind, with setters of its own', (t) => {
  using open = new Descriptors();
  const { fd, port } = boundSocket(open);
  const set: unknown[] = [];
  class Address {
    set port(value: number) {
      set.push(value);
    }
  }
  const mine: sys.SocketAddressOut = new Address();
  t.is(sys.getsockname(fd, mine), 0);
  t.deepEqual(set, [port]);
  t.is(mine.address, '127.0.0.1');
  const bare = Object.create(null) as sys.SocketAddressOut;
  t.is(sys.getsockname(fd, bare), 0);
  t.is(bare.family, AF_INET);
});

test('an address that is read may have its properties from a prototype or a Proxy', (t) => {
  using open = new Descriptors();
  const loopback = Object.create(
    { family: AF_INET, address: '127.0.0.1' },
    {
      port: { get: () => 0 },
    },
  ) as sys.SocketAddress;
  t.is(sys.bind(socket(open, AF_INET, SOCK_DGRAM), loopback), 0);
  t.is(sys.bind(socket(open, AF_INET, SOCK_DGRAM), new Proxy(loopback, {})), 0);
});

test('a family without a form here is answered by its number alone', (t) => {
  using open = new Descriptors();
  const fd = open.own(sys.socket(AF_NETLINK, SOCK_DGRAM, 0));
  t.deepEqual(addressOf(fd), { family: AF_NETLINK });
});

test('connect to AF_UNSPEC dissolves the association of a UDP socket', (t) => {
  using open = new Descriptors();
  const { fd } = boundSocket(open);
  const { port } = boundSocket(open);
  must(sys.connect(fd, { family: AF_INET, address: '127.0.0.1', port }));
  t.is(addressOf(fd, sys.getpeername).port, port);
  t.is(sys.connect(fd, { family: AF_UNSPEC }), 0);
  t.is(inWords(sys.getpeername(fd, {})), 'ENOTCONN');
});

/** sendmsg and recvmsg: buffers, addresses, descriptors, credentials; and what must not leak. */
import { execFileSync } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import process from 'node:process';
import test from 'ava';
import {
  AF_INET,
  AF_UNIX,
  F_GETFD,
  FD_CLOEXEC,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  SO_PASSCRED,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { needs } from '../support/emulator.js';
import { testWithPrograms } from '../support/programs.js';
import {
  boundSocket,
  Descriptors,
  inWords,
  must,
  openFiles,
  pipe,
  tcpPair,
  unixPair,
} from './support/kernel.js';
import { detach, resizableMemory } from './support/memory.js';

const MOST = 253; // SCM_MAX_FD
const one = Buffer.from('!');

/** Takes over the descriptors that have come. */
function taken(open: Descriptors, rights: Int32Array): number[] {
  return [...rights].filter((fd) => fd !== -1).map((fd) => open.own(fd));
}

/** Sends the same descriptor so many times. */
function sendRights(fd: number, count: number, given: number): number {
  return sys.sendmsg(fd, { iov: [one], control: { rights: new Int32Array(count).fill(given) } }, 0);
}

function receive(
  fd: number,
  control: sys.MessageToReceive['control'],
): [answer: number, flags: number | undefined] {
  const msg: sys.MessageToReceive = { iov: [new Uint8Array(8)], control: control ?? null };
  return [sys.recvmsg(fd, msg, MSG_DONTWAIT), msg.flags];
}

test('the bytes of several views go as one message and come into several', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_SEQPACKET | SOCK_NONBLOCK);
  const iov = [
    Buffer.from('one'),
    new Uint8Array(0),
    new DataView(Buffer.from('two').buffer, 0, 0),
  ];
  t.is(sys.sendmsg(a, { iov: [...iov, Buffer.from('three')] }, 0), 8);
  const [first, second] = [Buffer.alloc(2), Buffer.alloc(10)];
  const msg: sys.MessageToReceive = { iov: [first, new Uint8Array(0), second] };
  t.is(sys.recvmsg(b, msg, 0), 8);
  t.is(first.toString() + second.toString('latin1', 0, 6), 'onethree');
  t.is(msg.flags, 0);
});

needs('message without buffers')('a message without buffers is one', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
  t.is(sys.sendmsg(a, { iov: [] }, 0), 0);
  t.is(sys.recvmsg(b, { iov: [] }, 0), 0);
  t.is(inWords(sys.recvmsg(b, { iov: [] }, 0)), 'EAGAIN');
});

test('the flags tell that a datagram was cut, and MSG_TRUNC answers how long it was', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
  for (const [flags, length] of [
    [0, 4],
    [MSG_TRUNC, 9],
  ] as const) {
    must(sys.sendmsg(a, { iov: [Buffer.from('datagram!')] }, 0));
    const msg: sys.MessageToReceive = { iov: [new Uint8Array(4)] };
    t.is(sys.recvmsg(b, msg, flags), length);
    t.is(msg.flags, MSG_TRUNC);
  }
  must(sys.sendmsg(a, { iov: [one] }, 0));
  const msg: sys.MessageToReceive = { iov: [new Uint8Array(4)], flags: 99 };
  t.is(sys.recvmsg(b, msg, 0), 1);
  t.is(msg.flags, 0);
});

test('names go out and come in', (t) => {
  using open = new Descriptors();
  const [from, to] = [boundSocket(open), boundSocket(open)];
  const address = { family: AF_INET, address: '127.0.0.1' };
  t.is(sys.sendmsg(from.fd, { iov: [one], name: { ...address, port: to.port } }, 0), 1);
  const name: sys.SocketAddressOut = {};
  t.is(sys.recvmsg(to.fd, { iov: [new Uint8Array(1)], name }, 0), 1);
  t.deepEqual(name, { ...address, port: from.port });
});

test('a message carries 253 descriptors, each a duplicate with close-on-exec', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open);
  const [reader, writer] = pipe(open);
  const before = openFiles();
  t.is(sendRights(a, MOST, writer), 1);
  const rights = new Int32Array(MOST);
  t.deepEqual(receive(b, { rights }), [1, 0]);
  const fds = taken(open, rights);
  t.is(new Set(fds).size, MOST);
  t.is(openFiles().length, before.length + MOST);
  for (const fd of fds) t.is(sys.fcntl(fd, F_GETFD), FD_CLOEXEC);
  must(sys.write(fds.at(-1) as number, Buffer.from('through'), 0, 7));
  t.is(sys.read(reader, new Uint8Array(8), 0, 8), 7);
  for (const fd of fds) open.close(fd);
  t.deepEqual(openFiles(), before);
});

test('one descriptor too many is refused, and sends and opens nothing', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open);
  const [, writer] = pipe(open);
  const before = openFiles();
  for (const count of [MOST + 1, MOST + 2, 100_000]) {
    t.is(inWords(sendRights(a, count, writer)), 'EINVAL');
  }
  t.is(
    inWords(sys.sendmsg(a, { iov: [one], control: { rights: Int32Array.of(writer, -1) } }, 0)),
    'EBADF',
  );
  t.is(inWords(receive(b, { rights: new Int32Array(MOST) })[0]), 'EAGAIN');
  t.deepEqual(openFiles(), before);
});

for (const passCredentials of [0, 1]) {
  needs('cut control data')(
    `what finds no room is closed, and the flags say so (SO_PASSCRED ${passCredentials})`,
    (t) => {
      using open = new Descriptors();
      const [a, b] = unixPair(open);
      const [, writer] = pipe(open);
      must(sys.setsockopt(b, SOL_SOCKET, SO_PASSCRED, passCredentials));
      const before = openFiles();
      for (const room of [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 40, 252]) {
        for (const sent of [room + 1, room + 3, MOST].filter((count) => count <= MOST)) {
          must(sendRights(a, sent, writer));
          const rights = new Int32Array(room);
          t.deepEqual(receive(b, { rights }), [1, MSG_CTRUNC], `${sent} sent, room for ${room}`);
          const fds = taken(open, rights);
          t.is(fds.length, room, 'all the room is used');
          for (const fd of fds) open.close(fd);
          t.deepEqual(openFiles(), before);
        }
      }
    },
  );
}

needs('cut control data')(
  'a receiver that asks for none gets none: recvmsg, recv, read, recvmmsg',
  (t) => {
    using open = new Descriptors();
    const [a, b] = unixPair(open);
    const [, writer] = pipe(open);
    const before = openFiles();
    const bytes = new Uint8Array(8);
    const messages = new sys.MmsgArray(1, 8);
    const ways: readonly (() => number)[] = [
      () => receive(b, null)[0],
      () => receive(b, {})[0],
      () => receive(b, { rights: null, credentials: {} })[0],
      () => sys.recv(b, bytes, 0, 8, 0),
      () => sys.read(b, bytes, 0, 8),
      () => sys.recvmmsg(b, messages, 0, 1, 0, null),
    ];
    for (const way of ways) {
      must(sendRights(a, MOST, writer));
      t.is(way(), 1);
      t.deepEqual(openFiles(), before);
    }
    t.is(messages.getFlags(0), MSG_CTRUNC);
  },
);

test('the rest of the array becomes -1, also where nothing came', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open);
  must(sendRights(a, 2, a));
  const rights = new Int32Array(4).fill(7);
  t.deepEqual(receive(b, { rights }), [1, 0]);
  t.is(taken(open, rights).length, 2);
  t.deepEqual([...rights.subarray(2)], [-1, -1]);
  must(sys.sendmsg(a, { iov: [one] }, 0));
  const none = new Int32Array(4).fill(7);
  t.deepEqual(receive(b, { rights: none }), [1, 0]);
  t.deepEqual([...none], [-1, -1, -1, -1]);
  none.fill(7);
  t.is(inWords(receive(b, { rights: none })[0]), 'EAGAIN');
  t.deepEqual([...none], [7, 7, 7, 7], 'an error fills nothing in');
});

test('MSG_PEEK gives duplicates of its own', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open);
  must(sendRights(a, 1, a));
  const rights = new Int32Array(1);
  const msg = { iov: [new Uint8Array(1)], control: { rights } };
  t.is(sys.recvmsg(b, msg, MSG_PEEK), 1);
  const [peeked] = taken(open, rights);
  t.is(sys.recvmsg(b, msg, 0), 1);
  t.not(taken(open, rights)[0], peeked);
});

test('descriptors that nobody receives are closed with the socket', (t) => {
  using open = new Descriptors();
  const before = openFiles();
  const pipes = pipe(open);
  {
    using sockets = new Descriptors();
    const [a] = unixPair(sockets);
    for (let i = 0; i < 50; i++) must(sendRights(a, MOST, pipes[1]));
  }
  open.close(pipes[1]);
  t.is(sys.read(pipes[0], new Uint8Array(1), 0, 1), 0, 'no writer is left');
  open.close(pipes[0]);
  t.deepEqual(openFiles(), before);
});

test('credentials of the sender come with SO_PASSCRED, and -1 without', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
  const credentials: Partial<sys.Credentials> = {};
  must(sys.send(a, one, 0, 1, 0));
  t.deepEqual(receive(b, { credentials }), [1, 0]);
  t.deepEqual(credentials, { pid: -1, uid: -1, gid: -1 });
  must(sys.setsockopt(b, SOL_SOCKET, SO_PASSCRED, 1));
  const me = { pid: process.pid, uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };
  must(sys.send(a, one, 0, 1, 0));
  t.deepEqual(receive(b, { credentials }), [1, 0]);
  t.deepEqual(credentials, me);
  must(sys.sendmsg(a, { iov: [one], control: { credentials: me, rights: Int32Array.of(a) } }, 0));
  const rights = new Int32Array(1);
  t.deepEqual(receive(b, { credentials, rights }), [1, 0]);
  t.deepEqual(credentials, me);
  t.is(taken(open, rights).length, 1);
});

test('a socket that is no Unix socket carries none', (t) => {
  using open = new Descriptors();
  const { client, server } = tcpPair(open);
  const before = openFiles();
  t.is(sendRights(client, 1, client), 1);
  const rights = new Int32Array(1);
  const msg = { iov: [new Uint8Array(1)], control: { rights } };
  while (inWords(sys.recvmsg(server, msg, 0)) === 'EAGAIN');
  t.deepEqual([...rights], [-1]);
  t.deepEqual(openFiles(), before);
});

testWithPrograms(
  ['python3'],
  'descriptors and credentials that another program sends come',
  (t) => {
    using open = new Descriptors();
    const [a, b] = unixPair(open, SOCK_STREAM);
    must(sys.setsockopt(b, SOL_SOCKET, SO_PASSCRED, 1));
    const program = [
      'import array, os, socket',
      's = socket.socket(fileno=3)',
      'r, w = os.pipe()',
      "os.write(w, b'from python')",
      "s.sendmsg([b'he', b'llo'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [r, w]))])",
      'print(os.getpid())',
    ].join('\n');
    const stdio = ['ignore', 'pipe', 'inherit', a] as const;
    const pid = Number(execFileSync('python3', ['-c', program], { stdio: [...stdio] }));
    const bytes = Buffer.alloc(8);
    const rights = new Int32Array(3);
    const credentials: Partial<sys.Credentials> = {};
    t.is(sys.recvmsg(b, { iov: [bytes], control: { rights, credentials } }, 0), 5);
    t.is(bytes.toString('latin1', 0, 5), 'hello');
    t.is(credentials.pid, pid);
    const [reader = -1] = taken(open, rights);
    const text = Buffer.alloc(16);
    t.is(text.toString('latin1', 0, sys.read(reader, text, 0, 16)), 'from python');
  },
);

testWithPrograms(['python3'], 'another program gets the descriptor that sendmsg sends', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_STREAM);
  const file = open.own(openSync('/proc/version', 'r'));
  must(sendRights(a, 1, file));
  const program =
    'import os, socket; m, fds, f, a = socket.recv_fds(socket.socket(fileno=3), 9, 9)\n' +
    'print(os.read(fds[0], 9999).decode(), end="")';
  const output = execFileSync('python3', ['-c', program], {
    stdio: ['ignore', 'pipe', 'inherit', b],
  });
  t.is(output.toString(), readFileSync('/proc/version', 'utf8'));
});

// --- What a message that is no plain object may do ---------------------------------------------

const thrown = new Error('mine');

function throwing(): never {
  throw thrown;
}

/** Objects whose part of that name throws when it is written. */
const unwritable: Readonly<Record<string, (rights: Int32Array) => object>> = {
  flags: (rights) => ({
    iov: [new Uint8Array(1)],
    control: { rights },
    set flags(_: number) {
      throwing();
    },
  }),
  'a name': (rights) => ({
    iov: [new Uint8Array(1)],
    control: { rights },
    name: {
      set family(_: number) {
        throwing();
      },
    },
  }),
  credentials: (rights) => ({
    iov: [new Uint8Array(1)],
    control: {
      rights,
      credentials: {
        set gid(_: number) {
          throwing();
        },
      },
    },
  }),
};

for (const [part, make] of Object.entries(unwritable)) {
  test(`recvmsg throws what the setter of ${part} throws, and leaves no descriptor`, (t) => {
    using open = new Descriptors();
    const [a, b] = unixPair(open);
    must(sendRights(a, MOST, a));
    const before = openFiles();
    const msg = make(new Int32Array(MOST)) as sys.MessageToReceive;
    t.is(
      t.throws(() => sys.recvmsg(b, msg, 0)),
      thrown,
    );
    t.deepEqual(openFiles(), before);
  });
}

/** Messages with a getter that throws, or calls `act`. */
const readOnce: Readonly<Record<string, (act: () => unknown) => object>> = {
  iov: (act) => ({
    get iov() {
      return act() ?? [one];
    },
  }),
  'an element of iov': (act) => ({
    iov: Object.defineProperty([one, one], '1', { get: () => act() ?? one }),
  }),
  name: (act) => ({
    iov: [one],
    get name() {
      return act() ?? null;
    },
  }),
  control: (act) => ({
    iov: [one],
    get control() {
      return act() ?? null;
    },
  }),
  rights: (act) => ({
    iov: [one],
    control: {
      get rights() {
        return act() ?? null;
      },
    },
  }),
  credentials: (act) => ({
    iov: [one],
    control: {
      get credentials() {
        return act() ?? null;
      },
    },
  }),
};

for (const [part, make] of Object.entries(readOnce)) {
  test(`a getter of ${part} that throws sends, receives and opens nothing`, (t) => {
    using open = new Descriptors();
    const [a, b] = unixPair(open);
    must(sendRights(a, 3, a));
    const before = openFiles();
    const msg = make(throwing) as sys.MessageToReceive;
    t.is(
      t.throws(() => sys.recvmsg(b, msg, 0)),
      thrown,
    );
    t.is(
      t.throws(() => sys.sendmsg(b, msg as sys.MessageToSend, 0)),
      thrown,
    );
    t.deepEqual(openFiles(), before);
    t.is(sys.recv(b, new Uint8Array(1), 0, 1, 0), 1, 'the message is still there');
    t.is(inWords(sys.recv(a, new Uint8Array(1), 0, 1, 0)), 'EAGAIN');
  });
}

/** Ways to take memory from under a message while it is read. */
const takings: Readonly<Record<string, (memory: ReturnType<typeof resizableMemory>) => void>> = {
  detaches: detach,
  shrinks: (memory) => {
    memory.resize(0);
  },
};

for (const [taking, take] of Object.entries(takings)) {
  test(`a getter that ${taking} the memory of bytes and rights leaves no room for them`, (t) => {
    using open = new Descriptors();
    const [a, b] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
    const before = openFiles();
    const make = (): object => {
      const memory = resizableMemory(32);
      return {
        iov: [new Uint8Array(memory, 0, 16)],
        control: {
          rights: new Int32Array(memory, 16, 4).fill(a),
          get credentials() {
            take(memory);
            return null;
          },
        },
      };
    };
    must(sendRights(a, 4, a));
    const msg = make() as sys.MessageToReceive;
    t.is(sys.recvmsg(b, msg, 0), 0);
    t.is(msg.flags, MSG_TRUNC | MSG_CTRUNC);
    t.is(sys.sendmsg(a, make() as sys.MessageToSend, 0), 0, 'nothing was there to send');
    const rights = new Int32Array(4);
    t.deepEqual(receive(b, { rights }), [0, 0]);
    t.deepEqual(openFiles(), before);
  });
}

test('a message that takes no property is received all the same', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open);
  must(sendRights(a, 2, a));
  const rights = new Int32Array(2);
  const msg = Object.freeze({
    iov: [new Uint8Array(1)],
    name: Object.freeze({}),
    control: Object.freeze({ rights, credentials: Object.freeze({}) }),
  });
  t.is(sys.recvmsg(b, msg, 0), 1);
  t.is(taken(open, rights).length, 2, 'the numbers are in the array, whatever the objects are');
});

test('an unnamed Unix sender has no family', (t) => {
  using open = new Descriptors();
  const [a, b] = unixPair(open, SOCK_DGRAM | SOCK_NONBLOCK);
  must(sys.send(a, one, 0, 1, 0));
  const name: sys.SocketAddressOut = { family: AF_UNIX };
  t.is(sys.recvmsg(b, { iov: [new Uint8Array(1)], name }, 0), 1);
  t.deepEqual(name, { family: 0 });
});

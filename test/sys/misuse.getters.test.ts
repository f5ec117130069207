/** Getters, setters and Proxies that throw, or that change the world in the middle of a call. */
import test, { type ExecutionContext } from 'ava';
import {
  AF_INET,
  AF_UNIX,
  EPOLL_CTL_ADD,
  EPOLLOUT,
  SO_LINGER,
  SO_RCVTIMEO,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from '../../ts/sys/constants.js';
import * as sys from '../../ts/sys/index.js';
import { goodCall, invoke } from './support/good-calls.js';
import {
  Descriptors,
  inWords,
  listener,
  must,
  openFiles,
  pipe,
  socket,
  type SystemCall,
  unixPair,
} from './support/kernel.js';
import { detach, resizableMemory } from './support/memory.js';
import { refuses } from './support/misuse.js';

const LOOPBACK = { family: AF_INET, address: '127.0.0.1', port: 0 };

/** Whatever somebody throws. */
const THROWN: readonly unknown[] = [new Error('mine'), null, undefined, 7, 'text', Symbol.iterator];

/** An object whose property cannot be read. */
function unreadable(base: object, property: string, thrown: unknown): object {
  return Object.defineProperty({ ...base }, property, {
    get: () => {
      throw thrown as Error;
    },
  });
}

/** An object whose property cannot be written. */
function unwritable(property: string, thrown: unknown): object {
  return Object.defineProperty({}, property, {
    set: () => {
      throw thrown as Error;
    },
  });
}

/** A Proxy that throws whatever is done with it. */
function hostile(target: object, thrown: unknown): object {
  const trap = (): never => {
    throw thrown as Error;
  };
  return new Proxy(target, { get: trap, set: trap, has: trap, getOwnPropertyDescriptor: trap });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Checks that a call throws that very value. */
function throwsJust(t: ExecutionContext, call: () => unknown, thrown: unknown): void {
  const NOTHING = Symbol('nothing was thrown');
  let caught: unknown = NOTHING;
  try {
    call();
  } catch (error) {
    caught = error;
  }
  t.is(caught, thrown);
}

/** Arguments that the calls read: which of them, and the properties in the order of their reading. */
const read: Readonly<
  Partial<Record<SystemCall, { index: number; objects: readonly (readonly [object, string])[] }>>
> = {
  ...Object.fromEntries(
    (['bind', 'connect', 'sendto'] as const).map((call) => [
      call,
      {
        index: call === 'sendto' ? 5 : 1,
        objects: [
          [LOOPBACK, 'family'],
          [LOOPBACK, 'address'],
          [LOOPBACK, 'port'],
          [{ family: 10, address: '::1', port: 1 }, 'flowinfo'],
          [{ family: 10, address: '::1', port: 1 }, 'scopeId'],
          [{ family: AF_UNIX }, 'path'],
        ],
      },
    ]),
  ),
  timerfd_settime: {
    index: 2,
    objects: [
      [{ intervalNs: 0 }, 'valueNs'],
      [{ valueNs: 0 }, 'intervalNs'],
    ],
  },
  epoll_pwait: { index: 4, objects: [[[1, 2, 3], '1']] },
  epoll_pwait2: { index: 4, objects: [[[1, 2, 3], '0']] },
  readv: { index: 1, objects: [[[new Uint8Array(1), new Uint8Array(1)], '1']] },
  writev: { index: 1, objects: [[[new Uint8Array(1), new Uint8Array(1)], '0']] },
};

for (const [call, { index, objects }] of Object.entries(read) as [
  SystemCall,
  NonNullable<(typeof read)[SystemCall]>,
][]) {
  for (const [base, property] of objects) {
    test(`${call} throws what the getter of ${property} throws, and asks nothing`, (t) => {
      using open = new Descriptors();
      const { args, look } = goodCall(call, open);
      const before = look();
      for (const thrown of THROWN) {
        const target: object = Array.isArray(base) ? [...(base as unknown[])] : { ...base };
        const bad = Array.isArray(target)
          ? Object.defineProperty(target, property, {
              get: () => {
                throw thrown as Error;
              },
            })
          : unreadable(target, property, thrown);
        throwsJust(t, () => invoke(call, args.with(index, bad)), thrown);
      }
      t.deepEqual(look(), before);
    });
  }

  test(`${call} survives Proxies that throw or are revoked`, (t) => {
    using open = new Descriptors();
    const { args, look } = goodCall(call, open);
    const before = look();
    const thrown = new Error('mine');
    const isArray = Array.isArray(objects[0]?.[0]);
    const call1 = (value: unknown) => () => invoke(call, args.with(index, value));
    // A Proxy of an array is no array to the addon: it is not asked at all.
    if (isArray) refuses(t, call1(hostile([], thrown)), 'ERR_INVALID_ARG_TYPE', '\\w+');
    else throwsJust(t, call1(hostile({}, thrown)), thrown);
    t.throws(call1(revoked()), { instanceOf: TypeError });
    t.deepEqual(look(), before);
  });
}

/** Objects that the calls fill in: which argument, and the properties. */
const written: Readonly<Partial<Record<SystemCall, readonly [number, readonly string[]]>>> = {
  getsockname: [1, ['family', 'address', 'port']],
  getpeername: [1, ['family', 'path']],
  recvfrom: [5, ['family', 'path']],
  timerfd_settime: [3, ['valueNs', 'intervalNs']],
  timerfd_gettime: [1, ['valueNs', 'intervalNs']],
  accept4: [1, ['family', 'address', 'port']],
};

/** Prepares a call whose answer has something for every property. */
function fillingCall(call: SystemCall, open: Descriptors): unknown[] {
  if (call !== 'recvfrom') return goodCall(call, open).args;
  const [fd, peer] = [socket(open, AF_UNIX, SOCK_DGRAM), socket(open, AF_UNIX, SOCK_DGRAM)];
  const [from, to] = ['', ''].map(() => `${open.folder()}/socket`) as [string, string];
  must(sys.bind(fd, { family: AF_UNIX, path: to }));
  must(sys.bind(peer, { family: AF_UNIX, path: from }));
  const message = Buffer.from('message');
  must(sys.sendto(peer, message, 0, message.length, 0, { family: AF_UNIX, path: to }));
  return [fd, new Uint8Array(8), 0, 8, 0, {}];
}

/** What an accept4 that succeeds has made. */
function ownAnswer(open: Descriptors, call: SystemCall, answer: unknown): void {
  if (call === 'accept4') open.own(answer as number);
}

for (const [call, [index, properties]] of Object.entries(written) as [
  SystemCall,
  readonly [number, readonly string[]],
][]) {
  for (const property of properties) {
    test(`${call} throws what the setter of ${property} throws, and leaves no descriptor`, (t) => {
      for (const thrown of THROWN) {
        using open = new Descriptors();
        const args = fillingCall(call, open);
        const before = openFiles();
        const bad = unwritable(property, thrown);
        throwsJust(t, () => invoke(call, args.with(index, bad)), thrown);
        t.deepEqual(openFiles(), before);
      }
    });
  }

  test(`${call} throws what a Proxy throws that it fills in, and leaves no descriptor`, (t) => {
    using open = new Descriptors();
    const thrown = new Error('mine');
    throwsJust(
      t,
      () => invoke(call, fillingCall(call, open).with(index, hostile({}, thrown))),
      thrown,
    );
    const args = fillingCall(call, open);
    const before = openFiles();
    t.throws(() => invoke(call, args.with(index, revoked())), { instanceOf: TypeError });
    t.deepEqual(openFiles(), before);
  });

  test(`${call} answers although the object takes no property, and leaves it as it is`, (t) => {
    const refusing: readonly (() => object)[] = [
      () => Object.freeze({ mine: 1 }),
      () => Object.preventExtensions({ mine: 1 }),
      () => new Proxy({ mine: 1 }, { set: () => false, defineProperty: () => false }),
      () => Object.create(Object.freeze({ family: 0, valueNs: 0 })) as object,
    ];
    for (const make of refusing) {
      using open = new Descriptors();
      const object = make();
      const before = JSON.stringify(object);
      const answer = invoke(call, fillingCall(call, open).with(index, object));
      ownAnswer(open, call, answer);
      t.true((answer as number) >= 0);
      if (before.includes('mine')) t.is(JSON.stringify(object), before);
    }
  });
}

test('accept4 closes the connection whose address nobody took', (t) => {
  using open = new Descriptors();
  const { fd, port } = listener(open);
  const client = open.own(sys.socket(AF_INET, SOCK_STREAM, 0));
  must(sys.connect(client, { ...LOOPBACK, port }));
  // If the connection is still open, the recv below ends with EAGAIN after ten seconds.
  must(sys.setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, new BigInt64Array([10n, 0n])));
  const thrown = new Error('mine');
  throwsJust(t, () => sys.accept4(fd, unwritable('port', thrown), 0), thrown);
  t.is(sys.recv(client, new Uint8Array(1), 0, 1, 0), 0, 'the peer reads the end of the stream');
});

test('recvfrom has taken the datagram whose sender nobody took', (t) => {
  using open = new Descriptors();
  const args = fillingCall('recvfrom', open);
  const thrown = new Error('mine');
  throwsJust(t, () => invoke('recvfrom', args.with(5, unwritable('path', thrown))), thrown);
  t.is(inWords(invoke('recvfrom', args) as number), 'EAGAIN');
});

test('timerfd_settime has set the timer whose old value nobody took', (t) => {
  using open = new Descriptors();
  const { args } = goodCall('timerfd_settime', open);
  const thrown = new Error('mine');
  throwsJust(
    t,
    () => invoke('timerfd_settime', args.with(3, unwritable('valueNs', thrown))),
    thrown,
  );
  const now: sys.TimerValueOut = {};
  must(sys.timerfd_gettime(args[0] as number, now));
  t.true((now.valueNs ?? 0n) > 0n);
});

/** Ways to take the memory from under a view of 16 bytes while its call goes on. */
const takings: Readonly<Record<string, (memory: ReturnType<typeof resizableMemory>) => void>> = {
  detaches: detach,
  shrinks: (memory) => {
    memory.resize(7);
  },
};

for (const [taking, take] of Object.entries(takings)) {
  for (const [name, newView] of Object.entries({
    'a Uint8Array': (memory: ArrayBuffer) => new Uint8Array(memory, 0, 16),
    'a DataView': (memory: ArrayBuffer) => new DataView(memory, 0, 16),
    'a Float64Array that follows': (memory: ArrayBuffer) => new Float64Array(memory),
  })) {
    test(`sendto sends nothing of ${name} that a getter of the address ${taking}`, (t) => {
      using open = new Descriptors();
      const receiver = socket(open, AF_INET, SOCK_DGRAM);
      must(sys.bind(receiver, LOOPBACK));
      const to: sys.SocketAddressOut = {};
      must(sys.getsockname(receiver, to));
      const memory = resizableMemory(16);
      const address = {
        ...(to as sys.SocketAddressInet),
        get port(): number {
          take(memory);
          return to.port as number;
        },
      };
      const sender = socket(open, AF_INET, SOCK_DGRAM);
      refuses(
        t,
        () => sys.sendto(sender, newView(memory), 0, 16, 0, address),
        'ERR_OUT_OF_RANGE',
        'length',
      );
      t.is(inWords(sys.recv(receiver, new Uint8Array(1), 0, 1, 0)), 'EAGAIN');
    });

    test(`readv and writev pass over ${name} that another element ${taking}`, (t) => {
      using open = new Descriptors();
      const [fd, peer] = unixPair(open);
      /** Three views; to read the second takes the memory of the first. */
      const iov = (last: Buffer): ArrayBufferView[] => {
        const memory = resizableMemory(16);
        return Object.defineProperty([newView(memory), last, last], '1', {
          get: () => {
            take(memory);
            return Buffer.alloc(0);
          },
        });
      };
      t.is(sys.writev(fd, iov(Buffer.from('sent'))), 4);
      const received = Buffer.alloc(8);
      t.is(sys.readv(peer, iov(received)), 4);
      t.is(received.toString('latin1', 0, 4), 'sent');
    });
  }
}

test('a getter that closes the descriptor gets EBADF from the kernel', (t) => {
  using open = new Descriptors();
  const closing = (fd: number): sys.SocketAddressInet => ({
    ...LOOPBACK,
    get port(): number {
      open.close(fd);
      return 0;
    },
  });
  const bound = socket(open, AF_INET, SOCK_STREAM);
  t.is(inWords(sys.bind(bound, closing(bound))), 'EBADF');
  const connected = socket(open, AF_INET, SOCK_STREAM);
  t.is(inWords(sys.connect(connected, closing(connected))), 'EBADF');
  const epfd = open.own(sys.epoll_create1(0));
  const mask = Object.defineProperty([1], '0', {
    get: () => {
      open.close(epfd);
      return 1;
    },
  });
  t.is(inWords(sys.epoll_pwait(epfd, new sys.EpollEventArray(1), 1, 0, mask)), 'EBADF');
});

test('an array that changes its length while it is read is read as it was', (t) => {
  using open = new Descriptors();
  const [, writer] = pipe(open);
  const shortened: ArrayBufferView[] = [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')];
  Object.defineProperty(shortened, '0', {
    get: () => {
      shortened.length = 1;
      return Buffer.from('a');
    },
  });
  t.throws(() => sys.writev(writer, shortened), { code: 'ERR_INVALID_ARG_TYPE' });
  const lengthened: ArrayBufferView[] = [Buffer.from('a'), Buffer.from('b')];
  Object.defineProperty(lengthened, '0', {
    get: () => {
      lengthened.push(Buffer.from('c'));
      return Buffer.from('a');
    },
  });
  t.is(sys.writev(writer, lengthened), 2);
});

test('calls may be made inside calls', (t) => {
  using open = new Descriptors();
  const { fd, port } = listener(open);
  for (let i = 0; i < 2; i++) {
    must(sys.connect(open.own(sys.socket(AF_INET, SOCK_STREAM, 0)), { ...LOOPBACK, port }));
  }
  const answers: number[] = [];
  const inner = open.own(
    sys.accept4(
      fd,
      {
        set port(_: number) {
          answers.push(open.own(sys.accept4(fd, {}, 0)));
        },
      },
      0,
    ),
  );
  t.is(answers.length, 1);
  t.not(answers[0], inner);
});

test('an event array stays good while a getter fills it with another wait', (t) => {
  using open = new Descriptors();
  const epfd = open.own(sys.epoll_create1(0));
  must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, pipe(open)[1], EPOLLOUT, 1));
  const events = new sys.EpollEventArray(2);
  const mask = Object.defineProperty([1], '0', {
    get: () => {
      must(sys.epoll_wait(epfd, events, 2, 0));
      must(sys.epoll_ctl(epfd, EPOLL_CTL_ADD, pipe(open)[1], EPOLLOUT, 2));
      return 1;
    },
  });
  t.is(sys.epoll_pwait(epfd, events, 2, 0, mask), 2);
  t.deepEqual([events.getData(0), events.getData(1)].sort(), [1n, 2n]);
});

test('setsockopt takes the bytes of its struct as they are when it is called', (t) => {
  using open = new Descriptors();
  const [fd] = unixPair(open, SOCK_STREAM);
  const linger = new Int32Array([1, 9]);
  must(sys.setsockopt(fd, SOL_SOCKET, SO_LINGER, linger));
  linger.fill(0);
  const kept = new Int32Array(2);
  must(sys.getsockopt(fd, SOL_SOCKET, SO_LINGER, kept));
  t.deepEqual([...kept], [1, 9]);
});

/** What a parameter of each kind refuses. */
import { inspect } from 'node:util';
import { EpollEventArray, MmsgArray } from '../../../ts/sys/index.js';
import { SLICE_VIEW_LENGTH } from './good-calls.js';
import type { MisuseCode } from './misuse.js';
import type { Kind, Parameter } from './signatures.js';

/** A value, and what its refusal says. */
export interface BadValue {
  readonly value: unknown;
  readonly code: MisuseCode;
  /** The name in the message, if it is not that of the parameter. */
  readonly about?: string;
}

const TYPE = 'ERR_INVALID_ARG_TYPE';
const RANGE = 'ERR_OUT_OF_RANGE';

function bad(code: MisuseCode, values: readonly unknown[], about?: string): BadValue[] {
  return values.map((value) => ({ value, code, ...(about === undefined ? {} : { about }) }));
}

/** Runs when somebody coerces it, which nobody may. */
const coercible = {
  valueOf: (): never => {
    throw new Error('coerced');
  },
  toString: (): never => {
    throw new Error('coerced');
  },
  [Symbol.toPrimitive]: (): never => {
    throw new Error('coerced');
  },
};

/** Of no kind that a number parameter takes. */
const NO_NUMBERS: readonly unknown[] = [
  ...[undefined, null, true, false, '', '1', Symbol.iterator, {}, [], [1], () => 1],
  ...[new Number(1), new Date(), new Uint8Array(1), new Proxy({}, {}), coercible],
];
const NO_INTEGERS: readonly number[] = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.5, -0.5],
  ...[Number.MIN_VALUE, 1e300, -1e300],
];

function integer(lowest: number, highest: number): BadValue[] {
  return [
    ...bad(TYPE, [...NO_NUMBERS, 1n]),
    ...bad(RANGE, [...NO_INTEGERS, lowest - 1, highest + 1]),
  ];
}

/** 64 bits: a number that is a safe integer, or a bigint. */
function integer64(lowest: bigint, highest: bigint): BadValue[] {
  return [
    ...bad(TYPE, NO_NUMBERS),
    ...bad(RANGE, [...NO_INTEGERS, 2 ** 53, -(2 ** 53)]),
    ...bad(RANGE, [lowest - 1n, highest + 1n, 2n ** 200n, -(2n ** 200n)]),
  ];
}

/** Of no kind that an object parameter takes. */
const NO_OBJECTS: readonly unknown[] = [
  ...[undefined, null, true, 0, 1.5, '', 'text', 1n, Symbol.iterator, () => ({})],
];
const NO_VIEWS: readonly unknown[] = [
  ...[undefined, null, true, 'text', 1n, Symbol.iterator, {}, [1, 2, 3], () => new Uint8Array(1)],
  ...[new ArrayBuffer(8), new SharedArrayBuffer(8), Object.create(Uint8Array.prototype) as unknown],
  ...[new Proxy(new Uint8Array(8), {}), { buffer: new ArrayBuffer(8), byteLength: 8 }],
];

function typedArray(right: { readonly name: string; new (length: number): unknown }): BadValue[] {
  const kinds = [Int32Array, BigUint64Array, Uint32Array, Uint8Array, Float64Array, BigInt64Array];
  const others = kinds.filter((kind) => (kind as unknown) !== right).map((kind) => new kind(4));
  const dataView = new DataView(new ArrayBuffer(16));
  return [...bad(TYPE, [...NO_VIEWS, 0, ...others, dataView]), ...bad(RANGE, [new right(0)])];
}

const byte = new Uint8Array(1);
const LOOPBACK = { family: 2, address: '127.0.0.1', port: 0 };

const address: readonly BadValue[] = [
  ...bad(TYPE, NO_OBJECTS, 'addr'),
  ...bad(TYPE, [{}, [], new Map(), { family: '2' }, { family: null }, { family: 2n }], 'family'),
  ...bad(RANGE, [{ family: -1 }, { family: 65_536 }, { family: 0.5 }, { family: NaN }], 'family'),
  ...bad(
    TYPE,
    [{ family: 2 }, { ...LOOPBACK, address: 1 }, { ...LOOPBACK, address: null }],
    'address',
  ),
  ...bad(
    TYPE,
    [
      { ...LOOPBACK, address: ['127.0.0.1'] },
      { family: 10, port: 1 },
    ],
    'address',
  ),
  ...bad(
    RANGE,
    [
      { ...LOOPBACK, address: 'localhost' },
      { ...LOOPBACK, family: 10 },
    ],
    'address',
  ),
  ...bad(
    TYPE,
    [
      { ...LOOPBACK, port: undefined },
      { ...LOOPBACK, port: '1' },
    ],
    'port',
  ),
  ...bad(
    RANGE,
    [
      { ...LOOPBACK, port: -1 },
      { ...LOOPBACK, port: 65_536 },
    ],
    'port',
  ),
  ...bad(
    TYPE,
    [{ family: 1 }, { family: 1, path: null }, { family: 1, path: Buffer.from('x') }],
    'path',
  ),
  ...bad(
    RANGE,
    [
      { family: 1, path: 'x'.repeat(108) },
      { family: 1, path: 'x\0' },
    ],
    'path',
  ),
];

/** What no message has, whichever way it goes. */
const message: readonly BadValue[] = [
  ...bad(TYPE, NO_OBJECTS, 'msg'),
  ...bad(TYPE, [{}, [], { iov: null }, { iov: byte }, { iov: [1] }, { iov: [byte, null] }], 'iov'),
  ...bad(RANGE, [{ iov: new Array(1_025).fill(byte) }], 'iov'),
  ...NO_OBJECTS.slice(2).flatMap((value) => [
    ...bad(TYPE, [{ iov: [byte], name: value }], 'name'),
    ...bad(TYPE, [{ iov: [byte], control: value }], 'control'),
    ...bad(TYPE, [{ iov: [byte], control: { credentials: value } }], 'credentials'),
  ]),
  ...[...NO_VIEWS.slice(2), [], 0, new Uint32Array(1), new BigInt64Array(1)].flatMap((value) =>
    bad(TYPE, [{ iov: [byte], control: { rights: value } }], 'rights'),
  ),
];

const MYSELF = { pid: 1, uid: 1, gid: 1 };

const messageToSend: readonly BadValue[] = [
  ...message,
  ...address
    .filter(({ value }) => value !== undefined && value !== null)
    .filter(({ about }) => about !== 'addr')
    .map(({ value, ...rest }) => ({ value: { iov: [byte], name: value }, ...rest })),
  ...['pid', 'uid', 'gid'].flatMap((property) => {
    const made = (value: unknown): unknown => ({
      iov: [byte],
      control: { credentials: { ...MYSELF, [property]: value } },
    });
    return [
      ...bad(TYPE, NO_NUMBERS.map(made), property),
      ...bad(RANGE, [...NO_INTEGERS, -(2 ** 31) - 1, 2 ** 32].map(made), property),
    ];
  }),
];

const timer: readonly BadValue[] = [
  ...bad(TYPE, NO_OBJECTS, 'newValue'),
  ...NO_NUMBERS.flatMap((value) => bad(TYPE, [{ valueNs: value }], 'valueNs')),
  ...bad(RANGE, [{ valueNs: NaN }, { valueNs: 0.5 }, { valueNs: 2 ** 53 }], 'valueNs'),
  ...bad(RANGE, [{ valueNs: 2n ** 63n }, { valueNs: -(2n ** 63n) - 1n }], 'valueNs'),
  ...bad(
    TYPE,
    [
      { valueNs: 1, intervalNs: null },
      { valueNs: 1, intervalNs: '1' },
    ],
    'intervalNs',
  ),
  ...bad(
    RANGE,
    [
      { valueNs: 1, intervalNs: NaN },
      { valueNs: 1, intervalNs: 2n ** 63n },
    ],
    'intervalNs',
  ),
];

const byKind: Readonly<Record<Kind, readonly BadValue[]>> = {
  int: integer(-(2 ** 31), 2 ** 31 - 1),
  uint32: integer(0, 2 ** 32 - 1),
  mask: integer(-(2 ** 31), 2 ** 32 - 1),
  uint64: integer64(0n, 2n ** 64n - 1n).concat(bad(RANGE, [-1])),
  int64: integer64(-(2n ** 63n), 2n ** 63n - 1n),
  buffer: bad(TYPE, [...NO_VIEWS, 0]),
  offset: integer(0, SLICE_VIEW_LENGTH),
  // The slice begins at 4.
  length: integer(0, SLICE_VIEW_LENGTH - 4),
  views: [
    ...bad(TYPE, [
      ...NO_VIEWS.filter((value) => !Array.isArray(value)),
      byte,
      new Proxy([byte], {}),
    ]),
    ...bad(TYPE, [[1], [byte, null], ['text'], [[byte]], [new ArrayBuffer(8)], new Array(1)]),
    ...bad(TYPE, [{ 0: byte, length: 1 }, new Set([byte])]),
    ...bad(RANGE, [new Array(1_025).fill(byte), new Array(2 ** 32 - 1)]),
  ],
  view: bad(TYPE, [...NO_VIEWS, 0]),
  option: [...bad(TYPE, NO_VIEWS), ...bad(RANGE, [...NO_INTEGERS, -(2 ** 31) - 1, 2 ** 32])],
  pair: [...typedArray(Int32Array), ...bad(RANGE, [new Int32Array(1)])],
  value: typedArray(BigUint64Array),
  address,
  'address out': bad(TYPE, NO_OBJECTS),
  timer,
  'timer out': bad(TYPE, NO_OBJECTS),
  events: bad(TYPE, [...NO_OBJECTS, {}, [], new Uint32Array(64), new Uint8Array(64)]),
  pollfds: bad(TYPE, [...NO_OBJECTS, {}, [], new Uint8Array(64), new EpollEventArray(4)]),
  // The array has four elements.
  count: [...integer(0, 2 ** 31 - 1), ...bad(RANGE, [5])],
  'select nfds': integer(-(2 ** 31), 1_024),
  kevents: bad(TYPE, [...NO_OBJECTS, {}, [], new Uint8Array(128), new EpollEventArray(16)]),
  'fd set': bad(TYPE, [...NO_OBJECTS, {}, [], new Uint8Array(128), new EpollEventArray(16)]),
  // The array has four elements. Zero and less are the kernel's to refuse.
  maxevents: [...integer(-(2 ** 31), 2 ** 31 - 1), ...bad(RANGE, [5])],
  message: messageToSend,
  'message out': message,
  messages: bad(TYPE, [...NO_OBJECTS, {}, [], Object.create(MmsgArray.prototype)]),
  // The array has four elements.
  'int array': typedArray(Int32Array),
  path: [
    ...bad(TYPE, [
      ...NO_OBJECTS.filter((value) => typeof value !== 'string'),
      {},
      Buffer.from('/'),
    ]),
    ...bad(RANGE, ['/\0', 'a\0b']),
  ],
  vlen: [...integer(0, 2 ** 32 - 1), ...bad(RANGE, [5])],
  sigmask: [
    ...bad(TYPE, [true, 1, 'text', 1n, {}, () => [], new Uint8Array(1), new Set([1])]),
    ...bad(TYPE, [['1'], [1n], [null], [undefined], new Array(1), [[1]], [coercible]]),
    ...bad(RANGE, [[0], [65], [-1], [1, 0.5], [NaN], new Array(65).fill(1)]),
  ],
};

/** What a parameter refuses. */
export function badValues([, kind, mayBe]: Parameter): BadValue[] {
  const allowed: unknown[] = mayBe === undefined ? [] : [undefined, null];
  if (mayBe === '?undefined') allowed.pop();
  if (mayBe === '?null') allowed.shift();
  return byKind[kind].filter(({ value }) => !allowed.includes(value));
}

/** A value in a message. */
export function show(value: unknown): string {
  return inspect(value, {
    breakLength: Infinity,
    depth: 1,
    maxArrayLength: 3,
    maxStringLength: 20,
  });
}

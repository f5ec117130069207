/** Pools of nasty values for every kind of parameter. */
import type { Random } from '../../support/random.js';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_UNSPEC,
  EPOLLEXCLUSIVE,
  EPOLLET,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLWAKEUP,
} from '../../../ts/sys/constants.js';
import * as sys from '../../../ts/sys/index.js';
import { detach, growableMemory, resizableMemory } from './memory.js';

/** What a nasty getter throws: a call may throw these, and no other uncoded error. */
export const NASTY: readonly unknown[] = [new Error('nasty'), null, undefined, 7n, 'nasty'];

/** Bytes around every view of the pool. */
const MARGIN = 64;
const CANARY = 0xa5;

/** A view whose surroundings are watched. */
export class Watched {
  readonly view: ArrayBufferView;
  readonly #all: Uint8Array;
  readonly #before: Uint8Array;

  constructor(make: (memory: ArrayBufferLike, offset: number) => ArrayBufferView, shared: boolean) {
    const memory = shared ? new SharedArrayBuffer(320) : new ArrayBuffer(320);
    this.view = make(memory, MARGIN);
    this.#all = new Uint8Array(memory).fill(CANARY);
    this.#before = this.#all.slice();
  }

  /** Remembers how the memory is. */
  watch(): void {
    this.#before.set(this.#all);
  }

  /** Whether no byte has changed. */
  isUntouched(): boolean {
    return Buffer.compare(this.#all, this.#before) === 0;
  }

  /** Whether no byte has changed but `length` from `offset` of the view on. */
  isWhole(offset: number, length: number): boolean {
    const from = this.view.byteOffset + offset;
    return this.#all.every(
      (byte, i) => byte === this.#before[i] || (i >= from && i < from + length),
    );
  }
}

const makers: readonly ((memory: ArrayBufferLike, offset: number) => ArrayBufferView)[] = [
  (memory, offset) => new Uint8Array(memory, offset, 128),
  (memory, offset) => new Uint8Array(memory, offset, 3),
  (memory, offset) => new Uint8Array(memory, offset, 0),
  (memory, offset) => new Int8Array(memory, offset, 64),
  (memory, offset) => new Uint16Array(memory, offset, 32),
  (memory, offset) => new Int32Array(memory, offset, 2),
  (memory, offset) => new Float64Array(memory, offset, 16),
  (memory, offset) => new BigUint64Array(memory, offset, 1),
  (memory, offset) => new BigInt64Array(memory, offset, 2),
  (memory, offset) => new DataView(memory, offset, 77),
];

/** Draws nasty values. */
export class FuzzValues {
  readonly watched: readonly Watched[] = [false, true].flatMap((shared) =>
    makers.map((make) => new Watched(make, shared)),
  );
  readonly #random: Random;
  readonly #folder: string;
  #volatile: ReturnType<typeof resizableMemory> = resizableMemory(64);

  constructor(random: Random, folder: string) {
    this.#random = random;
    this.#folder = folder;
  }

  of<T>(pool: readonly T[]): T {
    return pool[this.#random.integer(0, pool.length)] as T;
  }

  chance(oneIn: number): boolean {
    return this.#random.integer(0, oneIn) === 0;
  }

  /** Of no kind that any call takes, or hardly any. */
  junk(): unknown {
    return this.of<() => unknown>([
      () => undefined,
      () => null,
      () => this.of([true, '', '1', 1n, -1n, Symbol.iterator, 0.5, Number.NaN]),
      () => this.of([-1, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e300, -Infinity, -0]),
      () => this.of([2n ** 63n, 2n ** 64n, 2n ** 64n - 1n, -(2n ** 63n), 2n ** 300n]),
      () => ({}),
      () => [],
      () => this.junk.bind(this),
      () => new Date(),
      () => new ArrayBuffer(8),
      () => this.#hostile(),
      () => this.#revoked(),
      () => this.view(),
      () => new sys.EpollEventArray(1),
      () => Object.create(sys.EpollEventArray.prototype) as unknown,
      () => [this.of(NASTY)],
    ])();
  }

  int32(): number {
    return this.of([
      0,
      1,
      2,
      3,
      4,
      8,
      64,
      255,
      0x800,
      -1,
      -2,
      2 ** 31 - 1,
      -(2 ** 31),
      0x7fff,
      12_345,
    ]);
  }

  mask(): number {
    const bits = [EPOLLIN, EPOLLOUT, EPOLLET, EPOLLONESHOT, EPOLLEXCLUSIVE, EPOLLWAKEUP];
    return this.of([EPOLLIN, EPOLLOUT | EPOLLET, this.of(bits) | this.of(bits), 2 ** 32 - 1, 0]);
  }

  wide(): number | bigint {
    return this.of<number | bigint>([
      ...[0, 1, 2 ** 32, 2 ** 53 - 1, -1, -1n, 0n, 1n, 2n ** 53n + 1n, 2n ** 63n],
      ...[2n ** 63n - 1n, 2n ** 64n - 1n, 2n ** 64n - 2n, -(2n ** 63n)],
    ]);
  }

  /** A view: watched, or one whose memory is about to change. */
  view(): ArrayBufferView {
    if (!this.chance(4)) return this.of(this.watched).view;
    const memory = resizableMemory(64);
    this.#volatile = memory;
    const view = this.of<() => ArrayBufferView>([
      () => new Uint8Array(memory, 8, 16),
      () => new Uint8Array(memory, 8),
      () => new Float64Array(memory, 8),
      () => new DataView(memory, 8, 16),
      () => new DataView(memory, 8),
      () => new Int32Array(memory),
      () => new Uint8Array(growableMemory(16)),
    ])();
    if (this.chance(3)) this.disturb();
    return view;
  }

  /** Shrinks or detaches the memory of the last view that can be. */
  disturb(): void {
    const memory = this.#volatile;
    if (!this.chance(3)) {
      memory.resize(this.of([0, 1, 7, 9, 12, 64, 256]));
      return;
    }
    this.#volatile = resizableMemory(64); // what is detached cannot be resized
    detach(memory);
  }

  views(): unknown {
    const views = Array.from({ length: this.of([0, 1, 2, 5]) }, () => this.view()) as unknown[];
    if (this.chance(8)) views.push(this.junk());
    if (this.chance(50))
      return new Array<ArrayBufferView>(this.of([1_024, 1_025])).fill(this.view());
    return this.chance(6) ? this.withGetter(views, '0', views[0]) : views;
  }

  sigmask(): unknown {
    const signals = Array.from({ length: this.of([0, 1, 3, 64]) }, () =>
      this.of([1, 9, 12, 19, 64]),
    );
    if (this.chance(6)) return [...signals, this.junk()];
    return this.chance(8) ? this.withGetter(signals, '0', 10) : signals;
  }

  /** An object with one property that does something when it is read. */
  withGetter(target: object, property: string, value: unknown): object {
    const get = this.of<() => unknown>([
      () => value,
      () => {
        this.disturb();
        return value;
      },
      () => {
        throw this.of(NASTY) as Error;
      },
      () => this.junk(),
    ]);
    return Object.defineProperty(target, property, { get, configurable: true, enumerable: true });
  }

  address(): unknown {
    const port = this.of([0, 9, 65_535]);
    const address = this.of<() => object>([
      () => ({ family: AF_INET, address: '127.0.0.1', port }),
      () => ({ family: AF_INET6, address: '::1', port, flowinfo: this.int32(), scopeId: 1 }),
      () => ({ family: AF_UNIX, path: `${this.#folder}/${this.of(['a', 'b', 'x'.repeat(200)])}` }),
      () => ({ family: AF_UNIX, path: this.of(['', '\0', '\0raw-epoll-fuzz', 'a\0b']) }),
      () => ({ family: AF_UNSPEC }),
      () => ({ family: this.int32(), address: '127.0.0.1', port: this.junk(), path: this.junk() }),
      () => ({ family: AF_INET, address: this.of(['', 'localhost', '1.2.3', '::1']), port }),
      () => ({ family: AF_INET, address: this.junk(), port: this.junk() }),
      () => new Map(),
    ])();
    const property = this.of(['family', 'address', 'port', 'path', 'scopeId']);
    if (!this.chance(5)) return address;
    return this.withGetter(address, property, (address as Record<string, unknown>)[property]);
  }

  /** An object for a call to fill in. */
  out(): unknown {
    return this.of<() => unknown>([
      () => ({}),
      () => Object.create(null) as unknown,
      () => Object.freeze({ family: 1 }),
      () =>
        this.#unwritable(this.of(['family', 'address', 'port', 'path', 'valueNs', 'intervalNs'])),
      () => [],
      () => this.#hostile(),
      () => this.#revoked(),
    ])();
  }

  /** A message, with parts that are right or nearly. */
  message(sends: boolean): unknown {
    const control = {
      rights: this.chance(4) ? this.junk() : new Int32Array(this.of([0, 1, 4, 300])).fill(-1),
      credentials: sends && this.chance(3) ? { pid: process.pid, uid: 0, gid: 0 } : {},
    };
    const message = {
      iov: this.views(),
      ...(this.chance(2) ? { name: sends ? this.address() : this.out() } : {}),
      ...(this.chance(2) ? { control: this.chance(8) ? this.junk() : control } : {}),
    };
    if (!this.chance(4)) return message;
    if (!sends && this.chance(2)) return this.#refusing(message, 'flags');
    const property = this.of(['iov', 'name', 'control'] as const);
    return this.withGetter(message, property, (message as Record<string, unknown>)[property]);
  }

  timer(): unknown {
    const timer = { valueNs: this.wide(), intervalNs: this.chance(3) ? undefined : this.wide() };
    return this.chance(5) ? this.withGetter(timer, 'valueNs', 1) : timer;
  }

  #unwritable(property: string): object {
    return this.#refusing({}, property);
  }

  #refusing(object: object, property: string): object {
    return Object.defineProperty(object, property, {
      set: () => {
        this.disturb();
        if (this.chance(2)) throw this.of(NASTY) as Error;
      },
    });
  }

  #hostile(): object {
    const trap = (): never => {
      throw this.of(NASTY) as Error;
    };
    return new Proxy({}, { get: trap, set: trap, has: trap, ownKeys: trap, getPrototypeOf: trap });
  }

  #revoked(): object {
    const { proxy, revoke } = Proxy.revocable(this.chance(2) ? {} : [], {});
    revoke();
    return proxy;
  }
}

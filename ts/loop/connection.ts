import type net from 'node:net';
import { WOULD_BLOCK, type Holder } from '../descriptor/owned-descriptor.js';
import { Stream, type ToNetSocketOptions } from '../descriptor/stream.js';
import { bytesOf } from '../descriptor/view.js';
import {
  checkInteger,
  checkOptions,
  closedError,
  invalidArgType,
  stateError,
  SystemError,
  type CodedError,
} from '../errors.js';
import { READABLE, WRITABLE } from '../poller/conditions.js';
import { ENOBUFS } from '../sys/constants.js';
import type { ConnectionBuffers } from './connection-buffers.js';
import { Owned } from './owned.js';
import { PendingOutput } from './pending-output.js';
import type { LoopRegistration, Ready } from './registration.js';
import type { Hold, Scope } from './scope.js';

/** As the streams of Node have it since version 22. */
const HIGH_WATER_MARK = 64 * 1024;

/** What happens on a connection. Looked up when it happens, and called as methods of this object. */
export interface ConnectionHandlers {
  /**
   * Bytes have come.
   *
   * @param chunk  A view of memory that the next read fills anew: good until the handler returns.
   *               What is to be kept longer is to be copied; `write` does.
   */
  data(chunk: Buffer, connection: Connection): void;
  /** The peer has half-closed: it sends nothing more. Default: `connection.end()`. */
  end?(connection: Connection): void;
  /** Output has fallen to the low-water mark, after `write()` had answered false. */
  drain?(connection: Connection): void;
  /**
   * The connection is closed, or Node has it: exactly once, for whatever reason, at the end of the
   * turn; at once if its scope or the loop was closed, which have no more turns. What was pending
   * is gone.
   *
   * @param error  What broke it, what it was destroyed with, or what its scope was closed with.
   */
  close?(connection: Connection, error: Error | undefined): void;
}

/** How much a connection keeps, and how it sends. */
export interface ConnectionOptions {
  /** From so many pending bytes on `write()` answers false, 1 … 2 ** 53 - 1. Default: 65,536. */
  readonly highWaterMark?: number;
  /** At so many or fewer `drain` is called then, 0 … `highWaterMark` - 1. Default: 0. */
  readonly lowWaterMark?: number;
  /**
   * Keeps what is written in a turn and sends it with one call at its end, or sooner when it has
   * filled a buffer: for many small writes. Default: off, each write is sent at once.
   */
  readonly gather?: boolean;
  /** What it is called where open things are listed. */
  readonly label?: string;
  /** Whose it is: it is closed with this. Default: the root of the loop. */
  readonly scope?: Scope;
}

/**
 * A stream in a loop, which it owns from now on: reads what comes, keeps what the kernel does not
 * take yet, and never blocks. Made by `loop.connection`.
 *
 * The stream may still be connecting: what is written meanwhile is kept.
 *
 * **Reading.** One read for each turn and connection, of as much as a buffer of `loop.buffers`
 * holds. All connections of a loop read into the same memory, set aside for it, so reading never
 * waits for a buffer. A paused connection is not watched for reading: the peer feels it as soon as
 * the kernel's buffers are full.
 *
 * **Writing.** As with Node's sockets: `write()` takes everything, and answers false when it is
 * time to wait for `drain`. What the kernel does not take at once lies in buffers of `loop.buffers`;
 * the descriptor is watched for writing only while something does.
 *
 * **Bounds.** Who does not wait for `drain` has the rest kept all the same, until the pool has no
 * buffer left. Then the connection that wants one is destroyed with `ENOBUFS`: the pool is the bound
 * of all output together, and nothing is lost without an error. A pending byte takes a whole
 * buffer, so for many slow peers make the buffers small and many.
 *
 * **The end.** Both directions end on their own: `end()` half-closes once the pending output has
 * gone out, and reading goes on until the peer ends too. Then the stream is closed. A shutdown of
 * the loop waits for output that is pending after `end()`.
 *
 * What breaks a connection, as `close` gets it:
 *
 * | code         | when |
 * | ------------ | --- |
 * | ECONNRESET   | the peer has reset it, or went away with bytes unread |
 * | EPIPE        | something was written to a peer that reads no more |
 * | ETIMEDOUT    | the peer does not answer any more |
 * | ECONNREFUSED, EHOSTUNREACH … | a stream that was connecting could not |
 * | ENOBUFS      | pending output finds no room in the pool |
 * | ERR_CLOSED   | somebody has closed the stream behind the connection's back |
 *
 * None of them is thrown by a method here: they come at the end of the turn. What a handler
 * throws leaves the connection as it is, and goes where errors of handlers go.
 *
 * Memory: allocates nothing for a chunk whose length recurs, nor to write one that the kernel takes.
 */
export class Connection implements Disposable {
  /** The stream. It is closed with the connection. */
  readonly stream: Stream;
  /** Whose it is. */
  readonly scope: Scope;
  /** What it is called where open things are listed. */
  readonly label: string;
  readonly #buffers: ConnectionBuffers;
  readonly #handlers: ConnectionHandlers;
  readonly #output: PendingOutput;
  readonly #high: number;
  readonly #low: number;
  /** Only of those that gather: each connection has its own. */
  readonly #sendGathered: (() => void) | undefined;
  #registration: LoopRegistration | undefined;
  #paused = false;
  /** The peer has sent its last byte. */
  #readEnded = false;
  /** Nothing more is to be written, because `end()` was called, or because the peer has ended. */
  #ending = false;
  #endCalled = false;
  /** The last byte has gone, and the half-close after it. */
  #writeEnded = false;
  /** Output waits for room in the kernel. */
  #blocked = false;
  /** Output waits for the end of the turn. */
  #gathering = false;
  #needsDrain = false;
  /** The half-close was tried too early, while the stream was connecting. */
  #endPutOff = false;
  #closed = false;
  #error: Error | undefined;
  #told = false;
  #hold: Hold | undefined;
  readonly #member: ConnectionMember;

  /** Registers the stream. @internal */
  constructor(
    scope: Scope,
    buffers: ConnectionBuffers,
    stream: Stream,
    handlers: ConnectionHandlers,
    options: ConnectionOptions,
  ) {
    const { highWaterMark = HIGH_WATER_MARK, lowWaterMark = 0 } = checkOptions(options);
    checkInteger(highWaterMark, 'highWaterMark', 1, Number.MAX_SAFE_INTEGER);
    this.#high = highWaterMark;
    this.#low = checkInteger(lowWaterMark, 'lowWaterMark', 0, highWaterMark - 1);
    if (options.gather === true) this.#sendGathered = this.#flushGathered.bind(this);
    this.label = options.label ?? '';
    this.stream = checkStream(stream);
    this.#handlers = checkHandlers(handlers);
    this.scope = scope;
    this.#buffers = buffers;
    this.#output = new PendingOutput(buffers.pool);
    const holder = Owned.holderOf(stream);
    if (holder?.movable === false) throw stateError('the stream belongs to a connection already');
    this.#registration = this.#register(READABLE);
    holder?.leave();
    stream.holder = new StreamHolder(this);
    this.#member = new ConnectionMember(this);
    scope.adopt(this.#member);
  }

  /** The descriptor; `-1` once closed. */
  get fd(): number {
    return this.stream.fd;
  }

  /** How many bytes of output wait. */
  get pending(): number {
    return this.#output.bytes;
  }

  /** True once closed: nothing more comes or goes. `close` may still be to be called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether `pause()` has stopped the reading. */
  get paused(): boolean {
    return this.#paused;
  }

  /**
   * Sends bytes: what the kernel takes at once, and the rest later. Nothing of `bytes` is kept.
   *
   * @param bytes  A view, or a string for its UTF-8.
   * @returns      False at or above the high-water mark: better wait for `drain`. False as well, with
   *               nothing done, once the connection is closed or the peer has ended it, which may
   *               be before `close` or `end` has told so.
   * @throws `ERR_STREAM_WRITE_AFTER_END` after an `end()` of your own; `ERR_INVALID_ARG_TYPE`
   */
  write(bytes: Uint8Array | string): boolean {
    const text = typeof bytes === 'string';
    const source = text ? this.#buffers.encode(bytes) : bytesToWrite(bytes);
    if (this.#endCalled) throw writeAfterEnd();
    if (this.#ending || this.#closed) return false;
    if (!this.#keepForLater(source)) this.#sendOrKeep(source);
    return this.#mayGoOn();
  }

  /**
   * Half-closes once everything has gone out: the peer reads the end of the stream and can still
   * send. Again, or once closed: does nothing.
   *
   * @param bytes  To be written before.
   * @throws As `write`, if there are bytes.
   */
  end(bytes?: Uint8Array | string): void {
    if (bytes !== undefined) this.write(bytes);
    this.#endCalled = true;
    this.#endWriting();
  }

  /** Stops reading: no `data`, and no `end`, until `resume()`. Again: does nothing. */
  pause(): void {
    this.#paused = true;
    this.#watch();
  }

  /** Goes on reading. Again: does nothing. */
  resume(): void {
    this.#paused = false;
    this.#watch();
  }

  /**
   * Closes the stream at once; what is pending is dropped. If bytes of the peer are unread, it
   * learns of a reset. Again: does nothing.
   *
   * @param error  For `close`.
   */
  destroy(error?: Error): void {
    if (this.#closed) return;
    this.#error = error;
    this.#leave();
    try {
      this.stream.close();
    } catch (failure) {
      this.#error ??= failure as Error;
    }
  }

  /**
   * Hands the connection to `node:net`, see `Stream.toNetSocket`. What is pending goes with it: the
   * socket sends it first. Here the connection is closed, with `close` called as ever, and its
   * scope has nothing more to do with it: whose the socket is from now on, you say.
   *
   * ```ts
   * data: (chunk, connection) => server.emit('connection', connection.toNetSocket({ unread: chunk }))
   * ```
   *
   * @param options.unread  What `data` has brought and is for the socket.
   * @throws `ERR_CLOSED`; `ERR_INVALID_STATE` after `end()`, or once the peer has ended and nobody
   *         keeps the other direction open; as `Stream.toNetSocket`. The connection stays here then.
   */
  toNetSocket(options: ToNetSocketOptions = {}): net.Socket {
    if (this.#closed) throw closedError('Connection');
    if (this.#ending) throw stateError('the connection is ending');
    const { holder } = this.stream;
    this.stream.holder = undefined; // It goes with our knowledge.
    let socket: net.Socket;
    try {
      socket = this.stream.toNetSocket(options);
    } catch (error) {
      this.stream.holder = holder;
      throw error;
    }
    const pending = this.#output.take();
    this.#leave();
    if (pending.length > 0) socket.write(pending);
    return socket;
  }

  /** `destroy()` */
  close(): void {
    this.destroy();
  }

  /** `destroy()`, for `using`. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  /** The scope ends: there is no later. @internal */
  endWithScope(reason: unknown): void {
    if (this.#gathering) this.#sendPending();
    this.destroy(reason instanceof Error ? reason : undefined);
    this.scope.inContext(this.#tell.bind(this))();
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#member.leave();
    this.#handlers.close?.(this, this.#error);
  }

  /** Nothing comes or goes here any more. The stream leaves the loop with its descriptor. */
  #leave(): void {
    this.#closed = true;
    this.#registration = undefined;
    this.#output.clear();
    this.#hold?.release();
    // Otherwise its scope tells it, which ends now or is about to.
    if (this.scope.hasTurns) this.scope.defer(this.#tell.bind(this));
  }

  #serve(ready: Ready): void {
    // Reading first: what came before a reset is not lost. Each is judged when it is its turn.
    if (ready.readable) this.#read();
    else if (!ready.writable) {
      // Without these two, another handler of this turn has taken the reason away.
      if (ready.error || ready.hangup) this.#hearUnasked();
      return;
    }
    if (ready.writable) this.#flush();
  }

  #read(): void {
    const { reading } = this.#buffers;
    const buffer = reading.whole;
    let length: number;
    try {
      length = this.stream.read(buffer, 0, buffer.length);
    } catch (error) {
      this.destroy(error as Error);
      return;
    }
    if (length > 0) this.#handlers.data(reading.first(length), this);
    else if (length !== WOULD_BLOCK) this.#hearEnd();
  }

  #hearEnd(): void {
    this.#readEnded = true;
    try {
      if (this.#handlers.end === undefined) this.#endWriting();
      else this.#handlers.end(this);
    } finally {
      if (this.#writeEnded) this.destroy();
      else this.#watch();
    }
  }

  /**
   * A hang-up or an error on a descriptor of which nothing is asked: the kernel goes on reporting
   * it. A paused connection leaves the loop until it is resumed, and learns then what it was; bytes
   * that came before are still there to read. One that only waits for something to write is over.
   */
  #hearUnasked(): void {
    if (this.#readEnded) {
      this.destroy(this.#takeError());
      return;
    }
    this.#registration?.deregister();
    this.#registration = undefined;
  }

  #takeError(): Error | undefined {
    const error = this.stream.takeError();
    return error === null ? undefined : this.#failure(error.errno);
  }

  #failure(errno: number, detail = ''): SystemError {
    return new SystemError(errno, 'send', {
      fd: this.fd,
      detail: `fd ${String(this.fd)}${detail}`,
    });
  }

  #mayGoOn(): boolean {
    if (this.#closed) return false;
    if (this.#output.bytes < this.#high) return true;
    this.#needsDrain = true;
    return false;
  }

  /** True if the bytes wait for the end of the turn, and go out with others then. */
  #keepForLater(source: Uint8Array): boolean {
    if (this.#sendGathered === undefined || this.#blocked || !this.scope.hasTurns) return false;
    const fits = this.#output.bytes + source.length <= this.#buffers.pool.bufferBytes;
    if (fits && this.#output.append(source, 0)) {
      if (!this.#gathering) this.scope.defer(this.#sendGathered);
      this.#gathering = true;
      return true;
    }
    this.#sendPending();
    return false;
  }

  #flushGathered(): void {
    this.#gathering = false;
    if (!this.#blocked) this.#flush();
  }

  #sendOrKeep(source: Uint8Array): void {
    if (this.#closed) return;
    let sent = 0;
    if (!this.#blocked) {
      try {
        sent = Math.max(this.stream.write(source, 0, source.length), 0); // WOULD_BLOCK: none
      } catch (error) {
        this.destroy(error as Error);
        return;
      }
      if (sent === source.length) return;
    }
    if (!this.#output.append(source, sent)) {
      this.destroy(this.#failure(ENOBUFS, ': the pool of the loop has no buffer left'));
      return;
    }
    this.#blocked = true;
    this.#watch();
  }

  /** There may be room in the kernel again. */
  #flush(): void {
    this.#sendPending();
    try {
      if (this.#ending) this.#finishWriting();
      else this.#callDrain();
    } finally {
      // After the handler, which may write more: the kernel hears of what is so in the end.
      this.#watch();
    }
  }

  #sendPending(): void {
    if (this.#closed) return;
    try {
      this.#blocked = !this.#output.sendTo(this.stream);
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  #callDrain(): void {
    if (this.#closed || !this.#needsDrain || this.#output.bytes > this.#low) return;
    this.#needsDrain = false;
    this.#handlers.drain?.(this);
  }

  #endWriting(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    if (!this.#blocked) this.#flush();
    // Asked anew: the kernel may have refused what the flush wanted, and that was the end.
    if (this.#blocked && !this.closed && !this.scope.closed) this.#hold = this.scope.hold();
  }

  /** Half-closes, if nothing is pending. */
  #finishWriting(): void {
    if (this.#closed || this.#blocked || this.#writeEnded) return;
    try {
      this.stream.shutdown('write');
    } catch (error) {
      this.#cannotEnd(error as SystemError);
      return;
    }
    this.#writeEnded = true;
    this.#hold?.release();
    if (this.#readEnded) this.destroy();
  }

  /** A stream that is still connecting cannot be half-closed: once it is writable, it can. */
  #cannotEnd(failure: SystemError): void {
    const error = failure.code === 'ENOTCONN' ? this.#takeError() : failure;
    if (error !== undefined || this.#endPutOff) {
      this.destroy(error ?? failure);
      return;
    }
    this.#endPutOff = true;
    this.#blocked = true;
  }

  /** Has the loop watch for what there is to do now: one call, and none if that is the same. */
  #watch(): void {
    if (this.#closed) return;
    const reads = !this.#paused && !this.#readEnded;
    const interest = (reads ? READABLE : 0) | (this.#blocked ? WRITABLE : 0);
    const registration = this.#registration;
    // One that is not active was lost behind the back: modify() says so.
    if (registration?.active === true && registration.interest === interest) return;
    try {
      if (registration !== undefined) registration.modify(interest);
      else if (interest !== 0) this.#registration = this.#register(interest);
    } catch (error) {
      this.destroy(
        this.stream.closed ? closedError('the stream of a connection') : (error as Error),
      );
    }
  }

  #register(interest: number): LoopRegistration {
    const { stream, scope, label } = this;
    // A bound method takes half of what a function does that closes over `this`.
    return scope.loop.register(stream, interest, this.#serve.bind(this), { label, scope });
  }
}

/** Hears of it when the stream of a connection is closed, or given away, behind its back. */
class StreamHolder implements Holder {
  readonly movable = false;
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  leave(): void {
    // Closed by its connection, as nearly all are: an error for nobody costs microseconds.
    if (this.#connection.closed) return;
    this.#connection.destroy(closedError('the stream of a connection'));
  }
}

/** A connection in the hands of its scope. */
class ConnectionMember extends Owned {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    const { scope, stream, label } = connection;
    super(scope, connection, { label, kind: stream.constructor.name }, false);
    this.#connection = connection;
  }

  override end(reason: unknown, errors: unknown[]): void {
    try {
      this.#connection.endWithScope(reason);
    } catch (error) {
      errors.push(error);
    }
  }
}

function checkStream(stream: unknown): Stream {
  if (stream instanceof Stream) return stream;
  throw invalidArgType('stream', 'TcpStream or UnixStream', stream);
}

const HANDLERS = ['data', 'end', 'drain', 'close'] as const;

function checkHandlers(handlers: ConnectionHandlers): ConnectionHandlers {
  if (typeof handlers !== 'object' || (handlers as object | null) === null) {
    throw invalidArgType('handlers', 'object', handlers);
  }
  for (const name of HANDLERS) {
    const handler: unknown = Reflect.get(handlers, name);
    if (typeof handler === 'function' || (handler === undefined && name !== 'data')) continue;
    throw invalidArgType(`handlers.${name}`, 'function', handler);
  }
  return handlers;
}

function bytesToWrite(bytes: unknown): Uint8Array {
  return bytes instanceof Uint8Array ? bytes : bytesOf(bytes, 'bytes');
}

function writeAfterEnd(): CodedError {
  return Object.assign(new Error('write() after end()'), { code: 'ERR_STREAM_WRITE_AFTER_END' });
}

import { LeakDetector } from './leak-detector.js';
import { OwnedDescriptor } from './owned-descriptor.js';

const leaks = new LeakDetector('ReceivedDescriptor');

/**
 * A descriptor that came over a Unix socket, of whatever kind the sender chose.
 *
 * Close-on-exec, and owned: closed at the end of the thread if nobody does it before. Whether it
 * blocks is a property of the open file, which the sender shares; `adopt` makes it non-blocking,
 * for the sender too. Hand it to the `adopt` of the class that fits: without a moment in which
 * nobody owns it.
 *
 * @example
 * ```ts
 * const message = stream.receive(buffer);
 * const [connection] = message?.descriptors ?? [];
 * if (connection !== undefined) serve(TcpStream.adopt(connection));
 * ```
 */
export class ReceivedDescriptor extends OwnedDescriptor {
  /** Takes a descriptor that the environment owns already. @internal */
  static wrap(fd: number): ReceivedDescriptor {
    return new ReceivedDescriptor(fd, leaks);
  }
}

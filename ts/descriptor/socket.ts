import { SystemError } from '../errors.js';
import { SO_ERROR, SOL_SOCKET } from '../sys/constants.js';
import {
  getpeername,
  getsockname,
  getsockopt,
  type SocketAddress,
  type SocketAddressOut,
} from '../sys/index.js';
import { OwnedDescriptor } from './owned-descriptor.js';

/** A socket that carries data. Base of `Stream` and `DatagramSocket`. */
export abstract class Socket extends OwnedDescriptor {
  /**
   * Takes the error that waits on the socket (`SO_ERROR`), and clears it.
   *
   * After a connect in progress: once the descriptor is writable, `null` means connected.
   *
   * @returns  The error, not thrown; `null` if there is none.
   * @throws   `ERR_CLOSED`.
   */
  takeError(): SystemError | null {
    const value = new Int32Array(1);
    this.checked(getsockopt(this.fd, SOL_SOCKET, SO_ERROR, value), 'getsockopt');
    const errno = value[0] as number;
    if (errno === 0) return null;
    return new SystemError(-errno, 'connect', { fd: this.fd, detail: `fd ${String(this.fd)}` });
  }

  /** This end's address: getsockname(2). Asks the kernel each time. */
  get localAddress(): SocketAddress {
    const address: SocketAddressOut = {};
    this.checked(getsockname(this.fd, address), 'getsockname');
    return address as SocketAddress;
  }

  /** The other end's address: getpeername(2). Throws `ENOTCONN` while not connected. */
  get remoteAddress(): SocketAddress {
    const address: SocketAddressOut = {};
    this.checked(getpeername(this.fd, address), 'getpeername');
    return address as SocketAddress;
  }
}

import { SystemError, TcpListener, UnixListener } from 'raw-epoll';
import { SOMAXCONN } from 'raw-epoll/constants';
import { leave, type ListenAt } from './command-line.js';

/**
 * Listens; leaves with code 1 and the reason if the kernel refuses.
 *
 * The spare descriptor answers a full descriptor table: a connection that has no descriptor left
 * is closed at once. Otherwise it would go on waiting, the listener would stay ready, and the
 * loop would spin: accept(2), EMFILE.
 */
export function listenAt(program: string, at: ListenAt): TcpListener | UnixListener {
  const options = { ...at, backlog: SOMAXCONN, reserveDescriptor: true };
  try {
    return 'path' in options ? UnixListener.listen(options) : TcpListener.listen(options);
  } catch (error) {
    if (error instanceof SystemError) leave(program, error.message, 1);
    throw error;
  }
}

/** One more number for what somebody else owns. */
import test from 'ava';
import { TcpListener, UnixStream, WOULD_BLOCK } from '../../ts/index.js';
import { EPOLLIN, F_GETFD, FD_CLOEXEC, F_SETFL } from '../../ts/sys/constants.js';
import { fcntl } from '../../ts/sys/index.js';
import { isOpen } from '../support/kernel-view.js';
import { acceptOne, awaitReady, closing, portOf, tcpPair, unixPair } from '../support/pairs.js';
import { TcpStream } from '../../ts/index.js';

test('a duplicate of a listener accepts, also when the first number is closed', (t) => {
  const listener = closing(t, TcpListener.listen());
  const port = portOf(listener);
  const duplicate = closing(t, TcpListener.duplicate(listener.fd));
  t.not(duplicate.fd, listener.fd);
  t.false(listener.closed);
  t.is(portOf(duplicate), port);
  t.is(fcntl(duplicate.fd, F_GETFD), FD_CLOEXEC);
  closing(t, TcpStream.connect({ port }));
  closing(t, acceptOne(listener));
  listener.close();
  closing(t, TcpStream.connect({ port }));
  closing(t, acceptOne(duplicate));
  t.is(duplicate.accept(), null);
});

test('two duplicates of a stream read one stream of bytes, and either keeps it open', (t) => {
  const [left, right] = unixPair(t);
  fcntl(left.fd, F_SETFL, 0); // It blocks: the duplicate must not.
  const duplicate = closing(t, UnixStream.duplicate(left));
  t.is(duplicate.read(new Uint8Array(1)), WOULD_BLOCK);
  right.write(Buffer.from('ab'));
  const byte = Buffer.alloc(1);
  t.deepEqual([left.read(byte), byte.toString()], [1, 'a']);
  t.deepEqual([duplicate.read(byte), byte.toString()], [1, 'b']);
  left.close();
  t.is(right.read(byte), WOULD_BLOCK);
  duplicate.close();
  awaitReady(right, EPOLLIN);
  t.is(right.read(byte), 0);
});

test('what is no such socket is refused, and stays as it is', (t) => {
  const { client } = tcpPair(t);
  const listener = closing(t, TcpListener.listen());
  const wrong = { code: 'ERR_INVALID_FD_TYPE' };
  t.throws(() => TcpListener.duplicate(client), wrong);
  t.throws(() => UnixStream.duplicate(client), wrong);
  t.throws(() => UnixStream.duplicate(listener), wrong);
  t.throws(() => TcpListener.duplicate(-1), { code: 'EBADF' });
  t.throws(() => TcpListener.duplicate(1.5), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => UnixStream.duplicate('3' as unknown as number), { code: 'ERR_INVALID_ARG_TYPE' });
  t.true(isOpen(client.fd));
  listener.close();
  t.throws(() => TcpListener.duplicate(listener), { code: 'ERR_CLOSED' });
});

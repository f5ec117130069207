import test from 'ava';
import { Pipe, SystemError, WOULD_BLOCK } from '../../ts/index.js';
import { F_GETPIPE_SZ, F_SETPIPE_SZ } from '../../ts/sys/constants.js';
import { fcntl } from '../../ts/sys/index.js';
import { closing, pipePair } from '../support/pairs.js';

test('a pipe takes as much as the kernel says it holds, and not a byte more', (t) => {
  const { reader, writer } = pipePair(t);
  const capacity = fcntl(writer.fd, F_GETPIPE_SZ);
  t.is(capacity, 65_536);
  t.is(writer.write(Buffer.alloc(100_000)), capacity);
  t.is(writer.write(Buffer.alloc(1)), WOULD_BLOCK);
  t.is(reader.read(Buffer.alloc(100_000)), capacity);
  t.is(reader.read(Buffer.alloc(1)), WOULD_BLOCK);
});

test('a pipe whose capacity was changed takes that much', (t) => {
  const { reader, writer } = pipePair(t);
  t.is(fcntl(writer.fd, F_SETPIPE_SZ, 4096), 4096);
  t.is(writer.write(Buffer.alloc(10_000)), 4096);
  t.is(reader.read(Buffer.alloc(10_000)), 4096);
});

test('4,096 bytes go in one piece or not at all', (t) => {
  const { reader, writer } = pipePair(t);
  const capacity = fcntl(writer.fd, F_GETPIPE_SZ);
  t.is(writer.write(Buffer.alloc(capacity - 100)), capacity - 100);
  t.is(writer.write(Buffer.alloc(4096)), WOULD_BLOCK);
  t.is(reader.read(Buffer.alloc(4096)), 4096);
  t.is(writer.write(Buffer.alloc(4096)), 4096);
});

test('a pipe without a reader throws EPIPE, and no signal ends the process', (t) => {
  const { reader, writer } = pipePair(t);
  writer.write(Buffer.from('never read'));
  reader.close();
  const error = t.throws(() => writer.write(Buffer.from('x')), {
    code: 'EPIPE',
    instanceOf: SystemError,
  });
  t.is(error.syscall, 'write');
  t.is(error.fd, writer.fd);
});

test('the wrong end of a pipe throws EBADF and stays open', (t) => {
  const { reader, writer } = pipePair(t);
  t.throws(() => reader.write(Buffer.from('x')), { code: 'EBADF' });
  t.throws(() => writer.read(Buffer.alloc(1)), { code: 'EBADF' });
  t.is(writer.write(Buffer.from('x')), 1);
  t.is(reader.read(Buffer.alloc(1)), 1);
});

test('both ends of a pipe close by using', (t) => {
  let reader: Pipe;
  {
    const pair = Pipe.pair();
    using writer = pair.writer;
    reader = closing(t, pair.reader);
    t.is(writer.write(Buffer.from('x')), 1);
  }
  t.is(reader.read(Buffer.alloc(10)), 1);
  t.is(reader.read(Buffer.alloc(10)), 0);
});

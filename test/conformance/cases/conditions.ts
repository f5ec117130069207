import {
  PRIORITY,
  READABLE,
  TcpListener,
  TcpStream,
  TimerFd,
  WRITABLE,
} from '../../../ts/index.js';
import { MSG_OOB, SO_LINGER, SOL_SOCKET } from '../../../ts/sys/constants.js';
import { read, send, setsockopt } from '../../../ts/sys/index.js';
import { closing, portOf } from '../../support/pairs.js';
import { type Case, group, inModes, needing } from '../case.js';
import { fill, type Kit, LONG_MS } from '../kit.js';

const byte = new Uint8Array(1);
const both = READABLE | WRITABLE;

/** A connect to a port where nobody listens, not yet known to have failed. */
function refusedConnect(k: Kit): TcpStream {
  const listener = TcpListener.listen({});
  const port = portOf(listener);
  listener.close();
  return closing(k.t, TcpStream.connect({ host: '127.0.0.1', port }));
}

/** The server's end of a connection whose client has sent a reset. */
function resetPeer(k: Kit): TcpStream {
  const { client, server } = k.tcp();
  setsockopt(client.fd, SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]));
  client.close();
  return server;
}

export const conditions: readonly Case[] = group('conditions', {
  'nothing to read is not readable': inModes((k) => {
    const poller = k.open();
    const [left] = k.pair();
    k.add(poller, left, READABLE);
    k.t.is(k.full(poller, left), '-');
  }),
  'data is readable': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    k.add(poller, left, READABLE);
    right.write(byte);
    k.t.is(k.full(poller, left), 'R');
  }),
  'room is writable': inModes((k) => {
    const poller = k.open();
    const [left] = k.pair();
    k.add(poller, left, WRITABLE);
    k.t.is(k.full(poller, left), 'W');
  }),
  'readable and writable come in one event': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    right.write(byte);
    k.add(poller, left, both);
    k.t.deepEqual(k.all(poller), [`${left.fd}:RW`]);
  }),
  'what was not asked for is not reported beside what was': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    right.write(byte);
    k.add(poller, left, WRITABLE);
    k.t.is(k.full(poller, left), 'W');
  }),
  'what alone was not asked for is not reported at all': inModes((k) => {
    const poller = k.open();
    const [left] = k.pair();
    k.add(poller, left, READABLE);
    k.t.deepEqual(k.all(poller), []);
  }),
  'an empty message of a closed peer is readable: the end of a Unix stream': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    right.close();
    k.add(poller, left, READABLE);
    k.t.is(k.ready(poller, left), 'R');
    k.t.is(left.read(byte), 0);
  }),
  'the end of a TCP stream is readable': (k) => {
    const poller = k.open();
    const { client, server } = k.tcp();
    poller.add(server, READABLE);
    client.close();
    k.until(poller, server, 'R');
    k.t.is(server.read(byte), 0);
  },
  'the end of a pipe is readable': inModes((k) => {
    const poller = k.open();
    const { reader, writer } = k.pipe();
    writer.close();
    k.add(poller, reader, READABLE);
    k.t.is(k.ready(poller, reader), 'R');
    k.t.is(reader.read(byte), 0);
  }),
  'the end of a stream stays readable': (k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    poller.add(left, READABLE);
    right.close();
    for (let i = 0; i < 3; i++) {
      k.t.is(k.ready(poller, left), 'R');
      k.t.is(left.read(byte), 0);
    }
  },
  'data before the end is readable, and then the end': (k) => {
    const poller = k.open();
    const { reader, writer } = k.pipe();
    poller.add(reader, READABLE);
    writer.write(byte);
    writer.close();
    k.t.is(k.ready(poller, reader), 'R');
    k.t.is(reader.read(byte), 1);
    k.t.is(k.ready(poller, reader), 'R');
    k.t.is(reader.read(byte), 0);
  },
  'a closed Unix peer is a hang-up and closed for reading': needing(
    ['hangup', 'readClosed'],
    (k) => {
      const poller = k.open();
      const [left, right] = k.pair();
      poller.add(left, both);
      right.close();
      k.t.is(k.full(poller, left), 'RWHC');
    },
  ),
  'the end of a pipe is closed for reading': needing(['readClosed'], (k) => {
    const poller = k.open();
    const { reader, writer } = k.pipe();
    poller.add(reader, READABLE);
    writer.close();
    k.t.regex(k.full(poller, reader), /^R.*C$/);
  }),
  'the end of a pipe is a hang-up': needing(['hangup', 'unasked'], (k) => {
    const poller = k.open();
    const { reader, writer } = k.pipe();
    poller.add(reader, READABLE);
    writer.close();
    k.t.is(k.full(poller, reader), 'RHC');
  }),
  'a half-closed peer is readable, and still writable to': (k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    poller.add(left, both);
    right.shutdown('write');
    k.t.is(k.ready(poller, left), 'RW');
    k.t.is(left.read(byte), 0);
    k.t.is(left.write(byte), 1);
    k.t.is(right.read(byte), 1);
  },
  'a half-closed peer is closed for reading and no hang-up': needing(
    ['hangup', 'readClosed'],
    (k) => {
      const poller = k.open();
      const [left, right] = k.pair();
      poller.add(left, both);
      right.shutdown('write');
      k.t.is(k.full(poller, left), 'RWC');
    },
  ),
  'closed for reading comes with READABLE alone': (k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    poller.add(left, WRITABLE);
    right.shutdown('write');
    k.t.is(k.full(poller, left), 'W');
  },
  'a pipe without a reader is writable: the write fails': (k) => {
    const poller = k.open();
    const { reader, writer } = k.pipe();
    poller.add(writer, WRITABLE);
    reader.close();
    k.t.is(k.ready(poller, writer), 'W');
    k.refused('EPIPE', () => writer.write(byte));
  },
  'a full pipe without a reader becomes writable': (k) => {
    const poller = k.open();
    const { reader, writer } = k.pipe();
    poller.add(writer, WRITABLE);
    fill(writer.fd);
    k.t.is(k.ready(poller, writer), '-');
    reader.close();
    k.t.is(k.ready(poller, writer), 'W');
  },
  'a pipe without a reader shows an error or a hang-up': needing(['hangup'], (k) => {
    const poller = k.open();
    const { reader, writer } = k.pipe();
    poller.add(writer, WRITABLE);
    reader.close();
    k.t.regex(k.full(poller, writer), /^W[EH]/);
  }),
  'a full pipe is not writable until it is read': inModes((k) => {
    const poller = k.open();
    const { reader, writer } = k.pipe();
    fill(writer.fd);
    k.add(poller, writer, WRITABLE);
    k.t.is(k.ready(poller, writer), '-');
    const sink = new Uint8Array(65_536);
    while (read(reader.fd, sink, 0, sink.length) > 0);
    k.t.is(k.ready(poller, writer), 'W');
  }),
  'a full socket is not writable until its peer reads': inModes((k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    fill(left.fd);
    k.add(poller, left, WRITABLE);
    k.t.is(k.ready(poller, left), '-');
    const sink = new Uint8Array(65_536);
    while (read(right.fd, sink, 0, sink.length) > 0);
    k.t.is(k.ready(poller, left), 'W');
  }),
  'a listener is readable while a connection waits': (k) => {
    const poller = k.open();
    const listener = closing(k.t, TcpListener.listen({}));
    poller.add(listener, READABLE);
    k.t.is(k.ready(poller, listener), '-');
    closing(k.t, TcpStream.connect({ host: '127.0.0.1', port: portOf(listener) }));
    k.until(poller, listener, 'R');
    closing(k.t, listener.accept() ?? listener);
    k.t.is(k.ready(poller, listener), '-');
  },
  'a finished connect is writable, and no error': (k) => {
    const poller = k.open();
    const listener = closing(k.t, TcpListener.listen({}));
    const stream = TcpStream.connect({ host: '127.0.0.1', port: portOf(listener) });
    poller.add(closing(k.t, stream), both);
    k.until(poller, stream, 'W');
    k.t.is(stream.takeError(), null);
  },
  'a refused connect is writable, and the error is there to take': (k) => {
    const poller = k.open();
    const stream = refusedConnect(k);
    poller.add(stream, WRITABLE);
    k.t.is(k.ready(poller, stream, LONG_MS), 'W');
    k.t.is(stream.takeError()?.code, 'ECONNREFUSED');
  },
  'a refused connect shows an error': needing(['hangup'], (k) => {
    const poller = k.open();
    const stream = refusedConnect(k);
    poller.add(stream, WRITABLE);
    k.t.regex(k.full(poller, stream, LONG_MS), /^WE/);
  }),
  'a reset is readable, and the read says what it was': (k) => {
    const poller = k.open();
    const server = resetPeer(k);
    poller.add(server, READABLE);
    k.t.is(k.ready(poller, server, LONG_MS), 'R');
    k.refused('ECONNRESET', () => server.read(byte));
  },
  'a reset shows an error': needing(['hangup'], (k) => {
    const poller = k.open();
    const server = resetPeer(k);
    poller.add(server, READABLE);
    k.t.regex(k.full(poller, server, LONG_MS), /^RE/);
  }),
  'a hang-up comes with interest 0': needing(['unasked'], (k) => {
    const poller = k.open();
    const [left, right] = k.pair();
    poller.add(left, 0);
    k.t.is(k.full(poller, left), '-');
    right.close();
    k.t.is(k.full(poller, left), 'H');
  }),
  'an error comes with interest 0': needing(['unasked'], (k) => {
    const poller = k.open();
    const { reader, writer } = k.pipe();
    poller.add(writer, 0);
    reader.close();
    k.t.is(k.full(poller, writer), 'E');
  }),
  'urgent data is PRIORITY where it is asked for': needing(['priority'], (k) => {
    const poller = k.open();
    const { client, server } = k.tcp();
    poller.add(server, PRIORITY);
    k.t.is(k.full(poller, server), '-');
    send(client.fd, byte, 0, 1, MSG_OOB);
    k.t.is(k.full(poller, server, LONG_MS), 'P');
  }),
  'urgent data is nothing to who does not ask for PRIORITY': (k) => {
    const poller = k.open();
    const { client, server } = k.tcp();
    poller.add(server, READABLE);
    send(client.fd, byte, 0, 1, MSG_OOB);
    send(client.fd, byte, 0, 1, 0);
    k.t.is(k.full(poller, server, LONG_MS), 'R');
  },
  'an eventfd is readable while it counts': inModes((k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    k.add(poller, eventFd, READABLE);
    k.t.is(k.full(poller, eventFd), '-');
    eventFd.write(3n);
    k.t.is(k.full(poller, eventFd), 'R');
  }),
  'a full eventfd is not writable': (k) => {
    const poller = k.open();
    const eventFd = k.eventFd();
    poller.add(eventFd, WRITABLE);
    k.t.is(k.full(poller, eventFd), 'W');
    eventFd.write(2n ** 64n - 2n);
    k.t.is(k.full(poller, eventFd), '-');
    eventFd.read();
    k.t.is(k.full(poller, eventFd), 'W');
  },
  'a timer is readable once it has fired, until it is read': (k) => {
    const poller = k.open();
    const timer = closing(k.t, new TimerFd());
    poller.add(timer, READABLE);
    k.t.is(k.full(poller, timer), '-');
    timer.set({ valueNs: 1_000_000n });
    k.t.is(k.full(poller, timer, LONG_MS), 'R');
    k.t.is(k.full(poller, timer), 'R');
    timer.read();
    k.t.is(k.full(poller, timer), '-');
  },
});

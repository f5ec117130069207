/**
 * One server, any backend: echo on epoll, kqueue, poll or select, whichever is asked for.
 *
 *     node build/examples/compare-backends.js --backend poll    and elsewhere: nc 127.0.0.1 8080
 *     node build/examples/compare-backends.js --chart cost.svg
 *
 * The program is the same on each: what differs is how the kernel is asked, and what that costs.
 * With --chart it measures this instead: one wait with one descriptor ready, beside ever more that
 * are idle. select and poll hand the kernel everything with every wait; epoll and kqueue told it
 * once. select(2), poll(2), epoll(7)
 */
import { writeFileSync } from 'node:fs';
import {
  Poller,
  PollerEvents,
  READABLE,
  type BackendName,
  type Stream,
  SystemError,
  TcpStream,
  WOULD_BLOCK,
  WRITABLE,
} from 'raw-epoll';
import { announce, commandLine, leave } from './lib/command-line.js';
import { listenAt } from './lib/listen.js';
import { StopSignals } from './lib/stop-signals.js';
import { drawCosts, measureCosts, tabulateCosts } from './lib/wait-cost.js';

const PROGRAM = 'compare-backends';

/** Serves a descriptor when it is ready. */
type Handler = () => void;

const { at, backend, own } = commandLine(PROGRAM, {
  backends: ['auto', 'epoll', 'kqueue', 'poll', 'select'],
  options: { chart: '--chart FILE        measure what a wait costs, and draw it (SVG)' },
});
function showCosts(file: string): void {
  const costs = measureCosts((line) => {
    console.error(line);
  });
  console.log(tabulateCosts(costs));
  writeFileSync(file, drawCosts(costs));
  console.log(`drawn in ${file}`);
}

async function serve(): Promise<void> {
  const poller = openPoller();
  const listener = listenAt(PROGRAM, at);
  const signals = new StopSignals();
  const events = new PollerEvents<Handler>();
  poller.add(listener, READABLE, {
    data: () => {
      acceptAll(poller, listener);
    },
  });
  poller.add(signals, READABLE, {
    data: () => {
      signals.ready();
    },
  });
  console.log(`backend ${poller.backend}`);
  announce(listener.address);

  while (!signals.received) {
    const n = poller.wait(events);
    for (let i = 0; i < n; i++) events.data(i)?.();
    if (signals.due) await signals.letNodeRun();
  }

  listener.close();
  signals.close();
  poller.close();
}

function openPoller(): Poller<Handler> {
  try {
    return new Poller<Handler>({ backend: backend as BackendName });
  } catch (error) {
    leave(PROGRAM, (error as Error).message, 1);
  }
}

function acceptAll(poller: Poller<Handler>, listener: { accept: () => Stream | null }): void {
  for (let stream; (stream = listener.accept()) !== null;) {
    if (stream instanceof TcpStream) stream.setNoDelay();
    if (stream.fd <= poller.supports.descriptorMax) {
      poller.add(stream, READABLE, { data: echoOn(poller, stream) });
    } else {
      stream.close(); // select(2) ends at FD_SETSIZE: rather nobody than somebody who is not heard
    }
  }
}

/** One for all connections: nothing is left in it from one event to the next. */
const buffer = new Uint8Array(64 * 1024);

/**
 * A client: it is watched for input while all was sent, and for room while something is left. In
 * between nothing is read, so a client that never reads costs one buffer at most.
 */
function echoOn(poller: Poller<Handler>, stream: Stream): Handler {
  let unsent: Uint8Array = new Uint8Array(0);

  const send = (bytes: Uint8Array): void => {
    const sent = Math.max(stream.write(bytes), 0); // WOULD_BLOCK: none
    const waited = unsent.length > 0;
    unsent = sent === bytes.length ? bytes.subarray(sent) : bytes.slice(sent);
    if (waited !== unsent.length > 0) poller.modify(stream, waited ? READABLE : WRITABLE);
  };

  return () => {
    try {
      if (unsent.length > 0) {
        send(unsent);
        return;
      }
      const length = stream.read(buffer);
      if (length === 0)
        stream.close(); // Closing takes it out of the set.
      else if (length !== WOULD_BLOCK) send(buffer.subarray(0, length));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      stream.close(); // ECONNRESET, EPIPE: nobody is there to get the rest
    }
  };
}

if (own.chart === undefined) await serve();
else showCosts(own.chart);

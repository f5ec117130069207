/**
 * The site of passwords on more than one core.
 *
 *     node build/examples/workers.js --form reuseport --workers 2
 *     and elsewhere: curl http://127.0.0.1:8080/password
 *                    ab -n 100000 -c 100 http://127.0.0.1:8080/password
 *     Ctrl-C then tells how many clients each worker had.
 *
 * A loop fills one core, so there is one for each, on a worker of its own, and a group that looks
 * after them: one that fails is started again, and all of them end gracefully together. What the
 * forms differ in is how a client comes to a worker:
 *
 *     reuseport   each worker listens on the port (SO_REUSEPORT), and the kernel deals out
 *     exclusive   all workers watch one listener (EPOLLEXCLUSIVE), and who is awake takes
 *     acceptor    one thread accepts, and passes the descriptors on in turn
 *
 * docs/guides/workers.md says what each is good for. Go's runtime does this out of sight: there all
 * threads take from one poller.
 */
import process from 'node:process';
import { Loop, LoopGroup, SystemError, type SocketAddress, type TcpListener } from 'raw-epoll';
import { commandLine, leave, wholeNumber } from './lib/command-line.js';
import { announceHttp } from './lib/http/announce.js';
import { listenAt } from './lib/listen.js';
import { Acceptor } from './lib/workers/acceptor.js';
import { reservePort, type ReservedPort } from './lib/workers/reserve-port.js';
import { describeCounts, FORMS, newCounts, type Form } from './lib/workers/task.js';

const NAME = 'workers';
const { at, own } = commandLine(NAME, {
  options: {
    form: `--form FORM         ${FORMS.join(', ')} (${FORMS[0]})`,
    workers: '--workers N         how many (2)',
    grace: '--grace MS          for requests under way, at the end (5000)',
  },
});
if ('path' in at) leave(NAME, '--path is not for this program: its forms are those of TCP', 2);
const { host, port } = at;
const form = (own.form ?? FORMS[0]) as Form;
if (!FORMS.includes(form)) leave(NAME, `--form must be ${FORMS.join(' or ')}, not '${form}'`, 2);
const size = wholeNumber(NAME, '--workers', own.workers, 2, 1, 64);
const graceMs = wholeNumber(NAME, '--grace', own.grace, 5000);

/** How clients come in. */
interface Entrance {
  readonly address: SocketAddress;
  /** What a worker takes them from. */
  readonly fdOf: (worker: number) => number;
  /** Nobody is let in here any more: the workers are about to be told. */
  readonly stop: () => void;
  /** When the workers have ended. */
  readonly close: () => void;
}

const nothing = (): void => undefined;

const entrances: Readonly<Record<Form, () => Entrance>> = {
  reuseport: () => {
    const { address, close } = reserve();
    return { address, fdOf: () => -1, stop: close, close: nothing };
  },
  exclusive: () => {
    const listener = listenAt(NAME, at);
    const close = (): void => {
      listener.close();
    };
    // One that is only starting has no duplicate yet, and would look for the number in vain.
    const stop = (): void => {
      if (group.members.every(({ state }) => state === 'ready')) close();
    };
    return { address: listener.address, fdOf: () => listener.fd, stop, close };
  },
  acceptor: () => {
    const listener = listenAt(NAME, at) as TcpListener;
    const { address } = listener;
    const loop = new Loop();
    const acceptor = new Acceptor(loop, listener, size);
    void loop.runAsync();
    return {
      address,
      fdOf: (worker) => acceptor.farEnd(worker),
      stop: () => {
        acceptor.stop();
      },
      close: () => {
        acceptor[Symbol.dispose]();
        loop.close();
      },
    };
  },
};

function reserve(): ReservedPort {
  try {
    return reservePort(host, port);
  } catch (error) {
    if (error instanceof SystemError) leave(NAME, error.message, 1);
    throw error;
  }
}

const entrance = entrances[form]();
const counts = newCounts(size);
const target = entrance.address as { address: string; port: number };
const group = new LoopGroup(new URL('./lib/workers/worker.js', import.meta.url), {
  size,
  onFailure: 'restart',
  workerData: (index: number) => ({
    ...{ form, host: target.address, port: target.port, fd: entrance.fdOf(index), counts },
  }),
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // A second signal is impatient.
  process.on(signal, () => {
    entrance.stop();
    void group.shutdown({ graceMs: group.draining ? 0 : graceMs });
  });
}

try {
  await group.ready();
  announceHttp(entrance.address, '/password');
} catch {
  // A signal, or a failure: how it ends says which.
}
try {
  await group.ended;
} catch (error) {
  console.error(`${NAME}: a worker failed: ${String(error)}`);
  process.exitCode = 1;
}
entrance.close();
console.log(describeCounts(counts));

/**
 * localhost: the trap of a name with two addresses, and its end.
 *
 *     node build/examples/echo.js --port 8080         listens on 127.0.0.1 alone
 *     node build/examples/localhost.js --port 8080    try it with ip6tables -P INPUT DROP, too
 *
 * `localhost` is ::1 and 127.0.0.1. A client that takes the first address and stops there fails if
 * the server listens on the other one, and hangs for minutes if a firewall drops IPv6 without a word.
 * One that tries them in turn, and does not wait for the first to fail, hardly notices: RFC 8305,
 * "Happy Eyeballs". Here are both, with what each attempt did and when.
 *
 * What is shown is read off the loop: after each turn, its list of what is open has the attempts.
 *
 * Exit code 1: not even the second has connected.
 */
import process from 'node:process';
import { connect, Loop, type ConnectOptions } from 'raw-epoll';
import { leave, ownOptions, wholeNumber } from './lib/command-line.js';

const NAME = 'localhost';
const own = ownOptions(NAME, {
  port: '--port N            where somebody listens (8080)',
  patience: '--patience MS       and then the first way gives up (1000)',
});
const port = wholeNumber(NAME, '--port', own.port, 8080, 1);
if (port > 65_535) leave(NAME, `--port must be 65535 at most, not ${port}`, 2);
const patienceMs = wholeNumber(NAME, '--patience', own.patience, 1000);

/** The places that a loop is connecting to. */
function attemptsOf(loop: Loop): string[] {
  return [...loop.entries()]
    .filter(({ kind, scope }) => kind === 'TcpStream' && scope.includes('/connect '))
    .map(({ label }) => label);
}

/** Connects, and tells of each attempt as it begins and ends. True if it has connected. */
function tell(title: string, options: ConnectOptions): boolean {
  console.log(title);
  using loop = new Loop();
  const began = performance.now();
  const say = (text: string): void => {
    console.log(`${(performance.now() - began).toFixed(1).padStart(9)} ms  ${text}`);
  };
  const outcome: boolean[] = [];
  const isOver = (): boolean => outcome.length > 0;
  connect(loop.root, options, (error, stream) => {
    outcome.push(error === null);
    if (error !== null) say(error.message);
    else if ('port' in stream.remoteAddress) say(`connected to ${stream.remoteAddress.address}`);
  });
  for (let before: string[] = []; !isOver();) {
    loop.turn();
    const now = attemptsOf(loop);
    const gone = isOver() ? [] : before.filter((place) => !now.includes(place));
    for (const place of gone) say(`${place} failed`);
    for (const place of now.filter((one) => !before.includes(one))) say(`${place} is tried`);
    before = now;
  }
  return outcome[0] === true;
}

tell('The first address alone:', { host: '::1', port, timeoutMs: patienceMs });
if (!tell('All of them in turn:', { host: 'localhost', port })) process.exitCode = 1;

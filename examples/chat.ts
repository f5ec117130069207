/**
 * Chat: hundreds of clients on one thread, and none waits for another.
 *
 *     node build/examples/chat.js       and elsewhere, at least twice:  nc 127.0.0.1 8080
 *
 * What a client says goes to all others: each line once, and in the order in which it came. A line
 * that begins with a slash is for the server: /nick NAME, /msg NAME TEXT, /who, /quit.
 *
 * Who does not read costs memory: what the others say piles up, first in the kernel, then here. So
 * there is a policy. Whoever is owed more than --limit bytes is dropped. And while most of the
 * memory for all of them is in use, the room listens to nobody, so that speakers wait instead of
 * lines getting lost; whoever keeps it waiting for five seconds is dropped as well.
 */
import {
  READABLE,
  TcpStream,
  type Connection,
  type ConnectionHandlers,
  type Stream,
  type Timer,
} from 'raw-epoll';
import { announce, commandLine, wholeNumber } from './lib/command-line.js';
import { Lines } from './lib/lines.js';
import { listenAt } from './lib/listen.js';
import { BACKENDS, openLoop } from './lib/open-loop.js';

const LINE_BYTES_MAX = 1024;
/** Small and many, because a client that is owed one byte holds a whole one. */
const buffers = { bufferBytes: 16 * 1024, maxBuffers: 4096 };
const PATIENCE_MS = 5000;
const NAME = /^[\w-]{1,20}$/;

/** Who is there, and who hears what. */
class Room {
  readonly #clients = new Map<string, Client>();
  #guests = 0;
  #listens = true;
  #patience: Timer | undefined;

  /** Whether there is memory for what might be said now. */
  get listens(): boolean {
    return this.#listens;
  }

  get names(): string {
    return [...this.#clients.keys()].join(', ');
  }

  find(name: string): Client | undefined {
    return this.#clients.get(name);
  }

  enter(stream: Stream): void {
    if (stream instanceof TcpStream) stream.setNoDelay(); // gathered here, and not once more there
    const client = new Client(stream, this.#guestName());
    this.#clients.set(client.name, client);
    client.hear(`* you are ${client.name}; /nick NAME, /msg NAME TEXT, /who, /quit`);
    this.say(`* ${client.name} has come`, client);
  }

  rename(client: Client, name: string): void {
    this.#clients.delete(client.name);
    this.#clients.set(name, client);
    this.say(`* ${client.name} is ${name} now`, client);
  }

  leave(client: Client, reason: string): void {
    if (!this.#clients.delete(client.name)) return;
    this.say(`* ${client.name} has left${reason}`, client);
    this.listenAgain();
  }

  /** Tells everybody but one. The bytes are made once; each connection copies what it must keep. */
  say(line: string, from: Client): void {
    const bytes = Buffer.from(`${line}\n`);
    for (const client of this.#clients.values()) if (client !== from) client.owe(bytes);
    if (loop.buffers.free < buffers.maxBuffers / 4) this.#hush();
  }

  /** Somebody has got everything: there may be enough memory again. */
  listenAgain(): void {
    if (this.#listens || loop.buffers.free < buffers.maxBuffers / 2) return;
    this.#listens = true;
    this.#patience?.cancel();
    for (const client of this.#clients.values()) client.listen();
  }

  close(): void {
    const clients = [...this.#clients.values()];
    this.#clients.clear(); // nobody hears of the others leaving
    for (const client of clients) client.dismiss('* the room is closed');
  }

  #hush(): void {
    if (!this.#listens) return;
    this.#listens = false;
    for (const client of this.#clients.values()) client.wait();
    this.#patience = loop.setTimeout(PATIENCE_MS, () => {
      for (const client of this.#clients.values()) client.dropIfLate();
    });
  }

  #guestName(): string {
    for (;;) {
      const name = `guest${++this.#guests}`;
      if (!this.#clients.has(name)) return name;
    }
  }
}

/** One of them: what it says, and what it is owed. */
class Client implements ConnectionHandlers {
  #name: string;
  readonly #connection: Connection;
  readonly #lines = new Lines(LINE_BYTES_MAX);
  /** It has been owed something ever since the room stopped listening. */
  #late = false;
  #dismissed = false;
  /** What the others are told when it has left. */
  #reason = '';

  constructor(stream: Stream, name: string) {
    this.#name = name;
    // Gathered: in a busy room a turn brings many lines, and one call sends them all. With a mark of
    // one byte drain() comes whenever everything has gone out.
    const marks = { gather: true, highWaterMark: 1 };
    this.#connection = loop.connection(stream, this, marks);
  }

  get name(): string {
    return this.#name;
  }

  data(chunk: Buffer): void {
    this.#lines.add(chunk);
    this.#takeLines();
  }

  drain(): void {
    this.#late = false;
    room.listenAgain();
  }

  close(): void {
    room.leave(this, this.#reason);
  }

  hear(line: string): void {
    this.owe(Buffer.from(`${line}\n`));
  }

  owe(bytes: Buffer): void {
    this.#connection.write(bytes);
    if (this.#connection.pending > limit) this.#drop('reads too slowly');
  }

  /** The room listens to nobody. What this one sends stays in the kernel, and then with the sender. */
  wait(): void {
    this.#connection.pause();
    this.#late = this.#connection.pending > 0;
  }

  listen(): void {
    this.#takeLines();
    if (room.listens) this.#connection.resume();
  }

  dropIfLate(): void {
    if (this.#late) this.#drop('kept the others waiting');
  }

  /** The last it hears. It has some time to take that. */
  dismiss(line: string): void {
    this.#dismissed = true;
    room.leave(this, '');
    this.#connection.end(`${line}\n`);
    loop.setTimeout(PATIENCE_MS, () => {
      this.#connection.destroy();
    });
  }

  /** Closed now; the others are told at the end of the turn, when whoever speaks has finished. */
  #drop(reason: string): void {
    this.#reason = `: ${reason}`;
    this.#connection.destroy();
  }

  #takeLines(): void {
    while (room.listens && !this.#dismissed) {
      const line = this.#lines.next();
      if (line === undefined) break;
      this.#take(line.replace(/\p{Cc}/gu, '')); // no escape sequences for other people's terminals
    }
    if (this.#lines.tooLong && !this.#dismissed) this.dismiss('* that line is too long');
  }

  #take(line: string): void {
    const [, command, rest = ''] = /^\/(\w+) ?(.*)$/.exec(line) ?? [];
    switch (command) {
      case undefined:
        if (line !== '') room.say(`${this.#name}: ${line}`, this);
        return;
      case 'nick':
        this.#rename(rest);
        return;
      case 'msg':
        this.#whisper(rest);
        return;
      case 'who':
        this.hear(`* ${room.names}`);
        return;
      case 'quit':
        this.dismiss('* goodbye');
        return;
      default:
        this.hear(`* there is no /${command}`);
    }
  }

  #rename(name: string): void {
    if (!NAME.test(name)) {
      this.hear('* a name has 1 to 20 letters, digits, - and _');
    } else if (room.find(name) !== undefined) {
      this.hear(`* somebody is called ${name} already`);
    } else {
      room.rename(this, name);
      this.#name = name;
      this.hear(`* you are ${name} now`);
    }
  }

  #whisper(text: string): void {
    const space = text.indexOf(' ');
    const name = text.slice(0, space);
    const listener = space < 0 ? undefined : room.find(name);
    if (listener === undefined) this.hear(`* nobody is called ${space < 0 ? text : name}`);
    else listener.hear(`(${this.#name}) ${text.slice(space + 1)}`);
  }
}

const { at, backend, own } = commandLine('chat', {
  backends: BACKENDS,
  options: { limit: '--limit BYTES       whoever is owed more is dropped (1048576)' },
});
const limit = wholeNumber('chat', '--limit', own.limit, 1024 * 1024);

const loop = openLoop('chat', { backend, buffers });
const room = new Room();
const listener = loop.root.own(listenAt('chat', at));
loop.register(listener, READABLE, () => {
  for (let stream; (stream = listener.accept()) !== null;) room.enter(stream);
});
loop.root.onDrain = () => {
  room.close();
};
loop.shutdownOn(['SIGINT', 'SIGTERM'], { graceMs: 2000 });
announce(listener.address);
loop.run();

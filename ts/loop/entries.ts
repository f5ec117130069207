import { AssertionError } from 'node:assert';
import type { Member } from './member.js';
import { Owned } from './owned.js';
import { LoopRegistration } from './registration.js';
import { Scope } from './scope.js';

/** The bytes of a connection since its beginning. */
export interface ByteCount {
  /** That the peer has sent, and that have arrived here. */
  readonly received: number;
  /** That were sent, and that the peer has acknowledged. */
  readonly sent: number;
}

/** Something that is open in a loop: a line of the answer to "who is open?". */
export interface LoopEntry {
  /** The descriptor; `-1` if it has none. */
  readonly fd: number;
  /** The class of what is owned, `registration` of a descriptor that no scope owns, `timer`, `signal`. */
  readonly kind: string;
  /** What it was called when it was made. */
  readonly label: string;
  /** What the descriptor is registered for: `READABLE | WRITABLE | PRIORITY`; 0: nothing. */
  readonly interest: number;
  /** For how many milliseconds it has been there, rounded. */
  readonly ageMs: number;
  /** Of a TCP connection, as the kernel counts. */
  readonly bytes: ByteCount | undefined;
  /** Bytes of output that wait for room in the kernel. */
  readonly pending: number;
  /** Whose it is: `root/server/connection`. */
  readonly scope: string;
  /** The line that made it, where the loop tracks that: `serve (file:///srv/app.js:12:5)`. */
  readonly line: string | undefined;
}

/** One line for each member of a scope and of those under it. @internal */
export function* describeMembers(scope: Scope): IterableIterator<LoopEntry> {
  const members = [...walk(scope)];
  const owned = new Set<number>();
  for (const member of members) if (member instanceof Owned) owned.add(member.fd);
  for (const member of members) {
    // The descriptor and its registration are one line.
    if (member instanceof LoopRegistration && owned.has(member.fd)) continue;
    const description = member.describe();
    if (description === undefined) continue;
    yield {
      ...{ fd: -1, interest: 0, pending: 0, bytes: undefined },
      ...description,
      ageMs: Math.round(performance.now()) - member.since,
      scope: member.owner?.path ?? '',
      line: firstLine(member.madeAt),
    };
  }
}

/** @internal */
export function refuseEntries(scope: Scope): void {
  const open = [...describeMembers(scope)].map(show);
  const scopes = [...walk(scope)].filter((member) => member instanceof Scope);
  const lines = [
    ...open,
    ...scopes.map(({ path, madeAt }) => `scope ${path}${from(firstLine(madeAt))}`),
  ];
  if (lines.length === 0) return;
  throw new AssertionError({
    message: `${String(lines.length)} open in ${scope.path}:\n${lines.join('\n')}`,
  });
}

function* walk(scope: Scope): IterableIterator<Member> {
  for (const member of scope.members()) {
    yield member;
    if (member instanceof Scope) yield* walk(member);
  }
}

function show({ fd, kind, label, scope, line }: LoopEntry): string {
  const number = fd < 0 ? '' : ` fd ${String(fd)}`;
  const name = label === '' ? '' : ` "${label}"`;
  return `${kind}${number}${name} in ${scope}${from(line)}`;
}

function from(line: string | undefined): string {
  return line === undefined ? '' : `, made at ${line}`;
}

/** The first line of a stack, without what every such line begins with. */
function firstLine(stack: string | undefined): string | undefined {
  return stack?.split('\n')[1]?.replace(/^\s*at /, '');
}

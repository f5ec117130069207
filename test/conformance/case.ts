import type { PollerMode } from '../../ts/index.js';
import type { Row } from './backends.js';
import type { Kit } from './kit.js';
import type { Need } from './needs.js';

type Body = (kit: Kit) => void | Promise<void>;

/** A behaviour that is the same on every backend that can have it. */
export interface Case {
  readonly group: string;
  readonly title: string;
  readonly needs: readonly Need[];
  /** In which modes it is so; it runs in each. */
  readonly modes: readonly PollerMode[];
  readonly body: Body;
}

type Entry = Body | Omit<Case, 'group' | 'title'>;

const EVERY_MODE: readonly PollerMode[] = ['level', 'edge', 'oneshot', 'edgeOneshot'];

/** A case for backends that have all of this. */
export function needing(needs: readonly Need[], body: Body): Entry {
  return { needs, modes: ['level'], body };
}

/** A case that holds in each of these modes; none named: in all. */
export function inModes(body: Body, modes: readonly PollerMode[] = EVERY_MODE): Entry {
  return { needs: [], modes, body };
}

/** Cases by their titles: rules in the present tense. */
export function group(name: string, entries: Readonly<Record<string, Entry>>): Case[] {
  return Object.entries(entries).map(([title, entry]) =>
    typeof entry === 'function'
      ? { group: name, title, needs: [], modes: ['level'], body: entry }
      : { group: name, title, ...entry },
  );
}

/** What a backend lacks for a case in a mode; undefined: it must pass. */
export function lacking(row: Row, { needs }: Case, mode: PollerMode): Need | undefined {
  const wanted = mode === 'level' ? needs : [...needs, mode];
  return wanted.find((need) => row.lacks.includes(need));
}

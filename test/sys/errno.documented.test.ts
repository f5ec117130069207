import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import * as sys from '../../ts/sys/index.js';
import { errnoRows } from './errno-rows/index.js';
import { withoutRow } from './errno-rows/injected.js';
import { errnoNumber, isSystemCall } from './support/kernel.js';

const sources = fileURLToPath(new URL('../../../ts/sys/', import.meta.url));

/** The doc comment of every function of level 1. */
function docComments(): Map<string, string> {
  const comments = new Map<string, string>();
  for (const file of readdirSync(sources)) {
    const text = readFileSync(sources + file, 'utf8');
    const documented = /\/\*\*(?<doc>(?:(?!\*\/)[^])*)\*\/\s*export function (?<name>\w+)/g;
    for (const { groups } of text.matchAll(documented)) {
      comments.set(groups?.['name'] ?? '', groups?.['doc'] ?? '');
    }
  }
  return comments;
}

const comments = docComments();

/** The errnos that the documentation of a function names, or that it takes over from another. */
function documentedErrnos(name: string): Set<string> {
  const doc = comments.get(name) ?? '';
  const words = [...doc.matchAll(/\bE[A-Z0-9]+\b/g)].map(([word]) => word);
  const errnos = new Set(words.filter((word) => errnoNumber(word) !== undefined));
  for (const [, other = ''] of doc.matchAll(/\b[Aa]s \{@link (\w+)\}/g)) {
    if (other === name) continue;
    for (const errno of documentedErrnos(other)) errnos.add(errno);
  }
  return errnos;
}

function testedErrnos(name: string): Set<string> {
  const rows = Object.values(errnoRows).flat();
  return new Set([
    ...rows.filter(({ call }) => call === name).map(({ expected }) => expected),
    ...withoutRow.filter(({ call }) => call === name).map(({ errno }) => errno),
  ]);
}

/** They answer text. */
const TEXTS: ReadonlySet<string> = new Set(['errnoName', 'strerror']);

for (const name of Object.keys(sys)) {
  if (!isSystemCall(name) || TEXTS.has(name)) continue;

  test(`${name} documents every errno that the kernel gave, and each has a row`, (t) => {
    t.true(comments.has(name));
    t.deepEqual([...documentedErrnos(name)].sort(), [...testedErrnos(name)].sort());
    t.true(testedErrnos(name).size > 0);
  });
}

import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { countLineLinks, wrongLineLinks } from '../support/line-links.js';
import { readRepositoryFile, repositoryFiles, repositoryRoot } from '../support/repository.js';

const files = repositoryFiles();
const code = files.filter((file) => /\.(ts|mjs|js|cc|h|c|sh|inc)$/.test(file));
const documents = files.filter((file) => file.endsWith('.md'));

/** Lines of files that match, as `file:line`. */
function linesWith(pattern: RegExp, among: readonly string[]): string[] {
  return among.flatMap((file) =>
    readRepositoryFile(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : [])),
  );
}

test('the repository has files to look at', (t) => {
  t.true(code.length > 20);
  t.true(documents.length > 5);
});

test('nothing is marked as unfinished', (t) => {
  // In two pieces, so that this line does not find itself.
  const marks = new RegExp(`\\b(${['TO', 'FIX', 'XX', 'HA'].join('|')})(DO|ME|X|CK)\\b`);
  t.deepEqual(linesWith(marks, code), []);
});

test('no test is retried, focused, or waits by sleeping', (t) => {
  // What looks until something is so, with a bound, is in test/support.
  const tests = code.filter((file) => file.endsWith('.test.ts') && !file.startsWith('test/tidy/'));
  const banned = /\btest(\.serial)?\.only\b|\bretries\b|Atomics\.wait\(|setTimeout\(\s*resolve\b/;
  t.deepEqual(linesWith(banned, tests), []);
});

test('file names are kebab-case in TypeScript and snake_case in C and C++', (t) => {
  const wrong = code.filter((file) => {
    const name = path.basename(file).replace(/(\.test)?\.\w+$/, '');
    return /\.(cc|h|c|inc)$/.test(file) ? !/^[a-z0-9_]+$/.test(name) : !/^[a-z0-9-.]+$/.test(name);
  });
  t.deepEqual(wrong, []);
});

test('links of documents lead to files and headings that exist', (t) => {
  const broken = documents.flatMap((file) =>
    [...readRepositoryFile(file).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !leadsSomewhere(file, target))
      .map((target) => `${file}: ${target}`),
  );
  t.deepEqual(broken, []);
});

test('links of documents to lines of a file quote what is there', (t) => {
  t.true(countLineLinks('docs/guides/from-goroutines.md') > 20);
  t.deepEqual(documents.flatMap(wrongLineLinks), []);
});

function leadsSomewhere(file: string, target: string): boolean {
  const [relative = '', heading] = target.split('#', 2);
  const linked = relative === '' ? file : path.join(path.dirname(file), relative);
  if (!existsSync(path.join(repositoryRoot, linked))) return false;
  if (heading === undefined || !linked.endsWith('.md')) return true;
  return headingsOf(linked).includes(heading);
}

/** Headings as anchors: lower case, without punctuation, blanks as dashes. */
function headingsOf(file: string): string[] {
  return [...readRepositoryFile(file).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
}

test('every example is in the README', (t) => {
  const readme = readRepositoryFile('README.md');
  const examples = files.filter((file) => /^examples\/[^/]+\.ts$/.test(file));
  t.true(examples.length > 0);
  t.deepEqual(
    examples.filter((file) => !readme.includes(`(${file})`)),
    [],
  );
});

test('every folder of the sources is in the architecture page', (t) => {
  const page = readRepositoryFile('docs/architecture.md');
  const folders = new Set(
    files.filter((file) => /^(ts|native)\/[^/]+\//.test(file)).map((file) => path.dirname(file)),
  );
  t.deepEqual(
    [...folders].filter((folder) => !page.includes(`${folder}/`)),
    [],
  );
});

test('statements of docs/semantics.md and of the guides name tests that exist', (t) => {
  const pages = documents.filter((file) => /^docs\/(semantics|guides\/.+)\.md$/.test(file));
  const titles = pages.flatMap((page) => [
    ...readRepositoryFile(page).matchAll(/\[(test\/[^\]]+\.ts)\]\([^)]*\): `([^`]+)`/g),
  ]);
  t.true(titles.length > 20);
  const wrong = titles
    .filter(([, file = '', title = '']) => !readRepositoryFile(file).includes(title))
    .map(([, file, title]) => `${String(file)}: ${String(title)}`);
  t.deepEqual(wrong, []);
});

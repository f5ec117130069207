/** Links of a document to lines, `[text](file.ts#L12)`, and what is quoted from there. */
import path from 'node:path';
import { readRepositoryFile } from './repository.js';

const LINK_AND_QUOTE = /\]\(([^)\s#]+)#L(\d+)\)(?:\s*```\w*\n([\s\S]*?)```)?/g;

/** What is wrong with them: a text for each that does not quote its line, or quotes nothing. */
export function wrongLineLinks(document: string): string[] {
  const links = [...readRepositoryFile(document).matchAll(LINK_AND_QUOTE)];
  return links.flatMap(([, relative = '', line = '', quote = '']) => {
    const file = path.join(path.dirname(document), relative);
    const wanted = withoutSpace(quote);
    const found = wanted === '' ? [] : linesThatBegin(file, wanted);
    if (found.includes(Number(line))) return [];
    return [
      `${document}: ${relative}#L${line}: the quote is at ${found.join(' or ') || 'no line'}`,
    ];
  });
}

/** How many such links there are. */
export function countLineLinks(document: string): number {
  return readRepositoryFile(document).match(LINK_AND_QUOTE)?.length ?? 0;
}

/** The lines of a file from which on it reads as it is quoted, but for what a formatter may move. */
function linesThatBegin(file: string, quote: string): number[] {
  const lines = readRepositoryFile(file).split('\n');
  return lines.flatMap((line, i) => {
    if (line.trim() === '' || !quote.startsWith(withoutSpace(line))) return [];
    // A quote is short, and so is what is looked at.
    const rest = withoutSpace(lines.slice(i, i + 100).join('\n'));
    return rest.startsWith(quote) ? [i + 1] : [];
  });
}

function withoutSpace(text: string): string {
  return text.replace(/\s/g, '');
}

// Writes the table of backends and cases into docs/backends.md, from the conformance suite as built:
//   npx tsc --build && node tools/backend-matrix.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { BEGIN, END, renderMatrix } from '../build/test/conformance/matrix.js';

const file = new URL('../docs/backends.md', import.meta.url);
const page = readFileSync(file, 'utf8');
const from = page.indexOf(BEGIN) + BEGIN.length;
const to = page.indexOf(END);
if (to < from) throw new Error(`docs/backends.md has no line "${BEGIN}" before "${END}"`);
writeFileSync(file, `${page.slice(0, from)}\n\n${renderMatrix()}\n\n${page.slice(to)}`);

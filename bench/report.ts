/**
 * Writes the report of a run from its JSON file: `npm run bench:report -- results.json [--out docs]`.
 *
 * `docs/performance.md` and its drawings come from here. The same file always makes the same report.
 */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { optionsOrUsage } from './lib/options.js';
import { inRepository } from './lib/paths.js';
import { writeReport } from './lib/report.js';
import { parseResults } from './lib/results.js';

const options = optionsOrUsage('bench:report', () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: 'string', default: inRepository('docs') } },
  });
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) throw new RangeError('one file of results is needed');
  return { results: parseResults(readFileSync(file, 'utf8')), out: values.out };
});
if (options !== undefined) console.log(await writeReport(options.results, options.out));

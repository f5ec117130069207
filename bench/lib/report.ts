/** Writes the report of a run: a page and its drawings, from the results alone. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { drawCharts } from './charts.js';
import { inRepository } from './paths.js';
import { describeResults } from './report-markdown.js';
import type { Results } from './results.js';

/** The page, and the folder of its drawings beside it. */
const PAGE = 'performance.md';
const DRAWINGS = 'performance';

/**
 * Writes `performance.md` into a folder, and its drawings into `performance/` beside it. The same
 * results always make the same files.
 *
 * @returns  The path of the page.
 */
export async function writeReport(results: Results, folder: string): Promise<string> {
  const charts = drawCharts(results);
  if (charts.length > 0) mkdirSync(join(folder, DRAWINGS), { recursive: true });
  for (const { name, svg } of charts) writeFileSync(join(folder, DRAWINGS, `${name}.svg`), svg);
  const page = join(folder, PAGE);
  const text = describeResults(
    results,
    charts.map(({ name, title }) => ({ title, file: `${DRAWINGS}/${name}.svg` })),
  );
  // Formatted as the repository is, so that the page can be checked in as it comes.
  const config = await resolveConfig(inRepository('docs', PAGE));
  writeFileSync(page, await format(text, { ...config, parser: 'markdown' }));
  return page;
}

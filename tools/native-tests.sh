#!/usr/bin/env bash
# C++ unit tests, built without Node. Ends with "N tests passed".
#   bash tools/native-tests.sh [--sanitize=thread | --sanitize=address,undefined]
set -euo pipefail
cd "$(dirname "$0")/.."

sanitize=
for argument in "$@"; do
  case $argument in
    --sanitize=*) sanitize=${argument#--sanitize=} ;;
    *) echo "unknown argument: $argument" >&2; exit 2 ;;
  esac
done
for program in cmake g++ make; do
  command -v "$program" > /dev/null || { echo "not installed: $program" >&2; exit 1; }
done
if ! echo '#include <doctest/doctest.h>' | g++ -E -x c++ - > /dev/null 2>&1; then
  echo 'not installed: doctest (Debian: doctest-dev)' >&2
  exit 1
fi

folder=build/native-tests${sanitize:+-${sanitize//,/-}}
cmake -S native -B "$folder" -DCMAKE_BUILD_TYPE=Debug -DSANITIZE="$sanitize" > /dev/null
cmake --build "$folder" --parallel 2
# ThreadSanitizer needs the address layout that it was built for.
run=()
[ "$sanitize" = thread ] && run=(setarch "$(uname -m)" -R)
output=$("${run[@]}" timeout 300 "$folder/native_tests" --no-colors=true --no-skip 2>&1) && status=0 || status=$?

echo "$output"
summary=$(grep 'test cases:' <<< "$output" || true)
passed=$(sed -E 's/.*\| *([0-9]+) passed.*/\1/' <<< "$summary")
failed=$(sed -E 's/.*\| *([0-9]+) failed.*/\1/' <<< "$summary")
echo "${passed:-0} tests passed"
[ "${failed:-1}" = 0 ] || echo "${failed:-1} tests failed"
[ "${passed:-0}" -gt 0 ] && exit "$status"
exit 1

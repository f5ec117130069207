#!/usr/bin/env bash
# clang-format and clang-tidy, version 14, over native/. With --fix, formats instead of checking.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(find native -name '*.cc' -o -name '*.h' | sort)
[ ${#files[@]} -gt 0 ]

for program in clang-format-14 clang-tidy-14 cmake; do
  command -v "$program" > /dev/null || { echo "not installed: $program (Debian: $program)" >&2; exit 1; }
done
if [ "${1:-}" = --fix ]; then
  exec clang-format-14 -i "${files[@]}"
fi
clang-format-14 --dry-run --Werror "${files[@]}"

folder=$PWD/build/lint
npx cmake-js configure -d native -O "$folder" -l warn > /dev/null
mapfile -t sources < <(find native/core native/sys native/uv native/addon.cc -name '*.cc' | sort)
printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 2 clang-tidy-14 --quiet -p "$folder" 2> /dev/null

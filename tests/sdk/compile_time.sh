#!/usr/bin/env bash
# Compiles strategies the way an author does and fails where one takes a second or more of processor
# time five times in a row.
# Usage: compile_time.sh SDK_FOLDER STRATEGY.cpp...
set -euo pipefail
sdk=$1
result=$(mktemp)
trap 'rm -f "$result" "$result.log"' EXIT
TIMEFORMAT=%U
slow=0

# seconds COMMAND...: the processor time it takes.
seconds() { { time "$@" > "$result.log" 2>&1; } 2>&1; }

for compiler in g++ clang++; do
  command -v $compiler > /dev/null || continue
  for source in "${@:2}"; do
    for _ in 1 2 3 4 5; do
      took=$(seconds $compiler "@$sdk/plugin.flags" -I "$sdk/include" "$source" -o "$result") ||
        { cat "$result.log"; exit 1; }
      [[ $took != 0.* ]] || break
    done
    echo "$took s  $compiler $(basename "$source")"
    [[ $took == 0.* ]] || slow=1
  done
done
exit $slow

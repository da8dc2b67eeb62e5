#!/usr/bin/env bash
# Compiles strategies the way an author does and prints the processor time that each takes, the least
# of three times. A figure, no test: it differs by a factor of two between processors.
# Usage: compile_time.sh [SDK_FOLDER [STRATEGY.cpp...]]     default: this repository's
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
sdk=${1:-$root/sdk}
(($# > 1)) && sources=("${@:2}") || sources=("$root"/plugins/strategies/*/*.cpp)
result=$(mktemp)
trap 'rm -f "$result" "$result.log"' EXIT
TIMEFORMAT=%U

# seconds COMMAND...: the processor time it takes.
seconds() { { time "$@" > "$result.log" 2>&1; } 2>&1; }

for compiler in g++ clang++; do
  command -v $compiler > /dev/null || continue
  for source in "${sources[@]}"; do
    least=
    for _ in 1 2 3; do
      took=$(seconds $compiler "@$sdk/plugin.flags" -I "$sdk/include" "$source" -o "$result") ||
        { cat "$result.log"; exit 1; }
      [[ -n $least && ! $took < $least ]] || least=$took
    done
    echo "$least s  $compiler $(basename "$source")"
  done
done

#!/usr/bin/env bash
# Installs what is missing, then builds and runs the tests of one sanitizer's preset in build/PRESET.
# Usage: tests/sanitizers/run.sh asan|tsan|fuzz [ctest option ...]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../framework/cmake/setup.sh"

preset=${1:-}
case $preset in
  asan | tsan) needs=(dataset-fashion-mnist clang) ;;
  fuzz) needs=(clang libclang-rt-14-dev) ;;  # the second is libFuzzer; clang only recommends it
  *) say "usage: tests/sanitizers/run.sh asan|tsan|fuzz [ctest option ...]"; exit 2 ;;
esac
set_up "${needs[@]}"
cmake --preset "$preset" -DTorch_DIR="$libtorch" >&2
cmake --build --preset "$preset" >&2
exec ctest --preset "$preset" "${@:2}"

#!/usr/bin/env bash
# Installs what is missing, checks the format, builds everything and runs every test.
# Usage: tests/run.sh [ctest option ...]                e.g. -R bridge, -LE gpu
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../framework/cmake/setup.sh"

set_up dataset-fashion-mnist clang clang-format-14 strace  # clang: the sdk must compile with it too

# Another clang-format breaks lines differently, so the version is part of the name.
find framework plugins sdk tests '(' -name '*.[ch]pp' -o -name '*.h' ')' -print0 |
  xargs -0 -r -n 16 -P "$(nproc)" clang-format-14 --dry-run -Werror ||
  { say "the format is off; run clang-format-14 -i on the files named above"; exit 1; }

build
exec ctest --test-dir $release --output-on-failure -j2 "$@"

#!/usr/bin/env bash
# Installs what is missing, checks the format, builds everything and runs every test.
# Usage: tests/run.sh [ctest option ...]     e.g. -R bridge, -LE gpu; -C Slow: the slow set as well
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../framework/cmake/setup.sh"

packages+=(dataset-fashion-mnist clang clang-format-14 strace)  # clang: the sdk must compile with it
[[ " $* " != *" Slow "* ]] || packages+=(chromium)
set_up

# Whether TensorBoard reads our event files is asked of its own reader.
reader=$PWD/build/tensorboard
if [[ " $* " == *" Slow "* && ! -f $reader/whole ]]; then
  rm -rf "$reader"
  python3 -m venv "$reader" >&2 &&
    "$reader/bin/pip" install --disable-pip-version-check --no-input -q tensorboard==2.21.0 >&2 ||
    stop "pip could not fetch tensorboard==2.21.0; its message is above"
  touch "$reader/whole"
fi
[[ ! -f $reader/whole ]] || export RETORT_PYTHON=$reader/bin/python3

# Another clang-format breaks lines differently, so the version is part of the name.
find framework plugins sdk tests '(' -name '*.[ch]pp' -o -name '*.h' ')' -print0 |
  xargs -0 -r -n 16 -P "$(nproc)" clang-format-14 --dry-run -Werror ||
  { say "the format is off; run clang-format-14 -i on the files named above"; exit 1; }

build
exec ctest --test-dir $release --output-on-failure -j2 "$@"

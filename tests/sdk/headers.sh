#!/usr/bin/env bash
# Compiles every header of the sdk alone, as C++17 with all warnings, and abi.h also as C11.
# Usage: headers.sh SDK_FOLDER
set -euo pipefail
cd "$1/include"
warnings="-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror"
compiled=0

# compile COMPILER LANGUAGE STANDARD HEADER [warnings...]
compile() {
  printf '#include "%s"\n' "$4" |
    "$1" -x "$2" -std="$3" "${@:5}" -I . -fsyntax-only - ||
    { echo "$4 does not compile alone with $1 -std=$3"; exit 1; }
  compiled=$((compiled + 1))
}

for compiler in g++ clang++; do
  command -v $compiler > /dev/null || { echo "there is no $compiler here; left out"; continue; }
  for header in retort/*.h retort/*.hpp retort/ops/*.hpp; do
    compile $compiler c++ c++17 "$header" $warnings
  done
  compile $compiler c c11 retort/abi.h -Wall -Wextra -Wpedantic -Wshadow -Werror
done
[[ $compiled -gt 0 ]] || { echo "no compiler was found"; exit 1; }
echo "$compiled compilations passed"

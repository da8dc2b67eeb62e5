#!/usr/bin/env bash
# compare.sh finds a program equal to itself, and tells one that trains otherwise.
# Usage: test.sh RETORT
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '#!/bin/sh\nexec "%s" "$@" seed=9\n' "$1" >"$work/other"
chmod +x "$work/other"

"$here/compare.sh" "$1" "$1" ema
code=0
told=$("$here/compare.sh" "$1" "$work/other" ema) || code=$?
[[ $code == 1 && $told == *"ema"*"DIFFERS"*"metrics.jsonl"*"student.safetensors"* ]] ||
  { echo "another seed: exit code $code, told: $told" >&2; exit 1; }
code=0
"$here/compare.sh" "$1" /bin/false ema 2>/dev/null || code=$?
[[ $code == 5 ]] || { echo "a program that fails: exit code $code" >&2; exit 1; }

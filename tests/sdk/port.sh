#!/usr/bin/env bash
# Does what docs/port_a_loss.md says, with the page's own blocks, and compares the answers with those
# that the page shows. Without PyTorch and safetensors for Python, the same inputs are written by
# plain Python, and the page's Python side is left out.
# Usage: port.sh PAGE SDK_FOLDER PROGRAM_FOLDER
set -euo pipefail
page=$1 sdk=$2 programs=$3
here=$(cd "$(dirname "$0")" && pwd)
. "$here/page_blocks.sh"
folder=$(mktemp -d "${TMPDIR:-/tmp}/retort-port-XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder"
ln -s "$sdk" sdk
page_blocks "$page"
for file in my_pkt.cpp parity.py commands.sh; do
  [[ -s $file ]] || { echo "$page no longer holds $file"; exit 1; }
done

if ! python3 -c 'import torch, safetensors' 2>/dev/null; then
  sed -i 's/^python3 .* write$/python3 port_inputs.py/; /^python3 .* compare$/d' commands.sh
  cp "$here/port_inputs.py" .
fi
PATH="$programs:$PATH" bash -euxo pipefail commands.sh | tee answers

answers=0
while IFS= read -r line; do
  case $line in loss\ *differs*) continue ;; loss* | student* | wrote*) ;; *) continue ;; esac
  answers=$((answers + 1))
  grep -Fxq "    $line" "$page" || { echo "$page shows another answer; it is now: $line"; exit 1; }
done <answers
[[ $answers == 3 ]] || { echo "the probe gave $answers lines, not 3"; exit 1; }

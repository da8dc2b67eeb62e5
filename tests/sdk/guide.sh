#!/usr/bin/env bash
# Does what docs/write_a_strategy.md says, with the page's own blocks, in a folder that holds nothing
# but a copy of the sdk. Fails where a command fails or a loss term is not in the metrics.
# Usage: guide.sh PAGE SDK_FOLDER PROGRAM_FOLDER
set -euo pipefail
page=$1 sdk=$2 programs=$3
. "$(dirname "$0")/page_blocks.sh"
folder=$(mktemp -d "${TMPDIR:-/tmp}/retort-guide-XXXXXX")
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/sdk"
cp -r "$sdk/include" "$sdk/cmake" "$sdk/plugin.flags" "$folder/sdk"

cd "$folder"
page_blocks "$page"
for file in my_method.cpp my_feature.cpp my_method.toml my_feature.toml CMakeLists.txt commands.sh; do
  [[ -s $file ]] || { echo "$page no longer holds $file"; exit 1; }
done

PATH="$programs:$PATH" bash -euxo pipefail commands.sh

retort="$programs/retort"
while IFS= read -r line; do
  [[ -z $line ]] || grep -Fxq "    $line" "$page" ||
    { echo "$page shows another answer of retort inspect; it says: $line"; exit 1; }
done < <("$retort" inspect ./my_method.retort)

# term RUN NAME: the distillation's metrics hold a number under that name.
term() {
  grep -Eq "\"$2\": ?-?[0-9]" runs/"$1"/*/metrics.jsonl ||
    { echo "$2 is not in the metrics of $1:"; cat runs/"$1"/*/metrics.jsonl; exit 1; }
}
term my_method logits.match
term my_feature feature.cosine
term my_feature feature.cosine/cosine

# What follows --plugins FOLDER is not one more folder.
! grep -q '"epoch": *2' runs/my_feature/*/metrics.jsonl ||
  { echo "train.epochs=1 after --plugins was not heard"; exit 1; }

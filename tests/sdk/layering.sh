#!/usr/bin/env bash
# Checks that no layer reaches above itself: by what the sources include, and by what the built
# plugins link; and that pages are short. Prints every breach.
# Usage: layering.sh SOURCE_FOLDER PLUGIN_FOLDER
set -euo pipefail
source=$1 plugins=$2
breaches=0

breach() { echo "$1"; breaches=$((breaches + 1)); }

# includes FOLDER: "FILE:LINE:<header>" or "FILE:LINE:"header"" for each #include below a folder.
includes() {
  (cd "$source" && grep -rnE '^[[:space:]]*#[[:space:]]*include' \
    --include=*.h --include=*.hpp --include=*.c --include=*.cpp "$1") |
    sed -E 's/#[[:space:]]*include[[:space:]]*//; s/:[[:space:]]*([<"][^>"]*[>"]).*/:\1/'
}

# allow FOLDER PATTERN WHY: every include of the folder must match.
allow() {
  local lines
  lines=$(includes "$1")
  [[ -n $lines ]] || breach "$1: no #include was found; the check looks at the wrong place"
  while IFS= read -r line; do breach "$line  ($3)"; done < <(grep -vE ":[0-9]+:$2\$" <<< "$lines")
}

# forbid FOLDER PATTERN WHY: no include of the folder may match.
forbid() {
  while IFS= read -r line; do breach "$line  ($3)"; done < <(includes "$1" | grep -E ":[0-9]+:$2")
}

standard='<([a-z_]+|std(def|int)\.h|cxxabi\.h)>'
allow sdk "($standard|\"retort/[a-z_/]+\.hp*\")" "sdk/ includes the standard library and itself"
allow plugins "($standard|<retort/[a-z_]+\.hpp>)" "a plugin includes the standard library and the sdk"
forbid framework '["<](tests|plugins)/' "framework/ knows no test and no plugin"
forbid framework '["<]torch/torch\.h' "it takes 20 s to compile; include the narrowest header"
for folder in sdk plugins framework tests; do
  forbid $folder '["<]([^">]*/)?\.\./' "includes are written from the root of the repository"
done

# The rooms of framework/, lowest first: each includes itself and those before it. bridge and config
# stand side by side, and so do exported and config.
rooms=(base io guard plugin bridge exported config data train report run cli)
for i in "${!rooms[@]}"; do
  above=$(IFS='|'; echo "${rooms[*]:i+1}")
  [[ -z $above ]] || forbid framework/"${rooms[i]}" "\"framework/($above)/" \
    "an arrow that runs up; the rooms, lowest first: ${rooms[*]}"
done
forbid framework/config '"framework/(bridge|exported)/' "bridge and config do not know each other"
known=$(IFS='|'; echo "${rooms[*]}")
while IFS= read -r file; do breach "$file  (in no room that is known here: ${rooms[*]})"; done < <(
  cd "$source" && find framework -name '*.[ch]pp' | grep -vE "^framework/(($known)/|pch\.hpp\$)")
# Below bridge nothing needs LibTorch, so that it is fuzzed and tested without; but for telling its exceptions.
for room in base io guard plugin config; do
  while IFS= read -r line; do breach "$line  (LibTorch is known from bridge on)"; done < <(
    includes framework/$room | grep -E ':[0-9]+:["<](ATen|c10|torch)/' |
      grep -v '^framework/base/failure\.cpp:')
done
forbid framework/base '["<]retort/' "base knows no contract"

# What is printed passes one function, which makes it safe to show.
while IFS= read -r line; do breach "$line  (print with print_out, say or say_error)"; done < <(
  cd "$source" && grep -rnE 'fmt::print\(|std::c(out|err)\b|fputs\(|\.dump\(' framework \
    --include=*.cpp --include=*.hpp | grep -vE '^framework/io/(json_text\.hpp|safetensors\.cpp):')

# The names in a run folder are spelt in one place.
names='experiment\.toml|retort\.lock|metrics\.jsonl|run\.json|summary\.csv|student\.safetensors'
names+='|report\.html|checkpoints|tfevents'
while IFS= read -r line; do breach "$line  (RunLayout alone names the files of a run)"; done < <(
  cd "$source" && grep -rnE "\"[^\"]*($names)|\"(owner|teachers/?|-(last|best))\"" framework \
    --include=*.cpp --include=*.hpp | grep -vE '^framework/report/run_layout\.|:[0-9]+: *//')

# Pages are short enough to be read whole, and a link to a page leads to one.
for page in "$source"/README.md "$source"/docs/*.md; do
  lines=$(wc -l < "$page") most=200
  [[ $page != */README.md ]] || most=150
  [[ $lines -le $most ]] || breach "$page has $lines lines, $most at most; split it by subject"
  while IFS= read -r target; do
    [[ -f $(dirname "$page")/$target ]] || breach "$page links $target, which is no file"
  done < <(grep -oE '\]\([a-z_/.]+\.md' "$page" | sed 's/^](//')
done

count=0
for file in "$plugins"/*.retort; do
  [[ -f $file ]] || continue
  count=$((count + 1))
  for library in $(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    [[ $library =~ ^(lib(stdc\+\+|m|gcc_s|c|asan|ubsan|tsan)\.so\.[0-9]+|ld-linux-[a-z0-9-]+\.so\.[0-9])$ ]] ||
      breach "$file links $library  (a plugin links the C++ runtime alone, or a sanitizer's)"
  done
done
[[ $count -gt 0 ]] || breach "$plugins holds no plugin; build the target retort_plugins first"

[[ $breaches == 0 ]] || { echo "$breaches breaches"; exit 1; }
echo "no breach; $count plugins looked at"

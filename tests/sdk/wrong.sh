#!/usr/bin/env bash
# Compiles declarations that are wrong on purpose: each stops the compiler with a sentence of the sdk.
# Usage: wrong.sh SDK_FOLDER
set -euo pipefail
sdk=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Writes a strategy whose class has `members` and whose declaration has `traits`.
write() {
  cat >"$work/wrong.cpp" <<SOURCE
#include <retort/strategy.hpp>
using namespace retort;
enum class Norm { L1, L2 };
class Wrong final : public Strategy {
 public:
  $1
  Tensor loss(const Step& step) override { return mean(step.student.logits); }
};
RETORT_STRATEGY(Wrong, $2)
SOURCE
}

# Compiles it, with options; the first error must hold the text.
expect() {
  local wanted=$1 compiler
  for compiler in g++ clang++; do
    command -v $compiler >/dev/null || continue
    if $compiler -std=c++17 "${@:2}" -fsyntax-only -I "$sdk/include" "$work/wrong.cpp" 2>"$work/told"; then
      [[ -n $wanted ]] || continue
      echo "$compiler compiled what it should refuse ($wanted):" && cat "$work/wrong.cpp" && exit 1
    fi
    [[ -n $wanted ]] || { echo "$compiler refuses a sound declaration:"; cat "$work/told"; exit 1; }
    grep -m1 'error:' "$work/told" | grep -qF "$wanted" ||
      { echo "$compiler does not begin with \"$wanted\":"; head -20 "$work/told"; exit 1; }
  done
}

options='struct Options { double scale = 1; int64_t times = 1; Norm norm = Norm::L2; } options;'
id='"logits.wrong", "1.0.0", "A summary"'
scale='option("scale", &Wrong::Options::scale)'
long=$(printf 'x%.0s' {1..170})

write "$options" "$id, $scale.above(0), option(\"norm\", &Wrong::Options::norm).one_of(\"l1\", \"l2\")"
expect ""
expect "needs C++17" -std=c++14
expect "without -fno-exceptions" -fno-exceptions
write "" "$id"
expect "no public member \`options\`"
write "$options" "\"logits.wrong\", \"1.0.0\", \"$long\""
expect "too long for its field"
write "$options" "$id, paper(\"$long\")"
expect "too long for its field"
write "$options" "$id, uses(\"aten::$long\")"
expect "too long for its field"
write "$options" "$id, $scale.help(\"$long\")"
expect "too long for its field"
write "$options" "\"Logits.Wrong\", \"1.0.0\", \"A summary\""
expect "an id is made of"
write "$options" "$id, $scale, option(\"scale\", &Wrong::Options::times)"
expect "two options of one component have the same name"
write "$options" "$id, option(\"weight\", &Wrong::Options::scale)"
expect "a key that the host reads itself"
write "$options" "$id, option(\"my scale\", &Wrong::Options::scale)"
expect "an option's name is made of"
write "$options" "$id, $scale.above(1)"
expect "default, the initial value of its member, is outside"
write "$options" "$id, $scale.at_least(2).at_most(1).required()"
expect "the range of an option holds nothing"
write "$options" "$id, option(\"norm\", &Wrong::Options::norm)"
expect "needs the names of its values"
write "$options" "$id, option(\"norm\", &Wrong::Options::norm).one_of(\"l1\")"
expect "default, the initial value of its member, is outside"
write "$options" "$id, $scale.above(1).required()"
expect ""
echo "every wrong declaration was refused with its sentence"

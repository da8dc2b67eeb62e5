#!/usr/bin/env bash
# Runs the same experiments with two programs and compares the bytes of what they write:
# student.safetensors and metrics.jsonl of every run folder. For a change that must not move a bit:
# build the commit before in a folder of its own, then
#
#   tests/same_bytes/compare.sh OLD/build/release/bin/retort build/release/bin/retort [NAME...]
#
# Without names: all of them. Prints a line for each; exit code 1 where bytes differ, 5 where a program
# fails. The plugins beside each program are its own, so they are compared too.
set -uo pipefail

kd='transfer=[{ strategy = "logits.kd", weight = 0.5 }]'
two='transfer=[{ strategy = "logits.kd" }, { strategy = "feature.fitnet", bind = "layer2", weight = { from = 1, to = 0, epochs = [0, 2] } }]'

# The transfers of one family, all at once, each with a small weight.
family() {
  local list="" strategy
  for strategy; do list+="{ strategy = \"$strategy\", weight = 0.01 }, "; done
  printf 'transfer=[%s]' "${list%, }"
}

# Prints the overrides of an experiment, one a line.
overrides_of() {
  case $1 in
    sgd) printf '%s\n' "$two" train.accumulate=1 train.clip_norm=1 \
      'train.schedule={ name = "cosine", warmup_epochs = 0.5, min_lr = 0.001 }' ;;
    adam) printf '%s\n' "$two" 'train.optimizer={ name = "adam", lr = 0.01, weight_decay = 1e-4 }' \
      'train.schedule={ name = "step", step_epochs = 1, gamma = 0.5 }' ;;
    adamw) printf '%s\n' "$two" 'train.optimizer={ name = "adamw", lr = 0.01, weight_decay = 0.05 }' \
      'train.no_decay=["bias", "bn"]' ;;
    ema) printf '%s\n' "$kd" train.ema=0.9 train.label_smoothing=0.1 \
      'train.schedule={ name = "multistep", milestones = [1], gamma = 0.1 }' ;;
    mixup) printf '%s\n' "$kd" data.mixup=0.2 data.cutmix=1 \
      'data.augment=["crop(2)", "flip", "randaugment(2, 9)", "erase(0.25)"]' ;;
    bf16) printf '%s\n' "$two" 'run.precision="bf16"' ;;
    early_stop) printf '%s\n' "$kd" data.validation=0.25 train.early_stop=1 train.epochs=6 ;;
    resume) printf '%s\n' "$two" run.checkpoint_steps=1 train.ema=0.9 ;;
    seeds) printf '%s\n' "$kd" 'seeds=[1, 2]' train.epochs=1 ;;
    logits) printf '%s\n' train.epochs=1 "$(family logits.{kd,dkd,nkd,dist,ctkd,lskd,wsl,ttm,wttm,skd,tf_kd})" ;;
    feature) printf '%s\n' train.epochs=1 train.clip_norm=1 'student={ model = "resnet", depth = 8, width = 0.5 }' \
      "$(family feature.{fitnet,at,nst,vid,review_kd,afd,mgd,cwd,pkd,pad,srd,ickd})" ;;
    relational) printf '%s\n' train.epochs=1 "$(family relational.{rkd,pkt,sp,cc,kta})" ;;
    *) return 1 ;;
  esac
}
all=(sgd adam adamw ema mixup bf16 early_stop resume seeds logits feature relational)

# Runs an experiment into a folder. "resume" is killed in its last phase and goes on.
run() {
  local program=$1 name=$2 out=$3 overrides
  mapfile -t overrides < <(overrides_of "$name")
  set -- "$program" run "$here/base.toml" "${overrides[@]}" run.out="$out"
  if [[ $name != resume ]]; then
    "$@" >/dev/null 2>"$out.log" || failed "$program" "$name" "$out.log"
    return
  fi
  "$@" >/dev/null 2>"$out.log" &
  local running=$! metrics=$out/same/001/metrics.jsonl
  until [[ -f $metrics ]] && (($(wc -l <"$metrics") >= 5)); do
    kill -0 $running 2>/dev/null || break
    sleep 0.01
  done
  kill -KILL $running 2>/dev/null
  wait $running 2>/dev/null
  "$program" run --resume "$out/same/001" >/dev/null 2>>"$out.log" || failed "$program" "$name" "$out.log"
}

failed() {
  echo "$2: $1 failed:" >&2
  tail -5 "$3" >&2
  exit 5
}

# Prints the files of two folders of runs that differ.
differences() {
  local old=$1 new=$2 file
  (cd "$old" && find . -name student.safetensors -o -name metrics.jsonl) | sort | while read -r file; do
    cmp -s "$old/$file" "$new/$file" || echo "$file"
  done
}

(($# >= 2)) || { sed -n '2,9s/^# \?//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
old=$(realpath "$1") new=$(realpath "$2")
shift 2
names=("$@")
((${#names[@]})) || names=("${all[@]}")
for name in "${names[@]}"; do
  overrides_of "$name" >/dev/null || { echo "no experiment $name; there are: ${all[*]}" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
code=0
for name in "${names[@]}"; do
  run "$old" "$name" "$work/old_$name"
  run "$new" "$name" "$work/new_$name"
  found=$(differences "$work/old_$name" "$work/new_$name")
  runs=$(find "$work/old_$name" -name student.safetensors | wc -l)
  ((runs)) || { echo "$name: no run ended with a student" >&2; exit 5; }
  if [[ -z $found ]]; then
    printf '%-12s same bytes in %s run(s)\n' "$name" "$runs"
  else
    printf '%-12s DIFFERS: %s\n' "$name" "$(tr '\n' ' ' <<<"$found")"
    code=1
  fi
done
exit $code

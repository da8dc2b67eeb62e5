#!/usr/bin/env bash
# Installs what is missing, builds Retort and distils a small network on Fashion-MNIST.
# Usage: experiments/quickstart.sh [key=value ...]      as for `retort run`, e.g. data.root=DIR seed=2
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../framework/cmake/setup.sh"

data=(dataset-fashion-mnist)
[[ " $*" != *" data.root="* ]] || data=()
set_up "${data[@]}"
build retort retort_plugins
exec $release/bin/retort run experiments/fashion_kd.toml "$@"

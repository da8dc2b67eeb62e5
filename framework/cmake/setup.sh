# Sourced by experiments/quickstart.sh and tests/run.sh, which a newcomer types; it lives beside the
# CMake modules because it feeds them. Enters the repository's root and defines
#
#   set_up PACKAGE...   installs missing Debian packages, fetches LibTorch, configures build/release
#   build [TARGET...]   builds these targets of it (everything if none is named)
#
# A second start must cost next to nothing: one dpkg-query, two file tests and a ninja that finds no
# work. Exit code 5 is "the environment is not fit", as in the program itself.

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
release=build/release
torch_version=2.13.0

# Boost must come from 1.81 alone (libboost-dev is 1.74; Debian installs one of the two).
packages=(libboost1.81-dev libcli11-dev libfmt-dev libgmock-dev libgtest-dev libsodium-dev
  libspdlog-dev libtomlplusplus-dev libxxhash-dev nlohmann-json3-dev python3-venv zlib1g-dev
  ccache)

say() { printf '%s\n' "$*" >&2; }
stop() { say "$@"; exit 5; }

# Prints those of the named packages that are not installed, one a line.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  printf 'installed %s\n' "$@" | grep -vxF -f <(printf '%s\n' "$installed") | cut -d' ' -f2 || true
}

install_packages() {
  # Off Debian there is nothing to ask; CMake then names what it cannot find.
  command -v dpkg-query >/dev/null || return 0
  local tool missing
  mapfile -t missing < <(missing_packages "${packages[@]}" "$@")
  for tool in g++:g++ cmake:cmake ninja:ninja-build python3:python3; do
    command -v "${tool%:*}" >/dev/null || missing+=("${tool#*:}")
  done
  ((${#missing[@]})) || return 0

  if [[ " ${missing[*]} " == *" libboost1.81-dev "* && -z $(missing_packages libboost1.74-dev) ]]; then
    stop "libboost1.74-dev is installed and Debian allows one Boost at a time; Retort needs 1.81:" \
      "sudo apt-get remove libboost1.74-dev, then start this again"
  fi
  local as_root=(env DEBIAN_FRONTEND=noninteractive)
  if ((EUID != 0)); then
    if ! sudo -n true 2>/dev/null; then
      say "Packages are missing and this user may not install them. Run this line, then start again:"
      stop "sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
    fi
    as_root=(sudo -n "${as_root[@]}")
  fi
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq >&2 &&
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends --no-remove "${missing[@]}" >&2 ||
    stop "apt-get could not install ${missing[*]}; its message is above"
}

# Sets libtorch to the one that Torch_DIR or CMAKE_PREFIX_PATH names (the places FindTorch.cmake
# knows), else to the one in build/libtorch, fetched if it is not whole.
find_libtorch() {
  local place root places
  IFS=':;' read -ra places <<<"${Torch_DIR:-}:${CMAKE_PREFIX_PATH:-}"
  for place in "${places[@]}"; do
    for root in "${place%/share/cmake/Torch}" "$place"/torch "$place"/lib/python3*/site-packages/torch; do
      if [[ -n $place && -f $root/lib/libtorch_cpu.so ]]; then
        libtorch=$(realpath "$root")
        return
      fi
    done
  done
  [[ -z ${Torch_DIR:-} ]] || stop "Torch_DIR=$Torch_DIR holds no lib/libtorch_cpu.so; correct or unset it"

  libtorch=$PWD/build/libtorch
  local whole=$libtorch/torch-$torch_version.whole  # written last: without it the rest is half done
  [[ -f $whole ]] && return
  say "fetching LibTorch $torch_version into build/libtorch (to use your own: CMAKE_PREFIX_PATH=DIR)"
  rm -rf "$libtorch"
  python3 -m venv "$libtorch" >&2 &&
    "$libtorch/bin/pip" install --disable-pip-version-check --no-input "torch==$torch_version" >&2 ||
    stop "pip could not fetch torch==$torch_version; its message is above. Start this again, or" \
      "name a LibTorch you have: CMAKE_PREFIX_PATH=.../site-packages/torch $0"
  touch "$whole"
}

set_up() {
  install_packages "$@"
  mkdir -p build
  exec {lock}>build/.lock  # two starts at once take turns
  flock "$lock"
  find_libtorch
  if [[ ! -f $release/build.ninja ]] || ! grep -qx "Torch_DIR:.*=$libtorch" $release/CMakeCache.txt; then
    cmake --preset release -DTorch_DIR="$libtorch" >&2
  fi
}

build() {
  ninja -C $release -j "$(nproc)" "$@" >&2
  exec {lock}>&-
}

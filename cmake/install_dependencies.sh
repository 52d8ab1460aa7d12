#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs on Debian 12 what the build and the checks need. Does nothing where all of it is there already.
#   cmake/install_dependencies.sh          everything: both compilers, benchmarks, reference
#   cmake/install_dependencies.sh build    what the library, the examples and the command line program need
set -euo pipefail

packages=(g++ cmake ninja-build pkg-config ccache libeigen3-dev libcli11-dev nlohmann-json3-dev zlib1g-dev libpng-dev libjpeg-dev)
if [[ ${1:-all} == all ]]; then
  packages+=(catch2 libbenchmark-dev clang-19 libclang-rt-19-dev doxygen)
fi

if ! command -v dpkg-query >/dev/null; then
  echo "anodiff: this is no Debian system; needed, under Debian's names: ${packages[*]}"
  exit 0
fi
missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $status == installed ]] || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  echo "anodiff: all ${#packages[@]} packages are installed: ${packages[*]}"
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || { echo "anodiff: to install ${missing[*]}, run this as root or install sudo" >&2; exit 1; }
  as_root=(sudo)
fi
echo "anodiff: installing ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"

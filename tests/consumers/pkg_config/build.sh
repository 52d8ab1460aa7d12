#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh COMPILER PREFIX PROGRAM
set -e
here=$(dirname "$0")/..
PKG_CONFIG_PATH=$2/share/pkgconfig:$PKG_CONFIG_PATH
export PKG_CONFIG_PATH
pkg-config --exists --print-errors 'anodiff >= 0.1'
# shellcheck disable=SC2046
"$1" -std=c++20 -O1 "$here/main.cpp" "$here/other.cpp" $(pkg-config --cflags --libs anodiff) -o "$3"
"$3"

#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the main example at full speed and runs it; arguments are passed on to it.
set -euo pipefail
cd "$(dirname "$0")/.."
bash cmake/install_dependencies.sh build
cmake --preset release -DANODIFF_BENCHMARKS=OFF
cmake --build build/release -j "${ANODIFF_JOBS:-2}" --target anodiff_main_job
exec build/release/examples/anodiff_main_job "$@"

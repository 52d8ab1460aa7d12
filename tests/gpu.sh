#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On a machine with an NVIDIA GPU, nvcc and the driver: runs every kernel test on the device, compute-sanitizer's four
# tools where it is installed, and the timings, and writes benchmarks/results/gpu/CARD.json. Fails where a test fails.
#   ANODIFF_GPU_BUILD  the build folder (default: build/gpu)
set -euo pipefail
cd "$(dirname "$0")/.."

command -v nvidia-smi >/dev/null || { echo "tests/gpu.sh: needs an NVIDIA GPU and its driver, found no nvidia-smi" >&2; exit 1; }
card=$(nvidia-smi --query-gpu=name --format=csv,noheader | head -1)
driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader | head -1)
folder=${ANODIFF_GPU_BUILD:-build/gpu}
out=benchmarks/results/gpu/$(tr ' /' '__' <<<"$card").json

cmake -B "$folder" -DCMAKE_BUILD_TYPE=Release -DANODIFF_CUDA=ON -DCMAKE_CUDA_ARCHITECTURES=native \
  -DANODIFF_EXAMPLES=OFF -DANODIFF_BENCHMARKS=OFF -DANODIFF_SOURCE_CHECKS=OFF
cmake --build "$folder" -j "$(nproc)" --target anodiff_test_cuda_device anodiff_cuda_timing
tests=$folder/tests/cuda/anodiff_test_cuda_device

ANODIFF_REQUIRE_GPU=1 "$tests" --durations yes | tee "$folder/tests.txt"

declare -A sanitized
for tool in memcheck racecheck synccheck initcheck; do
  sanitized[$tool]=absent
  command -v compute-sanitizer >/dev/null || continue
  sanitized[$tool]=failed
  ANODIFF_REQUIRE_GPU=1 compute-sanitizer --tool "$tool" --error-exitcode 9 "$tests" >"$folder/$tool.txt" 2>&1 &&
    sanitized[$tool]=passed
done

hash=$(cmake -DROOT=. -P cmake/gpu_results.cmake 2>&1 | sed -n 's/^-- kernel sources: //p')
mkdir -p "$(dirname "$out")"
{
  echo '{'
  echo "  \"card\": \"$card\","
  echo "  \"driver\": \"$driver\","
  echo "  \"nvcc\": \"$(nvcc --version | sed -n 's/.*release \([0-9.]*\).*/\1/p')\","
  echo "  \"commit\": \"$(git rev-parse HEAD)\","
  echo "  \"kernels\": \"$hash\","
  echo "  \"tests\": \"$(tail -2 "$folder/tests.txt" | tr -d '\n')\","
  for tool in memcheck racecheck synccheck initcheck; do echo "  \"$tool\": \"${sanitized[$tool]}\","; done
  echo "  \"timings\": $("$folder/tests/cuda/anodiff_cuda_timing")"
  echo '}'
} >"$out"
echo "wrote $out"
for tool in "${!sanitized[@]}"; do [[ ${sanitized[$tool]} != failed ]] || { echo "$tool failed: $folder/$tool.txt" >&2; exit 1; }; done

// SPDX-License-Identifier: Apache-2.0
// Without a GPU the engine says so in one sentence; with one there is nothing to see.

#include <anodiff/engines/cuda.cuh>
#include <cstdio>
#include <cstring>

int main() {
  try {
    const anodiff::cuda_engine engine;
    std::puts("skipped: there is a GPU");
    return 0;
  } catch (const anodiff::cuda_error& e) {
    std::puts(e.what());
    return std::strncmp(e.what(), "cuda_engine: needs an NVIDIA GPU and its driver, got cudaError", 62) == 0 ? 0 : 1;
  }
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>
#include <chrono>

namespace bench {

/// Multiply-adds that one thread can do in a second, in GFLOP/s: independent chains in registers, the best of some
/// tries.
[[nodiscard]] inline double measure_peak() {
  using V = anodiff::simd::vec<float>;
  constexpr int chains = anodiff::simd::registers == 32 ? 24 : 12;
  constexpr int steps = 200'000;
  double best = 0;
  for (int attempt = 0; attempt < 20; ++attempt) {
    V c[chains];
    anodiff::ops::cpu::unrolled<chains>(
        [&](auto k) { c[k] = anodiff::simd::broadcast<V>(static_cast<float>(k + attempt)); });
    float near_one = 0.999F + 1e-6F * static_cast<float>(attempt);
    asm volatile("" : "+m"(near_one));
    const V a = anodiff::simd::broadcast<V>(near_one);
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < steps; ++i) {
      anodiff::ops::cpu::unrolled<chains>([&](auto k) { c[k] = c[k] * a + a; });
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    V sum{};
    anodiff::ops::cpu::unrolled<chains>([&](auto k) { sum += c[k]; });
    asm volatile("" : : "m"(sum));
    best = std::max(best, 2.0 * chains * anodiff::simd::lanes<float> * steps / spent.count() * 1e-9);
  }
  return best;
}

/// The same for `threads` of them, as if they did not share a clock.
[[nodiscard]] inline double peak(int threads) {
  static const double one = measure_peak();
  return one * threads;
}

}  // namespace bench

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/blur_cpu.hpp>
#include <anodiff/ops/ssim.hpp>

namespace anodiff::ops::cpu {

/// Five blurs of each picture, and one pass that joins them.
template <class T>
void run(const ssim_map<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  const index size = op.height * op.width * op.channels;
  constexpr index grain = 16384;
  const T c1 = static_cast<T>(std::pow(0.01 * op.range, 2)), c2 = static_cast<T>(std::pow(0.03 * op.range, 2));
  T* const working = op.scratch + 5 * size;
  for (index n = 0; n < op.n; ++n) {
    const T *x = op.x + n * size, *y = op.y + n * size;
    const auto blurred = [&](const T* from, index plane) {
      run(blur<T>{from, op.scratch + plane * size, working, op.weights, 1, op.height, op.width, op.channels}, pool);
    };
    blurred(x, 0);
    blurred(y, 1);
    for (const auto& [a, b, plane] :
         {std::tuple{x, x, index{2}}, std::tuple{y, y, index{3}}, std::tuple{x, y, index{4}}}) {
      const T *left = a, *right = b;
      T* to = op.scratch + plane * size;
      parallel_for(pool, size, grain, [&](index first, index last) {
        for (index i = first; i < last; ++i) to[i] = left[i] * right[i];
      });
      blurred(to, plane);
    }
    parallel_for(pool, size, grain, [&](index first, index last) {
      const T* means = op.scratch + first;
      T* out = op.out + n * size + first;
      for_each_lanes<T>(last - first, [&](index i, auto lanes) {
        const auto plane = [&](index p) -> V { return lanes.load(means + p * size + i); };
        lanes.store(out + i, ssim_of<V>(plane(0), plane(1), plane(2), plane(3), plane(4), c1, c2));
      });
    });
  }
}

}  // namespace anodiff::ops::cpu

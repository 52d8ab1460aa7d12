// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/dynamic_threshold.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

template <class T>
void run(const dynamic_threshold<T>& op, thread_pool& pool) {
  const index d = op.row_size;
  if (d == 0) return;
  parallel_for(pool, op.rows, std::max<index>(1, 4096 / d), [&](index first, index last) {
    for (index i = first; i < last; ++i) {
      T* row = op.values + i * d;
      T* sizes = op.scratch + i * d;
      for (index j = 0; j < d; ++j) sizes[j] = std::abs(row[j]);
      const double s = std::clamp(quantile_of(sizes, d, op.share), op.limit, op.most);
      const T bound = static_cast<T>(s), scale = static_cast<T>(op.limit / s);
      for_each_lanes<T>(d, [&](index j, auto lanes) {
        const auto v = simd::max(lanes.broadcast(-bound), lanes.load(row + j));  // in this order NaN passes
        lanes.store(row + j, scale * simd::min(lanes.broadcast(bound), v));
      });
    }
  });
}

}  // namespace anodiff::ops::cpu
